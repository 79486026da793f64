"""Who is on call, as one dispatcher reads it. Pure."""

from datetime import datetime

from connectors.desk import CommandAnswer
from connectors.duty import DutyLine, DutyPerson
from connectors.slack.mrkdwn import duration_words, foreign, moment

NAME_LIMIT = 60
NEXT_SHOWN, STRANGERS_SHOWN = 4, 3

SOURCES = {
    "override": "stands in",
    "rotation": "",
    "calendar": "by the calendar",
    "group": "by the user group",
    "nobody": "",
}

NOT_SET_UP = "Nobody is named as on call in sop.yml."


def on_call_text(answer: CommandAnswer, now: datetime) -> str:
    """`*North:* Dana until 8:00 pm, then Sam`, a line for each zone. People are named, not paged."""
    if not answer.duties:
        return NOT_SET_UP
    return "\n".join(duty_line(duty, now) for duty in answer.duties)


def duty_line(duty: DutyLine, now: datetime) -> str:
    zone = foreign(duty.zone, NAME_LIMIT) or "All zones"
    parts = [f"*{zone}:* {_who(duty, now)}", _others(duty), *_doubts(duty)]
    return " · ".join(part for part in parts if part)


def _who(duty: DutyLine, now: datetime) -> str:
    until = f" until {moment(duty.until, duty.timezone, now)}" if duty.until else ""
    then = f", then {_name(duty.next) if duty.next else 'nobody'}" if duty.until else ""
    if not duty.line:
        return f":warning: nobody is on call{until}{then}"
    how = f" ({SOURCES[duty.source]})" if SOURCES[duty.source] else ""
    return f"{_name(duty.line[0])}{how}{until}{then}"


def _others(duty: DutyLine) -> str:
    """Whom an escalation goes on to."""
    after = [_name(person) for person in duty.line[1 : NEXT_SHOWN + 1]]
    return f"if there is no answer: {', '.join(after)}" if after else ""


def _name(person: DutyPerson) -> str:
    return foreign(person.name, NAME_LIMIT) + ("" if person.has_phone else " (no phone)")


def _doubts(duty: DutyLine) -> list[str]:
    strangers = ", ".join(foreign(name, NAME_LIMIT) for name in duty.strangers[:STRANGERS_SHOWN])
    unknown = f":warning: the calendar names {strangers}, whom sop.yml does not know" if strangers else ""
    if not duty.stale:
        return [unknown]
    if duty.stale_for is None:
        return [unknown, ":warning: its calendar or user group was never read"]
    return [unknown, f":warning: as it stood {duration_words(duty.stale_for)} ago, it cannot be read now"]
