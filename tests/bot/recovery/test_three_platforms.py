"""Failures and second tries on Route4Me and OptimoRoute: as they stand there, here, at the client's and in Slack."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from bot.handover.models import ClientEvent
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.writing import own_ref
from bot.requests.models import DispatchRequest, RequestKind
from bot.sop_recovery import Flow
from connectors.base import FailureReason
from connectors.emulation import Fault
from tests.bot.recovery.conftest import RECOVERY
from tests.bot.recovery.elsewhere import NOTES, PLATFORMS, Elsewhere
from tests.bot.recovery.story import QUESTION
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

CODE = "4471#"
LADDER = [{"kind": "ask", "after_minutes": 0}, {"kind": "default", "after_minutes": 180}]
DRIVERS_WORDS: dict[str, list[tuple[str, str, FailureReason, Flow]]] = {
    "route4me": [
        ("notpresent", "", FailureReason.RECIPIENT_UNAVAILABLE, Flow.WINDOWS),
        ("notfound", "no such house", FailureReason.ADDRESS_ISSUE, Flow.ADDRESS),
        ("other", "No access: gate locked, no code", FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE),
        ("other", "buzzer is broken", FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE),
        ("other", "box crushed under the shelf", FailureReason.DAMAGED, Flow.DISPATCHER),
        ("other", "see dispatch", FailureReason.OTHER, Flow.DISPATCHER),
    ],
    "optimoroute": [
        ("failed", "rang twice, nobody home", FailureReason.RECIPIENT_UNAVAILABLE, Flow.WINDOWS),
        ("failed", "number does not exist on this street", FailureReason.ADDRESS_ISSUE, Flow.ADDRESS),
        ("failed", "gate locked, no code", FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE),
        ("failed", "buzzer is broken", FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE),
        ("rejected", "recipient did not order this", FailureReason.REFUSED, Flow.ALTERNATIVES),
        ("failed", "", FailureReason.OTHER, Flow.DISPATCHER),
    ],
}
"""What the driver chooses and types there, and what is made of it."""


@pytest.fixture(params=list(PLATFORMS))
async def elsewhere(
    request: pytest.FixtureRequest, bare_setting: Setting, empty_database: None, tmp_path: Path
) -> AsyncIterator[Elsewhere]:
    sop = protocol_of(tmp_path, {}, recovery=RECOVERY | {"ladder": LADDER})
    async with World(bare_setting, sop=sop, platforms=(request.param,)) as world:
        yield Elsewhere(world, PLATFORMS[request.param](world))


async def news(story: Elsewhere, tracking: str) -> list[ClientEvent]:
    recovery = await story.of(tracking)
    rows = await story.world.rows(ClientEvent, col(ClientEvent.subject_id) == recovery.id)
    return sorted(rows, key=lambda row: row.seq or 0)


async def manifest_line(story: Elsewhere, tracking: str, day: int) -> Any:
    reader = story.world.doorline.services.manifest_reader
    views = await reader.views(story.world.local("12:00", day).date())
    return next(line for view in views for line in view.lines if line.tracking == tracking)


async def test_each_failure_is_followed_up_once_for_what_the_driver_said(elsewhere: Elsewhere) -> None:
    words = DRIVERS_WORDS[elsewhere.platform.name]
    elsewhere.platform.tells_twice()
    stops = [elsewhere.is_promised(f"A-{each}", f"+1212555010{each}") for each, _ in enumerate(words)]
    await elsewhere.world.sync()
    for tracking, (kind, said, _, _) in zip(stops, words, strict=True):
        elsewhere.is_given_up(tracking, said, kind)
    for _ in range(2):
        await elsewhere.is_read()
    found = [await elsewhere.of(tracking) for tracking in stops]
    assert [(each.reason, each.flow) for each in found] == [each[2:] for each in words]
    assert {(each.client, each.zone, each.timezone) for each in found} == {
        ("Acme", "North", "America/New_York")
    }
    assert len(await elsewhere.world.rows(Recovery)) == len(words)


async def test_what_was_agreed_stands_on_the_platform_and_everywhere_alike(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed("gate locked, no code")
    turn, recovery = await elsewhere.turn(f"{CODE}. tomorrow morning"), await elsewhere.of(tracking)
    wanted = Preference(
        choice=Choice.SAFE_PLACE,
        window=elsewhere.window("08:00", "12:00"),
        place="behind the planter",
        has_code=True,
        code_inbound_id=turn.inbound_id,
    )
    for _ in range(2):
        outcome = await elsewhere.world.doorline.services.recovery.answer(turn, str(recovery.id), wanted)
        assert (outcome.result, outcome.window) == ("booked", wanted.window)
        await elsewhere.world.settled()

    (held,) = elsewhere.held(tracking)
    line = "2nd try (no access before). Safe place: behind the planter. Access code on file."
    assert (held.day, held.hours) == ("2026-06-10", ("08:00", "12:00"))
    assert (held.notes, held.code) == ((NOTES, line), CODE)
    assert (held.client, held.zone, held.phone) == ("Acme", "North", "+12125550100")

    await elsewhere.is_read()
    recovery, (again,) = await elsewhere.of(tracking), await elsewhere.second_tries(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "recipient")
    assert (recovery.reattempt_id, again.own_ref) == (again.id, own_ref(recovery.id))
    assert (again.window, again.timezone, again.zone) == (wanted.window, "America/New_York", "North")
    assert await elsewhere.verbs(tracking) == ["opened", "asked", "answered", "booked"]
    told = (await news(elsewhere, tracking))[-1]
    assert told.kind == "recovery.reattempt_booked"
    assert told.facts["second_tracking"] == again.tracking
    shown = await manifest_line(elsewhere, again.tracking, 1)
    assert (shown.window, shown.second_try.place) == (wanted.window, "behind the planter")


async def test_a_lost_answer_makes_no_twin(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed()
    faults = getattr(elsewhere.world, elsewhere.platform.name).faults
    faults.next(Fault("reset", path_contains=elsewhere.platform.makes, after_work=True))
    wanted = Preference(window=elsewhere.window("12:00", "17:00"))
    await elsewhere.answers(tracking, wanted)
    await elsewhere.world.retries()
    assert (await elsewhere.of(tracking)).state is RecoveryState.BOOKED
    (held,) = elsewhere.held(tracking)
    assert held.hours == ("12:00", "17:00")
    # Whoever thinks better of it moves the one that stands there.
    evening = Preference(
        choice=Choice.NEIGHBOUR, window=elsewhere.window("17:00", "21:00", 2), place="Ana in 4C"
    )
    assert (await elsewhere.answers(tracking, evening)).result == "booked"
    (held,) = elsewhere.held(tracking)
    assert (held.day, held.hours) == ("2026-06-11", ("17:00", "21:00"))
    assert "Leave with: Ana in 4C." in held.notes[-1]


async def test_without_an_answer_it_comes_again_in_the_same_hours(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed()
    await elsewhere.world.advance(hours=3, minutes=1)
    recovery = await elsewhere.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "default")
    (held,) = elsewhere.held(tracking)
    assert (held.day, held.hours) == ("2026-06-10", ("10:00", "12:00"))
    assert held.notes == (NOTES, "2nd try (nobody home before).")
    (again,) = await elsewhere.second_tries(tracking)
    assert again.window == elsewhere.window("10:00", "12:00")
    assert (await news(elsewhere, tracking))[-1].facts["second_tracking"] == again.tracking


async def test_another_address_is_written_once_a_dispatcher_agrees(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed("number does not exist on this street")
    wanted = Preference(window=elsewhere.window("12:00", "17:00"), address="41 Elm St 2B")
    assert (await elsewhere.answers(tracking, wanted)).result == "asked_dispatcher"
    assert elsewhere.held(tracking) == []
    await elsewhere.world.dispatcher().presses(await elsewhere.world.channel_shows("41 Elm St"), "approve")
    await elsewhere.world.settled()
    await elsewhere.is_read()
    recovery, (held,) = await elsewhere.of(tracking), elsewhere.held(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "U0DANA")
    assert held.address.startswith("41 Elm St 2B, New York")
    assert (held.day, held.hours) == ("2026-06-10", ("12:00", "17:00"))


async def test_what_the_platform_refuses_a_dispatcher_is_asked_for(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed()
    faults = getattr(elsewhere.world, elsewhere.platform.name).faults
    faults.next(Fault("status", status=400, path_contains=elsewhere.platform.makes))
    wanted = Preference(
        choice=Choice.SAFE_PLACE, window=elsewhere.window("12:00", "17:00"), place="behind the planter"
    )
    assert (await elsewhere.answers(tracking, wanted)).result == "asked_dispatcher"
    recovery = await elsewhere.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.REQUEST)
    faults.clear()
    await elsewhere.world.dispatcher().presses(
        await elsewhere.world.channel_shows("Wants another try"), "approve"
    )
    await elsewhere.world.settled()
    await elsewhere.is_read()
    recovery, (held,) = await elsewhere.of(tracking), elsewhere.held(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "U0DANA")
    assert held.notes[-1].endswith("Safe place: behind the planter.")


async def test_a_note_that_comes_after_the_failure_still_says_why(elsewhere: Elsewhere) -> None:
    tracking = await elsewhere.has_failed("")
    recovery = await elsewhere.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.UNKNOWN_REASON)
    elsewhere.is_explained(tracking, "gate locked, no code")
    await elsewhere.is_read()
    recovery = await elsewhere.of(tracking)
    assert (recovery.state, recovery.reason) == (RecoveryState.ASKING, FailureReason.ACCESS_ISSUE)
    assert recovery.words == "gate locked, no code"
    assert await elsewhere.verbs(tracking) == ["opened", "explained", "asked"]
    assert QUESTION in (await elsewhere.world.recipient().reads())[-1]


@pytest.mark.parametrize("elsewhere", ["optimoroute"], indirect=True)
async def test_a_second_try_whose_route_is_sent_is_moved_by_a_dispatcher_only(elsewhere: Elsewhere) -> None:
    tracking, emulator = await elsewhere.has_failed(), elsewhere.world.optimoroute
    await elsewhere.answers(tracking, Preference(window=elsewhere.window("12:00", "17:00")))
    (again,) = await elsewhere.second_tries(tracking)
    emulator.put_on_route(again.platform_ref, "van-7")
    emulator.send_day("2026-06-10")
    await elsewhere.is_read()
    later = await elsewhere.answers(tracking, Preference(window=elsewhere.window("17:00", "21:00")))
    assert later.result == "asked_dispatcher"
    (request,) = await elsewhere.world.rows(DispatchRequest)
    assert (request.kind, request.stop_id) == (RequestKind.RESCHEDULE, again.id)
    (held,) = elsewhere.held(tracking)
    assert held.hours == ("12:00", "17:00")
    assert (await elsewhere.of(tracking)).state is RecoveryState.BOOKED
    elsewhere.platform.gives_up(again.platform_ref, "rang twice, nobody home")
    await elsewhere.is_read()
    assert (await elsewhere.of(again.tracking)).attempt == 2
