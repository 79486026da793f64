"""The chat in a real browser: on our page and on somebody else's, by keyboard, over breaks, against mischief."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from bot.conversations.models import Conversation, InboundText
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from tests.harness.protocol import QUIET
from tests.harness.waiting import eventually
from tests.harness.world import World
from tests.web.conftest import Shop

pytestmark = pytest.mark.browser

PATIENCE_MS = 15_000

OpensContext = Callable[..., Awaitable[BrowserContext]]


@pytest.fixture
async def context_of(chromium: Browser) -> AsyncIterator[OpensContext]:
    """Opens a browser profile of its own."""
    async with AsyncExitStack() as stack:

        async def open_one(**facts: Any) -> BrowserContext:
            context = await chromium.new_context(**facts)
            context.set_default_timeout(PATIENCE_MS)
            stack.push_async_callback(context.close)
            return context

        yield open_one


@pytest.fixture
def mistakes() -> list[str]:
    return []


@pytest.fixture
async def chat(bare_world: World, context_of: OpensContext, mistakes: list[str]) -> Page:
    """`/chat`, just opened; what goes wrong in it is noted in `mistakes`."""
    page = await (await context_of()).new_page()
    note_mistakes(page, mistakes)
    await page.goto(f"{bare_world.url}/chat")
    return page


def note_mistakes(page: Page, mistakes: list[str]) -> None:
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda entry: mistakes.append(entry.text) if entry.type == "error" else None)


async def say(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Write a message")
    await field.fill(text)
    await field.press("Enter")


def lines(page: Page) -> Any:
    return page.locator(".line .said")


async def shows(page: Page, *texts: str) -> None:
    await expect(lines(page)).to_have_text(list(texts), timeout=PATIENCE_MS)


async def person_writes(world: World, words: str) -> None:
    (conversation,) = await world.rows(Conversation)
    services = world.doorline.services
    async with services.database.transaction() as session:
        await put_out(session, conversation, words, Purpose.PERSON, services.clock)


@pytest.fixture
async def embedded(
    bare_world: World, context_of: OpensContext, shop: Shop, tmp_path: Path, mistakes: list[str]
) -> Page:
    """The shop's page, whose origin the protocol allows."""
    sop = tmp_path / "sop.yml"
    sop.write_text(QUIET.read_text() + f'\nwebchat:\n  origins: ["{shop.url}"]\n')
    await bare_world.restart_app(doorline_sop=sop)
    shop.doorline = bare_world.url
    page = await (await context_of()).new_page()
    note_mistakes(page, mistakes)
    await page.goto(shop.url)
    return page


# --- our page -------------------------------------------------------------------------------------


async def test_a_newcomer_asks_and_reads_the_answer(chat: Page, mistakes: list[str]) -> None:
    await expect(chat.get_by_role("heading", name="QuickShip")).to_be_visible()
    await expect(chat.get_by_role("textbox", name="Write a message")).to_be_focused()
    await say(chat, "where is my delivery")
    await shows(chat, "where is my delivery", "You said: where is my delivery")
    log = chat.get_by_role("log", name="Messages")
    await expect(log).to_contain_text("Ask where your parcel is")
    await expect(log).to_have_attribute("aria-live", "polite")
    assert mistakes == []


async def test_the_conversation_is_there_after_a_reload(chat: Page, bare_world: World) -> None:
    await say(chat, "one")
    await shows(chat, "one", "You said: one")
    await person_writes(bare_world, "This is Dana.")
    await shows(chat, "one", "You said: one", "This is Dana.")
    await expect(chat.locator(".from-person .who")).to_have_text("Dispatcher")
    await chat.reload()
    await shows(chat, "one", "You said: one", "This is Dana.")


async def test_both_sides_are_told_in_one_time(chat: Page) -> None:
    """The world's clock and the browser's are months apart; a text and its answer are not."""
    await say(chat, "one")
    await shows(chat, "one", "You said: one")
    await expect(chat.locator(".when")).to_have_count(1)


async def test_two_tabs_show_the_same(chat: Page, bare_world: World) -> None:
    other = await chat.context.new_page()
    await other.goto(f"{bare_world.url}/chat")
    await say(chat, "from the left")
    await shows(other, "from the left", "You said: from the left")
    await say(other, "from the right")
    both = ("from the left", "You said: from the left", "from the right", "You said: from the right")
    await shows(chat, *both)
    await shows(other, *both)
    assert len(await bare_world.rows(Conversation)) == 1


async def test_a_text_written_while_the_server_is_away_is_sent_once_when_it_is_back(
    chat: Page, bare_world: World
) -> None:
    await say(chat, "before")
    await shows(chat, "before", "You said: before")
    await bare_world.stop_app()
    await expect(chat.locator(".banner")).to_have_text("Connecting…", timeout=PATIENCE_MS)
    await say(chat, "meanwhile")
    await expect(chat.locator(".line").last).to_contain_text("Not sent yet", timeout=PATIENCE_MS)
    await bare_world.start_app()
    await shows(chat, "before", "You said: before", "meanwhile", "You said: meanwhile")
    await expect(chat.locator(".fate")).to_have_count(0)
    await expect(chat.locator(".banner")).to_be_hidden(timeout=PATIENCE_MS)
    assert len(await bare_world.rows(InboundText)) == 2


async def test_an_acknowledgement_that_was_lost_does_not_send_the_text_twice(
    bare_world: World, context_of: OpensContext
) -> None:
    """The line breaks after the server has stored the text and before the browser hears of it."""
    page = await (await context_of()).new_page()
    cut: list[bool] = []

    def pass_on(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def from_page(message: str | bytes) -> None:
            if '"text"' in str(message) and not cut:
                cut.append(False)
            server.send(message)

        async def from_server(message: str | bytes) -> None:
            if cut != [False]:
                line.send(message)
            elif '"ack"' in str(message):
                cut[0] = True
                await line.close(code=1012)

        line.on_message(from_page)
        server.on_message(from_server)

    await page.route_web_socket(re.compile("/connectors/webchat/ws"), pass_on)
    await page.goto(f"{bare_world.url}/chat")
    await say(page, "only once")
    await shows(page, "only once", "You said: only once")
    assert cut == [True]
    assert len(await bare_world.rows(InboundText)) == 1


async def test_dots_show_while_the_answer_is_made(chat: Page, bare_world: World) -> None:
    bare_world.rasa.hold()
    await say(chat, "where is it")
    await expect(chat.locator(".dots")).to_be_visible(timeout=PATIENCE_MS)
    await expect(chat.get_by_role("status")).to_have_text("Writing an answer")
    bare_world.rasa.release()
    await shows(chat, "where is it", "You said: where is it")
    await expect(chat.locator(".dots")).to_be_hidden()


async def test_being_offline_is_said(chat: Page) -> None:
    await expect(chat.get_by_role("textbox", name="Write a message")).to_be_visible(timeout=PATIENCE_MS)
    await expect(chat.locator(".banner")).to_be_hidden()
    await chat.context.set_offline(True)
    await expect(chat.locator(".banner")).to_contain_text("You are offline", timeout=PATIENCE_MS)
    await chat.context.set_offline(False)
    await expect(chat.locator(".banner")).to_be_hidden(timeout=PATIENCE_MS)


async def test_a_chat_whose_files_do_not_come_at_first_still_opens(
    bare_world: World, context_of: OpensContext
) -> None:
    """The line drops between the page and the files that it loads; the second try gets half of them."""
    page = await (await context_of()).new_page()
    dropped: list[str] = []

    async def drop(route: Route) -> None:
        if len(dropped) < 2 and route.request.url.endswith(("main.js", "view.js")[len(dropped)]):
            dropped.append(route.request.url)
            await route.abort("internetdisconnected")
        else:
            await route.continue_()

    await page.route("**/chat/assets/**", drop)
    await page.goto(f"{bare_world.url}/chat")
    await say(page, "still here")
    await shows(page, "still here", "You said: still here")
    assert len(dropped) == 2


async def test_a_chat_that_cannot_be_loaded_says_so(bare_world: World, context_of: OpensContext) -> None:
    page = await (await context_of()).new_page()
    await page.clock.install()
    tries: list[str] = []

    async def refuse(route: Route) -> None:
        tries.append(route.request.url)
        await route.abort("internetdisconnected")

    await page.route("**/chat/assets/**", refuse)
    await page.goto(f"{bare_world.url}/chat")
    note = page.locator(".not-loaded")

    async def shown_a_minute_later() -> bool:
        await page.clock.run_for(60_000)
        return bool(await note.count())

    await eventually(shown_a_minute_later, bool, "the note")
    await expect(note).to_contain_text("Please reload the page")
    assert len(set(tries)) == 8


async def test_somebody_who_reads_spanish_is_met_in_spanish(
    bare_world: World, context_of: OpensContext
) -> None:
    page = await (await context_of(locale="es-MX")).new_page()
    await page.goto(f"{bare_world.url}/chat")
    await expect(page.get_by_role("textbox", name="Escriba un mensaje")).to_be_visible()
    await expect(page.get_by_role("log", name="Mensajes")).to_contain_text("Pregunte dónde está su paquete")


MISCHIEF = [
    "<img src=x onerror=\"window.caught='img'\">",
    "<script>window.caught='script'</script>",
    "javascript:window.caught='link' http://a.example/\"onmouseover=\"window.caught='attribute'",
    "</textarea></div><svg onload=\"window.caught='svg'\">",
]


async def test_what_somebody_writes_never_becomes_markup(chat: Page, mistakes: list[str]) -> None:
    for text in MISCHIEF:
        await say(chat, text)
        await expect(lines(chat).last).to_contain_text("You said:", timeout=PATIENCE_MS)
    expected = [words for text in MISCHIEF for words in (text, f"You said: {text}")]
    assert [
        await one.evaluate("node => node.cloneNode(true).textContent.replace(' (opens in a new tab)', '')")
        for one in await lines(chat).all()
    ] == expected
    await chat.reload()
    await expect(lines(chat)).to_have_count(len(expected))
    assert await chat.evaluate("window.caught") is None
    assert await chat.locator(".log :is(img, script, .said svg)").count() == 0
    links = await chat.locator(".log a").all()
    assert [await link.get_attribute("href") for link in links] == ["http://a.example/"]
    assert await links[0].get_attribute("rel") == "noopener noreferrer"
    assert mistakes == []


# --- somebody else's page -------------------------------------------------------------------------


async def test_by_keyboard_alone_on_a_strict_and_rude_site(embedded: Page, mistakes: list[str]) -> None:
    launcher = embedded.get_by_role("button", name="Chat about your delivery")
    await expect(launcher).to_be_visible()
    assert await embedded.locator("doorline-chat").count() == 1
    await embedded.keyboard.press("Tab")
    await embedded.keyboard.press("Tab")
    await expect(launcher).to_be_focused()
    await embedded.keyboard.press("Enter")
    dialog = embedded.get_by_role("dialog", name="QuickShip")
    await expect(dialog).to_be_visible()
    await expect(dialog.get_by_role("textbox")).to_be_focused()
    await embedded.keyboard.type("where is it")
    await embedded.keyboard.press("Shift+Enter")
    await embedded.keyboard.type("please")
    await embedded.keyboard.press("Enter")
    await shows(embedded, "where is it\nplease", "You said: where is it\nplease")

    inside = ["Send", "Close the chat", "Messages", "Write a message", "Send"]
    for name in inside:
        await embedded.keyboard.press("Tab")
        await expect(dialog.get_by_label(name, exact=True)).to_be_focused()
    for name in reversed(inside[:-1]):
        await embedded.keyboard.press("Shift+Tab")
        await expect(dialog.get_by_label(name, exact=True)).to_be_focused()
    await embedded.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(launcher).to_be_focused()
    assert mistakes == []


async def test_the_styles_of_the_site_stay_outside(embedded: Page) -> None:
    launcher = embedded.get_by_role("button", name="Chat about your delivery")
    box = await launcher.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (60, 60)
    await launcher.click()
    await say(embedded, "hello")
    # Before it is answered, the line may still be drawn anew: a session that begins empties the log.
    await shows(embedded, "hello", "You said: hello")
    said = lines(embedded).first
    look = await said.evaluate(
        "n => { const s = getComputedStyle(n); return [s.fontSize, s.letterSpacing, s.textTransform, s.color]; }"
    )
    assert look == ["16px", "normal", "none", "rgb(255, 255, 255)"]


async def test_an_answer_that_came_while_the_chat_was_closed_is_counted(
    embedded: Page, bare_world: World
) -> None:
    await embedded.get_by_role("button", name="Chat about your delivery").click()
    await say(embedded, "hello")
    await shows(embedded, "hello", "You said: hello")
    await embedded.keyboard.press("Escape")
    await person_writes(bare_world, "Your driver is close.")
    unread = embedded.get_by_role("button", name="Chat about your delivery, 1 new")
    await expect(unread).to_be_visible(timeout=PATIENCE_MS)
    await embedded.reload()
    await expect(unread).to_be_visible(timeout=PATIENCE_MS)
    await unread.click()
    await expect(lines(embedded).last).to_have_text("Your driver is close.")
    await embedded.keyboard.press("Escape")
    await expect(embedded.get_by_role("button", name="Chat about your delivery", exact=True)).to_be_visible()


async def test_a_stranger_who_never_opens_the_chat_costs_no_connection(embedded: Page) -> None:
    sockets: list[str] = []
    embedded.on("websocket", lambda socket: sockets.append(socket.url))
    await embedded.reload()
    launcher = embedded.get_by_role("button", name="Chat about your delivery")
    await expect(launcher).to_be_visible()
    assert sockets == []
    await launcher.click()
    await expect(embedded.get_by_role("textbox")).to_be_focused()

    async def opened() -> int:
        return len(sockets)

    assert await eventually(opened, bool, "the connection") == 1


async def test_on_a_phone_it_fills_the_screen(bare_world: World, context_of: OpensContext) -> None:
    context = await context_of(viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(f"{bare_world.url}/chat")
    box = await page.get_by_role("main").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 375, "height": 667}
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375
