"""The watch's round: one message per van, told once, settled by itself, and what a person ended stays ended."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlmodel import col

from bot.audit import AuditLine
from bot.escalations.models import Escalation, EscalationStop
from bot.stops.models import SlaState
from connectors.base import DeliveryWindow
from connectors.escalation import EscalationState, Severity
from tests.harness.people import readable
from tests.harness.waiting import eventually
from tests.harness.world import World


async def raised(world: World) -> list[dict[str, Any]]:
    """Sweeps until a risk has lasted long enough; the channel's escalations."""
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    return [message for message in await world.channel() if "Change on the road" not in readable(message)]


async def only_escalation(world: World) -> Escalation:
    (escalation,) = await world.rows(Escalation)
    return escalation


async def test_a_late_eta_is_told_once_it_has_lasted(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await bare_world.advance(seconds=30)
    assert await bare_world.channel() == []
    await bare_world.advance(minutes=2)
    assert await bare_world.channel() == []
    await bare_world.advance(minutes=1)
    await bare_world.channel_shows("At risk", "ETA 4:25 pm, window ends 4:00 pm")
    assert (await bare_world.stop_record(tracking)).sla_state is SlaState.AT_RISK


async def test_an_eta_that_is_late_for_a_moment_only_is_never_told(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await bare_world.advance(minutes=1)
    bare_world.onfleet.set_eta(bare_world.task_of(tracking)["id"], bare_world.local("15:20"))
    await bare_world.advance(minutes=1)
    await bare_world.advance(minutes=10)
    assert await bare_world.channel() == []
    assert (await bare_world.stop_record(tracking)).risk_since is None


async def test_a_stop_far_from_its_window_is_not_watched(bare_world: World) -> None:
    await bare_world.has_stop(window=("17:00", "19:00"), eta="19:30")
    assert await raised(bare_world) == []
    bare_world.clock.at = bare_world.local("15:00")
    assert len(await raised(bare_world)) == 1


async def test_the_late_stops_of_one_van_are_one_message_and_two_vans_are_two(bare_world: World) -> None:
    for address in ("14 Elm St 2B", "18 Oak Ave"):
        await bare_world.has_stop(driver="van-7", address=address, eta="16:25")
    await bare_world.has_stop(driver="van-8", address="3 Pine Rd", eta="16:40")
    await bare_world.has_stop(driver="van-8", address="5 Fine Rd", eta="15:00")
    messages = [readable(message) for message in await raised(bare_world)]
    assert len(messages) == 2
    (both,) = [words for words in messages if "14 Elm St" in words]
    assert "18 Oak Ave" in both
    assert "3 Pine Rd" not in both
    assert not any("5 Fine Rd" in words for words in messages)


async def test_a_further_late_stop_joins_the_message_of_its_van(bare_world: World) -> None:
    await bare_world.has_stop(address="14 Elm St 2B", eta="16:25")
    await raised(bare_world)
    await bare_world.has_stop(address="18 Oak Ave", eta="16:35")
    (message,) = await raised(bare_world)
    assert "18 Oak Ave" in readable(message)
    assert any("18 Oak Ave" in reply["text"] for reply in message["replies"])


async def test_looking_again_without_news_changes_nothing(bare_world: World) -> None:
    await bare_world.has_stop(eta="16:25")
    await raised(bare_world)
    before = await only_escalation(bare_world)
    calls = dict(bare_world.slack.api.calls)
    for _ in range(3):
        await bare_world.advance(minutes=1)
    assert (await only_escalation(bare_world)).revision == before.revision
    assert bare_world.slack.api.calls == calls


async def test_a_window_that_passes_turns_the_same_message_into_a_breach(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    (before,) = await raised(bare_world)
    bare_world.clock.at = bare_world.local("16:00")
    await bare_world.advance(seconds=0)
    (after,) = await bare_world.channel()
    assert after["ts"] == before["ts"]
    assert "Breached" in readable(after)
    assert (await only_escalation(bare_world)).severity is Severity.BREACHED
    assert (await bare_world.stop_record(tracking)).sla_state is SlaState.BREACHED
    assert await told_of(bare_world, "breached")


async def told_of(world: World, verb: str) -> list[AuditLine]:
    return await world.rows(AuditLine, col(AuditLine.verb) == verb)


async def test_a_stop_that_was_never_at_risk_is_told_when_its_window_passes(bare_world: World) -> None:
    await bare_world.has_stop(eta="15:58")
    bare_world.clock.at = bare_world.local("15:59")
    await bare_world.sync()
    bare_world.clock.at = bare_world.local("16:01")
    await bare_world.tick()
    await bare_world.channel_shows("Breached", "Window ended 4:00 pm")


async def test_back_on_track_ends_it_only_when_it_is_clear(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await raised(bare_world)
    task = bare_world.task_of(tracking)["id"]
    bare_world.onfleet.set_eta(task, bare_world.local("15:57"))
    await bare_world.sync()
    await bare_world.tick()
    assert (await only_escalation(bare_world)).state is EscalationState.RAISED, "that is not clear"
    # Five minutes at the door, and five minutes clear.
    bare_world.onfleet.set_eta(task, bare_world.local("15:49"))
    await bare_world.sync()
    await bare_world.tick()
    escalation = await only_escalation(bare_world)
    assert (escalation.state, escalation.outcome) == (EscalationState.RESOLVED, "Back on track")
    assert (await bare_world.stop_record(tracking)).sla_state is SlaState.ON_TRACK
    await bare_world.channel_shows("Back on track")


async def test_one_stop_of_a_van_that_is_back_on_track_leaves_the_message_to_the_other(
    bare_world: World,
) -> None:
    first = await bare_world.has_stop(address="14 Elm St 2B", eta="16:25")
    await bare_world.has_stop(address="18 Oak Ave", eta="16:35")
    await raised(bare_world)
    bare_world.onfleet.set_eta(bare_world.task_of(first)["id"], bare_world.local("15:00"))
    await bare_world.sync()
    await bare_world.tick()
    assert (await only_escalation(bare_world)).is_open
    members = await bare_world.rows(EscalationStop)
    settled = {member.stop_id for member in members if member.settled_at is not None}
    assert settled == {(await bare_world.stop_record(first)).id}


async def test_a_stop_moved_to_tomorrow_settles_its_escalation(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await raised(bare_world)
    platform = bare_world.doorline.services.stops._platforms["onfleet"]
    tomorrow = DeliveryWindow(start_at=bare_world.local("14:00", 1), end_at=bare_world.local("16:00", 1))
    await platform.change_window(bare_world.task_of(tracking)["id"], tomorrow)
    await bare_world.sync()
    await bare_world.tick()
    assert (await only_escalation(bare_world)).state is EscalationState.RESOLVED
    record = await bare_world.stop_record(tracking)
    assert (record.sla_state, record.risk_since) == (SlaState.ON_TRACK, None)


async def test_a_deleted_stop_settles_its_escalation(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await raised(bare_world)
    bare_world.onfleet.tasks.delete(bare_world.task_of(tracking)["id"])
    await bare_world.sync()
    await bare_world.tick()
    escalation = await only_escalation(bare_world)
    assert escalation.state is EscalationState.RESOLVED
    assert "Cancelled" in escalation.outcome


async def test_a_failed_stop_ends_its_escalation_with_the_reason(bare_world: World) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    await raised(bare_world)
    task = bare_world.task_of(tracking)["id"]
    bare_world.onfleet.start_task(task)
    bare_world.onfleet.complete_task(task, success=False, reason="UNAVAILABLE", notes="nobody in")
    await bare_world.sync()
    await bare_world.tick()
    escalation = await only_escalation(bare_world)
    assert escalation.state is EscalationState.RESOLVED
    assert escalation.outcome.startswith("Failed 1")


async def test_a_stop_given_to_another_van_moves_to_that_vans_message(bare_world: World) -> None:
    """Never the same stop in two messages."""
    tracking = await bare_world.has_stop(address="14 Elm St 2B", driver="van-7", eta="16:25")
    await raised(bare_world)
    other = bare_world.onfleet.add_worker(
        "van-8", name="Driver of van-8", phone="+12125550998", team=bare_world.onfleet.add_team("North"),
        location=(40.7, -74.0),
    )  # fmt: skip
    bare_world.onfleet.put_on_route(bare_world.task_of(tracking)["id"], other)
    bare_world.onfleet.set_eta(bare_world.task_of(tracking)["id"], bare_world.local("16:30"))
    await bare_world.sync()
    await bare_world.tick()
    open_ones = [row for row in await bare_world.rows(Escalation) if row.is_open]
    assert len(open_ones) == 1
    (member,) = await bare_world.rows(EscalationStop, col(EscalationStop.settled_at).is_(None))
    assert member.escalation_id == open_ones[0].id


async def test_what_a_person_resolved_is_not_raised_again_by_the_same_stop(bare_world: World) -> None:
    await bare_world.has_stop(address="14 Elm St 2B", eta="16:25")
    (message,) = await raised(bare_world)
    await bare_world.dispatcher().reacts(message, "white_check_mark")
    await eventually(
        lambda: only_escalation(bare_world),
        lambda row: row.state is EscalationState.RESOLVED,
        "it to be resolved",
    )
    bare_world.clock.at = bare_world.local("16:05")
    await bare_world.tick()
    assert len(await bare_world.channel()) == 1
    assert (await only_escalation(bare_world)).resolved_by == "U0DANA"


async def test_another_stop_of_that_van_is_a_new_matter(bare_world: World) -> None:
    await bare_world.has_stop(address="14 Elm St 2B", eta="16:25")
    (message,) = await raised(bare_world)
    await bare_world.dispatcher().reacts(message, "white_check_mark")
    await bare_world.settled()
    await bare_world.has_stop(address="18 Oak Ave", eta="16:35")
    messages = await raised(bare_world)
    assert len(messages) == 2
    assert "14 Elm St" not in readable(messages[1])


async def test_what_resolved_itself_is_raised_again_when_the_stop_falls_behind_again(
    bare_world: World,
) -> None:
    tracking = await bare_world.has_stop(eta="16:25")
    task = bare_world.task_of(tracking)["id"]
    await raised(bare_world)
    bare_world.onfleet.set_eta(task, bare_world.local("15:00"))
    await bare_world.sync()
    await bare_world.tick()
    bare_world.onfleet.set_eta(task, bare_world.local("16:45"))
    await bare_world.sync()
    assert len(await raised(bare_world)) == 2


async def test_two_sweeps_at_once_raise_one_escalation(bare_world: World) -> None:
    await bare_world.has_stop(eta="16:25")
    await bare_world.advance(minutes=1)
    bare_world.clock.move(timedelta(minutes=4))
    sweep = bare_world.doorline.services.sweep
    await asyncio.gather(*(sweep.run() for _ in range(6)))
    await bare_world.settled()
    assert len(await bare_world.rows(Escalation)) == 1
    assert len(await bare_world.channel()) == 1


async def test_a_stop_without_eta_near_its_end_is_told(bare_world: World) -> None:
    await bare_world.has_stop(eta=None, on_route=False)
    bare_world.clock.at = bare_world.local("15:31")
    await bare_world.sync()
    await raised(bare_world)
    await bare_world.channel_shows("At risk", "Window ends 4:00 pm, no ETA")


async def test_a_stop_whose_news_are_old_near_its_end_is_told(bare_world: World) -> None:
    await bare_world.has_stop(eta="15:50")
    bare_world.onfleet.faults.down = True
    bare_world.clock.at = bare_world.local("15:40")
    await raised(bare_world)
    await bare_world.channel_shows("At risk", "last news")


async def test_exposure_is_what_the_contracts_say(bare_world: World) -> None:
    await bare_world.has_stop(client="Acme", eta="16:25")
    await bare_world.has_stop(client="Nova", eta="16:25", address="18 Oak Ave")
    await raised(bare_world)
    assert (await only_escalation(bare_world)).exposure_usd == 75 + 120
    await bare_world.channel_shows("$195")
