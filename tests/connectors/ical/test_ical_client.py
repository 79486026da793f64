"""Feeds are fetched once changed, and whatever goes wrong is an answer."""

from collections.abc import AsyncIterator

import pytest

from connectors.duty import CalendarAsked
from connectors.emulation import Fault, Server
from connectors.ical.client import CalendarFeeds
from connectors.ical.emulator import CalendarEmulator, Feed
from tests.connectors.ical.feeds import WEEKS, calendar


@pytest.fixture
async def server() -> AsyncIterator[tuple[CalendarEmulator, str]]:
    emulator = CalendarEmulator()
    emulator.feeds["oncall"] = Feed(calendar(WEEKS))
    server = Server(emulator.app)
    await server.start()
    yield emulator, f"{server.url}/feeds/oncall.ics"
    await server.stop()


@pytest.mark.parametrize(("with_etag", "with_date"), [(True, True), (True, False), (False, True)])
async def test_an_unchanged_feed_is_not_sent_again(
    server: tuple[CalendarEmulator, str], with_etag: bool, with_date: bool
) -> None:
    emulator, url = server
    feed = emulator.feeds["oncall"]
    feed.with_etag, feed.with_date = with_etag, with_date
    first = await CalendarFeeds().fetch(CalendarAsked(url=url))
    assert (first.text, first.why) == (feed.text, "")
    asked = CalendarAsked(url=url, etag=first.etag, last_modified=first.last_modified)
    second = await CalendarFeeds().fetch(asked)
    assert (second.text, second.why, second.etag, second.last_modified) == (
        None,
        "",
        first.etag,
        first.last_modified,
    )
    assert (feed.sent, feed.unchanged) == (1, 1)


async def test_without_either_it_is_sent_every_time(server: tuple[CalendarEmulator, str]) -> None:
    emulator, url = server
    feed = emulator.feeds["oncall"]
    feed.with_etag = feed.with_date = False
    for _ in range(2):
        assert (await CalendarFeeds().fetch(CalendarAsked(url=url))).text == feed.text


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("status", status=500), "status:500"),
        (Fault("reset"), "connection"),
        (Fault("slow", seconds=2.0), "timeout"),
    ],
)
async def test_a_server_that_is_ill(server: tuple[CalendarEmulator, str], fault: Fault, why: str) -> None:
    emulator, url = server
    emulator.faults.next(fault)
    assert (await CalendarFeeds(seconds=0.5).fetch(CalendarAsked(url=url))).why == why


async def test_what_is_no_calendar_gone_moved_or_endless(server: tuple[CalendarEmulator, str]) -> None:
    emulator, url = server
    feed, feeds = emulator.feeds["oncall"], CalendarFeeds(most_bytes=1000)
    feed.text = "<html>sign in</html>"
    assert (await feeds.fetch(CalendarAsked(url=url))).why == "unreadable"
    feed.text = calendar(*[WEEKS] * 10)
    assert (await feeds.fetch(CalendarAsked(url=url))).why == "too_large"
    feed.moved_to = "http://127.0.0.1:1/elsewhere"
    assert (await feeds.fetch(CalendarAsked(url=url))).why == "status:302"
    del emulator.feeds["oncall"]
    assert (await feeds.fetch(CalendarAsked(url=url))).why == "status:404"
    assert (await feeds.fetch(CalendarAsked(url="http://127.0.0.1:1/feeds/oncall.ics"))).why == "connection"
