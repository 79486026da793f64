"""What dispatchers command about stops: entered, moved, cancelled, and what takes two people."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.audit import AuditLine
from bot.intake.models import BulkChange, BulkState, StopChange
from connectors.base import DeliveryWindow
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand
from connectors.emulation import Fault
from tests.harness.accounts import CHANNEL
from tests.harness.clients import Program, a_stop, tasks_of_order
from tests.harness.world import Setting, World

TODAY = "2026-06-09"
NEW_STOP = {
    "client": "Acme",
    "address": "14 Elm Street, Apt 2B",
    "city": "New York",
    "postcode": "10001",
    "recipient_name": "Robin Doe",
    "phone": "(212) 555-0100",
    "email": "",
    "date": TODAY,
    "start": "17:00",
    "end": "19:00",
    "order_ref": "A-1001",
    "notes": "",
    "access_code": "4471",
}


async def commands(
    world: World, kind: CommandKind, fields: Mapping[str, str], vendor_id: str = "view-1", by: str = "U0DANA"
) -> CommandAnswer:
    command = DeskCommand(
        vendor_id=vendor_id,
        kind=kind,
        dispatcher=by,
        channel=CHANNEL,
        fields=fields,
        occurred_at=world.clock.now(),
    )
    return await world.doorline.services.desk_commands.carry_out(command)


def windows_of(world: World, *trackings: str) -> list[int]:
    return [world.task_of(tracking)["completeBefore"] for tracking in trackings]


async def the_task(world: World, *words: str) -> dict[str, Any]:
    await world.settled()
    return await world.channel_shows(*words)


async def test_a_dispatcher_enters_a_stop(bare_world: World) -> None:
    answer = await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP)
    [task] = tasks_of_order(bare_world, "A-1001")
    assert (answer.code, answer.tracking) == (AnswerCode.STOP_ENTERED, task["shortId"])
    assert (answer.address_line, answer.platform) == ("14 Elm Street Apt 2B", "onfleet")
    again = await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP)
    assert again == answer
    assert len(tasks_of_order(bare_world, "A-1001")) == 1


@pytest.mark.parametrize(
    ("changes", "code", "reasons"),
    [
        ({"start": "13:00"}, AnswerCode.STOP_TO_BE_DECIDED, {"too_soon"}),
        ({"address": "Elm"}, AnswerCode.STOP_REFUSED, {"bad_address"}),
        ({"date": "9 June"}, AnswerCode.STOP_REFUSED, {"unreadable"}),
        ({"date": "", "start": ""}, AnswerCode.STOP_REFUSED, {"unreadable"}),
        ({"client": ""}, AnswerCode.NOT_READABLE, {"no_client"}),
    ],
)
async def test_a_stop_that_is_not_simply_entered(
    bare_world: World, changes: dict[str, str], code: AnswerCode, reasons: set[str]
) -> None:
    answer = await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP | changes)
    assert (answer.code, set(answer.reasons)) == (code, reasons)
    assert tasks_of_order(bare_world, "A-1001") == []


async def test_a_stop_that_is_there_already_is_not_entered_twice(bare_world: World) -> None:
    await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP)
    answer = await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP, vendor_id="view-2")
    assert answer.code is AnswerCode.STOP_ALREADY_THERE


async def test_a_dispatcher_moves_and_cancels_by_tracking_or_order_number(bare_world: World) -> None:
    entered = await commands(bare_world, CommandKind.NEW_STOP, NEW_STOP)
    wish = {"stop": "#a-1001", "date": TODAY, "start": "18:00", "end": "20:00", "reason": ""}
    moved = await commands(bare_world, CommandKind.MOVE_WINDOW, wish)
    assert (moved.code, moved.window) == (
        AnswerCode.WINDOW_MOVED,
        (await bare_world.stop_record(entered.tracking)).window,
    )
    nothing = await commands(bare_world, CommandKind.CANCEL_STOP, {"stop": "zzz", "reason": ""})
    assert nothing.code is AnswerCode.NOTHING_FOUND
    gone = await commands(bare_world, CommandKind.CANCEL_STOP, {"stop": entered.tracking, "reason": ""})
    assert gone.code is AnswerCode.CANCELLED
    assert tasks_of_order(bare_world, "A-1001") == []


async def test_what_the_rules_leave_to_dispatchers_takes_a_second_one(bare_world: World) -> None:
    tracking = await bare_world.has_stop(window=("13:00", "15:00"), on_route=False)
    [before] = windows_of(bare_world, tracking)
    wish = {"stop": tracking, "date": TODAY, "start": "18:00", "end": "20:00", "reason": ""}
    answer = await commands(bare_world, CommandKind.MOVE_WINDOW, wish)
    assert (answer.code, answer.reasons) == (AnswerCode.NEEDS_A_SECOND, ("too_soon",))
    message = await the_task(bare_world, "14 Elm St 2B")
    await bare_world.dispatcher("U0DANA").presses(message, "task_approve")
    await bare_world.settled()
    assert windows_of(bare_world, tracking) == [before]
    await bare_world.dispatcher("U0SAM").presses(message, "task_approve")
    await bare_world.settled()
    end = bare_world.local("20:00")
    assert windows_of(bare_world, tracking) == [int(end.timestamp() * 1000)]


# --- many at once -----------------------------------------------------------------------------------


async def test_a_zones_windows_are_moved_once_two_people_want_it(bare_world: World) -> None:
    one = await bare_world.has_stop(window=("15:00", "17:00"), on_route=False)
    two = await bare_world.has_stop(window=("16:00", "18:00"), address="9 Oak Ave", on_route=False)
    tomorrow = await bare_world.has_stop(day=1, on_route=False)
    before = windows_of(bare_world, one, two, tomorrow)
    wish = {"zone": "north", "client": "", "date": TODAY, "minutes": "30"}
    answer = await commands(bare_world, CommandKind.MOVE_WINDOWS, wish)
    assert (answer.code, answer.count) == (AnswerCode.NEEDS_A_SECOND, 2)
    assert (await commands(bare_world, CommandKind.MOVE_WINDOWS, wish)).count == 2
    assert len(await bare_world.rows(BulkChange)) == 1
    message = await the_task(bare_world, "9 Oak Ave")
    assert windows_of(bare_world, one, two, tomorrow) == before
    await bare_world.dispatcher("U0SAM").presses(message, "task_approve")
    await bare_world.settled()
    half = 30 * 60 * 1000
    assert windows_of(bare_world, one, two, tomorrow) == [before[0] + half, before[1] + half, before[2]]
    [bulk] = await bare_world.rows(BulkChange)
    assert (bulk.state, bulk.applied, bulk.refused) == (BulkState.DONE, 2, 0)
    verbs = [line.verb for line in await bare_world.rows(AuditLine) if line.subject_id == str(bulk.id)]
    assert verbs == ["asked", "approved", "carried_out"]


async def test_a_bulk_move_that_breaks_off_goes_on_and_moves_nothing_twice(bare_world: World) -> None:
    one = await bare_world.has_stop(window=("15:00", "17:00"), on_route=False)
    two = await bare_world.has_stop(window=("16:00", "18:00"), address="9 Oak Ave", on_route=False)
    before = windows_of(bare_world, one, two)
    wish = {"zone": "North", "client": "", "date": TODAY, "minutes": "-30"}
    await commands(bare_world, CommandKind.MOVE_WINDOWS, wish)
    message = await the_task(bare_world, "9 Oak Ave")
    busy = Fault(
        "status",
        status=429,
        path_contains=f"/tasks/{bare_world.task_of(two)['id']}",
        headers=(("Retry-After", "30"),),
    )
    bare_world.onfleet.faults.next(busy)
    await bare_world.dispatcher("U0SAM").presses(message, "task_approve")
    await bare_world.settled()
    half = 30 * 60 * 1000
    assert windows_of(bare_world, one, two) == [before[0] - half, before[1]]
    await bare_world.retries()
    assert windows_of(bare_world, one, two) == [before[0] - half, before[1] - half]
    assert len(await bare_world.rows(StopChange)) == 2


async def test_what_one_stop_refuses_the_others_get_all_the_same(bare_world: World) -> None:
    one = await bare_world.has_stop(window=("15:00", "17:00"), on_route=False)
    two = await bare_world.has_stop(window=("16:00", "18:00"), address="9 Oak Ave", on_route=False)
    before = windows_of(bare_world, one, two)
    await commands(
        bare_world, CommandKind.MOVE_WINDOWS, {"zone": "North", "client": "", "date": "", "minutes": "30"}
    )
    message = await the_task(bare_world, "9 Oak Ave")
    bare_world.onfleet.complete_task(bare_world.task_of(one)["id"])
    await bare_world.dispatcher("U0SAM").presses(message, "task_approve")
    await bare_world.settled()
    [bulk] = await bare_world.rows(BulkChange)
    assert (bulk.state, bulk.applied, bulk.refused) == (BulkState.DONE, 1, 1)
    assert windows_of(bare_world, two) == [before[1] + 30 * 60 * 1000]


async def test_a_declined_bulk_move_moves_nothing(bare_world: World) -> None:
    one = await bare_world.has_stop(window=("15:00", "17:00"), on_route=False)
    before = windows_of(bare_world, one)
    await commands(
        bare_world, CommandKind.MOVE_WINDOWS, {"zone": "North", "client": "", "date": "", "minutes": "30"}
    )
    await bare_world.dispatcher("U0SAM").presses(await the_task(bare_world, "14 Elm St 2B"), "task_decline")
    await bare_world.settled()
    assert windows_of(bare_world, one) == before
    assert [bulk.state for bulk in await bare_world.rows(BulkChange)] == [BulkState.DECLINED]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"zone": "North", "minutes": "soon"}, AnswerCode.NOT_READABLE),
        ({"zone": "North", "minutes": "0"}, AnswerCode.NOT_READABLE),
        ({"zone": "North", "minutes": "9999"}, AnswerCode.NOT_READABLE),
        ({"zone": "", "minutes": "30"}, AnswerCode.NOT_READABLE),
        ({"zone": "North", "minutes": "30", "date": "today"}, AnswerCode.NOT_READABLE),
        ({"zone": "West", "minutes": "30"}, AnswerCode.NOTHING_FOUND),
    ],
)
async def test_a_bulk_move_that_means_nothing_is_not_posted(
    bare_world: World, fields: dict[str, str], code: AnswerCode
) -> None:
    answer = await commands(bare_world, CommandKind.MOVE_WINDOWS, {"client": "", "date": "", **fields})
    assert answer.code is code
    assert await bare_world.rows(BulkChange) == []


async def test_a_platform_that_releases_no_routes_says_so(bare_world: World) -> None:
    answer = await commands(bare_world, CommandKind.RELEASE_ROUTES, {"platform": "", "date": TODAY})
    assert answer.code is AnswerCode.NOT_POSSIBLE_THERE
    assert await bare_world.rows(BulkChange) == []


async def test_routes_go_to_the_drivers_once_two_people_want_it(
    bare_setting: Setting, empty_database: None
) -> None:
    async with World(bare_setting, platforms=("optimoroute",)) as world:
        fields = {"platform": "", "date": TODAY}
        answer = await commands(world, CommandKind.RELEASE_ROUTES, fields)
        assert (answer.code, answer.platform) == (AnswerCode.NEEDS_A_SECOND, "optimoroute")
        message = await the_task(world, "routes")
        await world.dispatcher("U0DANA").presses(message, "task_approve")
        await world.settled()
        assert [bulk.state for bulk in await world.rows(BulkChange)] == [BulkState.ASKED]
        await world.dispatcher("U0SAM").presses(message, "task_approve")
        await world.settled()
        [bulk] = await world.rows(BulkChange)
        assert bulk.state is BulkState.DONE
        assert bulk.applied + bulk.refused == 1


@pytest.mark.parametrize("platform", ["onfleet", "route4me", "optimoroute"])
async def test_every_platform_takes_moves_and_loses_a_stop(
    bare_setting: Setting, empty_database: None, platform: str
) -> None:
    async with World(bare_setting, platforms=(platform,)) as world:
        acme = await Program.of(world)
        stop = await acme.enters(a_stop(world, access_code="4471"))
        start, end = world.local("18:00"), world.local("20:00")
        await acme.applied(await acme.moves(stop["id"], start, end))
        record = await world.stop_record(stop["tracking"])
        held = await world.doorline.vendors.platforms[platform].get_stop(record.platform_ref)
        assert held.window == DeliveryWindow(start_at=start, end_at=end)
        assert (held.order_ref, held.client) == ("A-1001", "Acme")
        assert held.address.line.startswith("14 Elm Street Apt 2B")
        twin = await acme.asks_for(
            a_stop(world, "19:00", "20:30", order_ref="", address={"line": "14 elm st 2b"})
        )
        assert (twin.status_code, twin.json()["subject_id"]) == (409, stop["id"])
        await acme.applied(await acme.calls("DELETE", f"/stops/{stop['id']}"))
