"""Pure: what a client may know of a followed-up failure and of a broken promise. No name, phone, note or code."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.handover.kinds import EventKind
from bot.handover.rules import stop_facts
from bot.incidents.models import PromiseIncident
from bot.recovery.models import Recovery, RecoveryState
from bot.stops.models import StopRecord

PLANNED = (RecoveryState.WRITING, RecoveryState.BOOKED)
"""States in which a window that the recipient chose is on its way, or stands."""
FROM_ELSEWHERE = frozenset({"window", "window_before", "deadline_at"})
"""What whoever tells may add to what the tables say."""


def recovery_facts(
    recovery: Recovery, stop: StopRecord, second: StopRecord | None, told: Mapping[str, Any]
) -> dict[str, Any]:
    """`second` is the stop that tries again. Of `told` only what is in `FROM_ELSEWHERE` counts."""
    given = {
        name: _in_utc(value) for name, value in told.items() if name in FROM_ELSEWHERE and value is not None
    }
    return {
        "recovery_id": str(recovery.id),
        "stop_id": str(stop.id),
        "order_ref": stop.order_ref,
        "own_ref": stop.own_ref,
        "tracking": stop.tracking,
        "timezone": stop.timezone,
        "reason": recovery.reason.value,
        "attempt": recovery.attempt,
        "state": recovery.state.value,
        "choice": recovery.preference.get("choice"),
        "failed_at": text_of(recovery.failed_at),
        "deadline_at": text_of(recovery.deadline_at),
        "window": new_window(recovery, second),
        "second_stop_id": str(second.id) if second is not None else None,
        "second_tracking": second.tracking if second is not None else None,
    } | given


def new_window(recovery: Recovery, second: StopRecord | None) -> dict[str, str] | None:
    """When it is tried again: as the platform holds it, else as it was agreed."""
    if second is not None and second.window is not None:
        return _window(second.window.start_at, second.window.end_at)
    agreed = recovery.preference.get("window") if recovery.state in PLANNED else None
    if not agreed:
        return None
    return _window(datetime.fromisoformat(agreed["start_at"]), datetime.fromisoformat(agreed["end_at"]))


def breach_facts(incident: PromiseIncident, stop: StopRecord) -> dict[str, Any]:
    """As a stop's own events, with the window that was promised and how late it is so far."""
    promised = None
    if incident.promised_start_at and incident.promised_end_at:
        promised = _window(incident.promised_start_at, incident.promised_end_at)
    return stop_facts(stop, {}) | {
        "incident_id": str(incident.id),
        "incident": incident.name,
        "timezone": incident.timezone,
        "promised": promised,
        "minutes_late": incident.minutes_late,
    }


def key_of(kind: EventKind, facts: Mapping[str, Any]) -> str:
    """The same for the same thing told twice; another window of the second try is another thing."""
    subject = facts.get("incident_id") or facts.get("recovery_id") or facts.get("stop_id")
    if kind is not EventKind.RECOVERY_REATTEMPT_BOOKED:
        return f"{kind.value}:{subject}"
    window = facts.get("window") or {}
    return f"{kind.value}:{subject}:{window.get('start_at', '')}/{window.get('end_at', '')}"


def key_after(told: Sequence[str], key: str) -> str:
    """Of a thing that was told as `told`, oldest first: its key now. What was told, and is so again, is news again."""
    before = [each for each in told if each.partition("#")[0] == key]
    if told and before and before[-1] == told[-1]:
        return before[-1]
    return f"{key}#{len(before) + 1}" if before else key


def _window(start_at: datetime, end_at: datetime) -> dict[str, str]:
    return {"start_at": text_of(start_at) or "", "end_at": text_of(end_at) or ""}


def _in_utc(told: Any) -> Any:
    """An instant, or a window of two, whatever the zone in which it was written."""
    if isinstance(told, Mapping):
        return {name: _in_utc(value) for name, value in told.items()}
    return text_of(datetime.fromisoformat(told))


def text_of(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment is not None else None
