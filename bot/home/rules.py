"""What a page shows of the day, from what was counted. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.home.queries import CountedStops
from bot.sop import Protocol
from bot.stops.models import PlatformFeed, SlaState
from connectors.base import StopStatus
from connectors.home import FRESH, FeedNews, HomeView, ZoneBoard

_COLUMNS = {
    StopStatus.PLANNED: "waiting",
    StopStatus.ASSIGNED: "waiting",
    StopStatus.OUT_FOR_DELIVERY: "out",
    StopStatus.ARRIVING: "out",
    StopStatus.DELIVERED: "delivered",
    StopStatus.FAILED: "failed",
    StopStatus.RETURNED: "failed",
}
"""Cancelled stops are nobody's work."""

_RISKS = {SlaState.AT_RISK: "at_risk", SlaState.BREACHED: "breached"}


def boards(counted: Iterable[CountedStops], zones: Sequence[str]) -> tuple[ZoneBoard, ...]:
    """One per zone, those of `zones` where any is named, by name."""
    sums: dict[str, dict[str, int]] = {}
    for each in counted:
        column = _COLUMNS.get(each.status)
        if column is None or (zones and each.zone not in zones):
            continue
        board = sums.setdefault(each.zone, {})
        board[column] = board.get(column, 0) + each.count
        risk = _RISKS.get(each.sla_state)
        if risk is not None and not each.status.is_closed:
            board[risk] = board.get(risk, 0) + each.count
    return tuple(ZoneBoard(zone=zone, **sums[zone]) for zone in sorted(sums))


def zones_of(chosen: Sequence[str] | None, dispatcher: str, protocol: Protocol) -> tuple[str, ...]:
    """The zones that this dispatcher sees: chosen ones, else those of `people`; empty: all."""
    if chosen is not None:
        return tuple(chosen)
    person = next((each for each in protocol.people.values() if each.slack == dispatcher), None)
    return tuple(sorted(person.zones)) if person is not None else ()


def language_of(chosen: str | None, dispatcher: str, protocol: Protocol) -> str:
    person = next((each for each in protocol.people.values() if each.slack == dispatcher), None)
    return chosen or (person.language if person is not None else "en")


def old_news(feeds: Iterable[PlatformFeed], now: datetime, silent_after: timedelta) -> tuple[FeedNews, ...]:
    """The platforms whose news is not fresh; while all are, there is nothing to tell."""
    news = []
    for feed in feeds:
        age = now - feed.read_at if feed.read_at is not None else None
        if age is None or age > FRESH:
            is_silent = age is None or age > silent_after
            news.append(FeedNews(platform=feed.platform, read_at=feed.read_at, is_silent=is_silent))
    return tuple(news)


def digest(view: HomeView) -> str:
    """Of what makes a new version: links are signed anew each time, and lead to the same."""
    return hashlib.sha256(view.model_dump_json(exclude={"as_of", "links"}).encode()).hexdigest()
