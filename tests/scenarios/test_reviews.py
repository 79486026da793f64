"""A dispatcher asks for a client's review in Slack and opens it in a browser."""

import re
from datetime import timedelta

import httpx

from tests.harness.desk import hand
from tests.harness.world import World

TODAY = "2026-06-09"


async def link_of(world: World, command: str) -> str:
    dana = hand(world)
    await dana.types(command)
    told = await dana.is_told_of("The review for Acme is ready")
    return re.search(r"<(http[^|>]+)", told).group(1)  # type: ignore[union-attr]


async def test_the_link_opens_the_review_until_it_has_run_out(bare_world: World) -> None:
    tracking = await bare_world.has_stop(window=("10:00", "11:30"), eta=None, client="Acme")
    await bare_world.delivers(tracking)
    link = await link_of(bare_world, f"report sla Acme {TODAY} {TODAY}")
    page = await bare_world.http.get(link)
    assert page.status_code == 200
    assert "0.0%" in page.text, "one promise, delivered at noon, half an hour late"
    assert "$75" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    table = await bare_world.http.get(link, params={"format": "csv"})
    assert "attachment" in table.headers["content-disposition"]
    bare_world.clock.move(timedelta(days=31))
    assert (await bare_world.http.get(link)).status_code == 410


async def test_a_link_that_somebody_made_up_opens_nothing(bare_world: World) -> None:
    await bare_world.has_stop(client="Acme")
    link = await link_of(bare_world, f"report sla Acme {TODAY} {TODAY}")
    forged: httpx.Response = await bare_world.http.get(link[:-3] + "xyz")
    assert forged.status_code == 404
    assert "Acme" not in forged.text


async def test_a_client_that_nobody_knows_and_days_to_come_are_told(bare_world: World) -> None:
    dana = hand(bare_world)
    await bare_world.has_stop(client="Acme")
    await dana.types(f"report sla Nobody {TODAY} {TODAY}")
    await dana.is_told_of("Nothing was found")
    await dana.types("report sla Acme 2026-07-01 2026-07-02")
    await dana.is_told_of("could not be read")
