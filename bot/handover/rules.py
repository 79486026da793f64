"""Pure decisions of the hand-over: which events a change of a stop is, when to try again, when to give up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.handover.kinds import EventKind
from bot.sop_desk import HandOver
from bot.stops.models import StopRecord
from connectors.base import StopStatus
from connectors.hand_over import PostAnswer, Taking

ETA_MOVED = timedelta(minutes=10)
"""An ETA that moved less, from what was told last, is no news."""
JITTER = 0.1
"""A pause is longer by up to this share of it: systems that failed together do not all come back at once."""

STATUS_KINDS = {
    StopStatus.ASSIGNED: EventKind.STOP_ASSIGNED,
    StopStatus.OUT_FOR_DELIVERY: EventKind.STOP_OUT_FOR_DELIVERY,
    StopStatus.DELIVERED: EventKind.STOP_DELIVERED,
    StopStatus.FAILED: EventKind.STOP_FAILED,
    StopStatus.CANCELLED: EventKind.STOP_CANCELLED,
    StopStatus.RETURNED: EventKind.STOP_RETURNED,
}

# --- what happened ------------------------------------------------------------------------------


def kinds_of(changes: Mapping[str, Any], told_eta: datetime | None) -> list[EventKind]:
    """The events that one line of a stop's history is; `changes` as in `StopEvent`, old and new by field.

    `told_eta` is the ETA that the client heard last. A stop that begins is one event, whatever its status.
    """
    before, after = changes.get("status", (None, None))
    if "status" in changes and before is None:
        return [EventKind.STOP_CREATED]
    kinds = []
    if "status" in changes and (kind := STATUS_KINDS.get(StopStatus(after))):
        kinds.append(kind)
    if _was_reassigned(changes) and EventKind.STOP_ASSIGNED not in kinds:
        kinds.append(EventKind.STOP_ASSIGNED)
    if "window_start_at" in changes or "window_end_at" in changes:
        kinds.append(EventKind.STOP_WINDOW_CHANGED)
    if "eta_at" in changes and eta_is_news(_instant(changes["eta_at"][1]), told_eta) and not _is_over(after):
        kinds.append(EventKind.STOP_ETA_CHANGED)
    return kinds


def _was_reassigned(changes: Mapping[str, Any]) -> bool:
    before, after = changes.get("driver_ref", (None, None))
    return before is not None and after is not None


def _is_over(status: str | None) -> bool:
    return status is not None and StopStatus(status).is_closed


def eta_is_news(eta_at: datetime | None, told: datetime | None) -> bool:
    """The first ETA is; then one that is at least ten minutes from what was told. No ETA any more is not."""
    if eta_at is None:
        return False
    return told is None or abs(eta_at - told) >= ETA_MOVED


def stop_facts(stop: StopRecord, after: Mapping[str, Any]) -> dict[str, Any]:
    """A stop as a client may know it: no phone, e-mail, name, note or code.

    `after` holds what is to be told instead of the record, which may have gone on; values as in `StopEvent`.
    """
    status = after.get("status", stop.status.value)
    return {
        "stop_id": str(stop.id),
        "order_ref": stop.order_ref,
        "own_ref": stop.own_ref,
        "tracking": stop.tracking,
        "status": status,
        "window": _window(
            after.get("window_start_at", _text(stop.window_start_at)),
            after.get("window_end_at", _text(stop.window_end_at)),
        ),
        "eta_at": _utc(after.get("eta_at", _text(stop.eta_at))),
        "completed_at": _text(stop.completed_at) if _is_over(status) else None,
        "failure_reason": after.get("failure_reason", stop.failure_reason),
    }


def window_before(changes: Mapping[str, Any], stop: StopRecord) -> dict[str, str] | None:
    """What was promised until now, of a line in which one of its ends or both changed."""
    start = changes.get("window_start_at", (_text(stop.window_start_at),))[0]
    end = changes.get("window_end_at", (_text(stop.window_end_at),))[0]
    return _window(start, end)


def _window(start: str | None, end: str | None) -> dict[str, str] | None:
    starts, ends = _utc(start), _utc(end)
    return {"start_at": starts, "end_at": ends} if starts and ends else None


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _utc(value: str | None) -> str | None:
    return _text(_instant(value))


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment is not None else None


# --- trying again ---------------------------------------------------------------------------------


def pauses(hand_over: HandOver) -> tuple[timedelta, ...]:
    """Before each try; there are as many tries."""
    return tuple(timedelta(minutes=minutes) for minutes in hand_over.retry_minutes)


def patience(hand_over: HandOver) -> timedelta:
    """From the moment an event is recorded to its last try, where nothing else is in its way."""
    return sum(pauses(hand_over), timedelta())


def pause_after(tries: int, hand_over: HandOver, luck: float) -> timedelta | None:
    """How long to wait after this many tries; None when that was the last. `luck` from 0 to 1 is the jitter."""
    planned = pauses(hand_over)
    return planned[tries] * (1 + JITTER * luck) if tries < len(planned) else None


def pause_of_all(failures: int, hand_over: HandOver, luck: float) -> timedelta:
    """How long a system is left alone after so many failures in a row: as one event would, then the longest."""
    planned = pauses(hand_over)
    return planned[min(failures, len(planned) - 1)] * (1 + JITTER * luck)


@dataclass(frozen=True)
class Verdict:
    """What an answer means for the delivery, and for its subscription."""

    is_delivered: bool = False
    is_dead: bool = False
    next_at: datetime | None = None
    pause_until: datetime | None = None
    """Nothing goes to this subscription before."""
    is_gone: bool = False


def judge(
    answer: PostAnswer,
    tries: int,
    failures: int,
    due_since: datetime,
    now: datetime,
    hand_over: HandOver,
    luck: float,
) -> Verdict:
    """`tries` of this event with this one, `failures` of the subscription in a row before it; wall times.

    A system that is there and refuses one event holds up no other; one that is not there is left alone for all.
    An event that waited for such a system is given up once its patience is over, however often it was tried.
    """
    if answer.taking is Taking.TAKEN:
        return Verdict(is_delivered=True)
    if answer.taking is Taking.GONE:
        return Verdict(is_dead=True, is_gone=True)
    if answer.taking is Taking.REFUSED:
        pause = pause_after(tries, hand_over, luck)
        return Verdict(is_dead=True) if pause is None else Verdict(next_at=now + pause)
    wait = max(pause_of_all(failures + 1, hand_over, luck), answer.retry_after or timedelta())
    return Verdict(is_dead=now - due_since >= patience(hand_over), next_at=now + wait, pause_until=now + wait)
