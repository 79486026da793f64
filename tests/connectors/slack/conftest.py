"""A workspace on loopback: the emulator, the real desk in front of it, the real bolt app behind it."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.emulation import serving
from connectors.slack.client import SlackDesk
from connectors.slack.desk_gestures import DeskEdge
from connectors.slack.webhook import build_app, router
from tests.connectors.slack.slack_world import BOT_TOKEN, SECRET, Clock, SlackWorld, pretended_slack


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Switchboard:
    """One listening server for the whole session, whose application changes from test to test."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await Starlette()(scope, receive, send)
            return
        assert self.app is not None
        await self.app(scope, receive, send)


async def switchboard() -> AsyncIterator[Switchboard]:
    board = Switchboard()
    async with serving(board) as board.url:
        yield board


slack_board = pytest.fixture(scope="session", name="slack_board")(switchboard)
edge_board = pytest.fixture(scope="session", name="edge_board")(switchboard)


@pytest.fixture
async def world(clock: Clock, slack_board: Switchboard) -> AsyncIterator[SlackWorld]:
    """Emulator and desk; nothing is subscribed to events yet."""
    emulator = pretended_slack(clock, usergroups={"S0NORTH001": ["U0DANA0001"]})
    slack_board.app = emulator.app
    desk = SlackDesk(BOT_TOKEN, now=clock, api_base=f"{slack_board.url}/api/", timeout_seconds=1.0)
    yield SlackWorld(emulator, slack_board.url, desk, clock)
    await desk.aclose()
    await emulator.events.stop()
    assert emulator.unexpected == []


@pytest.fixture
async def listening(world: SlackWorld, edge_board: Switchboard) -> SlackWorld:
    """The same, with Doorline's edge behind it."""
    app = FastAPI()
    desk = DeskEdge(world.task_receiver, world.command_receiver, lambda: world.clients)
    bolt = build_app(
        world.receiver,
        signing_secret=SECRET,
        client=world.desk.web,
        now=world.clock,
        desk=desk,
        home=world.home_receiver,
    )
    app.include_router(router(bolt, signing_secret=SECRET), prefix="/connectors/slack")
    edge_board.app = app
    world.events_url = world.emulator.events_url = f"{edge_board.url}/connectors/slack/events"
    return world
