"""The proof of delivery behind a link: seen by who has the link, while it holds, and by no robot."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from bot.stops.answers import ProofAnswer
from connectors.emulation import Fault
from tests.harness.turns import says
from tests.harness.world import World

PHONE = {"width": 375, "height": 812}


async def link_to(world: World, language: str = "en", **left: Any) -> str:
    tracking = await world.has_stop()
    await world.delivers(tracking, **({"photos": 2, "signed_by": "R. <b>Diaz</b>"} | left))
    turn = await says(world, world.recipient(), "who signed for it", language)
    record = await world.stop_record(tracking)
    proof: ProofAnswer = await world.doorline.services.proofs.look(turn, str(record.id))
    assert proof.link is not None
    return proof.link


def pictures_in(body: str) -> list[str]:
    return [path for path in re.findall(r'<img src="([^"]+)"', body) if path.startswith("/proof/")]


async def test_the_page_tells_client_street_time_and_who_signed(bare_world: World) -> None:
    link = await link_to(bare_world)
    answer = await bare_world.http.get(link)
    assert answer.status_code == 200
    page = answer.text.replace(link.rsplit("/", 1)[-1], "")  # in a token anything can stand by chance
    for words in (
        "Delivered",
        "Your parcel from Acme",
        "Tuesday, June 9, 12:0",
        "Elm St",
        "R. &lt;b&gt;Diaz",
    ):
        assert words in page, words
    for secret in ("14 Elm", "2B", "10001", "+1212", "Robin", bare_world.bases["onfleet"]):
        assert secret not in page, secret


async def test_no_robot_keeps_it_and_no_other_site_learns_of_it(bare_world: World) -> None:
    link = await link_to(bare_world)
    page = await bare_world.http.get(link)
    for path in (link, *(bare_world.url + path for path in pictures_in(page.text))):
        headers = (await bare_world.http.get(path)).headers
        assert "noindex" in headers["x-robots-tag"]
        assert (headers["referrer-policy"], headers["cache-control"]) == ("no-referrer", "no-store")


async def test_the_pictures_come_from_us(bare_world: World) -> None:
    page = await bare_world.http.get(await link_to(bare_world))
    paths = pictures_in(page.text)
    assert len(paths) == 3
    for path in paths:
        answer = await bare_world.http.get(bare_world.url + path)
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")


async def test_a_person_who_writes_spanish_reads_spanish_unless_they_ask(bare_world: World) -> None:
    link = await link_to(bare_world, "es")
    spanish = (await bare_world.http.get(link)).text
    assert '<html lang="es">' in spanish
    assert "Martes 9 de junio, 12:0" in spanish
    english = (await bare_world.http.get(link, params={"lang": "en"})).text
    assert "Your parcel from Acme" in english


async def test_a_link_runs_out_with_its_pictures(bare_world: World) -> None:
    link = await link_to(bare_world, "es")
    paths = pictures_in((await bare_world.http.get(link)).text)
    await bare_world.advance(hours=72, seconds=1)
    over = await bare_world.http.get(link)
    assert (over.status_code, "Este enlace ya venció" in over.text) == (410, True)
    assert [(await bare_world.http.get(bare_world.url + path)).status_code for path in paths] == [410] * 3


@pytest.mark.parametrize("token", ["x", "en" + "A" * 60, "%00", "é", "en.a.b"])
async def test_a_made_up_link_leads_nowhere(bare_world: World, token: str) -> None:
    for path in (f"/proof/{token}", f"/proof/{token}/photo/0", f"/proof/{token}/signature"):
        assert (await bare_world.http.get(bare_world.url + path)).status_code == 404


@pytest.mark.parametrize("number", ["2", "99", "-1"])
async def test_only_pictures_that_were_left_are_there(bare_world: World, number: str) -> None:
    link = await link_to(bare_world)
    assert (await bare_world.http.get(f"{link}/photo/{number}")).status_code == 404


async def test_a_photo_alone_has_no_signature(bare_world: World) -> None:
    link = await link_to(bare_world, photos=1, signed_by="")
    page = await bare_world.http.get(link)
    assert "Signature" not in page.text
    assert (await bare_world.http.get(f"{link}/signature")).status_code == 404


async def test_a_platform_that_is_down_takes_only_the_pictures_away(bare_world: World) -> None:
    link = await link_to(bare_world)
    bare_world.onfleet.faults.next(Fault("status", status=503, path_contains="800x"))
    assert (await bare_world.http.get(f"{link}/photo/0")).status_code == 502
    assert (await bare_world.http.get(f"{link}/photo/0")).status_code == 200
    assert (await bare_world.http.get(link)).status_code == 200


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "es"])
async def test_it_fits_a_phone_and_shows_every_picture(
    bare_world: World, chromium: Browser, language: str
) -> None:
    link = await link_to(bare_world, language, signed_by="R. Diaz")
    context = await chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page: Page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(link, wait_until="networkidle")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert await page.evaluate("[...document.images].every(image => image.hasAttribute('alt'))")
    assert problems == []
    await context.close()
