"""What came back from an escalation's window: read, checked as far as a form alone can be, put into a deed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from connectors.errors import UnreadablePayloadError
from connectors.escalation import DispatcherAction
from connectors.slack.payloads import ViewSubmission, WindowPlace
from connectors.slack.plain import tidy
from connectors.slack.window_kinds import VERBS, Window
from connectors.slack.window_parts import ALL

INPUTS = {
    Window.MORE: ("deed",),
    Window.STOPS: (),
    Window.SNOOZE: ("for", "until"),
    Window.REASSIGN: ("driver", "stop_ids"),
    Window.CONTACT: ("words",),
    Window.TELL: ("message", "words", "stop_ids"),
    Window.MOVE: ("stop_id", "date", "start", "end", "tell", "reason"),
    Window.HAND_OVER: ("zone", "note"),
    Window.MERGE: ("into",),
    Window.NOISE: (),
    Window.RESOLVE: ("root_cause", "exclusion", "note"),
    Window.CAUSE: ("root_cause", "exclusion", "note"),
}
"""Names of the inputs that each window may have."""

NOT_STORED = "Not done: Doorline could not keep it. Send it again in a moment."
NEEDED = "Choose one."
OWN_WORDS_NEEDED = "Write what they should read."
ENDS_FIRST = "It must end after it starts."
IS_PAST = "That is over already."
NO_SUCH_TIME = "The clocks go forward over it: that time does not exist on this day."
UNREADABLE = "That cannot be read."
ONE_OF_BOTH = "Choose one of the two."
TOO_LONG = "Longer than a day is no snooze."

LONGEST_SNOOZE = timedelta(hours=24)


@dataclass(frozen=True)
class Sent:
    """`errors` by block id; with any, the window stays and nothing is done."""

    fields: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def place_in(private_metadata: str) -> WindowPlace:
    """Raises `UnreadablePayloadError` for a window that is not ours."""
    try:
        return WindowPlace.model_validate_json(private_metadata)
    except ValidationError as exc:
        raise UnreadablePayloadError("an escalation's window without its escalation") from exc


def read_window(kind: Window, submission: ViewSubmission, now: datetime) -> Sent:
    place = place_in(submission.view.private_metadata)
    entered = {name: tidy(submission.text(name, name)) for name in INPUTS[kind]}
    if kind is Window.SNOOZE:
        return _snooze(entered, place.timezone, now)
    if kind is Window.MOVE:
        return _move(entered, place.timezone, now)
    if kind is Window.TELL and entered["message"] == "own" and not entered["words"]:
        return Sent(errors={"words": OWN_WORDS_NEEDED})
    missing = {name: NEEDED for name in _NEEDED.get(kind, ()) if not entered[name]}
    stops = entered.get("stop_ids", "")
    fields = entered | ({"stop_ids": "" if stops == ALL else stops} if "stop_ids" in entered else {})
    return Sent({name: value for name, value in fields.items() if value}, missing)


_NEEDED = {
    Window.MORE: ("deed",),
    Window.REASSIGN: ("driver",),
    Window.TELL: ("message",),
    Window.HAND_OVER: ("zone",),
    Window.MERGE: ("into",),
    Window.CAUSE: ("root_cause",),
}


def _snooze(entered: Mapping[str, str], timezone: str, now: datetime) -> Sent:
    length, until = entered["for"], entered["until"]
    if bool(length) is bool(until):
        return Sent(errors={"for": NEEDED if not length else ONE_OF_BOTH})
    if length.startswith("before_"):
        return Sent({"before_window_minutes": length.removeprefix("before_")})
    if length:
        return Sent({"until": (now + timedelta(minutes=int(length))).isoformat()})
    at = _next(until, timezone, now)
    return Sent({"until": at.isoformat()}) if at else Sent(errors={"until": UNREADABLE})


def _next(clock: str, timezone: str, now: datetime) -> datetime | None:
    """The next time that a clock there shows this; aware UTC."""
    local = now.astimezone(ZoneInfo(timezone))
    try:
        at = time.fromisoformat(clock)
    except ValueError:
        return None
    days = (datetime.combine(local.date() + timedelta(days=n), at, ZoneInfo(timezone)) for n in (0, 1))
    return next((day.astimezone(UTC) for day in days if day.astimezone(UTC) > now), None)


def _move(entered: Mapping[str, str], timezone: str, now: datetime) -> Sent:
    errors = {name: NEEDED for name in ("stop_id", "date", "start", "end") if not entered[name]}
    if errors:
        return Sent(errors=errors)
    start, end = (_instant(entered["date"], entered[name], timezone) for name in ("start", "end"))
    if start is None or end is None:
        return Sent(errors={"start" if start is None else "end": NO_SUCH_TIME})
    if end <= start:
        return Sent(errors={"end": ENDS_FIRST})
    if end <= now:
        is_day = end.astimezone(ZoneInfo(timezone)).date() < now.astimezone(ZoneInfo(timezone)).date()
        return Sent(errors={"date" if is_day else "end": IS_PAST})
    return Sent({name: value for name, value in entered.items() if value})


def _instant(day: str, clock: str, timezone: str) -> datetime | None:
    """None for a time that cannot be read, or that the clocks skip on that day."""
    zone = ZoneInfo(timezone)
    try:
        local = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), zone)
    except ValueError:
        return None
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def window_action(kind: Window, submission: ViewSubmission, sent: Sent, now: datetime) -> DispatcherAction:
    """Sent again after an error, the window is still the same gesture."""
    place, view = place_in(submission.view.private_metadata), submission.view
    return DispatcherAction(
        vendor_id=f"modal:{view.id}:{view.hash}",
        verb=VERBS[kind],
        dispatcher=submission.user.id,
        channel=place.channel,
        message_ts=place.ts,
        escalation_id=place.escalation_id,
        words=sent.fields.get("words", ""),
        fields=sent.fields,
        gesture=f"modal:{kind.value}",
        occurred_at=now,
    )
