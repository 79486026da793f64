"""Reads what the rules decide by, of many stops at once: a few queries for a whole batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.words import DriverEta, eta_by_driver
from bot.notifications.facts import FollowUp, History, Rules, Said, StopNow, rules_for
from bot.notifications.models import NoticeWatch, Notification, NotificationState
from bot.notifications.news import Believed, News, read_beliefs, read_news
from bot.notifications.persons import Persons, person_of, read_persons
from bot.notifications.platform_texts import platform_tells
from bot.notifications.standing import remembering
from bot.recovery.models import Recovery
from bot.sop import Protocol, local_day
from bot.sop_recovery import Flow
from bot.stops.distance import meters_between
from bot.stops.models import DriverRecord, PlatformFeed, StopRecord
from bot.stops.rules import confirmed_at, eta_of_promise
from connectors.base import DeliveryWindow, StopStatus


@dataclass
class Library:
    """What was read for one batch, by stop, driver or account."""

    news: dict[UUID, News]
    said: dict[UUID, list[Said]]
    beliefs: dict[UUID, list[Believed]]
    watches: dict[UUID, NoticeWatch]
    flows: dict[UUID, Flow]
    drivers: dict[tuple[str, str], DriverRecord]
    words: dict[UUID, DriverEta]
    """Of stops whose driver knows better than the platform."""
    read_at: dict[str, datetime | None]
    persons: Persons


@dataclass(frozen=True)
class Sight:
    """One stop with everything that decides about it."""

    record: StopRecord
    stop: StopNow
    history: History
    rules: Rules
    word_ends_at: datetime | None = None
    """When the driver's word on it may not be believed any more."""


async def read_library(session: AsyncSession, stops: Sequence[StopRecord], now: datetime) -> Library:
    ids = [stop.id for stop in stops]
    news = await read_news(session, stops, now)
    moved = [stop_id for stop_id, each in news.items() if each.window_since is not None]
    return Library(
        news=news,
        said=await _said(session, ids),
        beliefs=await read_beliefs(session, moved),
        watches=await _watches(session, ids),
        flows=await _flows(session, [stop.id for stop in stops if stop.status is StopStatus.FAILED]),
        drivers=await _drivers(session, stops),
        words=await eta_by_driver(session, stops, now),
        read_at=await _feeds(session),
        persons=await read_persons(session, stops, now),
    )


def sight_of(record: StopRecord, library: Library, protocol: Protocol, now: datetime) -> Sight:
    """By what was read and what was told since. Remembers since when it is late or near. Pure."""
    rules = rules_for(protocol, record.client)
    history = _history(record, library, protocol, now)
    stop = _stop_now(record, library, protocol, now)
    stop = remembering(stop, library.watches.get(record.id), history, rules, now)
    word = library.words.get(record.id)
    return Sight(record, stop, history, rules, word.ends_after(now) if word else None)


# --- from rows to facts -------------------------------------------------------------------------


def _stop_now(record: StopRecord, library: Library, protocol: Protocol, now: datetime) -> StopNow:
    driver = library.drivers.get((record.platform, record.driver_ref or ""))
    news = library.news.get(record.id, News())
    is_fresh = _is_fresh(record, driver, library.read_at.get(record.platform), protocol, now)
    account = protocol.platforms.accounts.get(record.platform)
    word = library.words.get(record.id)
    return StopNow(
        stop_id=record.id,
        status=record.status,
        timezone=known_zone(record.timezone, protocol.operator.timezone),
        window=record.window,
        believed_window=_believed(record, news, library),
        window_since=news.window_since,
        eta_at=eta_believed(record, word, now) if is_fresh or word else None,
        is_fresh=is_fresh or word is not None,
        stops_away=record.sequence,
        meters_away=_meters(record, driver, protocol, now),
        status_since=news.status_since,
        completed_at=(record.completed_at or news.status_since) if record.status.is_closed else None,
        follow_up=_follow_up(record, library, protocol),
        platform_kinds=platform_tells(record.is_texted_by_platform, account),
    )


def _is_fresh(
    record: StopRecord,
    driver: DriverRecord | None,
    read_at: datetime | None,
    protocol: Protocol,
    now: datetime,
) -> bool:
    """The platform vouched for it, and its driver was heard of, within what the protocol calls stale."""
    age = now - confirmed_at(record, read_at)
    if age > timedelta(minutes=protocol.conversation.stale_after_minutes):
        return False
    if record.status is StopStatus.ARRIVING or driver is None or driver.seen_at is None:
        return True
    return now - driver.seen_at <= timedelta(minutes=protocol.sla.eta_stale_minutes)


def eta_believed(record: StopRecord, word: DriverEta | None, now: datetime) -> datetime | None:
    """By the driver's word where that counts. One that has passed says nothing any more."""
    eta_at = word.at if word is not None else eta_of_promise(record)
    return eta_at if eta_at is not None and eta_at > now else None


def _meters(
    record: StopRecord, driver: DriverRecord | None, protocol: Protocol, now: datetime
) -> float | None:
    if driver is None or driver.seen_at is None:
        return None
    if now - driver.seen_at > timedelta(minutes=protocol.sla.eta_stale_minutes):
        return None
    places = (record.latitude, record.longitude, driver.latitude, driver.longitude)
    if None in places:
        return None
    return meters_between((places[0] or 0.0, places[1] or 0.0), (places[2] or 0.0, places[3] or 0.0))


def _believed(record: StopRecord, news: News, library: Library) -> DeliveryWindow | None:
    """What they learned last: by us, in the conversation, from a dispatcher; else what stood on the order."""
    learned = [(said.at, said.window) for said in library.said.get(record.id, ()) if said.window]
    learned += library.beliefs.get(record.id, [])
    if learned:
        return max(learned, key=lambda each: each[0])[1]
    return news.first_window if news.window_since else record.window


def _follow_up(record: StopRecord, library: Library, protocol: Protocol) -> FollowUp:
    if not protocol.recovery.enabled or record.status is not StopStatus.FAILED:
        return FollowUp.OFF
    flow = library.flows.get(record.id)
    if flow is None:
        return FollowUp.AWAITED
    return FollowUp.BY_PERSON if flow is Flow.DISPATCHER else FollowUp.ASKS


def _history(record: StopRecord, library: Library, protocol: Protocol, now: datetime) -> History:
    timezone = known_zone(record.timezone, protocol.operator.timezone)
    today = local_day(now, timezone)
    said, persons = library.said.get(record.id, []), library.persons
    return History(
        said=tuple(said),
        told_today_stop=sum(local_day(each.at, timezone) == today for each in said),
        told_today_person=persons.told[person_of(record), today],
        written_at=persons.last_written_at(record),
        is_opted_out=persons.is_opted_out(record),
        is_held=persons.is_held(record),
    )


@lru_cache(maxsize=1000)
def known_zone(timezone: str, otherwise: str) -> str:
    """A zone that is unknown is taken for the operator's."""
    try:
        return ZoneInfo(timezone).key
    except (ZoneInfoNotFoundError, ValueError):
        return otherwise


# --- queries ------------------------------------------------------------------------------------


async def _said(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[Said]]:
    """What never left is not said. Oldest first."""
    found = await session.scalars(
        select(Notification)
        .where(col(Notification.stop_id).in_(ids), col(Notification.state) != NotificationState.OUTDATED)
        .order_by(col(Notification.decided_at))
    )
    said: dict[UUID, list[Said]] = defaultdict(list)
    for row in found:
        said[row.stop_id].append(said_from(row))
    return said


def said_from(row: Notification) -> Said:
    start_at, end_at = _instant(row.said, "window_start_at"), _instant(row.said, "window_end_at")
    return Said(
        row.kind,
        row.decided_at,
        _instant(row.said, "eta_at"),
        DeliveryWindow(start_at=start_at, end_at=end_at) if start_at and end_at else None,
        row.state is NotificationState.REACHED,
        bool(row.said.get("not_today")),
    )


def _instant(said: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(said[name]) if said.get(name) else None


async def _watches(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, NoticeWatch]:
    found = await session.scalars(select(NoticeWatch).where(col(NoticeWatch.stop_id).in_(ids)))
    return {watch.stop_id: watch for watch in found}


async def _flows(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Flow]:
    if not ids:
        return {}
    found = await session.execute(
        select(col(Recovery.stop_id), col(Recovery.flow)).where(
            col(Recovery.stop_id).in_(ids), col(Recovery.is_past).is_(False)
        )
    )
    return dict(found.all())


async def _drivers(session: AsyncSession, stops: Sequence[StopRecord]) -> dict[tuple[str, str], DriverRecord]:
    wanted = sorted({(stop.platform, stop.driver_ref) for stop in stops if stop.driver_ref})
    if not wanted:
        return {}
    found = await session.scalars(
        select(DriverRecord).where(
            tuple_(col(DriverRecord.platform), col(DriverRecord.platform_ref)).in_(wanted)
        )
    )
    return {(driver.platform, driver.platform_ref): driver for driver in found}


async def _feeds(session: AsyncSession) -> dict[str, datetime | None]:
    found = await session.execute(select(col(PlatformFeed.platform), col(PlatformFeed.read_at)))
    return dict(found.all())
