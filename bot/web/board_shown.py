"""What the board's page prints: words and times where the stops are. Pure."""

from datetime import datetime, timedelta
from typing import Any

from connectors.day_times import duration_words, moment, window_words
from connectors.follow_up import Board, BoardStop, FollowedUp, FollowUpState, LateStop
from connectors.follow_up_words import REASONS, next_words, numeral, state_words

BY_ITSELF = ("", "recipient", "default")
LONG = timedelta(days=1)
UNKNOWN = "unknown_reason"


def shown(board: Board) -> dict[str, Any]:
    """The board for its template; the groups in the order in which they need somebody."""
    with_dispatch = [each for each in board.follow_ups if each.waits_for_dispatch]
    others = [each for each in board.follow_ups if not each.waits_for_dispatch]
    asking = [each for each in others if not each.follow_up.state.is_over]
    settled = [each for each in others if each.follow_up.state.is_over]
    return {
        "day": f"{board.day:%A}, {board.day:%B} {board.day.day}",
        "as_of": moment(board.as_of, board.timezone, board.as_of),
        "zone": "All zones" if board.zone is None else board.zone or "No zone",
        "one_zone": board.zone is not None,
        "with_dispatch": [_followed(each, board) for each in with_dispatch],
        "asking": [_followed(each, board) for each in asking],
        "late": [_late(each, board) for each in board.late],
        "late_count": len(board.late) + board.late_more,
        "late_more": board.late_more,
        "settled": [_followed(each, board) for each in settled],
        "rebooked": sum(each.follow_up.state is FollowUpState.BOOKED for each in settled),
        "breached": sum(each.is_breached for each in board.late),
    }


def _followed(item: FollowedUp, board: Board) -> dict[str, Any]:
    told, zone, now = item.follow_up, item.stop.timezone, board.as_of
    state = state_words(told, zone, now).removeprefix("with dispatch: ")
    return {
        **_stop(item.stop, board),
        "reason": REASONS[told.reason],
        "attempt": f"{numeral(told.attempt)} try" if told.attempt > 1 else "",
        "state": _capital(state) if told.why != UNKNOWN else "Nobody has said why",
        "to_do": told.state.is_over and item.is_to_do,
        "next": next_words(told, zone, now),
        "is_due": told.next_at is not None and told.next_at <= now,
        "failed": moment(told.failed_at, zone, now),
        "failed_at": told.failed_at.isoformat(),
        "since": _since(told.failed_at, now),
        "is_good": told.state in (FollowUpState.BOOKED, FollowUpState.PICK_UP),
        "settled": moment(told.settled_at, zone, now) if told.settled_at else "",
        "settled_by": _settled_by(told.settled_by),
        "url": item.url,
    }


def _late(item: LateStop, board: Board) -> dict[str, Any]:
    zone, now = item.stop.timezone, board.as_of
    return {
        **_stop(item.stop, board),
        "window": window_words(item.window, zone, now) if item.window else "any time",
        "eta": f"ETA {moment(item.eta_at, zone, now)}" if item.eta_at else "No ETA",
        "late_by": _late_by(item),
        "is_breached": item.is_breached,
        "held": f"{item.held_by} has it" if item.held_by else "Nobody has it",
        "is_held": bool(item.held_by),
        "told": f"recipient told {moment(item.told_at, zone, now)}" if item.told_at else "recipient not told",
        "url": item.url,
    }


def _stop(stop: BoardStop, board: Board) -> dict[str, Any]:
    return {
        "id": stop.stop_id,
        "address": stop.address_line or "Address unknown",
        "recipient": stop.recipient_name,
        "client": stop.client,
        "tracking": stop.tracking,
        "order": stop.order_ref,
        "driver": stop.driver_name,
        "zone": stop.zone if board.zone is None else "",
    }


def _late_by(item: LateStop) -> str:
    if item.eta_at is None or item.window is None or item.eta_at < item.window.end_at:
        return ""
    return f"{duration_words(item.eta_at - item.window.end_at)} late"


def _since(failed_at: datetime, now: datetime) -> str:
    """`42 min`, `3 h 5 min`, `2 days`."""
    age = now - failed_at
    if age < 2 * LONG:
        return duration_words(age)
    return f"{age // LONG} days"


def _settled_by(by: str) -> str:
    if by in BY_ITSELF:
        return {"recipient": "by the recipient", "default": "nobody answered"}.get(by, "")
    return "by dispatch"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
