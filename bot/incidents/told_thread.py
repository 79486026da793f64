"""Pure: an escalation's history, as lines of the timeline."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.escalations.models import EscalationNote
from bot.incidents.entries import Entry, Source
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names, private
from bot.sla.rules import clock_time
from connectors.escalation import Happening

TOLD_ELSEWHERE = frozenset(
    {
        # by the platform's own events
        Happening.ETA_CHANGED,
        Happening.DELIVERED,
        Happening.FAILED,
        # by the messages themselves
        Happening.RECIPIENT_WROTE,
        Happening.TRANSCRIPT,
        # about other stops, and about Slack
        Happening.STOP_JOINED,
        Happening.STOP_LEFT,
        Happening.DELAYED,
    }
)
NOT_FOR_CLIENTS = frozenset({Happening.NOISE, Happening.MERGED, Happening.NOT_DONE, Happening.HANDED_OVER})

Words = Callable[[EscalationNote, Names, str], str]


def told_thread(evidence: Evidence, names: Names) -> Iterator[Entry]:
    for note in evidence.notes:
        if note.kind in TOLD_ELSEWHERE or (names.for_client and note.kind in NOT_FOR_CLIENTS):
            continue
        yield Entry(
            note.created_at,
            _who(note, names),
            _what(note, names, evidence.incident.timezone),
            Source.THREAD,
            (note.number or 0, str(note.id)),
            words=_words(note, names),
        )


def _who(note: EscalationNote, names: Names) -> str:
    if note.kind is Happening.DRIVER_ANSWERED:
        return "Driver"
    return names.who(note.dispatcher)


def _what(note: EscalationNote, names: Names, timezone: str) -> str:
    telling = _WHAT.get(note.kind)
    if telling is None:
        return note.kind.value.replace("_", " ").capitalize()
    return telling(note, names, timezone) if callable(telling) else telling


def _until(note: EscalationNote, timezone: str) -> str:
    return f" until {clock_time(note.until, timezone)}" if note.until is not None else ""


def _person(note: EscalationNote, names: Names) -> str:
    return "a dispatcher" if names.for_client or not note.person else note.person


def _resolved(note: EscalationNote, names: Names, _timezone: str) -> str:
    outcome = names.in_words(private(note.words))
    return f"Resolved: {outcome}" if outcome else "Resolved"


def _driver_answered(note: EscalationNote, _names: Names, _timezone: str) -> str:
    cause, minutes = note.facts.get("root_cause"), note.facts.get("minutes")
    told = [str(cause).replace("_", " ")] if cause else []
    told += [f"{minutes} min"] if minutes is not None else []
    return f"Answered: {', '.join(told)}" if told else "Answered"


_WHAT: dict[Happening, str | Words] = {
    Happening.ACKNOWLEDGED: lambda note, _, timezone: f"Took it{_until(note, timezone)}",
    Happening.WITHDRAWN: "Gave it back: it is open again",
    Happening.RAN_OUT: "The acknowledgement ran out: it is open again",
    Happening.RESOLVED: _resolved,
    Happening.STEP_FIRED: lambda note, names, _: f"Nobody had taken it: {names.in_words(note.words)}".rstrip(
        ": "
    ),
    Happening.BREACHED: "The promised window is over",
    Happening.REPLIED: "Wrote to the recipient",
    Happening.REPLY_NOT_SENT: lambda note, *_: f"Could not write to the recipient: {_spoken(note.words)}",
    Happening.APPROVED: "Approved what the recipient asked for",
    Happening.NOT_CARRIED_OUT: lambda note, *_: f"The platform did not do it: {_spoken(note.words)}",
    Happening.DECLINED: "Declined what the recipient asked for",
    Happening.TOLD_STILL_WAITING: "Told the recipient that nobody has come to it yet",
    Happening.SNOOZED: lambda note, _, timezone: f"Snoozed it{_until(note, timezone)}",
    Happening.SNOOZE_OVER: "The snooze is over: it is open again",
    Happening.REASSIGNED: lambda note, names, _: (
        "Gave it to another driver" if names.for_client else f"Gave it to {note.words}"
    ),
    Happening.DRIVER_ASKED: "Asked the driver",
    Happening.DRIVER_ANSWERED: _driver_answered,
    Happening.DRIVER_UNREACHABLE: lambda note, *_: f"The driver could not be asked: {_spoken(note.words)}",
    Happening.RECIPIENT_TOLD: "Told the recipient",
    Happening.WINDOW_MOVED: "Moved the delivery window",
    Happening.HANDED_OVER: lambda note, *_: f"Handed it over to zone {note.words}",
    Happening.MERGED: "Merged it with another escalation",
    Happening.NOISE: "Marked it as noise",
    Happening.TEXTED: lambda note, names, _: f"Texted {_person(note, names)}",
    Happening.CALLED: lambda note, names, _: f"Called {_person(note, names)}",
    Happening.CALL_OVER: lambda note, names, _: f"Call to {_person(note, names)}: {_spoken(note.words)}",
    Happening.PAGE_FAILED: lambda note, names, _: (
        f"{_person(note, names).capitalize()} could not be reached: {_spoken(note.words)}"
    ),
    Happening.NOBODY_ON_CALL: "Nobody was on call",
    Happening.STEP_DEFERRED: lambda note, _, timezone: (
        f"The next step waits for its hours{_until(note, timezone)}"
    ),
    Happening.STARTED_AGAIN: lambda note, *_: f"Nobody had taken it: called again, round {note.words}",
    Happening.NOT_DONE: lambda note, *_: f"The platform refused it: {_spoken(note.words)}",
    Happening.PHOTO_CAME: "A picture of the recipient came",
}

_SAID = frozenset({Happening.DRIVER_ASKED, Happening.DRIVER_ANSWERED, Happening.RECIPIENT_TOLD})


def _words(note: EscalationNote, names: Names) -> str:
    """What was said, where saying it is what happened. The driver's own words stay with dispatch."""
    if note.kind not in _SAID or (names.for_client and note.kind is not Happening.RECIPIENT_TOLD):
        return ""
    return private(note.words)


def _spoken(words: Any) -> str:
    return private(str(words)).replace("_", " ")
