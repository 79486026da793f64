"""Pictures that recipients send: kept with their incident, shown to dispatchers, refused politely."""

import stat
from uuid import UUID

import pytest

from bot.conversations.models import InboundText
from bot.incidents.models import Incident, IncidentPhoto, PhotoState
from bot.stops.answers import IncidentAnswer, IncidentKind, Turn
from connectors import pictures
from connectors.emulation import Fault
from tests.harness.turns import says, shows
from tests.harness.world import World

PICTURE = pictures.snapshot("of a test")
SORRY = {
    "en": "I couldn't open one of your pictures.",
    "es": "No pude abrir una de sus fotos.",
}


async def damaged(world: World, words: str = "box is crushed") -> IncidentAnswer:
    tracking = await world.has_stop()
    await world.delivers(tracking, photos=1)
    turn = await says(world, world.recipient(), words)
    return await opens(world, turn, tracking)


async def opens(world: World, turn: Turn, tracking: str) -> IncidentAnswer:
    stop_id = str((await world.stop_record(tracking)).id)
    answer: IncidentAnswer = await world.doorline.services.incidents.open(turn, IncidentKind.DAMAGED, stop_id)
    await world.settled()
    return answer


async def adds(world: World, turn: Turn, incident_id: str | None = None) -> IncidentAnswer | None:
    answer: IncidentAnswer | None = await world.doorline.services.incidents.add_photos(turn, incident_id)
    await world.settled()
    return answer


async def seen(world: World, line: str) -> bytes:
    """The picture behind the link in a thread line."""
    url = line[line.index("http") :].split("|")[0].split(">")[0].strip()
    answer = await world.http.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "noindex" in answer.headers["x-robots-tag"]
    return answer.content


async def test_a_picture_is_kept_with_its_incident_and_dispatchers_can_look_at_it(bare_world: World) -> None:
    incident = await damaged(bare_world)
    answer = await adds(
        bare_world, await shows(bare_world, bare_world.recipient(), "", PICTURE), incident.incident_id
    )
    assert answer is not None
    assert (answer.incident_id, answer.photos) == (incident.incident_id, 1)
    (photo,) = await bare_world.rows(IncidentPhoto)
    assert (photo.state, photo.content_type, photo.size_bytes) == (PhotoState.KEPT, "image/png", len(PICTURE))
    kept = bare_world.setting.var / "media" / (photo.path or "")
    assert kept.read_bytes() == PICTURE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    assert await seen(bare_world, await bare_world.thread_shows(shown, "sent a photo")) == PICTURE


async def test_the_same_turn_twice_keeps_a_picture_once(bare_world: World) -> None:
    await damaged(bare_world)
    turn = await shows(bare_world, bare_world.recipient(), "look", PICTURE)
    for _ in range(2):
        answer = await adds(bare_world, turn)
        assert answer is not None
        assert answer.photos == 1
    (photo,) = await bare_world.rows(IncidentPhoto)
    await bare_world.doorline.services.photos.fetch(photo.id)
    await bare_world.settled()
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    lines = [line for line in await bare_world.thread(shown) if "sent a photo" in line]
    assert len(lines) == 1


async def test_a_picture_without_an_incident_is_kept_until_one_is_opened(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    await bare_world.delivers(tracking)
    assert await adds(bare_world, await shows(bare_world, bare_world.recipient(), "", PICTURE)) is None
    (photo,) = await bare_world.rows(IncidentPhoto)
    assert (photo.state, photo.incident_id) == (PhotoState.KEPT, None)
    assert await bare_world.channel() == []
    await bare_world.advance(minutes=5)
    answer = await opens(
        bare_world, await says(bare_world, bare_world.recipient(), "it came broken"), tracking
    )
    assert answer.photos == 1
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    assert await seen(bare_world, await bare_world.thread_shows(shown, "sent a photo")) == PICTURE


async def test_an_old_picture_belongs_to_nothing_that_is_opened_later(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    await bare_world.delivers(tracking)
    await adds(bare_world, await shows(bare_world, bare_world.recipient()))
    await bare_world.advance(minutes=31)
    answer = await opens(
        bare_world, await says(bare_world, bare_world.recipient(), "it came broken"), tracking
    )
    assert answer.photos == 0


@pytest.mark.parametrize(("minutes", "belongs"), [(10, True), (40, False)])
async def test_a_picture_that_comes_soon_after_the_end_belongs_to_the_closed_incident(
    bare_world: World, minutes: int, belongs: bool
) -> None:
    incident = await damaged(bare_world)
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    await bare_world.dispatcher().reacts(shown, "white_check_mark")
    await bare_world.channel_shows(":white_check_mark:")
    await bare_world.advance(minutes=minutes)
    answer = await adds(bare_world, await shows(bare_world, bare_world.recipient()))
    assert (answer is not None and answer.incident_id == incident.incident_id) is belongs


async def test_nobody_elses_pictures_are_mixed_in(bare_world: World) -> None:
    await damaged(bare_world)
    stranger = bare_world.recipient("+12125550188")
    assert await adds(bare_world, await shows(bare_world, stranger)) is None


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<html>not a picture", "wrong_type"), (b"\x89PNG\r\n\x1a\n" + b"0" * 8_000_000, "too_big")],
)
async def test_what_cannot_be_kept_is_told_politely_once(
    bare_world: World, content: bytes, reason: str, language: str
) -> None:
    await damaged(bare_world)
    turn = await shows(bare_world, bare_world.recipient(), "look", content, language)
    before = len(await bare_world.recipient().reads())
    answer = await adds(bare_world, turn)
    assert answer is not None
    (photo,) = await bare_world.rows(IncidentPhoto)
    assert (photo.state, photo.reason, photo.path) == (PhotoState.REFUSED, reason, None)
    told = await bare_world.recipient().reads_next(before + 1)
    assert told[before].startswith(SORRY[language])
    await bare_world.doorline.services.photos.fetch(photo.id)
    await bare_world.settled()
    assert len(await bare_world.recipient().reads()) == before + 1


async def test_several_refused_pictures_of_one_text_are_told_once(bare_world: World) -> None:
    await damaged(bare_world)
    turn = await shows(bare_world, bare_world.recipient(), "look", b"no picture")
    async with bare_world.doorline.services.database.transaction() as session:
        inbound = await session.get_one(InboundText, UUID(turn.inbound_id or ""))
        inbound.media = inbound.media * 3
    before = len(await bare_world.recipient().reads())
    await adds(bare_world, turn)
    assert {photo.state for photo in await bare_world.rows(IncidentPhoto)} == {PhotoState.REFUSED}
    await bare_world.recipient().reads_next(before + 1)
    await bare_world.settled()
    assert len(await bare_world.recipient().reads()) == before + 1


async def test_a_carrier_that_is_down_is_asked_again(bare_world: World) -> None:
    await damaged(bare_world)
    turn = await shows(bare_world, bare_world.recipient(), "look", PICTURE)
    bare_world.twilio.faults.next(*[Fault("status", status=503, path_contains="/Media/")] * 2)
    await adds(bare_world, turn)
    (photo,) = await bare_world.rows(IncidentPhoto)
    assert photo.state is PhotoState.WANTED
    await bare_world.retries()
    await bare_world.retries()
    (photo,) = await bare_world.rows(IncidentPhoto)
    assert photo.state is PhotoState.KEPT


async def test_a_link_to_a_picture_runs_out_and_cannot_be_made_up(bare_world: World) -> None:
    await damaged(bare_world)
    await adds(bare_world, await shows(bare_world, bare_world.recipient(), "", PICTURE))
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    line = await bare_world.thread_shows(shown, "sent a photo")
    url = line[line.index("http") :].split("|")[0].split(">")[0].strip()
    assert (await bare_world.http.get(url)).status_code == 200
    assert (await bare_world.http.get(url[:-4] + "AAAA")).status_code == 404
    await bare_world.advance(days=30, seconds=1)
    assert (await bare_world.http.get(url)).status_code == 410


async def test_a_file_that_is_lost_is_not_found(bare_world: World) -> None:
    await damaged(bare_world)
    await adds(bare_world, await shows(bare_world, bare_world.recipient(), "", PICTURE))
    shown = await bare_world.channel_shows("Reports a damaged or wrong parcel")
    line = await bare_world.thread_shows(shown, "sent a photo")
    (photo,) = await bare_world.rows(IncidentPhoto)
    (bare_world.setting.var / "media" / (photo.path or "")).unlink()
    url = line[line.index("http") :].split("|")[0].split(">")[0].strip()
    assert (await bare_world.http.get(url)).status_code == 404
    assert len(await bare_world.rows(Incident)) == 1
