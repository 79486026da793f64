"""Other windows and cancellations by clients: applied, or a dispatcher's, answered either way."""

from datetime import timedelta
from typing import Any

from bot.audit import AuditLine
from bot.intake.models import ChangeState, StopChange
from connectors.base import StopStatus
from connectors.emulation import Fault
from tests.harness.clients import Program, a_stop, tasks_of_order
from tests.harness.codes import DOOR_CODE
from tests.harness.world import World


def codes(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


def due(world: World) -> int:
    [task] = tasks_of_order(world, "A-1001")
    until: int = task["completeBefore"]
    return until


async def test_a_client_moves_a_window_and_the_platform_holds_it(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world))
    start, end = bare_world.local("18:00"), bare_world.local("20:00")
    moved = await acme.moves(stop["id"], start, end)
    assert (moved.status_code, moved.json()["state"]) == (200, "applied"), moved.text
    assert due(bare_world) == int(end.timestamp() * 1000)
    after = (await acme.calls("GET", f"/stops/{stop['id']}")).json()
    assert after["window"] == moved.json()["wanted"]
    found = (await acme.calls("GET", f"/window-changes/{moved.json()['id']}")).json()
    assert found == moved.json()
    assert (await acme.calls("GET", f"/cancellations/{found['id']}")).status_code == 404
    lines = [line.verb for line in await bare_world.rows(AuditLine) if line.subject_id == stop["id"]]
    assert lines[-2:] == ["window_change_applying", "window_change_applied"]


async def test_the_same_window_again_is_done_and_uses_up_nothing(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    stop = await acme.enters(a_stop(desk_world))
    for hours in ((17, 19), (17, 19), (17, 19), (18, 20), (18, 20), (17, 20)):
        start, end = (desk_world.local(f"{hour}:00") for hour in hours)
        assert (await acme.moves(stop["id"], start, end)).json()["state"] == "applied"
    third = await acme.moves(stop["id"], desk_world.local("17:00"), desk_world.local("19:00"))
    assert (third.status_code, third.json()["state"], codes(third.json())) == (
        202,
        "needs_dispatcher",
        ["limit_reached"],
    )


async def test_a_dispatcher_allows_what_the_rules_do_not(desk_world: World) -> None:
    nova = await Program.of(desk_world, "Nova")
    stop = await nova.enters(a_stop(desk_world))
    before = due(desk_world)
    start, end = desk_world.local("18:00"), desk_world.local("20:00")
    asked = await nova.moves(stop["id"], start, end, note=f"shop closes, code {DOOR_CODE}")
    assert (asked.status_code, codes(asked.json())) == (202, ["needs_approval"])
    again = await nova.moves(stop["id"], start, end)
    assert again.json()["id"] == asked.json()["id"]
    await desk_world.settled()
    message = await desk_world.channel_shows("14 Elm Street Apt 2B")
    assert DOOR_CODE not in str(message)
    assert due(desk_world) == before
    await desk_world.dispatcher().presses(message, "task_approve")
    await desk_world.settled()
    found = (await nova.calls("GET", asked.headers["Location"].removeprefix("/api/v1"))).json()
    assert found["state"] == "applied"
    assert due(desk_world) == int(end.timestamp() * 1000)


async def test_a_dispatcher_declines_and_the_window_stays(desk_world: World) -> None:
    nova = await Program.of(desk_world, "Nova")
    stop = await nova.enters(a_stop(desk_world))
    before = due(desk_world)
    asked = await nova.moves(stop["id"], desk_world.local("18:00"), desk_world.local("20:00"))
    await desk_world.settled()
    message = await desk_world.channel_shows("14 Elm Street Apt 2B")
    await desk_world.dispatcher().presses(message, "task_decline")
    await desk_world.settled()
    found = (await nova.calls("GET", f"/window-changes/{asked.json()['id']}")).json()
    assert (found["state"], codes(found)) == ("declined", ["declined"])
    assert due(desk_world) == before


async def test_a_newer_wish_takes_the_place_of_one_that_waits(desk_world: World) -> None:
    nova = await Program.of(desk_world, "Nova")
    stop = await nova.enters(a_stop(desk_world))
    first = await nova.moves(stop["id"], desk_world.local("18:00"), desk_world.local("20:00"))
    second = await nova.moves(stop["id"], desk_world.local("19:00"), desk_world.local("21:00"))
    old = (await nova.calls("GET", f"/window-changes/{first.json()['id']}")).json()
    assert (old["state"], codes(old)) == ("declined", ["superseded"])
    assert second.json()["state"] == "needs_dispatcher"


async def test_the_cut_off_holds_for_the_old_window_to_the_second(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world, "14:00", "16:00"))
    start, end = bare_world.local("18:00"), bare_world.local("20:00")
    bare_world.clock.move(timedelta(seconds=1))
    late = await acme.moves(stop["id"], start, end)
    assert (late.status_code, codes(late.json())) == (202, ["too_soon"])
    bare_world.clock.move(timedelta(seconds=-1))
    in_time = await acme.moves(stop["id"], start, end + timedelta(minutes=30))
    assert in_time.json()["state"] == "applied"


async def test_what_cannot_be_moved_says_why(desk_world: World) -> None:
    acme, operator = await Program.of(desk_world), await Program.of(desk_world, None)
    stop = await acme.enters(a_stop(desk_world))
    start, end = desk_world.local("18:00"), desk_world.local("20:00")
    backwards = await acme.moves(stop["id"], end, start)
    assert (backwards.status_code, backwards.json()["code"]) == (422, "bad_window")
    over = await acme.moves(stop["id"], desk_world.local("08:00"), desk_world.local("10:00"))
    assert (over.status_code, codes(over.json())) == (422, ["past"])
    mute = await desk_world.has_stop(client="Mute")
    record = await desk_world.stop_record(mute)
    refused = await operator.moves(str(record.id), start, end)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    await desk_world.delivers(mute)
    done = await operator.moves(str(record.id), start, end)
    assert (done.status_code, done.json()["code"]) == (409, "finished")


async def test_a_platform_that_is_away_is_written_to_once_it_is_back(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world))
    start, end = bare_world.local("18:00"), bare_world.local("20:00")
    busy = Fault("status", status=429, path_contains="/tasks", headers=(("Retry-After", "30"),))
    bare_world.onfleet.faults.next(busy)
    moved = await acme.moves(stop["id"], start, end)
    assert (moved.status_code, moved.json()["state"]) == (202, "applying")
    await bare_world.settled()
    await bare_world.retries()
    found = (await acme.calls("GET", f"/window-changes/{moved.json()['id']}")).json()
    assert found["state"] == "applied"
    assert due(bare_world) == int(end.timestamp() * 1000)


async def test_what_the_platform_refuses_is_a_dispatchers_and_done_by_hand_is_done(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world))
    [task] = tasks_of_order(bare_world, "A-1001")
    refusal = Fault("status", status=400, path_contains=f"/tasks/{task['id']}")
    bare_world.onfleet.faults.next(refusal)
    moved = await acme.moves(stop["id"], bare_world.local("18:00"), bare_world.local("20:00"))
    await bare_world.settled()
    change = f"/window-changes/{moved.json()['id']}"
    assert (await acme.calls("GET", change)).json()["state"] == "needs_dispatcher"
    message = await bare_world.channel_shows("14 Elm Street Apt 2B")
    await bare_world.dispatcher().presses(message, "task_done")
    await bare_world.settled()
    assert (await acme.calls("GET", change)).json()["state"] == "applied"


async def test_a_stop_that_is_over_first_ends_the_wish(desk_world: World) -> None:
    nova = await Program.of(desk_world, "Nova")
    tracking = await desk_world.has_stop(client="Nova")
    record = await desk_world.stop_record(tracking)
    asked = await nova.moves(str(record.id), desk_world.local("18:00"), desk_world.local("20:00"))
    assert asked.json()["state"] == "needs_dispatcher"
    await desk_world.delivers(tracking)
    await desk_world.tick()
    found = (await nova.calls("GET", f"/window-changes/{asked.json()['id']}")).json()
    assert (found["state"], codes(found)) == ("refused", ["finished"])


# --- cancelling -------------------------------------------------------------------------------------


async def test_a_client_cancels_a_stop_that_is_not_out(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world))
    gone = await acme.calls("DELETE", f"/stops/{stop['id']}")
    assert (gone.status_code, gone.json()["state"], gone.json()["kind"]) == (200, "applied", "cancel")
    assert tasks_of_order(bare_world, "A-1001") == []
    assert (await acme.calls("GET", f"/stops/{stop['id']}")).json()["status"] == "cancelled"
    again = await acme.calls("DELETE", f"/stops/{stop['id']}")
    assert again.json() == gone.json()
    # The order may be asked for anew.
    assert (await acme.asks_for(a_stop(bare_world))).status_code == 202


async def test_a_stop_whose_driver_is_out_is_a_dispatchers_to_take_back(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    tracking = await bare_world.has_stop()
    task = bare_world.task_of(tracking)
    bare_world.onfleet.start_task(task["id"])
    await bare_world.sync()
    record = await bare_world.stop_record(tracking)
    assert record.status is StopStatus.OUT_FOR_DELIVERY
    asked = await acme.calls("DELETE", f"/stops/{record.id}")
    assert (asked.status_code, codes(asked.json())) == (202, ["under_way"])
    assert asked.headers["Location"] == f"/api/v1/cancellations/{asked.json()['id']}"
    await bare_world.settled()
    message = await bare_world.channel_shows("14 Elm St 2B")
    await bare_world.dispatcher().presses(message, "task_decline")
    await bare_world.settled()
    [change] = await bare_world.rows(StopChange)
    assert (change.state, change.decided_by) == (ChangeState.DECLINED, "U0DANA")


async def test_a_finished_stop_cannot_be_cancelled(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    tracking = await bare_world.has_stop()
    await bare_world.delivers(tracking)
    record = await bare_world.stop_record(tracking)
    answer = await acme.calls("DELETE", f"/stops/{record.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "finished")
