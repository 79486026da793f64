"""Since when a stop stands as it does, and which window its recipient believes in: from its events, in bulk."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, String, Uuid, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.recovery.models import Recovery, RecoveryState
from bot.requests.models import DispatchRequest, RequestState
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow

LATELY = timedelta(days=1)
"""What happened before is old news, whatever the rules say; the longest quiet hours are shorter."""

EVENTS = text("""
    SELECT stop_id, at, changes FROM stop_event
    WHERE stop_id = ANY(:ids) AND at > :since AND changes ?| array['status', 'window_start_at', 'window_end_at']
    ORDER BY id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))

OWN_BOOKINGS = text("""
    SELECT subject_id, at, details -> 'new' AS window FROM audit_line
    WHERE subject_kind = 'stop' AND subject_id = ANY(:ids) AND verb = 'window_changed' AND actor = 'recipient'
""").bindparams(bindparam("ids", type_=ARRAY(String())))

Believed = tuple[datetime, DeliveryWindow]
"""What the recipient learned of their window, and when."""


@dataclass(frozen=True)
class News:
    status_since: datetime | None = None
    window_since: datetime | None = None
    first_window: DeliveryWindow | None = None
    """As it was before it changed lately; None where it did not, or there was none."""


async def read_news(session: AsyncSession, stops: Sequence[StopRecord], now: datetime) -> dict[UUID, News]:
    """For those of the stops of which something changed lately."""
    found = await session.execute(EVENTS, {"ids": [stop.id for stop in stops], "since": now - LATELY})
    events: dict[UUID, list[tuple[datetime, Mapping[str, Any]]]] = defaultdict(list)
    for stop_id, at, changes in found:
        events[stop_id].append((at, changes))
    return {stop.id: news_from(events[stop.id], stop.window) for stop in stops if stop.id in events}


def news_from(events: Sequence[tuple[datetime, Mapping[str, Any]]], window: DeliveryWindow | None) -> News:
    """Out of the events of one stop, oldest first, and its window now. Pure.

    The event that shows a stop for the first time says nothing of when it became so.
    """
    status_since = window_since = None
    ends: list[datetime | None] = [window.start_at, window.end_at] if window else [None, None]
    for at, changes in reversed(events):
        if status_since is None and _is_turn(changes, "status"):
            status_since = at
        for place, name in enumerate(("window_start_at", "window_end_at")):
            if name in changes:
                window_since = window_since or at
                ends[place] = _instant(changes[name][0])
    first = _window(*ends) if window_since else None
    return News(status_since, window_since, first)


async def read_beliefs(session: AsyncSession, stop_ids: Sequence[UUID]) -> dict[UUID, list[Believed]]:
    """What recipients learned of their windows otherwise than by notifications.

    They booked it, a dispatcher granted it, or they chose it for a second try.
    """
    if not stop_ids:
        return {}
    beliefs: dict[UUID, list[Believed]] = defaultdict(list)
    booked = await session.execute(OWN_BOOKINGS, {"ids": [str(stop_id) for stop_id in stop_ids]})
    for stop_id, at, window in booked:
        beliefs[UUID(stop_id)].append((at, DeliveryWindow.model_validate(window)))
    decided_at, wanted = col(DispatchRequest.decided_at), col(DispatchRequest.wanted)
    agreed = await session.execute(
        select(col(DispatchRequest.stop_id), decided_at, wanted["window"]).where(
            col(DispatchRequest.stop_id).in_(stop_ids),
            col(DispatchRequest.state).in_((RequestState.APPROVING, RequestState.APPROVED)),
            decided_at.is_not(None),
        )
    )
    again_id, chosen = col(Recovery.reattempt_id), col(Recovery.preference)["window"]
    settled_at = func.greatest(col(Recovery.settled_at), col(Recovery.answered_at))
    retried = await session.execute(
        select(again_id, settled_at, chosen).where(
            again_id.in_(stop_ids), col(Recovery.state) == RecoveryState.BOOKED, settled_at.is_not(None)
        )
    )
    for stop_id, at, window in (*agreed, *retried):
        if window:
            beliefs[stop_id].append((at, DeliveryWindow.model_validate(window)))
    return beliefs


def _is_turn(changes: Mapping[str, Any], name: str) -> bool:
    return name in changes and changes[name][0] is not None


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _window(start_at: datetime | None, end_at: datetime | None) -> DeliveryWindow | None:
    if start_at is None or end_at is None or start_at >= end_at:
        return None
    return DeliveryWindow(start_at=start_at, end_at=end_at)
