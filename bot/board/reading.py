"""Reads the board: what is open now, of all zones or one, from one snapshot."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.board import queries
from bot.board.queries import Followed
from bot.clock import Clock
from bot.db import Database
from bot.desk.models import DeskTask
from bot.escalations.models import Escalation
from bot.home.queries import stops_at_risk
from bot.manifest.days import day_bounds
from bot.sop import Protocol, ProtocolInForce
from bot.stops.models import SlaState, StopRecord
from bot.stops.rules import eta_of_promise
from connectors.escalation import EscalationState
from connectors.follow_up import Board, BoardStop, FollowedUp, LateStop
from connectors.home import message_url

LATE_SHOWN = 100

WorkspaceUrl = Callable[[], Awaitable[str]]
"""Where the dispatchers' workspace opens in a browser; empty while that is not known."""

Drivers = Mapping[tuple[str, str], str]


class BoardReader:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        workspace_url: WorkspaceUrl | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._workspace_url = workspace_url

    async def read(self, zone: str | None = None) -> Board:
        """Without `zone` of all of them."""
        workspace = await self._workspace_url() if self._workspace_url is not None else ""
        now, protocol = self._clock.now(), self._sop.current
        day = now.astimezone(protocol.zone).date()
        async with self._database.snapshot() as session:
            followed = await queries.followed(session, day_bounds(day, protocol.operator.timezone)[0])
            late = await stops_at_risk(session, now)
            stops = [*(each.stop for each in followed), *late]
            zones = sorted({stop.zone for stop in stops} | {each.name for each in protocol.zones})
            followed = [each for each in followed if zone in (None, each.stop.zone)]
            late = [stop for stop in late if zone in (None, stop.zone)]
            drivers = await queries.driver_names(session, stops)
            return Board(
                day=day,
                timezone=protocol.operator.timezone,
                as_of=now,
                zone=zone,
                zones=tuple(zones),
                follow_ups=await _follow_ups(session, followed, drivers, workspace),
                late=await _late(session, late[:LATE_SHOWN], drivers, workspace, protocol),
                late_more=max(len(late) - LATE_SHOWN, 0),
            )


async def _follow_ups(
    session: AsyncSession, followed: Sequence[Followed], drivers: Drivers, workspace: str
) -> tuple[FollowedUp, ...]:
    tasks = await queries.tasks_of(session, [each.recovery.id for each in followed])
    requests = await queries.requests_of(session, [each.stop.id for each in followed])
    return tuple(
        FollowedUp(
            stop=_stop(each.stop, drivers),
            follow_up=each.told,
            url=_url(tasks.get(each.recovery.id) or requests.get(each.stop.id), workspace),
            is_to_do=each.recovery.id in tasks,
        )
        for each in followed
    )


async def _late(
    session: AsyncSession, stops: Sequence[StopRecord], drivers: Drivers, workspace: str, protocol: Protocol
) -> tuple[LateStop, ...]:
    ids = [stop.id for stop in stops]
    raised = await queries.escalations_of(session, ids)
    told = await queries.told_late(session, ids)
    return tuple(_late_stop(stop, drivers, workspace, raised, told, protocol) for stop in stops)


def _late_stop(
    stop: StopRecord,
    drivers: Drivers,
    workspace: str,
    raised: Mapping[UUID, Escalation],
    told: Mapping[UUID, datetime],
    protocol: Protocol,
) -> LateStop:
    escalation = raised.get(stop.id)
    return LateStop(
        stop=_stop(stop, drivers),
        window=stop.window,
        eta_at=eta_of_promise(stop),
        is_breached=stop.sla_state is SlaState.BREACHED,
        url=_url(escalation, workspace),
        held_by=_holder(escalation, protocol),
        told_at=told.get(stop.id),
    )


def _holder(escalation: Escalation | None, protocol: Protocol) -> str:
    if escalation is None:
        return ""
    is_snoozed = escalation.state is EscalationState.SNOOZED
    who = escalation.snoozed_by if is_snoozed else escalation.acknowledged_by
    if who is None or escalation.state is EscalationState.RAISED:
        return ""
    return next((each.name for each in protocol.people.values() if each.slack == who), "a dispatcher")


def _url(asked: DeskTask | Escalation | None, workspace: str) -> str:
    """Of the message that asks a dispatcher."""
    return message_url(workspace, asked.slack_channel, asked.slack_ts) if asked is not None else ""


def _stop(stop: StopRecord, drivers: Drivers) -> BoardStop:
    return BoardStop(
        stop_id=str(stop.id),
        tracking=stop.tracking,
        order_ref=stop.order_ref or "",
        client=stop.client,
        zone=stop.zone,
        address_line=stop.address_line,
        recipient_name=stop.recipient_name,
        timezone=stop.timezone,
        driver_name=drivers.get((stop.platform, stop.driver_ref or ""), ""),
    )
