"""The same gestures over HTTP and over Socket Mode; a socket that is lost, warned or not heard loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from connectors.desk import CommandKind
from connectors.errors import StorageUnavailableError
from connectors.escalation import DispatcherVerb
from connectors.home import HomeGesture
from connectors.slack.client import SlackDesk
from connectors.slack.desk_gestures import NOT_KEPT, ON_IT, DeskEdge
from connectors.slack.emulator import SlackEmulator
from connectors.slack.socket import SlackSocket
from connectors.slack.webhook import build_app, router
from tests.connectors.slack.conftest import Switchboard
from tests.connectors.slack.slack_world import (
    BOT_TOKEN,
    SECRET,
    Clock,
    SlackWorld,
    make_view,
    pretended_slack,
    wait_until,
)

APP_TOKEN = "xapp-1-A0DOORLINE-1-secret"
NORTH, DANA = "C0NORTH001", "U0DANA0001"

Gesture = Callable[[SlackWorld], Awaitable[Any]]


async def eventually_connected(socket: SlackSocket, emulator: SlackEmulator, opened: int = 1) -> None:
    async with asyncio.timeout(10):
        while not (  # noqa: ASYNC110
            await socket.is_connected() and emulator.sockets.connected and emulator.sockets.opened >= opened
        ):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def workspace(clock: Clock, board: Switchboard, app_token: str | None) -> AsyncIterator[SlackWorld]:
    """With an app token the app has Socket Mode on, and nothing comes over HTTP."""
    emulator = pretended_slack(clock, app_token=app_token)
    board.app = emulator.app
    desk = SlackDesk(BOT_TOKEN, now=clock, api_base=f"{board.url}/api/", timeout_seconds=1.0)
    yield SlackWorld(emulator, board.url, desk, clock)
    await desk.aclose()
    await emulator.events.stop()
    assert emulator.unexpected == []


@asynccontextmanager
async def connected(world: SlackWorld) -> AsyncIterator[SlackSocket]:
    socket = SlackSocket(bolt_of(world), APP_TOKEN, ping_seconds=0.2)
    await socket.start()
    await eventually_connected(socket, world.emulator)
    yield socket
    await socket.stop()


@pytest.fixture
async def unconnected(clock: Clock, slack_board: Switchboard) -> AsyncIterator[SlackWorld]:
    async with workspace(clock, slack_board, APP_TOKEN) as world:
        yield world


def bolt_of(world: SlackWorld) -> Any:
    return build_app(
        world.receiver,
        signing_secret=SECRET,
        client=world.desk.web,
        now=world.clock,
        desk=DeskEdge(world.task_receiver, world.command_receiver, lambda: world.clients),
        home=world.home_receiver,
    )


@pytest.fixture
async def socket(unconnected: SlackWorld) -> AsyncIterator[SlackSocket]:
    async with connected(unconnected) as socket:
        yield socket


@pytest.fixture(params=["http", "socket"])
async def told(
    request: pytest.FixtureRequest, clock: Clock, slack_board: Switchboard, edge_board: Switchboard
) -> AsyncIterator[SlackWorld]:
    """Doorline's listeners behind Slack, over one transport or the other."""
    if request.param == "socket":
        async with workspace(clock, slack_board, APP_TOKEN) as world, connected(world):
            yield world
        return
    async with workspace(clock, slack_board, None) as world:
        app = FastAPI()
        app.include_router(router(bolt_of(world), signing_secret=SECRET), prefix="/connectors/slack")
        edge_board.app = app
        world.emulator.events_url = f"{edge_board.url}/connectors/slack/events"
        yield world


# --- one table, two transports -------------------------------------------------------------------------


async def reacts(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    await world.control("react", {"channel": NORTH, "ts": posted.ts, "user": DANA, "name": "eyes"})
    await wait_until(lambda: world.receiver.actions)
    (action,) = world.receiver.actions
    assert (action.verb, action.dispatcher, action.message_ts) == (
        DispatcherVerb.ACKNOWLEDGE,
        DANA,
        posted.ts,
    )


async def presses(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    order = {"channel": NORTH, "ts": posted.ts, "user": DANA, "action_id": "acknowledge"}
    assert (await world.control("press", order))["status"] == 200
    assert [action.verb for action in world.receiver.actions] == [DispatcherVerb.ACKNOWLEDGE]


async def types_a_command(world: SlackWorld) -> None:
    answer = await world.control("command", {"user": DANA, "channel": NORTH, "text": "stop T17"})
    assert answer["text"] == ON_IT
    (command,) = world.command_receiver.actions
    assert (command.kind, dict(command.fields)) == (CommandKind.SHOW_STOP, {"stop": "T17"})


async def fills_in_a_window(world: SlackWorld) -> None:
    opened = await world.control("shortcut", {"user": DANA, "callback_id": "new_stop"})
    bad = {"date": {"date": "2024-06-11"}, "start": {"start": "16:00"}, "end": {"end": "14:00"}}
    needed = {name: {name: "x"} for name in ("client", "address", "postcode", "recipient_name", "phone")}
    order = {"user": DANA, "view_id": opened["view"]["id"], "values": needed | bad}
    answer = await world.control("submit", order)
    assert (answer["open"], list(answer["errors"])) == (True, ["end"])
    order["values"] |= {"end": {"end": "18:00"}}
    answer = await world.control("submit", order)
    assert (answer["errors"], answer["open"]) == ({}, False)
    assert [command.kind for command in world.command_receiver.actions] == [CommandKind.NEW_STOP]


async def opens_the_home(world: SlackWorld) -> None:
    await world.control("home/open", {"user": DANA})
    await wait_until(lambda: world.home_receiver.actions)
    (action,) = world.home_receiver.actions
    assert (action.gesture, action.dispatcher) == (HomeGesture.OPENED, DANA)


async def makes_an_incident_of_a_message(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    order = {"user": DANA, "channel": NORTH, "ts": posted.ts, "callback_id": "make_incident"}
    opened = await world.control("message_shortcut", order)
    assert opened["view"]["title"]["text"] == "Make an incident"
    values = {"kind": {"kind": "damaged"}, "words": {"words": "crushed on arrival"}}
    answer = await world.control("submit", {"user": DANA, "view_id": opened["view"]["id"], "values": values})
    assert (answer["errors"], answer["open"]) == ({}, False)
    (command,) = world.command_receiver.actions
    assert command.kind is CommandKind.MAKE_INCIDENT
    assert command.fields["message_ts"] == posted.ts
    assert command.fields["message_channel"] == NORTH


async def goes_where_nobody_listens(world: SlackWorld) -> None:
    """Answered all the same: anything else would be delivered three times more."""
    world.emulator._tell("reaction_added", {"type": "nobody_knows_this", "event_ts": "1718048100.000200"})
    await wait_until(lambda: not world.emulator.events.undelivered)
    assert world.emulator.events.given_up == []


GESTURES: tuple[Gesture, ...] = (
    reacts,
    presses,
    types_a_command,
    fills_in_a_window,
    opens_the_home,
    makes_an_incident_of_a_message,
    goes_where_nobody_listens,
)


@pytest.mark.parametrize("gesture", GESTURES, ids=lambda gesture: gesture.__name__)
async def test_a_gesture_means_the_same_over_both_transports(told: SlackWorld, gesture: Gesture) -> None:
    await gesture(told)


async def test_what_could_not_be_stored_is_delivered_again(told: SlackWorld) -> None:
    posted = await told.desk.post(NORTH, make_view())
    told.receiver.refusals = [StorageUnavailableError("down"), StorageUnavailableError("down")]
    await told.control("react", {"channel": NORTH, "ts": posted.ts, "user": DANA, "name": "eyes"})
    await wait_until(lambda: told.receiver.actions)
    assert (told.receiver.arrivals, len(told.receiver.actions)) == (3, 1)


async def test_a_command_that_was_not_kept_says_so_over_both(told: SlackWorld) -> None:
    told.command_receiver.refusals = [StorageUnavailableError("down")]
    answer = await told.control("command", {"user": DANA, "channel": NORTH, "text": "manifest"})
    assert answer["text"] == NOT_KEPT


async def presses_after_reacting(world: SlackWorld, ts: str) -> None:
    order = {"channel": NORTH, "ts": ts, "user": DANA, "action_id": "acknowledge"}
    assert (await world.control("press", order))["status"] == 200
    assert [action.gesture for action in world.receiver.actions] == ["reaction:eyes", "button:acknowledge"]


# --- the socket's own weather ----------------------------------------------------------------------------


async def test_a_dropped_connection_is_made_again_and_nothing_is_lost(
    unconnected: SlackWorld, socket: SlackSocket
) -> None:
    posted = await unconnected.desk.post(NORTH, make_view())
    await unconnected.control("sockets", {"do": "drop"})
    await unconnected.control("react", {"channel": NORTH, "ts": posted.ts, "user": DANA, "name": "eyes"})
    await eventually_connected(socket, unconnected.emulator, opened=2)
    await wait_until(lambda: unconnected.receiver.actions)
    assert unconnected.emulator.events.given_up == []
    await presses_after_reacting(unconnected, posted.ts)


async def test_a_warning_brings_a_new_connection_before_the_old_one_ends(
    unconnected: SlackWorld, socket: SlackSocket
) -> None:
    await unconnected.control("sockets", {"do": "warn"})
    await eventually_connected(socket, unconnected.emulator, opened=2)
    await presses(unconnected)


async def test_an_answer_that_slack_never_heard_is_asked_for_again_and_counts_once(
    unconnected: SlackWorld, socket: SlackSocket
) -> None:
    await unconnected.control("sockets", {"do": "deaf"})
    await unconnected.control("home/open", {"user": DANA})
    await wait_until(lambda: unconnected.home_receiver.arrivals == 1)
    await unconnected.control("sockets", {"do": "hear"})
    await wait_until(lambda: unconnected.home_receiver.arrivals >= 2)
    await wait_until(lambda: not unconnected.emulator.events.undelivered)
    assert len(unconnected.home_receiver.actions) == 1
    assert [each["retry_attempt"] for each in unconnected.emulator.sockets.envelopes] == [0, 1]


async def test_slack_may_be_away_when_we_start(unconnected: SlackWorld) -> None:
    unconnected.emulator.faults.down = True
    socket = SlackSocket(bolt_of(unconnected), APP_TOKEN, ping_seconds=0.2)
    await socket.start()
    await asyncio.sleep(0.3)
    assert not await socket.is_connected()
    unconnected.emulator.faults.down = False
    await eventually_connected(socket, unconnected.emulator)
    await socket.stop()


async def test_a_token_that_is_wrong_does_not_connect_and_stops_cleanly(unconnected: SlackWorld) -> None:
    socket = SlackSocket(bolt_of(unconnected), "xapp-1-somebody-elses", ping_seconds=0.2)
    await socket.start()
    await asyncio.sleep(0.5)
    assert not await socket.is_connected()
    await socket.stop()


async def test_what_slack_does_not_document_is_not_acknowledged(
    unconnected: SlackWorld, socket: SlackSocket
) -> None:
    body = await unconnected.emulator.sockets.deliver("interactive", {"type": "block_actions"}, 0, "", 0.5)
    assert body is None
    await presses(unconnected)
