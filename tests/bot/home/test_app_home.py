"""A dispatcher's own page over the real tables, the real queue and the pretended workspace: what it shows, and when."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.board.links import BoardLinks
from bot.db import Database
from bot.desk.models import DeskTask
from bot.durable.models import InboxEvent
from bot.durable.queue import open_queue
from bot.escalations.models import Escalation, EscalationStop
from bot.home.models import DispatcherSetting, HomeTab
from bot.home.reading import HomeReader
from bot.home.service import CURRENT_FOR, HomeService, ReceiveHomeActions
from bot.links import SignedLinks
from bot.oncall.people import OnCallPerson
from bot.recovery.models import RecoveryState
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.desk import TaskKind, TaskState
from connectors.emulation import Server
from connectors.escalation import EscalationState, Severity
from connectors.home import HomeAction, HomeGesture
from connectors.pauses import PauseNotice, PauseWhat
from connectors.slack.client import SlackDesk
from connectors.slack.emulator import SlackEmulator
from connectors.slack.webhook import build_app, router
from tests.bot.board.failures import failed
from tests.harness.clock import NOON_IN_NEW_YORK, ManualClock
from tests.harness.waiting import eventually

DANA, SAM, STRANGER = "U0DANA", "U0SAM", "U0STRANGER"
CHANNEL = "C0DISPATCH"
ZONE = "America/New_York"


class Rota:
    """Who is on call, as H4's service tells it."""

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        dana = OnCallPerson(key="dana", name="Dana", slack=DANA)
        return (dana, OnCallPerson(key="omar", name="Omar")) if zone == "North" else ()

    def is_set_up(self, zone: str) -> bool:
        return True

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        return frozenset({DANA, SAM})


class Paused:
    async def current(self, session: AsyncSession) -> tuple[PauseNotice, ...]:
        return (
            PauseNotice(
                pause_id="1",
                number=4,
                what=PauseWhat.CLIENT,
                name="Nova",
                starts_at=NOON_IN_NEW_YORK,
                ends_at=NOON_IN_NEW_YORK + timedelta(hours=2),
                timezone=ZONE,
                why="Their warehouse moves",
                by=SAM,
            ),
        )


@dataclass
class Office:
    """Everything of one test: `works` lets the queue do what was asked for."""

    database: Database
    database_url: str
    clock: ManualClock
    slack: SlackEmulator
    slack_url: str
    homes: HomeService

    async def works(self) -> None:
        services = SimpleNamespace(database=self.database, clock=self.clock, homes=self.homes)
        queue = open_queue(self.database_url)
        async with queue.open_async():
            await queue.run_worker_async(
                wait=False,
                install_signal_handlers=False,
                delete_jobs="always",
                additional_context={"services": services},
            )

    async def control(self, path: str, order: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            told: dict[str, Any] = (await http.post(f"{self.slack_url}/_emulator/{path}", json=order)).json()
            return told

    async def opens(self, dispatcher: str = DANA) -> str:
        """What the page says, after it was opened."""
        before = await self.opened()
        await self.control("home/open", {"user": dispatcher})
        await eventually(self.opened, lambda count: count > before, "the event is stored")
        await self.works()
        return self.page(dispatcher)

    async def opened(self) -> int:
        async with self.database.transaction() as session:
            return await session.scalar(select(func.count()).select_from(InboxEvent)) or 0

    async def presses(self, action_id: str, *chosen: str, dispatcher: str = DANA) -> str:
        order = {"user": dispatcher, "action_id": action_id, "chosen": list(chosen)}
        answer = await self.control("home/press", order)
        assert answer["status"] == 200
        await self.works()
        return self.page(dispatcher)

    def page(self, dispatcher: str = DANA) -> str:
        view = self.slack.api.views.home_of(dispatcher)
        return "\n".join(_texts(view["blocks"])) if view else ""

    @property
    def published(self) -> int:
        return self.slack.api.calls["views.publish"]

    async def add(self, *rows: Any) -> None:
        async with self.database.transaction() as session:
            for row in rows:
                session.add(row)
                await session.flush()


def _texts(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in _texts(value)]
    return [text for each in node for text in _texts(each)] if isinstance(node, list) else []


@pytest.fixture
async def office(database: Database, database_url: str) -> AsyncIterator[Office]:
    clock = ManualClock()
    slack = SlackEmulator(
        bot_token="xoxb-the-bot",
        signing_secret="the-secret",
        now=clock.now,
        channels=[{"id": CHANNEL, "name": "dispatch"}],
        dispatchers=[
            {"id": DANA, "name": "Dana"},
            {"id": SAM, "name": "Sam"},
            {"id": STRANGER, "name": "Kim"},
        ],
        retry_scale=0.001,
    )
    workspace = Server(slack.app)
    await workspace.start()
    desk = SlackDesk("xoxb-the-bot", now=clock.now, api_base=f"{workspace.url}/api/")
    sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
    board = BoardLinks(
        SignedLinks("the-key", "board", "http://doorline.test", clock.wall, lambda: timedelta(days=7)),
        "http://doorline.test",
    )
    reader = HomeReader(clock, sop, Rota(), Paused(), board=board)
    homes = HomeService(database, clock, reader, desk)
    edge = FastAPI()
    bolt = build_app(
        _nobody,
        signing_secret="the-secret",
        client=desk.web,
        now=clock.now,
        home=ReceiveHomeActions(database, clock),
    )
    edge.include_router(router(bolt, signing_secret="the-secret"), prefix="/connectors/slack")
    doorline = Server(edge)
    await doorline.start()
    slack.events_url = f"{doorline.url}/connectors/slack/events"
    yield Office(database, database_url, clock, slack, workspace.url, homes)
    await doorline.stop()
    await desk.aclose()
    await workspace.stop()
    assert slack.unexpected == []


async def _nobody(action: object) -> None:
    raise AssertionError("nobody reacts here")


def stop(number: int, zone: str = "North", **changes: Any) -> StopRecord:
    values: dict[str, Any] = {
        "platform": "onfleet",
        "platform_ref": f"ref-{number}",
        "tracking": f"T{number}",
        "status": StopStatus.OUT_FOR_DELIVERY,
        "client": "Acme",
        "zone": zone,
        "timezone": ZONE,
        "address_line": f"{number} Elm St",
        "postcode": "10001",
        "recipient_name": "Robin Doe",
        "window_start_at": NOON_IN_NEW_YORK - timedelta(hours=1),
        "window_end_at": NOON_IN_NEW_YORK + timedelta(minutes=30),
        "changed_at": NOON_IN_NEW_YORK,
        "confirmed_at": NOON_IN_NEW_YORK,
    }
    return StopRecord(**values | changes)


def escalation(**changes: Any) -> Escalation:
    values: dict[str, Any] = {
        "cause_key": f"cause-{uuid4()}",
        "severity": Severity.AT_RISK,
        "zone": "North",
        "client": "Acme",
        "timezone": ZONE,
        "why": "ETA 12:45 pm, window ends 12:30 pm",
        "channel": CHANNEL,
        "raised_at": NOON_IN_NEW_YORK,
    }
    return Escalation(**values | changes)


def held(dispatcher: str, **changes: Any) -> Escalation:
    return escalation(
        state=EscalationState.ACKNOWLEDGED,
        acknowledged_by=dispatcher,
        acknowledged_until=NOON_IN_NEW_YORK + timedelta(minutes=30),
        slack_channel=CHANNEL,
        slack_ts="1780000000.000100",
        **changes,
    )


async def test_a_first_look_shows_an_empty_day_and_who_is_on_call(office: Office) -> None:
    page = await office.opens()
    assert "Nothing is waiting for you." in page
    assert "No stops today." in page
    assert "Client Nova* until 2:00 pm" in page
    assert office.published == 1


async def test_it_shows_what_is_mine_what_nobody_has_and_how_my_zones_stand(office: Office) -> None:
    mine, late = (
        held(DANA),
        stop(1, sla_state=SlaState.BREACHED, eta_at=NOON_IN_NEW_YORK + timedelta(minutes=45)),
    )
    await office.add(late, stop(2), stop(3, "South", status=StopStatus.DELIVERED), mine)
    await office.add(EscalationStop(escalation_id=mine.id, stop_id=late.id, joined_at=NOON_IN_NEW_YORK))
    await office.add(
        held(SAM, client="Sams"), escalation(zone="South", client="Nova", severity=Severity.FAILED)
    )
    await office.add(half_approved(DANA), half_approved(SAM, client="Sams"))
    await office.add(held(DANA, severity=Severity.RECIPIENT_WAITING, client="", why="Driver of van-7 asks"))
    page = await office.opens()
    assert "*At risk* · North · Acme · 1 stop · yours until 12:30 pm" in page
    assert "*Waiting for an answer* · North" in page  # a recipient or a driver: the line below says who
    assert "*Move many windows* · North" in page
    assert "*Delivery failed* · South · Nova" in page
    assert "*North* · 2 stops · 2 out · :red_circle: 1 late" in page
    assert "*South* · 1 stop · 1 delivered" in page
    assert "• :red_circle: 1 Elm St · Acme · window 11 am-12:30 pm · ETA 12:45 pm, 15 min late" in page
    assert f"*North* · <@{DANA}> · then Omar" in page
    assert ":warning: *South* · nobody is on call" in page
    assert "Sams" not in page
    assert "Robin" not in page
    (button,) = [
        b["accessory"] for b in home_blocks(office) if "1 stop · yours" in b.get("text", {}).get("text", "")
    ]
    assert button["url"] == f"https://doorline-demo.slack.com/archives/{CHANNEL}/p1780000000000100"


def half_approved(dispatcher: str, client: str = "Acme") -> DeskTask:
    return DeskTask(
        key=f"move-{dispatcher}",
        channel=CHANNEL,
        kind=TaskKind.MOVE_WINDOWS,
        state=TaskState.OPEN,
        zone="North",
        client=client,
        timezone=ZONE,
        facts={},
        choices=["approve"],
        approvals_needed=2,
        approved_by=[dispatcher],
        created_at=NOON_IN_NEW_YORK,
        asked_at=NOON_IN_NEW_YORK,
    )


def home_blocks(office: Office) -> list[dict[str, Any]]:
    view = office.slack.api.views.home_of(DANA)
    assert view is not None
    return list(view["blocks"])


async def test_somebody_who_is_no_dispatcher_sees_nothing_of_the_day(office: Office) -> None:
    await office.add(stop(1, sla_state=SlaState.BREACHED), escalation())
    page = await office.opens(STRANGER)
    assert "You are not on the list of dispatchers" in page
    assert "Elm" not in page
    assert "Acme" not in page


# --- kept current ------------------------------------------------------------------------------------


async def test_a_change_reaches_an_open_page_once_and_no_change_costs_no_call(office: Office) -> None:
    await office.opens()
    await office.homes.refresh()
    await office.works()
    assert office.published == 1
    await office.add(held(DANA))
    assert await office.homes.refresh() == 1
    assert await office.homes.refresh() == 0, "asked again while the first job waits"
    await office.works()
    assert "yours until 12:30 pm" in office.page()
    assert await office.homes.refresh() == 0
    assert office.published == 2


async def test_several_changes_between_two_looks_are_one_publication(office: Office) -> None:
    await office.opens()
    for number in range(5):
        await office.add(held(DANA, client=f"Client {number}"))
        await office.homes.refresh()
    await office.works()
    assert office.published == 2
    assert "Client 4" in office.page()


async def test_a_page_that_nobody_looked_at_for_hours_is_left_alone(office: Office) -> None:
    await office.opens()
    office.clock.move(CURRENT_FOR + timedelta(seconds=1))
    await office.add(held(DANA))
    assert await office.homes.refresh() == 0
    assert "yours until" in await office.opens()


async def test_the_same_event_again_even_a_day_later_changes_nothing(office: Office) -> None:
    await office.opens()
    async with office.database.transaction() as session:
        before = (await session.get_one(HomeTab, DANA)).revision
    office.clock.move(timedelta(hours=25))
    again = HomeAction(
        vendor_id=await first_vendor_id(office),
        gesture=HomeGesture.OPENED,
        dispatcher=DANA,
        occurred_at=office.clock.now(),
    )
    await ReceiveHomeActions(office.database, office.clock)(again)
    await office.works()
    async with office.database.transaction() as session:
        assert (await session.get_one(HomeTab, DANA)).revision == before
    assert office.published == 1


async def first_vendor_id(office: Office) -> str:
    async with office.database.transaction() as session:
        found: str | None = await session.scalar(select(col(InboxEvent.vendor_id)))
    assert found is not None
    return found


async def test_slack_away_is_weather_and_the_newest_state_wins_afterwards(office: Office) -> None:
    await office.opens()
    office.slack.faults.down = True
    await office.add(held(DANA, client="First"))
    await office.homes.refresh()
    await office.works()
    assert "First" not in office.page()
    office.slack.faults.clear()
    await office.add(held(DANA, client="Second"))
    await office.homes.sync(DANA)
    assert "First" in office.page()
    assert "Second" in office.page()


async def test_an_answer_that_was_lost_does_not_block_the_next_version(office: Office) -> None:
    """Slack has a newer mark than we remember: the newest state is published all the same."""
    await office.opens()
    async with office.database.transaction() as session:
        (await session.get_one(HomeTab, DANA)).seen = "1780000000.stale"
    await office.add(held(DANA))
    await office.homes.refresh()
    await office.works()
    assert "yours until" in office.page()


async def test_a_job_that_was_lost_is_asked_for_again(office: Office) -> None:
    await office.opens()
    async with office.database.transaction() as session:
        tab = await session.get_one(HomeTab, DANA)
        tab.revision += 1
        tab.asked_at = office.clock.wall()
    assert await office.homes.refresh() == 0
    office.clock.move(timedelta(minutes=6))
    assert await office.homes.refresh() == 1


# --- what they choose -----------------------------------------------------------------------------


async def test_chosen_zones_are_kept_and_filter_the_page(office: Office) -> None:
    await office.add(stop(1), stop(2, "South"), escalation(zone="South", client="Nova"))
    await office.opens()
    page = await office.presses("home_zones", "North")
    assert "My zones today" in page
    assert "*South* ·" not in page
    assert "Nova* until" in page
    assert "Nobody has these yet" not in page
    async with office.database.transaction() as session:
        assert (await session.get_one(DispatcherSetting, DANA)).zones == ["North"]
    assert "*South* ·" in await office.presses("home_zones")


async def test_the_language_is_kept_beside_the_zones(office: Office) -> None:
    await office.add(stop(1))
    await office.opens()
    await office.presses("home_zones", "North")
    await office.presses("home_language", "es")
    async with office.database.transaction() as session:
        setting = await session.get_one(DispatcherSetting, DANA)
    assert (setting.zones, setting.language) == (["North"], "es")


async def test_a_long_list_is_paged_and_opening_again_begins_at_its_head(office: Office) -> None:
    await office.add(*[stop(n, sla_state=SlaState.AT_RISK) for n in range(1, 24)])
    assert "1-10 of 23" in await office.opens()
    assert "11-20 of 23" in await office.presses("home_next")
    assert "21-23 of 23" in await office.presses("home_next")
    assert "11-20 of 23" in await office.presses("home_previous")
    assert "1-10 of 23" in await office.opens()


async def test_two_dispatchers_have_pages_of_their_own(office: Office) -> None:
    await office.add(held(DANA), stop(1))
    await office.opens(DANA)
    page = await office.opens(SAM)
    assert "Nothing is waiting for you." in page
    assert "yours until" in office.page(DANA)


async def test_open_failures_of_the_chosen_zones_are_counted_with_a_way_to_the_board(office: Office) -> None:
    async with office.database.transaction() as session:
        await failed(session, "A", NOON_IN_NEW_YORK - timedelta(hours=2), stop_zone="North")
        held = {"state": RecoveryState.WITH_DISPATCHER}
        await failed(session, "B", NOON_IN_NEW_YORK, stop_zone="North", remind=None, **held)
        await failed(session, "C", NOON_IN_NEW_YORK, stop_zone="South")
        over = {"state": RecoveryState.SENT_BACK, "settled_at": NOON_IN_NEW_YORK}
        await failed(session, "D", NOON_IN_NEW_YORK, stop_zone="West", remind=None, **over)
    page = await office.opens()
    assert "*North* · 2 open, the oldest since 10:00 am · :warning: 1 waits for dispatch" in page
    assert ("*South* · 1 open" in page, "*West* · 1 open" in page, "Open the board" in page) == (
        True,
        False,
        True,
    )
    assert "*South* · 1 open" not in await office.presses("home_zones", "North")


async def test_time_alone_does_not_draw_the_failures_anew(office: Office) -> None:
    async with office.database.transaction() as session:
        await failed(session, "A", NOON_IN_NEW_YORK, stop_zone="North")
    await office.opens()
    published = office.published
    office.clock.move(timedelta(minutes=5))
    assert (await office.homes.refresh(), office.published) == (0, published)
