"""It never came, or it came broken: what the proof says, the picture, and a dispatcher who has all of it."""

import pytest

from bot.escalations.models import Escalation
from bot.incidents.models import Incident, IncidentPhoto, IncidentState, PhotoState
from bot.stops.answers import IncidentKind
from connectors import pictures
from tests.harness.finished import AT_THE_DOOR, TWO_KM_AWAY, has_delivered
from tests.harness.people import readable
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa

PICTURE = pictures.snapshot("a crushed box")
A_VIDEO = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 400


def link_in(text: str) -> str:
    """The first link of a text."""
    return text[text.index("http") :].split()[0].split("|")[0].rstrip(".>")


async def incident(world: World) -> Incident:
    (row,) = await world.rows(Incident)
    return row


async def photo_that_is(world: World, state: PhotoState) -> IncidentPhoto:
    """Waits until the only picture is kept, or refused."""
    rows = await eventually(
        lambda: world.rows(IncidentPhoto),
        lambda rows: bool(rows) and rows[-1].state is state,
        f"a {state} photo",
    )
    return rows[-1]


# --- missing --------------------------------------------------------------------------------------


async def test_missing_with_a_photo_at_the_door_shows_the_proof_and_opens_an_incident(world: World) -> None:
    tracking = await has_delivered(world, photos=1, location=AT_THE_DOOR)
    answer = await world.recipient().asks("app says delivered but theres nothing on my porch??")
    assert "11:40 am" in answer
    assert "12:25 pm" in answer, "by when somebody answers"
    page = await world.http.get(link_in(answer))
    assert page.status_code == 200
    assert "Photo by the driver" in page.text
    opened = await incident(world)
    assert (opened.kind, opened.state) == (IncidentKind.MISSING, IncidentState.OPEN)
    assert opened.stop_id == (await world.stop_record(tracking)).id
    assert "nothing on my porch" in opened.words
    await world.channel_shows("Says the parcel is missing", "proof: photo 11:40 am", "14 Elm St 2B")


async def test_missing_with_a_driver_far_away_is_told_so(world: World) -> None:
    await has_delivered(world, photos=1, location=TWO_KM_AWAY)
    answer = await world.recipient().asks("u guys marked it delivered n i never got it")
    assert "not at your address" in answer
    assert "http" not in answer
    assert (await incident(world)).meters_from_address == pytest.approx(2090, abs=40)
    await world.channel_shows("Says the parcel is missing", "2.1 km")


async def test_missing_without_any_proof_is_told_so(world: World) -> None:
    await has_delivered(world)
    answer = await world.recipient().asks("it says it was dropped off but no package here")
    assert "no photo" in answer
    assert "12:25 pm" in answer
    await world.channel_shows("Says the parcel is missing", "no proof")
    assert (await incident(world)).kind is IncidentKind.MISSING


async def test_not_here_yet_while_it_is_on_the_van_is_no_incident(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks("my package never showed up")
    assert "3:20 pm" in answer
    assert await world.rows(Incident) == []
    assert await world.channel() == []


async def test_found_it_after_all_is_told_to_dispatchers_and_is_no_second_incident(world: World) -> None:
    await has_delivered(world, photos=1, location=AT_THE_DOOR)
    recipient = world.recipient()
    await recipient.asks("says delivered, i dont see it anywhere")
    answer = await recipient.asks("nvm found it, neighbor had it. thx")
    assert "told dispatch" in answer
    assert "http" not in answer, "nobody needs the proof any more"
    assert (await incident(world)).kind is IncidentKind.MISSING
    await world.channel_shows("turned up", "14 Elm St 2B")
    assert len(await world.rows(Escalation)) == 1


async def test_of_two_parcels_the_finished_one_is_missing(world: World) -> None:
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    acme = await has_delivered(world, client="Acme", photos=1, location=AT_THE_DOOR)
    answer = await world.recipient().asks("tracking says delivered but i got nothing at my door")
    assert "11:40 am" in answer
    assert (await incident(world)).stop_id == (await world.stop_record(acme)).id


async def test_a_picture_with_a_complaint_is_for_the_dispatchers_eyes_too(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.sends_photo("your driver parked on my lawn n wrecked it, this is outrageous", PICTURE)
    (answer,) = await recipient.reads_next(1)
    assert "sorry" in answer
    message = await world.channel_shows("Complains", "parked on my lawn")
    line = await world.thread_shows(message, "sent a photo")
    assert (await world.http.get(link_in(line))).content == PICTURE
    assert await world.rows(Incident) == []


# --- damaged, wrong, incomplete -------------------------------------------------------------------


async def test_damaged_asks_for_a_picture_and_dispatchers_can_look_at_it(world: World) -> None:
    await has_delivered(world, photos=1, location=AT_THE_DOOR)
    recipient = world.recipient()
    question = await recipient.asks("box got here totally smashed in")
    assert "photo" in question
    assert question.count("?") == 1
    await recipient.sends_photo("", PICTURE)
    thanks = (await recipient.reads_next(2))[1]
    assert "12:25 pm" in thanks
    assert "?" not in thanks
    kept = await photo_that_is(world, PhotoState.KEPT)
    opened = await incident(world)
    assert (opened.kind, kept.incident_id) == (IncidentKind.DAMAGED, opened.id)
    message = await world.channel_shows("Reports a damaged or wrong parcel")
    line = await world.thread_shows(message, "sent a photo")
    assert (await world.http.get(link_in(line))).content == PICTURE


async def test_damaged_with_the_picture_in_the_same_text_asks_nothing(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.sends_photo("this is how it got here, glass is broken all over the box", PICTURE)
    (answer,) = await recipient.reads_next(1)
    assert "photo" in answer
    assert "?" not in answer
    assert (await photo_that_is(world, PhotoState.KEPT)).incident_id == (await incident(world)).id


async def test_a_picture_before_the_words_belongs_to_what_they_say(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.sends_photo("", PICTURE)
    (question,) = await recipient.reads_next(1)
    assert "?" in question
    assert await world.rows(Incident) == []
    answer = await recipient.asks("thats how it showed up, the corner is all dented")
    assert "?" not in answer, "the picture is there already"
    assert (await photo_that_is(world, PhotoState.KEPT)).incident_id == (await incident(world)).id
    message = await world.channel_shows("Reports a damaged or wrong parcel")
    await world.thread_shows(message, "sent a photo")


async def test_what_is_no_picture_is_refused_and_the_next_one_is_kept(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.asks("tv came with a cracked screen")
    await recipient.sends_photo("", A_VIDEO, "video/mp4")
    texts = await recipient.reads_next(3)
    assert "couldn't open" in texts[2], texts
    assert (await photo_that_is(world, PhotoState.REFUSED)).reason == "wrong_type"
    await recipient.sends_photo("", PICTURE)
    await recipient.reads_next(4)
    rows = await eventually(
        lambda: world.rows(IncidentPhoto),
        lambda rows: {row.state for row in rows} == {PhotoState.REFUSED, PhotoState.KEPT},
        "the second picture",
    )
    assert len(rows) == 2
    assert {row.incident_id for row in rows} == {(await incident(world)).id}


async def test_a_picture_that_is_too_big_is_refused_politely(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.asks("my lamp arrived broken into pieces")
    await recipient.sends_photo("", PICTURE + b"\x00" * 8_100_000)
    texts = await recipient.reads_next(3)
    assert "not a very large one" in texts[2], texts
    assert (await photo_that_is(world, PhotoState.REFUSED)).reason == "too_big"
    message = await world.channel_shows("Reports a damaged or wrong parcel")
    assert not any("sent a photo" in line for line in await world.thread(message))


async def test_a_wrong_item_without_a_picture_is_fine_too(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.asks("this aint what i ordered, wrong shoes in the box")
    answer = await recipient.asks("i dont have a camera on this phone sorry")
    assert "fine" in answer
    assert "12:25 pm" in answer
    assert (await incident(world)).kind is IncidentKind.WRONG


async def test_half_of_it_missing_is_incomplete(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    question = await recipient.asks("only got 1 of the 3 boxes i paid for")
    assert "photo" in question
    assert (await incident(world)).kind is IncidentKind.INCOMPLETE
    added = await recipient.asks("the two small ones are not there")
    assert "?" not in added
    assert "two small ones" in (await incident(world)).words


async def test_asking_where_the_other_one_is_keeps_the_question_for_the_picture(world: World) -> None:
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    await has_delivered(world, client="Acme")
    recipient = world.recipient()
    await recipient.asks("the acme box is soaking wet and ripped")
    between = await recipient.asks("and wheres the nova one")
    assert "5-7 pm" in between
    await recipient.sends_photo("", PICTURE)
    assert (await photo_that_is(world, PhotoState.KEPT)).incident_id == (await incident(world)).id


async def test_resolving_closes_the_incident_too(world: World) -> None:
    await has_delivered(world)
    await world.recipient().asks("says delivered but its not here at all")
    message = await world.channel_shows("Says the parcel is missing")
    await world.dispatcher().presses(message, "resolve")
    await world.channel_shows("esolved by", "U0DANA")
    await world.doorline.services.incidents.close_settled()
    assert (await incident(world)).state is IncidentState.CLOSED
    assert "Says the parcel is missing" not in readable((await world.channel())[0])


# --- proof ----------------------------------------------------------------------------------------


async def test_the_proof_link_opens_shows_the_pictures_and_runs_out(world: World) -> None:
    await has_delivered(world, photos=1, signed_by="R. Diaz", location=AT_THE_DOOR)
    recipient = world.recipient()
    answer = await recipient.asks("who signed 4 it")
    assert "R. Diaz" in answer
    assert "11:40 am" in answer
    link = link_in(answer)
    page = await world.http.get(link)
    assert page.status_code == 200
    assert "R. Diaz" in page.text
    assert "14 Elm" not in page.text, "a link may travel"
    assert (await world.http.get(f"{link}/photo/0")).headers["content-type"].startswith("image/")
    await world.advance(hours=73)
    assert (await world.http.get(link)).status_code == 410
    assert (await world.http.get(f"{link}/photo/0")).status_code == 410
    again = await recipient.asks("can u show me the drop off pic again")
    assert (await world.http.get(link_in(again))).status_code == 200
    assert await world.rows(Incident) == []


async def test_without_a_proof_a_dispatcher_is_asked(world: World) -> None:
    await has_delivered(world)
    answer = await world.recipient().asks("send me the delivery photo pls")
    assert "no photo or signature" in answer
    assert "12:25 pm" in answer
    await world.channel_shows("Wants proof of delivery", "14 Elm St 2B")


async def test_a_stranger_with_the_number_hears_when_and_sees_no_proof(world: World) -> None:
    tracking = await has_delivered(world, photos=1, signed_by="R. Diaz", location=AT_THE_DOOR)
    stranger = world.recipient("+12125550177")
    await stranger.asks(f"wheres {tracking}")
    answer = await stranger.asks("can i see the photo proof of that")
    assert "11:40 am" in answer
    assert "phone number on the order" in answer
    for secret in ("R. Diaz", "http", "Elm", "no photo"):
        assert secret not in answer
