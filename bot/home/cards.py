"""`/doorline stop REF`: how one stop stands, and what dispatchers went through with it."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.board.queries import follow_ups_of, second_tries_of
from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation, EscalationStop
from bot.home.ports import ManifestAddress
from bot.manifest.days import day_of
from bot.stops.models import DriverRecord, PlatformFeed, StopRecord
from bot.stops.rules import confirmed_at, eta_of_promise
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand, PastEscalation, StopCard
from connectors.home import HomeDesk, message_url

MOST_ALIKE = 20
HISTORY = 20
FRESH = timedelta(minutes=10)
PHONE_DIGITS = 2


class ShowStop:
    """A handler of `DeskCommands`; it changes nothing."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        desk: HomeDesk | None,
        manifests: ManifestAddress | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._desk = desk
        self._manifests = manifests

    async def __call__(self, command: DeskCommand) -> CommandAnswer:
        wanted = command.fields.get("stop", "").strip()
        workspace_url = await self._desk.workspace_url() if self._desk else ""
        async with self._database.transaction() as session:
            found = await _named(session, wanted) if wanted else []
            if not found:
                return CommandAnswer(code=AnswerCode.NOTHING_FOUND)
            past = await _history(session, found[0], workspace_url)
            card = await self._card(session, found[0], past, len(found) - 1)
            card = card.model_copy(update=await _recovery(session, found[0]))
        return CommandAnswer(code=AnswerCode.STOP_SHOWN, timezone=card.timezone, stop=card)

    async def _card(
        self, session: AsyncSession, stop: StopRecord, past: tuple[PastEscalation, ...], more: int
    ) -> StopCard:
        return StopCard(
            tracking=stop.tracking,
            order_ref=stop.order_ref or "",
            client=stop.client,
            zone=stop.zone,
            address_line=stop.address_line,
            timezone=stop.timezone,
            status=stop.status,
            window=stop.window,
            eta_at=eta_of_promise(stop),
            eta_age=await _age(session, stop, self._clock.now()),
            completed_at=stop.completed_at,
            failure_reason=stop.failure_reason,
            driver_name=await _driver_name(session, stop),
            route_stop=stop.sequence,
            recipient_name=stop.recipient_name,
            phone_end=(stop.recipient_phone or "")[-PHONE_DIGITS:],
            platform=stop.platform,
            tracking_url=stop.tracking_url or "",
            manifest_url=self._manifest_url(stop),
            escalations=past,
            more=more,
        )

    def _manifest_url(self, stop: StopRecord) -> str:
        day = day_of(stop)
        return self._manifests.page_url(stop.zone, day) if self._manifests and day and stop.zone else ""


async def _recovery(session: AsyncSession, stop: StopRecord) -> dict[str, object]:
    """How its failure is followed up, and what it is the second try of."""
    follow_ups = await follow_ups_of(session, [stop.id]) if not stop.is_open else {}
    second_tries = await second_tries_of(session, [stop.id])
    return {"follow_up": follow_ups.get(stop.id), "second_try": second_tries.get(stop.id)}


async def _history(session: AsyncSession, stop: StopRecord, workspace_url: str) -> tuple[PastEscalation, ...]:
    rows = await session.scalars(
        select(Escalation)
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(col(EscalationStop.stop_id) == stop.id)
        .order_by(col(Escalation.raised_at).desc())
        .limit(HISTORY)
    )
    return tuple(
        PastEscalation(
            severity=each.severity,
            state=each.state,
            raised_at=each.raised_at,
            acknowledged_by=each.acknowledged_by,
            resolved_by=each.resolved_by,
            outcome=each.outcome,
            message_url=message_url(workspace_url, each.slack_channel, each.slack_ts),
        )
        for each in rows
    )


async def _named(session: AsyncSession, wanted: str) -> list[StopRecord]:
    """By tracking or order number, in any case: the open ones first, then the newest."""
    name = wanted.lower()
    rows = await session.scalars(
        select(StopRecord)
        .where(
            or_(func.lower(col(StopRecord.tracking)) == name, func.lower(col(StopRecord.order_ref)) == name)
        )
        .order_by(col(StopRecord.completed_at).desc().nulls_first(), col(StopRecord.changed_at).desc())
        .limit(MOST_ALIKE)
    )
    return list(rows)


async def _age(session: AsyncSession, stop: StopRecord, now: datetime) -> timedelta | None:
    if not stop.is_open:
        return None
    feed = await session.get(PlatformFeed, stop.platform)
    age = now - confirmed_at(stop, feed.read_at if feed else None)
    return age if age > FRESH else None


async def _driver_name(session: AsyncSession, stop: StopRecord) -> str:
    if stop.driver_ref is None:
        return ""
    name = await session.scalar(
        select(col(DriverRecord.name)).where(
            col(DriverRecord.platform) == stop.platform, col(DriverRecord.platform_ref) == stop.driver_ref
        )
    )
    return name or ""
