"""The manifest's page: for who has the link of that zone and day, readable on a phone and on paper."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser

from bot.manifest.rules import manifest_of
from bot.web.manifest_shown import shown, window_words
from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import ManifestView
from tests.bot.manifest.day import DAY, NEW_YORK, at, facts_of, posted, stop
from tests.harness.world import World

PHONE = {"width": 375, "height": 812}
A4 = {"format": "A4", "prefer_css_page_size": True}


async def link_to(world: World, zone: str = "North") -> str:
    """What Slack hands out for today's manifest of the zone."""
    day = world.clock.now().date()
    return world.doorline.services.manifest_links.page_url(zone, day)


def with_changes(link: str, **changes: str | None) -> str:
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()} | changes
    return (
        link.split("?")[0]
        + "?"
        + urlencode({name: value for name, value in query.items() if value is not None})
    )


async def test_it_shows_the_zones_routes_and_stops(bare_world: World) -> None:
    await bare_world.has_stop(address="14 Elm <b>St")
    await bare_world.has_stop(address="2 Oak Ave", phone="+12125550101", name="Maria Díaz")
    answer = await bare_world.http.get(await link_to(bare_world))
    assert answer.status_code == 200
    for words in (
        "North",
        "Tue, Jun 9",
        "2 stops",
        "1 route",
        "Driver of van-7",
        "14 Elm &lt;b&gt;St",
        "Maria Díaz",
        "2-4 pm",
    ):
        assert words in answer.text, words
    assert "+1212" not in answer.text


async def test_access_codes_stay_with_the_driver(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    record = await bare_world.stop_record(tracking)
    await bare_world.doorline.vendors.platforms["onfleet"].set_access_code(record.platform_ref, "4711")
    await bare_world.sync()
    answer = await bare_world.http.get(await link_to(bare_world))
    assert (answer.status_code, "4711" in answer.text) == (200, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": ""},
        {"key": "made-up"},
        {"zone": "South"},
        {"zone": None},
        {"date": "2026-06-10"},
        {"date": None, "zone": "\x00"},
    ],
)
async def test_without_the_link_of_that_zone_and_day_it_is_closed(bare_world: World, changes: Any) -> None:
    await bare_world.has_stop()
    answer = await bare_world.http.get(with_changes(await link_to(bare_world), **changes))
    assert (answer.status_code, "/doorline manifest" in answer.text) == (403, True)
    assert "Elm" not in answer.text


async def test_a_link_runs_out(bare_world: World) -> None:
    await bare_world.has_stop()
    link = await link_to(bare_world)
    bare_world.clock.move(timedelta(days=7, seconds=1))
    answer = await bare_world.http.get(link)
    assert (answer.status_code, "run out" in answer.text) == (410, True)


@pytest.mark.parametrize("written", ["yesterday", "2026-02-30", "9999-12-31"])
async def test_what_is_no_day_is_said_to_be_none(bare_world: World, written: str) -> None:
    answer = await bare_world.http.get(with_changes(await link_to(bare_world), date=written))
    assert answer.status_code == 400


async def test_a_day_without_stops_says_so(bare_world: World) -> None:
    answer = await bare_world.http.get(await link_to(bare_world))
    assert (answer.status_code, "No stops on Tue, Jun 9" in answer.text) == (404, True)


async def test_no_robot_keeps_it_and_no_other_site_learns_of_it(bare_world: World) -> None:
    headers = (await bare_world.http.get(await link_to(bare_world))).headers
    assert "noindex" in headers["x-robots-tag"]
    assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")


async def test_in_the_demo_everybody_may_look_at_every_zone_and_day(bare_world: World) -> None:
    await bare_world.has_stop()
    await bare_world.restart_app(
        doorline_demo_world="http://127.0.0.1:1", doorline_demo_slack="http://127.0.0.1:1"
    )
    page = f"{bare_world.url}/board/manifest"
    answer = await bare_world.http.get(page)
    assert (answer.status_code, "14 Elm St 2B" in answer.text) == (200, True)
    hrefs = re.findall(r'href="(/board/manifest[^"]*)"', answer.text)
    assert [(await bare_world.http.get(bare_world.url + href)).status_code for href in hrefs] == [404, 404]


# --- what is printed --------------------------------------------------------------------------------


def changed_view() -> ManifestView:
    before = facts_of(*(stop(f"t{number}", sequence=number) for number in range(4)))
    after = facts_of(*before.stops, stop("new", driver="sam"), posts={"North": posted(before)})
    after.stops[0].status = StopStatus.CANCELLED
    after.stops[1].window_start_at, after.stops[1].window_end_at = at("10:30"), at("12:00")
    after.stops[2].driver_ref = "sam"
    return manifest_of(after, "North", NEW_YORK)


def test_changes_are_named_and_counted_and_what_is_off_has_no_number() -> None:
    page = shown(changed_view())
    assert page["changes"] == [("added", 1), ("cancelled", 1), ("moved", 1), ("reassigned", 1)]
    lines = {line["tracking"]: line for route in page["routes"] for line in route["lines"]}
    assert (lines["t0"]["number"], lines["t0"]["is_off"]) == ("", True)
    assert lines["t1"]["was"] == {"window": {"day": "", "hours": "2-4 pm"}, "driver": ""}
    assert lines["t2"]["was"] == {"window": None, "driver": "Dana"}
    assert page["stops"] == 4


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("14:00", "16:00", "2-4 pm"),
        ("11:00", "13:00", "11 am-1 pm"),
        ("00:00", "12:00", "12 am-12 pm"),
        ("12:00", "12:30", "12-12:30 pm"),
    ],
)
def test_hours_are_told_as_people_say_them(start: str, end: str, words: str) -> None:
    window = DeliveryWindow(start_at=at(start), end_at=at(end))
    assert window_words(window, changed_view()) == {"day": "", "hours": words}


def test_a_window_of_another_day_is_told_with_it() -> None:
    tomorrow = DAY + timedelta(days=1)
    window = DeliveryWindow(start_at=at("09:00", tomorrow), end_at=at("11:00", tomorrow))
    assert window_words(window, changed_view()) == {"day": "Wed, Jun 10", "hours": "9-11 am"}


@pytest.mark.browser
async def test_it_fits_a_phone_and_prints_each_route_on_sheets_of_its_own(
    bare_world: World, chromium: Browser
) -> None:
    await bare_world.has_stop(address="1 " + "Extraordinarily Long Boulevard " * 4)
    await bare_world.has_stop(
        phone="+12125550101", driver="van-8", name="Bartholomew Featherstonehaugh-Cholmondeley"
    )
    link = await link_to(bare_world)
    context = await chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(link, wait_until="networkidle")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.get_by_role("button", name="Print").is_visible()
    assert problems == []
    printed = await page.pdf(**A4)  # type: ignore[arg-type]
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
    await context.close()
