"""What drivers' words say of when they arrive: until the platform knows better, or the time has proved them wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.models import DriverWord
from bot.sla.rules import ETA_GRACE, INSTANT, STALE_NEWS
from bot.stops.models import StopRecord

LEADS_FOR = timedelta(minutes=15)
"""A later word is believed for so long against a platform's ETA that moves: it creeps on while the van stands."""


@dataclass(frozen=True, slots=True)
class StopWord:
    """What the newest word of a van's driver says of one of its stops."""

    driver_ref: str
    said_at: datetime
    was: datetime | None
    """The platform's ETA when it was said."""
    at: datetime | None
    """None: in time, and no more than that."""


@dataclass(frozen=True, slots=True)
class DriverEta:
    at: datetime
    said_at: datetime

    def ends_after(self, now: datetime) -> datetime | None:
        """The next instant at which the passing of time alone may end its force."""
        return next_turn(StopWord("", self.said_at, None, self.at), now)


def eta_by_word(word: StopWord, eta_at: datetime | None, now: datetime) -> datetime | None:
    """When the driver arrives by their word; None where `eta_at`, the platform's, is to be believed instead.

    The word counts while the platform still says what it said before; once that has moved, for a quarter of an hour,
    where the word is the later one; and never after its own time has passed.
    """
    if word.at is None or word.at < now - ETA_GRACE:
        return None
    if eta_at is None or eta_at == word.was:
        return word.at
    return word.at if eta_at < word.at and now - word.said_at <= LEADS_FOR else None


def is_vouched(word: StopWord, now: datetime) -> bool:
    """Whether the driver said just now that it is in time."""
    return word.at is None and now - word.said_at <= STALE_NEWS


def next_turn(word: StopWord, now: datetime) -> datetime | None:
    """The next instant at which the passing of time alone changes what the word is worth."""
    ends = word.said_at + STALE_NEWS if word.at is None else word.at + ETA_GRACE
    moments = (ends + INSTANT, word.said_at + LEADS_FOR + INSTANT)
    return min((moment for moment in moments if moment > now), default=None)


async def words_in_force(session: AsyncSession, now: datetime) -> Mapping[UUID, StopWord]:
    """By stop. Few rows, however many stops there are: those of vans whose driver said something lately."""
    rows = await session.execute(
        select(
            col(DriverWord.platform),
            col(DriverWord.driver_ref),
            col(DriverWord.said_at),
            col(DriverWord.etas),
        )
        .where(col(DriverWord.holds_until) > now)
        .order_by(col(DriverWord.said_at))
    )
    newest = {(row.platform, row.driver_ref): row for row in rows}
    return {UUID(stop_id): _word(row, told) for row in newest.values() for stop_id, told in row.etas.items()}


async def eta_by_driver(
    session: AsyncSession, stops: Collection[StopRecord], now: datetime
) -> dict[UUID, DriverEta]:
    """Of those of the stops that drivers know better of than their platforms."""
    words = await words_in_force(session, now) if stops else {}
    found = {}
    for stop in stops:
        word = words.get(stop.id)
        if word is None or not stop.is_open or word.driver_ref != stop.driver_ref:
            continue
        if (at := eta_by_word(word, stop.eta_at, now)) is not None:
            found[stop.id] = DriverEta(at, word.said_at)
    return found


def _word(row: Any, told: Mapping[str, str | None]) -> StopWord:
    return StopWord(row.driver_ref, row.said_at, _instant(told["was"]), _instant(told["at"]))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
