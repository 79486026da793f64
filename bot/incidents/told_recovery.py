"""Pure: what the recipient was told unasked and how a failed delivery was followed up, as lines of the timeline."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from bot.audit import AuditLine
from bot.durable.models import Purpose
from bot.incidents.entries import Entry, Source, local_window
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names
from connectors.base import DeliveryWindow

PREFIX = "recovery_"
NOTIFIED = "recipient_notified"
SAME_MOMENT = timedelta(minutes=1)

Details = Mapping[str, Any]

CHOICES = {
    "reattempt": "another try",
    "neighbour": "another try, with a neighbour",
    "safe_place": "another try, in a safe place",
    "pick_up": "to pick it up",
    "return": "it sent back",
}
WHY = {
    "unknown_reason": "nobody has said why it failed",
    "by_rule": "for this reason a person decides",
    "attempts": "the parcel was tried as often as agreed",
    "nobody_to_ask": "there is nobody to ask",
    "no_answer": "the recipient has not answered",
    "not_possible": "the platform has no second tries",
    "refused": "the platform refused the second try",
    "no_window": "there is no window to be had",
    "try_cancelled": "the second try was cancelled on the platform",
    "code_lost": "the access code did not get through",
    "request": "the recipient wants what a dispatcher approves",
    "pick_up": "the parcel is to be held",
    "send_back": "the parcel is to be sent back",
    "ending": "nobody answered",
}
KINDS = {
    "out_for_delivery": "that it is out for delivery",
    "approaching": "that the driver is near",
    "running_late": "that it is late",
    "back_on_time": "that it is on time again",
    "later": "that it takes longer than they were told",
    "window_changed": "of another window",
    "delivered": "that it was delivered",
    "failed": "that it failed",
    "returned": "that it goes back",
}


def told_recovery(evidence: Evidence, names: Names) -> Iterator[Entry]:
    """What the messages themselves tell is not told twice."""
    for line in evidence.audit:
        if not is_of_recovery(line):
            continue
        if line.verb == NOTIFIED and _is_seen(line, evidence):
            continue
        what = _what(line, evidence.incident.timezone)
        yield Entry(line.at, names.who(line.actor), what, Source.AUDIT, (line.id or 0, ""))


def is_of_recovery(line: AuditLine) -> bool:
    return line.subject_kind == "stop" and (line.verb.startswith(PREFIX) or line.verb == NOTIFIED)


def _is_seen(line: AuditLine, evidence: Evidence) -> bool:
    return any(
        sent.purpose is Purpose.PROACTIVE
        and sent.stop_id == evidence.incident.stop_id
        and abs(sent.created_at - line.at) < SAME_MOMENT
        for sent in evidence.sent
    )


def _what(line: AuditLine, timezone: str) -> str:
    if line.verb == NOTIFIED:
        kind = str(line.details.get("kind", ""))
        return f"Told the recipient unasked {KINDS.get(kind) or _spoken(kind)}"
    verb = line.verb.removeprefix(PREFIX)
    told = _WHAT.get(verb)
    return told(line.details, timezone) if told is not None else f"Follow-up: {_spoken(verb)}"


def _opened(details: Details, _timezone: str) -> str:
    attempt = details.get("attempt")
    which = f" of try {attempt}" if isinstance(attempt, int) and attempt > 1 else ""
    return f"Follow-up of the failure{which} opened: {_spoken(str(details.get('reason', 'reason unknown')))}"


def _answered(details: Details, _timezone: str) -> str:
    choice = str(details.get("choice", ""))
    return f"Answered, wants {CHOICES.get(choice) or _spoken(choice)}"


def _with_dispatcher(details: Details, _timezone: str) -> str:
    why = str(details.get("why", ""))
    return f"Handed the follow-up to dispatch: {WHY.get(why) or _spoken(why)}"


def _booked(details: Details, timezone: str) -> str:
    window = _window(details, timezone)
    return f"Another try booked{f': {window}' if window else ''}"


def _moved(details: Details, timezone: str) -> str:
    window = _window(details, timezone)
    return f"The other try was changed{f': {window}' if window else ''}"


def _window(details: Details, timezone: str) -> str:
    try:
        window = DeliveryWindow.model_validate(details.get("window"))
    except ValidationError:
        return ""
    return local_window(window.start_at, window.end_at, timezone)


_WHAT: dict[str, Callable[[Details, str], str]] = {
    "opened": _opened,
    "explained": lambda details, _: f"Said why it failed: {_spoken(str(details.get('reason', '')))}",
    "declined": lambda _details, _: "Declined what the recipient wanted",
    "answered": _answered,
    "with_dispatcher": _with_dispatcher,
    "booked": _booked,
    "moved": _moved,
    "pick_up": lambda _details, _: "The recipient picks it up",
    "sent_back": lambda _details, _: "It goes back to the sender",
    "closed": lambda details, _: f"Follow-up over: {_spoken(str(details.get('why') or 'settled otherwise'))}",
}


def _spoken(word: str) -> str:
    return word.replace("_", " ")
