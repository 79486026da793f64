"""The dispatchers' side of the demo page in a real browser: windows, the thread, a decision, a typed command.

Slack is the demo's own emulator behind the real page and in front of the real edge; no database and no Rasa.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright, expect

from bot.demo import files
from bot.demo.world import World, controls
from bot.web import demo
from bot.web.demo_backend import HttpDemoBackend
from bot.web.demo_state import Person, ReadinessState
from connectors.desk import CommandKind, DeskCommand, TaskAction
from connectors.emulation import Server, serving
from connectors.escalation import DispatcherAction, DispatcherVerb, Severity
from connectors.slack.client import SlackDesk
from connectors.slack.desk_gestures import DeskEdge
from connectors.slack.webhook import build_app, router
from tests.connectors.slack.slack_world import Receiver, make_line, make_view
from tests.harness.waiting import eventually

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DISPATCH = "#dispatch"
NO_MAIL = 9
"""The port of discard: this stage has no mail, and nothing here may reach any."""


class Stage:
    """The page's whole world inside this process."""

    def __init__(
        self,
        url: str,
        desk: SlackDesk,
        receiver: Receiver[DispatcherAction],
        commands: Receiver[DeskCommand],
    ) -> None:
        self.url = url
        self.desk = desk
        self.receiver = receiver
        self.commands = commands

    async def received(self) -> list[tuple[DispatcherVerb, str]]:
        return [(action.verb, action.words) for action in self.receiver.actions]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    app, receiver = FastAPI(), Receiver[DispatcherAction]()
    commands = Receiver[DeskCommand]()
    edge = DeskEdge(Receiver[TaskAction](), commands, lambda: ["Acme", "Nova"])
    async with AsyncExitStack() as stack:
        page_url = await _serve(stack, Server(app))
        demo_files = files.DemoFiles(tmp_path)
        demo_files.ports.parent.mkdir(parents=True, exist_ok=True)
        demo_files.ports.write_text(json.dumps(dict.fromkeys(("smtp", "inbound_mail"), NO_MAIL)))
        world = World(
            demo_files, app_url=page_url, speed=1, stops=10, platforms=("onfleet",), route4me_secret="none"
        )
        world.day.build()
        urls = [
            await stack.enter_async_context(serving(part))
            for part in (world.twilio.app, world.slack.app, controls(world))
        ]
        desk = SlackDesk(files.SLACK_BOT_TOKEN, now=world.clock.now, api_base=f"{urls[1]}/api/")
        stack.push_async_callback(desk.aclose)
        secret = files.SLACK_SIGNING_SECRET
        bolt = build_app(receiver, signing_secret=secret, client=desk.web, now=world.clock.now, desk=edge)
        app.include_router(router(bolt, signing_secret=secret), prefix="/connectors/slack")
        backend = HttpDemoBackend(
            twilio=urls[0],
            slack=urls[1],
            world=urls[2],
            channel_id=files.SLACK_CHANNELS[0]["id"],
            dispatchers=[Person.model_validate(person) for person in files.DISPATCHERS],
            readiness=_ready,
        )
        stack.push_async_callback(backend.aclose)
        demo.mount(app, backend)
        yield Stage(page_url, desk, receiver, commands)


async def _serve(stack: AsyncExitStack, server: Server) -> str:
    await server.start()
    stack.push_async_callback(server.stop)
    return server.url


async def _ready() -> ReadinessState:
    return ReadinessState(ready=True)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    if CHROMIUM is None:
        if os.environ.get("DOORLINE_REQUIRE_BROWSER"):
            pytest.fail("DOORLINE_REQUIRE_BROWSER is set, and no Chromium was found")
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield await browser.new_page(viewport={"width": 1440, "height": 900})
        await browser.close()


async def test_a_dispatcher_replies_notes_and_decides_on_the_demo_page(stage: Stage, page: Page) -> None:
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    line = make_line(person_name="Rosa Diaz", last_words="anyone there?")
    view = make_view(
        severity=Severity.RECIPIENT_WAITING, can_reply=True, decision="Move it to 5-9 pm?", lines=(line,)
    )
    await stage.desk.post(DISPATCH, view)
    await page.goto(f"{stage.url}/demo")
    post = page.locator(".post")

    await post.locator(".press", has_text="Reply").click()
    window = page.locator("#modal")
    await expect(window).to_contain_text("anyone there?")
    await window.locator("textarea").fill("   ")
    await window.locator(".press", has_text="Send").click()
    await expect(window).to_contain_text("Write what the recipient should read.")
    await window.locator("textarea").fill("He is at the gate.")
    await window.locator(".press", has_text="Send").click()
    await expect(window).to_be_hidden()

    await post.locator(".thread-toggle").click()
    for text in ("careful, she is angry", ">> Two minutes."):
        await post.locator(".thread-write input").fill(text)
        await post.locator(".thread-write input").press("Enter")
        await expect(post.locator(".thread")).to_contain_text(text)

    await post.locator(".press", has_text="Decline").click()
    await eventually(stage.received, lambda actions: len(actions) == 3, "three gestures")
    assert set(await stage.received()) == {
        (DispatcherVerb.REPLY, "He is at the gate."),
        (DispatcherVerb.REPLY, "Two minutes."),
        (DispatcherVerb.DECLINE, ""),
    }
    assert mistakes == []


async def test_a_dispatcher_types_a_command_and_enters_a_new_stop_on_the_demo_page(
    stage: Stage, page: Page
) -> None:
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    await page.goto(f"{stage.url}/demo")
    await page.locator("#command-text").fill("new")
    await page.locator("#command-text").press("Enter")
    window = page.locator("#modal")
    await expect(window).to_contain_text("New stop")
    filled = {
        "client": "Nova",
        "address": "14 Elm St",
        "postcode": "10025",
        "recipient_name": "Rosa Diaz",
        "date": "2026-11-24",
        "start": "14:00",
        "end": "13:00",
    }
    for name, value in filled.items():
        node = window.locator(f"[data-action={name}]")
        await (node.select_option(label=value) if name == "client" else node.fill(value))
    await window.locator(".press", has_text="Enter").click()
    await expect(window).to_contain_text("It must end after it starts.")
    await window.locator("[data-action=end]").fill("16:00")
    await window.locator(".press", has_text="Enter").click()
    await expect(window).to_be_hidden()
    (command,) = stage.commands.actions
    assert command.kind is CommandKind.NEW_STOP
    assert {name: command.fields[name] for name in filled} == filled | {"end": "16:00"}
    assert mistakes == []
