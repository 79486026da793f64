"""Maintenance windows: paused, told, lifted, and at the end one list of what they held back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.escalations.models import EscalationStep
from bot.pauses import queries, rules
from bot.pauses.models import Pause, PauseHit
from bot.pauses.reporting import report_of
from bot.sop import ProtocolInForce
from connectors.pauses import PauseNotice, PauseWhat

AT_MOST = 50


@dataclass(frozen=True)
class PauseWanted:
    """What a dispatcher asked for, judged and made out."""

    vendor_id: str
    what: PauseWhat
    timezone: str
    by: str
    starts_at: datetime
    ends_at: datetime | None
    """None: until lifted."""
    name: str = ""
    ref: str = ""
    platform: str = ""
    zone: str = ""
    """In whose channel it is told; empty: the default one."""
    why: str = ""


class PauseService:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, boards: DeskBoards) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._boards = boards

    # --- what dispatchers do ------------------------------------------------------------------------

    async def pause(self, session: AsyncSession, wanted: PauseWanted) -> Pause:
        """The window as it stands; asked twice by one command, the same one."""
        now, escalations = self._clock.now(), self._sop.current.escalations
        statement = (
            insert(Pause)
            .values(
                vendor_id=wanted.vendor_id,
                what=wanted.what,
                name=wanted.name,
                ref=wanted.ref,
                platform=wanted.platform,
                timezone=wanted.timezone,
                why=wanted.why,
                by=wanted.by,
                channel=escalations.channel_for(wanted.zone),
                created_at=now,
                starts_at=wanted.starts_at,
                ends_at=wanted.ends_at,
            )
            .on_conflict_do_nothing(index_elements=["vendor_id"])
            .returning(col(Pause.id))
        )
        made = await session.scalar(statement)
        pause = (
            await session.scalars(
                select(Pause).where(col(Pause.vendor_id) == wanted.vendor_id).with_for_update()
            )
        ).one()
        if made is not None:
            self._record(session, pause, "planned", by=wanted.by)
            if pause.starts_at <= now:
                await self._begin(session, pause, now)
        return pause

    async def lift(self, session: AsyncSession, number: int, by: str) -> Pause | None:
        """Ends it, or calls it off before it began; one that is over stays as it is. None: there is none."""
        pause = await session.scalar(select(Pause).where(col(Pause.number) == number).with_for_update())
        if pause is not None and pause.ended_at is None:
            await self._end(session, pause, self._clock.now(), by)
        return pause

    async def current(self, session: AsyncSession) -> list[PauseNotice]:
        """Those that run now, the first to begin first."""
        now = self._clock.now()
        return [view for view in await self.listed(session) if view.starts_at <= now]

    async def listed(self, session: AsyncSession) -> list[PauseNotice]:
        """Those that run, then those that are planned, in the order of their start."""
        pauses = await session.scalars(
            select(Pause)
            .where(col(Pause.ended_at).is_(None))
            .order_by(col(Pause.starts_at), col(Pause.number))
        )
        now = self._clock.now()
        return [pause.notice() for pause in pauses if pause.ends_at is None or pause.ends_at > now]

    async def held_back(self, session: AsyncSession, pause_id: UUID) -> int:
        """How many it has held back so far."""
        count = select(func.count()).select_from(PauseHit).where(col(PauseHit.pause_id) == pause_id)
        return await session.scalar(count) or 0

    # --- the clock ----------------------------------------------------------------------------------

    async def run(self) -> int:
        """Tells of those that begin, reminds of those without an end, ends those whose time is over; gives how many."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            due = await session.scalars(
                select(Pause)
                .where(
                    col(Pause.ended_at).is_(None),
                    col(Pause.starts_at) <= now,
                    col(Pause.told_at).is_(None)
                    | (col(Pause.ends_at) <= now)
                    | (col(Pause.remind_at) <= now),
                )
                .order_by(col(Pause.starts_at))
                .limit(AT_MOST)
                .with_for_update(skip_locked=True)
            )
            pauses = list(due)
            for pause in pauses:
                await self._move_on(session, pause, now)
        return len(pauses)

    async def _move_on(self, session: AsyncSession, pause: Pause, now: datetime) -> None:
        if pause.told_at is None:
            await self._begin(session, pause, now)
        if pause.ends_at is not None and pause.ends_at <= now:
            await self._end(session, pause, now, None)
        elif pause.remind_at is not None and pause.remind_at <= now:
            await self._remind(session, pause, now)

    # --- inside -------------------------------------------------------------------------------------

    @property
    def _remind_every(self) -> timedelta:
        return timedelta(hours=self._sop.current.pauses.remind_hours)

    async def _begin(self, session: AsyncSession, pause: Pause, now: datetime) -> None:
        pause.told_at = now
        if pause.ends_at is None:
            pause.remind_at = pause.starts_at + self._remind_every
        self._record(session, pause, "started", by=audit.SYSTEM)
        await self._boards.keep(session, f"pause:{pause.id}", pause.channel, pause.notice())

    async def _remind(self, session: AsyncSession, pause: Pause, now: datetime) -> None:
        pause.remind_at = rules.holds_until(pause, now, self._remind_every)
        view = pause.notice().model_copy(update={"is_reminder": True, "as_of": now})
        await self._boards.keep(session, f"pause:{pause.id}:{now.isoformat()}", pause.channel, view)

    async def _end(self, session: AsyncSession, pause: Pause, now: datetime, by: str | None) -> None:
        """The list is a message of its own, so that it is seen; the first one then says that it is over."""
        pause.ended_at, pause.ended_by = now, by
        queries.forget(session)
        self._record(session, pause, "lifted" if by else "ended", by=by or audit.SYSTEM)
        if pause.told_at is None:
            return  # called off before it began: nobody was told, nothing was held back
        others = await queries.running(session, now)
        report = await report_of(session, pause, others)
        await self._boards.keep(session, f"pause:{pause.id}", pause.channel, pause.notice())
        await self._boards.keep(session, f"pause:{pause.id}:report", pause.channel, report)
        if by is not None:
            await self._wake_steps(session, pause, now)

    def _record(self, session: AsyncSession, pause: Pause, verb: str, *, by: str) -> None:
        ends = pause.ends_at.isoformat() if pause.ends_at else None
        audit.record(
            session,
            self._clock.now(),
            "pause",
            str(pause.id),
            verb,
            actor=by,
            what=pause.what.value,
            ref=pause.ref,
            starts_at=pause.starts_at.isoformat(),
            ends_at=ends,
        )

    async def _wake_steps(self, session: AsyncSession, pause: Pause, now: datetime) -> None:
        """Steps of open escalations that were put off until this pause would end are due at once."""
        waiting = await session.execute(
            select(col(EscalationStep.id), col(EscalationStep.due_at))
            .where(
                col(EscalationStep.fired_at).is_(None),
                col(EscalationStep.cancelled_at).is_(None),
                col(EscalationStep.planned_at) <= now,
                col(EscalationStep.due_at) > now,
            )
            .with_for_update(skip_locked=True)
        )
        ids = [step for step, due in waiting if rules.was_held_by(pause, due, self._remind_every)]
        if ids:
            await session.execute(
                update(EscalationStep).where(col(EscalationStep.id).in_(ids)).values(due_at=now)
            )
