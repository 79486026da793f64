"""The line to a browser: stored before acknowledged, shown in order and once, whatever breaks in between."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import col
from websockets.exceptions import InvalidStatus

from bot.app import create_app
from bot.conversations import chat
from bot.conversations.chat import ChatLine
from bot.conversations.models import Conversation, InboundText
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.web.chat_feed import ChatFeed
from connectors.base import ChannelName, OutboundMessage
from connectors.emulation import Server
from connectors.errors import ChannelUnavailableError, MediaRefusedError, StorageUnavailableError
from connectors.webchat import webhook
from connectors.webchat.client import WebChatChannel
from connectors.webchat.policy import Policy
from tests.connectors.webchat.conftest import Browser, Opens
from tests.harness.protocol import QUIET
from tests.harness.waiting import eventually
from tests.harness.world import World


async def conversation(world: World) -> Conversation:
    (row,) = await world.rows(Conversation)
    return row


async def person_writes(world: World, words: str) -> None:
    """A dispatcher's reply, as the escalations queue it."""
    row = await conversation(world)
    services = world.doorline.services
    async with services.database.transaction() as session:
        await put_out(session, row, words, Purpose.PERSON, services.clock)


# --- the first frames -----------------------------------------------------------------------------


async def test_a_stranger_gets_a_session_and_a_text_gets_an_answer(opens: Opens) -> None:
    browser = await (await opens()).hello()
    client_id = await browser.says("where is my delivery")
    answer = await browser.hears("message", **{"from": "bot"})
    assert answer["text"] == "You said: where is my delivery"
    assert browser.lines == [(1, "you", "where is my delivery"), (2, "bot", answer["text"])]
    assert browser.frames[0]["type"] == "session"
    assert (await browser.hears("message", id=1))["client_id"] == client_id


async def test_a_text_is_acknowledged_only_when_it_is_stored(
    opens: Opens, bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await (await opens()).hello()
    services = bare_world.doorline.services
    engine = services.database.engine
    original = engine.sync_engine.pool.connect

    def gone(*_args: Any, **_more: Any) -> Any:
        raise OSError("no route to the database")

    monkeypatch.setattr(engine.sync_engine.pool, "connect", gone)
    await browser.sends({"type": "text", "id": "text-0001", "text": "hello"})
    refusal = await browser.hears("error")
    assert (refusal["code"], refusal["id"], refusal["retry"] > 0) == ("not_stored", "text-0001", True)
    assert not any(frame["type"] == "ack" for frame in browser.frames)

    monkeypatch.setattr(engine.sync_engine.pool, "connect", original)
    await browser.says("hello", "text-0001")
    assert (await browser.hears("message", **{"from": "bot"}))["text"] == "You said: hello"


async def test_the_token_is_nowhere_in_the_database(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    await browser.says("hello")
    await bare_world.settled()
    async with bare_world.doorline.services.database.transaction() as session:
        dump = str(
            (
                await session.execute(
                    text("""
                        SELECT (SELECT json_agg(c) FROM conversation c), (SELECT json_agg(i) FROM inbound_message i),
                            (SELECT json_agg(o) FROM outbound_message o), (SELECT json_agg(j) FROM procrastinate_jobs j)
                    """)
                )
            ).one()
        )
    assert browser.session not in dump
    secret = browser.session.split(".")[1]
    assert secret not in dump
    body = browser.session.rpartition(".")[0]
    address = "web:" + hashlib.sha256(body.encode()).hexdigest()[:32]
    assert (await conversation(bare_world)).address == address


@pytest.mark.parametrize("bend", ["swap", "cut", "invent", "unicode"])
async def test_a_forged_token_opens_nobody_elses_conversation(opens: Opens, bend: str) -> None:
    owner = await (await opens()).hello()
    await owner.says("my gate code is 4471")
    body, _, signature = owner.session.rpartition(".")
    forged = {
        "swap": f"{body}.{signature[::-1]}",
        "cut": body,
        "invent": "1700000000.aaaa." + "0" * 32,
        "unicode": f"{body}.é{signature[1:]}",
    }[bend]
    thief = await (await opens()).hello(session=forged)
    assert (await thief.hears("session"))["is_new"] is True
    assert thief.session not in (owner.session, forged)
    await thief.says("hi")
    await thief.hears("message", **{"from": "bot"})
    assert all("4471" not in line[2] for line in thief.lines)


async def test_a_session_ends_after_its_days(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    await browser.says("hello")
    bare_world.clock.at = bare_world.clock.at.replace(month=7, day=10)
    again = await (await opens()).hello(session=browser.session)
    assert again.session != browser.session
    assert (await again.hears("session"))["is_new"] is True


# --- once -----------------------------------------------------------------------------------------


async def test_the_same_id_twice_is_one_message(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    for _ in range(3):
        await browser.says("where is it", "the-same-id")
    await browser.hears("message", **{"from": "bot"})
    await bare_world.settled()
    assert len(await bare_world.rows(InboundText)) == 1
    assert len(await bare_world.rows(OutboundText)) == 1
    assert [line[0] for line in browser.lines] == [1, 2]


async def test_the_same_id_in_another_session_is_another_message(opens: Opens, bare_world: World) -> None:
    for _ in range(2):
        browser = await (await opens()).hello()
        await browser.says("hello", "the-same-id")
    assert len(await bare_world.rows(InboundText)) == 2


async def test_sending_again_puts_nothing_up_twice(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    await browser.says("hello")
    await browser.hears("message", **{"from": "bot"})
    await bare_world.settled()
    (row,) = await bare_world.rows(OutboundText)
    channel = bare_world.doorline.services.outbox._channels[ChannelName.WEBCHAT]
    message = OutboundMessage(
        outbound_id=str(row.id), channel=ChannelName.WEBCHAT, recipient=row.recipient, text=row.text
    )
    again = await channel.send(message)
    assert again == await channel.find_sent(message, bare_world.clock.now(), set())
    assert (row.vendor_id, row.state) == (again.vendor_id, OutboxState.SENT)
    assert len(await bare_world.rows(ChatLine, col(ChatLine.outbound_id).is_not(None))) == 1


async def test_a_message_that_never_went_up_is_not_found(opens: Opens, bare_world: World) -> None:
    channel = bare_world.doorline.services.outbox._channels[ChannelName.WEBCHAT]
    message = OutboundMessage(
        outbound_id="00000000-0000-4000-8000-000000000000",
        channel=ChannelName.WEBCHAT,
        recipient="web:0",
        text="hello",
    )
    assert await channel.find_sent(message, bare_world.clock.now(), set()) is None


# --- in order, over breaks ------------------------------------------------------------------------


async def test_what_was_missed_comes_once_and_in_order(opens: Opens, bare_world: World) -> None:
    first = await (await opens()).hello()
    await first.says("one")
    await first.hears("message", id=2)
    await first.breaks()
    for words in ("a person here", "it is on its way"):
        await person_writes(bare_world, words)
    await bare_world.settled()

    second = await (await opens()).hello(session=first.session, last_seen=2)
    await second.hears("message", id=4)
    assert second.lines == [(3, "person", "a person here"), (4, "person", "it is on its way")]
    third = await (await opens()).hello(session=first.session)
    await third.hears("message", id=4)
    assert [line[0] for line in third.lines] == [1, 2, 3, 4]
    assert (await third.hears("session"))["is_new"] is False


async def test_a_reply_made_while_the_browser_was_away_is_there_afterwards(
    opens: Opens, bare_world: World
) -> None:
    bare_world.rasa.hold()
    browser = await (await opens()).hello()
    await browser.says("where is it")
    await browser.breaks()
    bare_world.rasa.release()
    await bare_world.settled()
    again = await (await opens()).hello(session=browser.session, last_seen=1)
    assert (await again.hears("message", id=2))["text"] == "You said: where is it"


async def test_a_long_absence_is_caught_up_whole_and_a_new_tab_sees_the_end(
    opens: Opens, bare_world: World
) -> None:
    browser = await (await opens()).hello()
    await browser.says("hello")
    await browser.hears("message", id=2)
    await browser.closes()
    for count in range(120):
        await person_writes(bare_world, f"note {count}")
    await bare_world.settled()
    back = await (await opens()).hello(session=browser.session, last_seen=2)
    await back.hears("message", id=122)
    assert [line[2] for line in back.lines] == [f"note {count}" for count in range(120)]
    fresh = await (await opens()).hello(session=browser.session)
    await fresh.hears("message", id=122)
    assert [line[0] for line in fresh.lines] == list(range(73, 123))


async def test_two_tabs_show_the_same(opens: Opens) -> None:
    left = await (await opens()).hello()
    right = await (await opens()).hello(session=left.session)
    await left.says("from the left")
    await left.hears("message", id=2)
    await right.hears("message", id=2)
    await right.says("from the right")
    await asyncio.gather(left.hears("message", id=4), right.hears("message", id=4))
    assert left.lines == right.lines
    assert [line[1] for line in left.lines] == ["you", "bot", "you", "bot"]


async def test_a_socket_in_another_process_hears_of_it_too(opens: Opens, bare_world: World) -> None:
    """Another application on the same database stands for another process: they share nothing else."""
    other = Server(
        create_app(bare_world.settings, clock=bare_world.clock, with_worker=False, with_clock=False)
    )
    await other.start()
    try:
        here = await (await opens()).hello()
        there = await (await opens(url=other.url)).hello(session=here.session)
        await here.says("hello")
        assert (await there.hears("message", id=2))["text"] == "You said: hello"
        await there.says("from over there")
        assert (await here.hears("message", id=4))["text"] == "You said: from over there"
    finally:
        await other.stop()


async def test_news_come_while_nobody_can_listen(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    async with bare_world.doorline.services.database.transaction() as session:
        await session.execute(
            text("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND query = :query
            """),
            {"query": f"LISTEN {chat.NEWS_CHANNEL}"},
        )
    await browser.says("hello")
    await browser.hears("message", id=2)


async def test_lines_number_themselves_without_gaps_under_load(opens: Opens, bare_world: World) -> None:
    """Many writers at once on one conversation: what a socket was shown is never followed by something older."""
    browsers = [await (await opens()).hello()]
    browsers += [await (await opens()).hello(session=browsers[0].session) for _ in range(3)]
    bare_world.clock.move(timedelta(minutes=5))

    async def write(browser: Browser, name: str) -> None:
        for count in range(4):
            await browser.says(f"{name} {count}")
            await person_writes(bare_world, f"to {name} {count}")

    await asyncio.gather(*(write(browser, str(index)) for index, browser in enumerate(browsers)))
    await bare_world.settled()
    total = 4 * 4 * 3
    for browser in browsers:
        await browser.hears("message", id=total)
        assert [line[0] for line in browser.lines] == list(range(1, total + 1))
        mine = [line[2] for line in browser.lines if line[1] == "you" and line[2].startswith("2 ")]
        assert mine == [f"2 {count}" for count in range(4)]


async def test_a_database_that_was_made_anew_starts_the_browser_anew(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    again = await (await opens()).hello(session=browser.session, last_seen=40)
    greeting = await again.hears("session")
    assert (greeting["session"], greeting["is_new"]) == (browser.session, True)
    await again.says("hello")
    assert (await again.hears("message", id=2))["from"] == "bot"


# --- dots -----------------------------------------------------------------------------------------


async def test_dots_show_while_an_answer_is_made(opens: Opens, bare_world: World) -> None:
    bare_world.rasa.hold()
    browser = await (await opens()).hello()
    await browser.says("where is it")
    await browser.hears("typing")
    bare_world.rasa.release()
    await browser.hears("message", id=2)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "text", "id": "text-0001", "text": "   \n "}, "empty"),
        ({"type": "text", "id": "text-0001", "text": "x" * 1601}, "too_long"),
        ({"type": "text", "id": "text-0001", "text": "look", "photos": ["data:"]}, "no_photos"),
    ],
)
async def test_a_text_that_can_never_be_taken_says_so(
    opens: Opens, bare_world: World, frame: dict[str, Any], code: str
) -> None:
    browser = await (await opens()).hello()
    await browser.sends(frame)
    refusal = await browser.hears("error")
    assert (refusal["code"], refusal["id"], refusal.get("retry")) == (code, "text-0001", None)
    await browser.says("x" * 1600)
    assert len(await bare_world.rows(InboundText)) == 1


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        b"\x00\xff",
        '{"type":"dance"}',
        '{"type":"text","text":"no id"}',
        '{"type":"text","id":"a b","text":"x"}',
        '{"type":"text","id":"text-0001","text":"\\ud800"}',
        '{"type":"hello"}',
        "x" * 20_000,
    ],
)
async def test_what_is_no_frame_ends_the_line(opens: Opens, bare_world: World, frame: str | bytes) -> None:
    browser = await (await opens()).hello()
    await browser.sends(frame)
    assert await browser.is_closed_with() == 4400
    assert await bare_world.rows(InboundText) == []
    assert (await bare_world.http.get(f"{bare_world.url}/healthz")).is_success


async def test_who_does_not_say_hello_first_is_sent_away(opens: Opens) -> None:
    browser = await opens()
    await browser.sends({"type": "text", "id": "text-0001", "text": "hello"})
    assert await browser.is_closed_with() == 4400
    assert (await browser.hears("error"))["code"] == "no_hello"


async def test_too_many_texts_are_asked_to_wait_and_taken_later(opens: Opens, bare_world: World) -> None:
    browser = await (await opens()).hello()
    for count in range(20):
        await browser.says(f"text {count}")
    await browser.sends({"type": "text", "id": "one-too-many", "text": "again"})
    refusal = await browser.hears("error", id="one-too-many")
    assert (refusal["code"], refusal["retry"]) == ("too_fast", pytest.approx(3, abs=0.2))
    bare_world.clock.move(timedelta(seconds=refusal["retry"]))
    await browser.says("again", "one-too-many")
    assert len(await bare_world.rows(InboundText)) == 21


async def test_one_network_address_cannot_write_for_many(opens: Opens) -> None:
    async def talk(address: str) -> Browser:
        return await (await opens(headers={"X-Forwarded-For": address})).hello()

    for _ in range(3):
        browser = await talk("203.0.113.7")
        for count in range(20):
            await browser.says(f"text {count}")
    fourth = await talk("203.0.113.7")
    await fourth.sends({"type": "text", "id": "text-0001", "text": "hello"})
    assert (await fourth.hears("error"))["code"] == "too_fast"
    await (await talk("203.0.113.8")).says("somebody else")


async def test_the_network_address_travels_with_the_text(opens: Opens, bare_world: World) -> None:
    browser = await (await opens(headers={"X-Forwarded-For": "2001:db8:1:2:3:4:5:6"})).hello()
    await browser.says("hello")
    (row,) = await bare_world.rows(InboundText)
    assert row.network_address == "2001:db8:1:2::"


async def test_too_many_lines_from_one_address_are_refused(opens: Opens) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7"}
    browsers = [await (await opens(headers=headers)).hello() for _ in range(20)]
    extra = await opens(headers=headers)
    assert await extra.is_closed_with() == 4429
    assert (await extra.hears("error"))["retry"] > 0
    await (await opens(headers={"X-Forwarded-For": "203.0.113.8"})).hello()
    await browsers[0].closes()

    async def fits() -> bool:
        browser = await opens(headers=headers)
        await browser.sends({"type": "hello"})
        try:
            await browser.hears("session")
        except Exception:
            return False
        return True

    assert await eventually(fits, bool, "a place to become free")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://shop.example.evil.example"]
)
async def test_a_foreign_site_cannot_connect(opens: Opens, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await opens(origin=origin)
    assert refusal.value.response.status_code == 403


async def test_our_own_page_and_the_sites_of_the_protocol_can(
    opens: Opens, bare_world: World, tmp_path: Path
) -> None:
    await (await opens(origin=bare_world.url)).hello()
    sop = tmp_path / "sop.yml"
    sop.write_text(QUIET.read_text() + '\nwebchat:\n  origins: ["https://shop.example"]\n')
    await bare_world.restart_app(doorline_sop=sop)
    await (await opens(origin="https://shop.example")).hello()
    await (await opens(origin="https://shop.example:443")).hello()
    with pytest.raises(InvalidStatus):
        await opens(origin="http://shop.example")


async def test_a_line_that_nobody_touches_is_closed(opens: Opens, bare_world: World) -> None:
    services = bare_world.doorline.services
    feed = ChatFeed(services.database, services.clock)
    app = FastAPI()
    edge = webhook.router(
        services.receive,
        feed,
        key="a key",
        public_url=bare_world.url,
        policy=lambda: Policy(idle_minutes=0.5 / 60),
        now=services.clock.wall,
    )
    app.include_router(edge, prefix="/connectors/webchat")
    server = Server(app)
    await server.start()
    try:
        browser = await (await opens(url=server.url)).hello()
        await browser.sends({"type": "typing"})
        assert await browser.is_closed_with() == 4408
    finally:
        await server.stop()
        await feed.aclose()


async def test_a_board_that_is_away_leaves_the_message_to_be_sent_later() -> None:
    """What the channel says when the board cannot be reached: not sent, try later."""

    class Away:
        async def put_up(self, outbound_id: str) -> None:
            raise StorageUnavailableError(outbound_id)

        async def is_up(self, outbound_id: str) -> bool:
            raise StorageUnavailableError(outbound_id)

    channel = WebChatChannel(Away())
    message = OutboundMessage(outbound_id="1", channel=ChannelName.WEBCHAT, recipient="web:0", text="hello")
    with pytest.raises(ChannelUnavailableError):
        await channel.send(message)
    with pytest.raises(ChannelUnavailableError):
        await channel.find_sent(message, datetime.now(UTC), set())
    with pytest.raises(MediaRefusedError):
        await channel.fetch_media("https://elsewhere.example/a.jpg", at_most_bytes=10)
