"""Keeps what a driver says of the time that it takes, and has everybody look again who goes by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.conversations.models import InboundText
from bot.drivers.models import DriverWord
from bot.drivers.reading import DriverAnswer
from bot.sla.rules import ETA_GRACE, STALE_NEWS
from bot.stops.models import OPEN_STATUSES, StopRecord

REACHES = timedelta(hours=18)
"""A driver's stops farther from now than this are of another day."""
_AT = func.coalesce(col(StopRecord.window_end_at), col(StopRecord.eta_at), col(StopRecord.planned_at))


async def keep_word(
    session: AsyncSession,
    stop: StopRecord,
    answer: DriverAnswer,
    name: str,
    inbound: InboundText | None,
    now: datetime,
) -> DriverWord:
    """A row of the ledger; watch and notifications look at the van's stops anew. The stop must have a driver."""
    left = await _left_on_van(session, stop, now)
    etas = etas_of(stop, left, answer, now)
    word = DriverWord(
        platform=stop.platform,
        driver_ref=stop.driver_ref or "",
        driver_name=name,
        stop_id=stop.id,
        inbound_id=inbound.id if inbound is not None else None,
        said_at=now,
        is_on_time=answer.is_on_time,
        root_cause=answer.root_cause,
        minutes=answer.minutes,
        holds_until=_holds_until(answer, etas, now),
        etas=etas,
    )
    if etas:
        await _end_earlier(session, stop, now)
    session.add(word)
    await session.execute(
        update(StopRecord)
        .where(col(StopRecord.id).in_([each.id for each in left]))
        .values(watch_at=None, notice_at=None)
        .execution_options(synchronize_session=False)
    )
    said = {"root_cause": answer.root_cause or "", "minutes": answer.minutes, "is_on_time": answer.is_on_time}
    audit.record(session, now, "stop", str(stop.id), "driver_said", actor="driver", **said)
    return word


async def _end_earlier(session: AsyncSession, stop: StopRecord, now: datetime) -> None:
    """An earlier word must not come into force again when this one has had its time."""
    await session.execute(
        update(DriverWord)
        .where(
            col(DriverWord.platform) == stop.platform,
            col(DriverWord.driver_ref) == stop.driver_ref,
            col(DriverWord.holds_until) > now,
        )
        .values(holds_until=now)
        .execution_options(synchronize_session=False)
    )


def etas_of(
    stop: StopRecord, left: Sequence[StopRecord], answer: DriverAnswer, now: datetime
) -> dict[str, Any]:
    """As `DriverWord.etas`: of the stop itself, and of those after it, as much later as it is. Pure."""
    if answer.minutes is None:
        return {str(stop.id): _told(stop.eta_at, None)} if answer.is_on_time else {}
    at = now + timedelta(minutes=answer.minutes)
    etas = {str(stop.id): _told(stop.eta_at, at)}
    shift = at - stop.eta_at if stop.eta_at is not None else timedelta(0)
    for later in left:
        if shift > timedelta(0) and later.eta_at is not None and _is_after(later, stop):
            etas[str(later.id)] = _told(later.eta_at, later.eta_at + shift)
    return etas


def _is_after(later: StopRecord, stop: StopRecord) -> bool:
    if later.id == stop.id:
        return False
    if later.sequence is not None and stop.sequence is not None:
        return later.sequence > stop.sequence
    return later.eta_at is not None and stop.eta_at is not None and later.eta_at > stop.eta_at


def _told(was: datetime | None, at: datetime | None) -> dict[str, str | None]:
    return {"was": was.isoformat() if was else None, "at": at.isoformat() if at else None}


def _holds_until(answer: DriverAnswer, etas: dict[str, Any], now: datetime) -> datetime:
    if answer.is_on_time:
        return now + STALE_NEWS
    ends = [datetime.fromisoformat(told["at"]) + ETA_GRACE for told in etas.values()]
    # What only says why leaves an earlier word on the time as it is.
    return max(ends, default=now)


async def _left_on_van(session: AsyncSession, stop: StopRecord, now: datetime) -> list[StopRecord]:
    """Locked, in the order in which all lock stops."""
    found = await session.scalars(
        select(StopRecord)
        .where(
            col(StopRecord.platform) == stop.platform,
            col(StopRecord.driver_ref) == stop.driver_ref,
            col(StopRecord.status).in_(OPEN_STATUSES),
            _AT.between(now - REACHES, now + REACHES),
        )
        .order_by(col(StopRecord.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return list(found)
