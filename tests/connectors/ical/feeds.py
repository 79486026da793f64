"""Calendars as RFC 5545 and the calendars of the world write them."""


def calendar(*events: str, head: str = "") -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Doorline//tests//EN", *head.splitlines()]
    for event in events:
        lines += ["BEGIN:VEVENT", "DTSTAMP:20260601T000000Z", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


WEEKS = """
UID:weeks@calendar.example
DTSTART;TZID=America/New_York:20260601T080000
DTEND;TZID=America/New_York:20260608T080000
RRULE:FREQ=WEEKLY;INTERVAL=2
EXDATE;TZID=America/New_York:20260615T080000
SUMMARY:On call
ATTENDEE;CN=Dana Reyes;PARTSTAT=ACCEPTED:mailto:dana@quickship.example
ATTENDEE;CN=Sam;PARTSTAT=DECLINED:mailto:sam@quickship.example
"""

MOVED = """
UID:weeks@calendar.example
RECURRENCE-ID;TZID=America/New_York:20260629T080000
DTSTART;TZID=America/New_York:20260630T080000
DTEND;TZID=America/New_York:20260701T080000
SUMMARY:On call
ATTENDEE;CN=Lee Wong:mailto:lee@quickship.example
"""

ALL_DAY = """
UID:day@calendar.example
DTSTART;VALUE=DATE:20260704
DTEND;VALUE=DATE:20260705
SUMMARY:Sam (holiday cover)
"""

FLOATING = """
UID:floating@calendar.example
DTSTART:20260610T180000
DTEND:20260610T220000
SUMMARY:Lee
"""

CANCELLED = """
UID:cancelled@calendar.example
DTSTART:20260610T180000Z
DTEND:20260610T220000Z
STATUS:CANCELLED
SUMMARY:Kim
"""

UTC_EVENT = """
UID:utc@calendar.example
DTSTART:20260611T000000Z
DTEND:20260611T040000Z
SUMMARY:Ode
"""

BAD = """
UID:bad@calendar.example
DTSTART:20260611T000000Z
DTEND:20260611T040000Z
RRULE:FREQ=SOMETIMES
SUMMARY:Nobody
"""
