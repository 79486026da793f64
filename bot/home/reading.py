"""Puts together what one dispatcher's page shows, from the tables as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.board.queries import open_follow_ups
from bot.board.rules import counted as follow_ups_counted
from bot.clock import Clock
from bot.desk.models import DeskTask
from bot.escalations.models import Escalation
from bot.home import queries, rules
from bot.home.models import DispatcherSetting, HomeTab
from bot.home.ports import BoardAddress, CurrentPauses, ManifestAddress
from bot.home.queries import CountedStops
from bot.manifest.days import day_bounds
from bot.oncall.people import OnCall
from bot.recovery.models import Recovery
from bot.sop import ProtocolInForce
from bot.stops.models import PlatformFeed, SlaState, StopRecord
from bot.stops.rules import eta_of_promise
from connectors.escalation import EscalationState
from connectors.home import (
    BOARD,
    DutyNow,
    HomeEscalation,
    HomeLink,
    HomeTask,
    HomeView,
    StopAtRisk,
    message_url,
)
from connectors.pauses import PauseNotice

MANIFESTS_LINKED = 4


@dataclass(frozen=True)
class Day:
    """What is the same on everybody's page, read once for all of them."""

    now: datetime
    workspace_url: str
    counted: Sequence[CountedStops]
    at_risk: Sequence[StopRecord]
    feeds: Sequence[PlatformFeed]
    pauses: Sequence[PauseNotice]
    follow_ups: Sequence[Recovery]
    allowed: frozenset[str]
    """Dispatcher ids that may see it; empty: everybody."""


class HomeReader:
    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        on_call: OnCall | None = None,
        pauses: CurrentPauses | None = None,
        manifests: ManifestAddress | None = None,
        board: BoardAddress | None = None,
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._on_call = on_call
        self._pauses = pauses
        self._manifests = manifests
        self._board = board

    async def read_day(self, session: AsyncSession, workspace_url: str) -> Day:
        now, timezone = self._clock.now(), self._sop.current.operator.timezone
        since, until = day_bounds(now.astimezone(self._sop.current.zone).date(), timezone)
        return Day(
            now=now,
            workspace_url=workspace_url,
            counted=await queries.counted(session, since, until),
            at_risk=await queries.stops_at_risk(session, now),
            feeds=await queries.feeds(session),
            pauses=await self._pauses.current(session) if self._pauses else (),
            follow_ups=await open_follow_ups(session),
            allowed=await self._allowed(session),
        )

    async def view(self, session: AsyncSession, tab: HomeTab, day: Day) -> HomeView:
        protocol = self._sop.current
        timezone = protocol.operator.timezone
        if day.allowed and tab.dispatcher not in day.allowed:
            return HomeView(is_dispatcher=False, timezone=timezone, as_of=day.now)
        setting = await session.get(DispatcherSetting, tab.dispatcher)
        zones = rules.zones_of(setting.zones if setting else None, tab.dispatcher, protocol)
        silent_after = timedelta(minutes=protocol.platforms.silent_after_minutes)
        all_zones = self._all_zones(day)
        return HomeView(
            timezone=timezone,
            as_of=day.now,
            mine=await _shown(session, await queries.held_by(session, tab.dispatcher), day),
            tasks=tuple(_task(each, day) for each in await queries.half_approved(session, tab.dispatcher)),
            unheld=await _shown(session, await queries.held_by_nobody(session, zones), day),
            zones=zones,
            all_zones=all_zones,
            boards=rules.boards(day.counted, zones),
            at_risk=tuple(_at_risk(stop) for stop in day.at_risk if not zones or stop.zone in zones),
            follow_ups=follow_ups_counted(day.follow_ups, zones),
            page=tab.page,
            feeds=rules.old_news(day.feeds, day.now, silent_after),
            on_call=await self._duty(session, zones or all_zones, day.now),
            pauses=tuple(day.pauses),
            language=rules.language_of(setting.language if setting else None, tab.dispatcher, protocol),
            links=self._links(zones or all_zones, day.now),
        )

    async def _allowed(self, session: AsyncSession) -> frozenset[str]:
        if self._on_call is not None:
            return await self._on_call.may_acknowledge(session)
        return self._sop.current.escalations.dispatchers

    def _all_zones(self, day: Day) -> tuple[str, ...]:
        named = {zone.name for zone in self._sop.current.zones}
        return tuple(sorted(named | {each.zone for each in day.counted if each.zone}))

    async def _duty(self, session: AsyncSession, zones: Sequence[str], now: datetime) -> tuple[DutyNow, ...]:
        if self._on_call is None:
            return ()
        duties = []
        for zone in zones:
            if self._on_call.is_set_up(zone):
                line = await self._on_call.line(session, zone, now)
                names = tuple(person.name for person in line)
                duties.append(DutyNow(zone=zone, names=names, slack=line[0].slack if line else None))
        return tuple(duties)

    def _links(self, zones: Sequence[str], now: datetime) -> tuple[HomeLink, ...]:
        links = [HomeLink(label=BOARD, url=self._board.page_url())] if self._board is not None else []
        if self._manifests is not None:
            day = now.astimezone(self._sop.current.zone).date()
            links += [
                HomeLink(label=f"Manifest {zone}", url=self._manifests.page_url(zone, day))
                for zone in zones[:MANIFESTS_LINKED]
            ]
        return tuple(links)


async def _shown(
    session: AsyncSession, escalations: Sequence[Escalation], day: Day
) -> tuple[HomeEscalation, ...]:
    ids = [each.id for each in escalations]
    counts = await queries.stop_counts(session, ids)
    steps = await queries.next_steps(session, ids)
    return tuple(
        HomeEscalation(
            escalation_id=str(each.id),
            severity=each.severity,
            state=each.state,
            zone=each.zone,
            client=each.client,
            stops=counts.get(each.id, 0),
            why=each.why,
            until=_until(each) or steps.get(each.id),
            url=message_url(day.workspace_url, each.slack_channel, each.slack_ts),
        )
        for each in escalations
    )


def _task(task: DeskTask, day: Day) -> HomeTask:
    url = message_url(day.workspace_url, task.slack_channel, task.slack_ts)
    return HomeTask(kind=task.kind, zone=task.zone, client=task.client, url=url)


def _until(escalation: Escalation) -> datetime | None:
    if escalation.state is EscalationState.SNOOZED:
        return escalation.snoozed_until
    return escalation.acknowledged_until if escalation.state is EscalationState.ACKNOWLEDGED else None


def _at_risk(stop: StopRecord) -> StopAtRisk:
    return StopAtRisk(
        tracking=stop.tracking,
        client=stop.client,
        zone=stop.zone,
        address_line=stop.address_line,
        timezone=stop.timezone,
        window=stop.window,
        eta_at=eta_of_promise(stop),
        is_breached=stop.sla_state is SlaState.BREACHED,
    )
