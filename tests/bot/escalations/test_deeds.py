"""What dispatchers do about an escalation, over the real application: Slack, carrier and platform pretended."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.audit import AuditLine
from bot.conversations.models import Conversation
from bot.escalations.deeds.models import DeedWrite, WriteState
from bot.escalations.models import Escalation, EscalationPost
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.emulation import Fault
from connectors.escalation import DispatcherVerb, EscalationState, Happening
from tests.bot.escalations.deeds_world import (
    DANA,
    SAM,
    at_risk,
    does,
    notes,
    the_one,
    thread,
)
from tests.harness.accounts import CHANNEL
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World

RAISED, HELD, RESOLVED = EscalationState.RAISED, EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED
SNOOZED = EscalationState.SNOOZED
SNOOZE, NOISE, MERGE = DispatcherVerb.SNOOZE, DispatcherVerb.MARK_NOISE, DispatcherVerb.MERGE
RESOLVE, CAUSE = DispatcherVerb.RESOLVE, DispatcherVerb.NAME_CAUSE
TELL, MOVE, REASSIGN = (
    DispatcherVerb.TELL_RECIPIENTS,
    DispatcherVerb.MOVE_WINDOW,
    DispatcherVerb.REASSIGN,
)


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


# --- snooze ---------------------------------------------------------------------------------------


async def test_a_snooze_is_quiet_until_its_time_and_then_open_again(world: World) -> None:
    await at_risk(world)
    until = world.clock.now().replace(second=0, microsecond=0)
    asleep = await does(world, SNOOZE, until=world.local("13:00").isoformat())
    assert until < world.local("13:00")
    assert (asleep.state, asleep.snoozed_by) == (SNOOZED, DANA)
    assert (await world.channel_shows("Snoozed", "until 1:00 pm"))["ts"] == asleep.slack_ts
    await world.advance(minutes=20)
    assert not any("<!here>" in line for line in await thread(world))
    world.clock.at = world.local("13:00")
    await world.tick()
    assert (await the_one(world)).state is RAISED
    assert any("snooze is over" in line for line in await thread(world))


async def test_a_snooze_before_the_window_counts_from_its_end(world: World) -> None:
    await at_risk(world)
    asleep = await does(world, SNOOZE, before_window_minutes="30")
    assert asleep.snoozed_until == world.local("15:30")


@pytest.mark.parametrize("fields", [{}, {"until": "soon"}, {"before_window_minutes": "600"}])
async def test_a_snooze_into_the_past_changes_nothing_and_is_told_quietly(
    world: World, fields: dict[str, Any]
) -> None:
    await at_risk(world)
    assert (await does(world, SNOOZE, **fields)).state is RAISED
    await world.dispatcher(DANA).is_told_of("not possible")


async def test_nobody_snoozes_what_another_has(world: World) -> None:
    message = await at_risk(world)
    await world.dispatcher(SAM).reacts(message, "eyes")
    await world.settled()
    assert (await does(world, SNOOZE, before_window_minutes="30")).acknowledged_by == SAM
    await world.dispatcher(DANA).is_told_of(f"<@{SAM}> has it")


# --- the end --------------------------------------------------------------------------------------


async def test_resolving_keeps_cause_exclusion_and_note(world: World) -> None:
    await at_risk(world)
    over = await does(world, RESOLVE, root_cause="traffic", exclusion="force_majeure", note="I-95 closed")
    assert (over.state, over.resolved_by, over.root_cause) == (RESOLVED, DANA, FailureReason.TRAFFIC)
    assert (over.exclusion, over.resolution_note) == ("force_majeure", "I-95 closed")
    lines = await thread(world)
    assert any("I-95 closed" in line for line in lines)
    assert any("resolved it. Cause: traffic." in line for line in lines)
    await world.channel_shows("Cause: traffic · does not count (force majeure)")


async def test_what_sop_does_not_know_is_not_kept(world: World) -> None:
    await at_risk(world)
    over = await does(world, RESOLVE, root_cause="aliens", exclusion="because")
    assert (over.state, over.root_cause, over.exclusion) == (RESOLVED, None, "")


async def test_a_late_delivery_asks_for_its_cause_until_somebody_says_it(world: World) -> None:
    tracking = await world.has_stop(eta="16:25", window=("14:00", "16:00"))
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    world.clock.at = world.local("16:22")
    await world.delivers(tracking)
    await world.tick()
    asked = await world.channel_shows("22 min late. *Cause?*")
    assert (await the_one(world)).state is RESOLVED
    buttons = [b["text"]["text"] for b in asked["blocks"] if b["type"] == "actions" for b in b["elements"]]
    assert buttons[-1] == "Other…"
    assert len(buttons) <= 6
    named = await does(world, CAUSE, root_cause="traffic")
    assert (named.state, named.root_cause, named.resolved_by) == (RESOLVED, FailureReason.TRAFFIC, None)
    told = await world.channel_shows("Cause: traffic")
    assert "Cause?" not in readable(told)
    assert told["ts"] == asked["ts"]
    again = await does(world, CAUSE, SAM, root_cause="vehicle")
    assert again.root_cause is FailureReason.VEHICLE
    await does(world, CAUSE, SAM, root_cause="vehicle")
    assert len(await notes(world, Happening.CAUSE_NAMED)) == 2


async def test_noise_is_over_and_counted(world: World) -> None:
    await at_risk(world)
    over = await does(world, NOISE)
    assert (over.state, over.is_noise) == (RESOLVED, True)
    message = await world.channel_shows("Marked as noise")
    assert not any(block["type"] == "actions" for block in message["blocks"])


# --- elsewhere ------------------------------------------------------------------------------------


async def test_handed_over_it_stands_once_in_each_channel_the_old_one_being_a_pointer(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    south = protocol_with(
        tmp_path,
        {'    default: "#dispatch"': '    default: "#dispatch"\n    North: "#dispatch"\n    South: "#south"'},
    )
    async with World(bare_setting, sop=south) as world:
        _has_south(world)
        await at_risk(world)
        moved = await does(world, DispatcherVerb.HAND_OVER, zone="South", note="yours now")
        assert (moved.zone, moved.state) == ("South", RAISED)
        (pointer,) = await world.channel()
        assert readable(pointer).startswith(":arrow_right: Handed over to South")
        (there,) = await _channel(world, "south")
        assert "At risk" in readable(there)
        assert any("yours now" in reply["text"] for reply in there["replies"])
        await does(world, DispatcherVerb.HAND_OVER, zone="North")
        assert len(await world.channel()) == len(await _channel(world, "south")) == 1
        assert "At risk" in readable((await world.channel())[0])
        assert readable((await _channel(world, "south"))[0]).startswith(":arrow_right:")
        assert [post.channel for post in await world.rows(EscalationPost)] == ["#south"]


def _has_south(world: World) -> None:
    channels = world.slack.workspace.channels
    channels["C0SOUTH"] = {**channels[CHANNEL], "id": "C0SOUTH", "name": "south"}


async def _channel(world: World, name: str) -> list[dict[str, Any]]:
    answer = await world.http.get(f"{world.bases['slack']}/_emulator/channels/{name}")
    found: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
    return found


async def test_to_a_zone_that_is_none_nothing_is_handed_over(world: World) -> None:
    await at_risk(world)
    assert (await does(world, DispatcherVerb.HAND_OVER, zone="Atlantis")).zone == "North"
    await world.dispatcher(DANA).is_told_of("not possible")


async def test_two_that_are_put_together_are_one(world: World) -> None:
    await at_risk(world)
    await world.has_stop(address="18 Oak Ave", driver="van-8", eta="16:40", phone="+12125550101")
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    one, other = sorted(await world.rows(Escalation), key=lambda row: row.raised_at)
    # Both ways at once: one wins, the other finds it over.
    await asyncio.gather(
        does(world, MERGE, escalation=one, into=str(other.id)),
        does(world, MERGE, SAM, escalation=other, into=str(one.id)),
    )
    rows = await world.rows(Escalation)
    assert sorted(row.state for row in rows) == sorted([RAISED, RESOLVED])
    (ended,) = [row for row in rows if row.state is RESOLVED]
    assert ended.merged_into is not None
    assert len(await notes(world, Happening.MERGED)) == 2


# --- recipients -----------------------------------------------------------------------------------


async def test_recipients_are_told_the_new_time_once_however_often_it_is_pressed(world: World) -> None:
    await at_risk(world)
    robin = world.recipient()
    held = await does(world, TELL, message="running_late")
    assert await robin.reads_next(1) == [
        "QuickShip: your Acme parcel is running late. It should come at about 4:25 pm. Sorry about that."
    ]
    assert (held.state, held.acknowledged_by) == (HELD, DANA)
    await does(world, TELL, SAM, message="running_late")
    assert len(await robin.reads()) == 1
    assert any("had the recipient told that it runs late" in line for line in await thread(world))
    assert len(await notes(world, Happening.RECIPIENT_TOLD)) == 1


async def test_no_time_is_promised_where_the_platform_has_none(world: World) -> None:
    await at_risk(world)
    world.clock.at = world.local("15:40")
    # The ETA that the platform last told has passed by now.
    await world.advance(minutes=60)
    await does(world, TELL, message="running_late")
    (text,) = await world.recipient().reads_next(1)
    assert "about" not in text
    assert "no new time yet" in text


async def test_in_their_language_and_in_own_words(world: World) -> None:
    robin = world.recipient()
    await robin.asks("dejen de llamar, donde esta mi paquete")
    async with world.doorline.services.database.transaction() as session:
        await session.execute(update(Conversation).values(language="es"))
    await at_risk(world)
    await does(world, TELL, message="not_today")
    assert (await robin.reads())[-1].startswith("QuickShip: hoy no podemos llevar su paquete de Acme.")
    await does(world, TELL, message="own", words="We call you at 5.")
    await robin.reads_next(3)
    assert (await robin.reads())[-1] == "We call you at 5."


async def test_who_has_left_is_not_written_to_and_the_dispatcher_hears_it(world: World) -> None:
    robin = world.recipient()
    await robin.texts("STOP")
    await world.settled()
    before = len(await robin.reads())
    await at_risk(world)
    kept = await does(world, TELL, message="running_late")
    assert len(await robin.reads()) == before
    assert kept.state is RAISED
    await world.dispatcher(DANA).is_told_of("asked for no more messages")


# --- the platform ---------------------------------------------------------------------------------


async def test_a_moved_window_is_told_once_the_platform_has_it(world: World) -> None:
    await at_risk(world, on_route=False)
    (stop_id,) = await _stop_ids(world)
    await does(world, MOVE, stop_id=str(stop_id), date=_today(world), start="17:00", end="19:00", tell="yes")
    (write,) = await world.rows(DeedWrite)
    assert (write.state, write.code) == (WriteState.DONE, "")
    assert any("moved the window to 5-7 pm. The platform has it." in line for line in await thread(world))
    (text,) = await world.recipient().reads_next(1)
    assert "new delivery window: 5-7 pm" in text


async def test_what_the_platform_refuses_is_not_claimed(world: World) -> None:
    await at_risk(world)
    world.onfleet.faults.next(Fault("status", status=400, path_contains="/tasks/"))
    (stop_id,) = await _stop_ids(world)
    await does(world, MOVE, stop_id=str(stop_id), date=_today(world), start="17:00", end="19:00")
    (write,) = await world.rows(DeedWrite)
    assert write.state is WriteState.REFUSED
    assert write.code
    assert any("not done, what" in line for line in await thread(world))
    assert await notes(world, Happening.WINDOW_MOVED) == []
    assert await world.recipient().reads() == []
    await world.dispatcher(DANA).is_told_of("Not done for 14 Elm St 2B")


async def test_another_driver_has_it_once_the_platform_says_so(world: World) -> None:
    await at_risk(world, on_route=False)
    team = world.onfleet.add_team("North")
    other = world.onfleet.add_worker(
        "van-9", name="Ana of van-9", phone="+12125550888", team=team, location=(40.7, -74.0)
    )
    await world.sync()
    await does(world, REASSIGN, driver=other)
    assert any("gave it to Ana of van-9. The platform has it." in line for line in await thread(world))
    (write,) = await world.rows(DeedWrite)
    assert write.state is WriteState.DONE
    verbs = [line.verb for line in await world.rows(AuditLine, col(AuditLine.subject_kind) == "escalation")]
    assert {"reassign_asked", "reassign_done"} <= set(verbs)


async def test_to_somebody_whom_the_platform_does_not_know_nothing_is_given(world: World) -> None:
    await at_risk(world)
    await does(world, REASSIGN, driver="nobody")
    assert await world.rows(DeedWrite) == []
    await world.dispatcher(DANA).is_told_of("not possible")


async def _stop_ids(world: World) -> list[object]:
    return [row.id for row in await world.rows(StopRecord)]


def _today(world: World) -> str:
    return f"{world.local('12:00'):%Y-%m-%d}"


# --- windows, pressed and sent ----------------------------------------------------------------------


async def _order(world: World, what: str, **order: Any) -> dict[str, Any]:
    url = f"{world.bases['slack']}/_emulator/{what}"
    answer = await world.http.post(url, json={"user": DANA, **order})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def _opens(world: World, message: dict[str, Any], action_id: str) -> dict[str, Any]:
    pressed = await _order(world, "press", channel=CHANNEL, ts=message["ts"], action_id=action_id)
    assert (pressed["status"], pressed["view"] is None) == (200, False), pressed
    view: dict[str, Any] = pressed["view"]
    return view


async def _sends(world: World, view: dict[str, Any], **fields: str) -> dict[str, Any]:
    values = {name: {name: text} for name, text in fields.items()}
    sent = await _order(world, "submit", view_id=view["id"], values=values)
    await world.settled()
    return sent


async def test_the_resolve_window_of_a_real_message_ends_it_with_its_cause(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    held = await bare_world.channel_shows("has it")
    view = await _opens(bare_world, held, "window_resolve")
    causes = [o["value"] for o in view["blocks"][1]["element"]["options"]]
    assert causes[:2] == ["driver_delay", "traffic"]
    sent = await _sends(bare_world, view, root_cause="traffic", note="I-95")
    assert (sent["errors"], sent["open"]) == ({}, False)
    over = await the_one(bare_world)
    assert (over.state, over.root_cause, over.resolution_note) == (RESOLVED, FailureReason.TRAFFIC, "I-95")


async def test_the_windows_offer_what_there_is(bare_world: World) -> None:
    world = bare_world
    message = await at_risk(world)
    team = world.onfleet.add_team("North")
    world.onfleet.add_worker("van-9", name="Ana", phone="+12125550888", team=team, location=(40.7, -74.0))
    await world.has_stop(address="18 Oak Ave", driver="van-8", eta="16:40", phone="+12125550101")
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    one = await the_one(world, col(Escalation.slack_ts) == message["ts"])
    found = await world.doorline.services.choices.choices(str(one.id))
    assert found is not None
    assert [line.address_line for line in found.view.lines] == ["14 Elm St 2B"]
    loads = {driver.name: driver.stops_left for driver in found.drivers}
    assert loads == {"Ana": 0, "Driver of van-8": 1}
    assert [(other.address_line, other.stops) for other in found.others] == [("18 Oak Ave", 1)]
    assert (found.can_move_window, found.has_driver) == (True, True)
    assert await world.doorline.services.choices.choices("nobody's") is None


# --- a workspace that is slow -------------------------------------------------------------------------


async def test_what_slack_took_late_says_so_and_shows_the_newest_state_only(bare_world: World) -> None:
    world = bare_world
    message = await at_risk(world)
    limited = Fault("status", status=429, path_contains="chat.update", headers=(("Retry-After", "1"),))
    for _ in range(3):
        world.slack.faults.next(limited)
    await world.dispatcher(DANA).reacts(message, "eyes")
    await eventually(lambda: the_one(world), lambda row: row.delayed_since is not None, "a delay")
    world.clock.move(timedelta(minutes=2))
    await does(world, SNOOZE, before_window_minutes="30")
    world.slack.faults.clear()
    await world.retries()
    shown = await world.channel_shows("Snoozed", "Slack took this 2 min late")
    assert "has it" not in readable(shown)
    assert (await the_one(world)).delayed_since is None
    await does(world, DispatcherVerb.ACKNOWLEDGE)
    assert "late" not in readable(await world.channel_shows("has it")).split("\n")[-1]


async def test_a_pointer_that_could_not_be_left_is_left_in_the_end(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    south = {'    default: "#dispatch"': '    default: "#dispatch"\n    South: "#south"'}
    async with World(bare_setting, sop=protocol_with(tmp_path, south)) as world:
        _has_south(world)
        await at_risk(world)
        world.slack.faults.next(Fault("status", status=503, path_contains="chat.update"))
        await does(world, DispatcherVerb.HAND_OVER, zone="South")
        await world.retries()
        assert readable((await world.channel())[0]).startswith(":arrow_right:")
        assert len(await world.channel()) == len(await _channel(world, "south")) == 1
