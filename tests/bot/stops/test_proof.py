"""What may be told of a proof, and to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stops.answers import ProofAnswer, Turn
from bot.stops.distance import meters_between
from bot.stops.proof import ProofService, nearness
from bot.stops.streets import street_of
from tests.harness.turns import says
from tests.harness.world import World

AT_THE_DOOR = (40.7003, -74.0001)
TWO_KM_AWAY = (40.7188, -74.0)


async def look(world: World, tracking: str, turn: Turn) -> ProofAnswer:
    proofs: ProofService = world.doorline.services.proofs
    return await proofs.look(turn, str((await world.stop_record(tracking)).id))


async def asked(world: World, tracking: str, language: str = "en", **left: object) -> ProofAnswer:
    await world.delivers(tracking, **left)
    return await look(world, tracking, await says(world, world.recipient(), "who signed for it", language))


async def test_a_photo_and_a_signature_come_with_a_link(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    proof = await asked(bare_world, tracking, photos=2, signed_by="R. Diaz", location=AT_THE_DOOR)
    assert (proof.photos, proof.signed_by, proof.has_signature) == (2, "R. Diaz", True)
    assert proof.near == "at_address"
    assert proof.at == (await bare_world.stop_record(tracking)).completed_at
    assert proof.link is not None
    assert proof.link.startswith(f"{bare_world.url}/proof/")


async def test_a_driver_who_finished_far_away_is_told_as_elsewhere(bare_world: World) -> None:
    proof = await asked(bare_world, await bare_world.has_stop(), photos=1, location=TWO_KM_AWAY)
    assert proof.near == "elsewhere"


async def test_without_a_place_nobody_knows_and_without_a_picture_there_is_no_link(bare_world: World) -> None:
    proof = await asked(bare_world, await bare_world.has_stop())
    assert (proof.near, proof.link, proof.photos, proof.signed_by) == ("unknown", None, 0, "")
    assert proof.at is not None


async def test_a_stop_on_its_way_has_no_proof(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    proof = await look(bare_world, tracking, await says(bare_world, bare_world.recipient(), "proof?"))
    assert (proof.at, proof.link, proof.near) == (None, None, "unknown")


async def test_who_only_knows_the_number_on_the_parcel_sees_neither_name_nor_picture(
    bare_world: World,
) -> None:
    tracking = await bare_world.has_stop()
    await bare_world.delivers(tracking, photos=1, signed_by="R. Diaz", location=AT_THE_DOOR)
    stranger = bare_world.recipient("+12125550188")
    proof = await look(bare_world, tracking, await says(bare_world, stranger, f"proof of {tracking}"))
    assert (proof.link, proof.signed_by, proof.photos, proof.near) == (None, "", 0, "unknown")
    assert proof.at is not None


async def test_a_photo_that_comes_late_is_seen_too(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    assert (await asked(bare_world, tracking)).link is None
    task = bare_world.task_of(tracking)
    details = {**task["completionDetails"], "photoUploadIds": ["a" * 24]}
    bare_world.onfleet.store.tasks[task["id"]] = task | {"completionDetails": details}
    await bare_world.doorline.services.sync.store_confirmed(
        await bare_world.doorline.vendors.platforms["onfleet"].get_stop(task["id"])
    )
    turn = await says(bare_world, bare_world.recipient(), "and now?")
    assert (await look(bare_world, tracking, turn)).link is not None


@pytest.mark.parametrize(
    ("meters", "expected"), [(None, "unknown"), (0, "at_address"), (150, "at_address"), (150.1, "elsewhere")]
)
def test_near_is_a_matter_of_meters(meters: float | None, expected: str) -> None:
    assert nearness(meters, 150) == expected


@pytest.mark.parametrize(
    ("one", "other", "meters"),
    [
        ((40.7, -74.0), (40.7, -74.0), 0),
        ((40.7, -74.0), (40.71, -74.0), 1112),
        ((40.7, -74.0), (40.7, -74.01), 843),
        ((0, 179.999), (0, -179.999), 222),
        ((90, 0), (-90, 0), 20_015_087),
    ],
)
def test_distances_are_those_of_the_globe(
    one: tuple[float, float], other: tuple[float, float], meters: float
) -> None:
    assert meters_between(one, other) == pytest.approx(meters, abs=1)


PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(PLACES, PLACES)
def test_a_distance_is_the_same_both_ways_and_never_beyond_the_other_side(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    assert meters_between(one, other) == pytest.approx(meters_between(other, one), abs=0.01)
    assert 0 <= meters_between(one, other) <= 20_015_088


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ("14 Elm St 2B", "Elm St"),
        ("14 Elm St, Apt 2B", "Elm St"),
        ("212B Baker Street Unit 4", "Baker Street"),
        ("350 5th Ave #12", "5th Ave"),
        ("Elm St", "Elm St"),
        ("", ""),
    ],
)
def test_a_street_is_told_without_its_number(line: str, street: str) -> None:
    assert street_of(line) == street
