"""Missing, damaged, wrong: one open incident per stop and kind, told to dispatchers with what the proof says."""

import asyncio
from typing import Any

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.errors import NotFoundError
from bot.incidents.models import Incident, IncidentState
from bot.incidents.service import IncidentService
from bot.stops.answers import IncidentAnswer, IncidentKind, Turn
from tests.harness.turns import says
from tests.harness.world import World

TWO_KM_AWAY = (40.7188, -74.0)


def service(world: World) -> IncidentService:
    found: IncidentService = world.doorline.services.incidents
    return found


async def report(
    world: World, turn: Turn, tracking: str, kind: IncidentKind = IncidentKind.MISSING
) -> IncidentAnswer:
    answer = await service(world).open(turn, kind, str((await world.stop_record(tracking)).id))
    await world.settled()
    return answer


async def delivered(world: World, **left: Any) -> str:
    tracking = await world.has_stop()
    await world.delivers(tracking, **left)
    return tracking


async def test_a_missing_parcel_calls_a_dispatcher_who_reads_what_the_proof_says(bare_world: World) -> None:
    tracking = await delivered(bare_world, photos=1, signed_by="R. Diaz", location=(40.7003, -74.0))
    turn = await says(bare_world, bare_world.recipient(), "it says delivered but its not here")
    answer = await report(bare_world, turn, tracking)
    assert answer.respond_by > bare_world.clock.now()
    assert answer.timezone == "America/New_York"
    shown = await bare_world.channel_shows(
        "Says the parcel is missing", "proof: photo 12:0", "30 m from the address, signed by R. Diaz"
    )
    await bare_world.thread_shows(shown, "it says delivered but its not here")
    (incident,) = await bare_world.rows(Incident)
    assert (incident.kind, incident.state) == (IncidentKind.MISSING, IncidentState.OPEN)
    assert incident.words == "it says delivered but its not here"
    assert incident.proof is not None
    assert incident.proof["signed_by"] == "R. Diaz"
    assert incident.driver_ref == (await bare_world.stop_record(tracking)).driver_ref


async def test_a_driver_who_was_elsewhere_is_told_to_dispatchers(bare_world: World) -> None:
    tracking = await delivered(bare_world, location=TWO_KM_AWAY)
    await report(bare_world, await says(bare_world, bare_world.recipient(), "not here"), tracking)
    await bare_world.channel_shows("no proof, driver was 2.1 km away")


async def test_a_second_report_adds_its_words_and_opens_nothing(bare_world: World) -> None:
    tracking = await delivered(bare_world)
    recipient = bare_world.recipient()
    first = await report(bare_world, await says(bare_world, recipient, "my parcel never came"), tracking)
    second = await report(bare_world, await says(bare_world, recipient, "gate is 4471#, still no"), tracking)
    assert (first.incident_id, first.respond_by) == (second.incident_id, second.respond_by)
    (incident,) = await bare_world.rows(Incident)
    assert incident.words.splitlines() == ["my parcel never came", "gate is ••••, still no"]
    assert len(await bare_world.channel()) == 1
    assert [line.verb for line in await bare_world.rows(AuditLine) if line.subject_kind == "incident"] == [
        "opened"
    ]


async def test_another_kind_is_another_incident(bare_world: World) -> None:
    tracking = await delivered(bare_world)
    recipient = bare_world.recipient()
    await report(bare_world, await says(bare_world, recipient, "one box is missing"), tracking)
    await report(bare_world, await says(bare_world, recipient, "and crushed"), tracking, IncidentKind.DAMAGED)
    assert {row.kind for row in await bare_world.rows(Incident)} == {
        IncidentKind.MISSING,
        IncidentKind.DAMAGED,
    }
    await bare_world.channel_shows("Reports a damaged or wrong parcel", "says the parcel is missing")


async def test_a_household_that_reports_at_once_makes_one_incident(bare_world: World) -> None:
    tracking = await delivered(bare_world)
    turns = [
        await says(bare_world, bare_world.recipient(phone), f"{tracking} is not here")
        for phone in ("+12125550100", "+12125550101", "+12125550102")
    ]
    answers = await asyncio.gather(*(report(bare_world, turn, tracking) for turn in turns))
    assert len({answer.incident_id for answer in answers}) == 1
    assert len(await bare_world.rows(Incident)) == 1


async def test_resolving_the_escalation_closes_the_incident_and_a_new_report_opens_another(
    bare_world: World,
) -> None:
    tracking = await delivered(bare_world)
    recipient = bare_world.recipient()
    first = await report(bare_world, await says(bare_world, recipient, "not here"), tracking)
    shown = await bare_world.channel_shows("Says the parcel is missing")
    await bare_world.dispatcher().reacts(shown, "white_check_mark")
    await bare_world.channel_shows(":white_check_mark:")
    assert await service(bare_world).close_settled() == 1
    assert await service(bare_world).close_settled() == 0
    (incident,) = await bare_world.rows(Incident)
    assert (incident.state, incident.closed_at is not None) == (IncidentState.CLOSED, True)
    second = await report(bare_world, await says(bare_world, recipient, "still not here"), tracking)
    assert second.incident_id != first.incident_id


async def test_a_new_report_before_the_clock_has_closed_the_old_one_is_a_new_incident_too(
    bare_world: World,
) -> None:
    tracking = await delivered(bare_world)
    recipient = bare_world.recipient()
    await report(bare_world, await says(bare_world, recipient, "not here"), tracking)
    shown = await bare_world.channel_shows("Says the parcel is missing")
    await bare_world.dispatcher().reacts(shown, "white_check_mark")
    await bare_world.channel_shows(":white_check_mark:")
    await report(bare_world, await says(bare_world, recipient, "still not here"), tracking)
    open_ones = await bare_world.rows(Incident, col(Incident.state) == IncidentState.OPEN)
    assert [row.words for row in open_ones] == ["still not here"]


async def test_a_stop_or_conversation_that_is_none_of_ours_is_not_found(bare_world: World) -> None:
    tracking = await delivered(bare_world)
    turn = await says(bare_world, bare_world.recipient(), "not here")
    nobody = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(NotFoundError):
        await service(bare_world).open(turn, IncidentKind.MISSING, nobody)
    with pytest.raises(NotFoundError):
        await report(bare_world, turn.model_copy(update={"conversation_id": nobody}), tracking)
    assert await bare_world.rows(Incident) == []
