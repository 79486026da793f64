"""What the client writes against the served emulator: read back, repeatable, and refused where it must be."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from connectors.base import Address, Capability, NewStop, Reattempt, Stop, StopStatus
from connectors.emulation import Fault
from connectors.errors import (
    NotPossibleError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.payloads import Created, OrderStatus
from connectors.optimoroute.wire import OptimoRouteWire
from tests.connectors.optimoroute.optimoroute_town import API_KEY, TODAY, Connect, Town, add_stop, window_on

TOMORROW = "2026-06-09"


def new_stop(**changes: Any) -> NewStop:
    given: dict[str, Any] = {
        "own_ref": "DL-0001",
        "client": "Nova",
        "zone": "North",
        "address": Address(line="14 Elm St 2B", city="Norwalk", postcode="06850", region="CT"),
        "recipient_name": "Tom Brooks",
        "recipient_phone": "+12035550177",
        "recipient_email": "tom@example.com",
        "window": window_on(TODAY, 15, 17),
        "service": timedelta(minutes=7),
        "load": 2,
        "order_ref": "N-77",
        "notes": "Ring twice",
        "access_code": "4821",
    }
    return NewStop(**(given | changes))


async def refusal(call: Any) -> str:
    with pytest.raises(PlatformRejectedError) as refused:
        await call
    return refused.value.code


def records(town: Town) -> dict[str, Any]:
    """All that the account holds, to see that a refusal changed nothing."""
    return {key: dict(value) for key, value in town.emulator.store.orders.items()}


# --- new stops ---


async def test_a_new_stop_is_created_and_told_as_it_stands_there(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    stop = await platform.create_stop(new_stop())
    assert (stop.own_ref, stop.tracking, stop.order_ref) == ("DL-0001", "DL-0001", "N-77")
    assert (stop.client, stop.zone, stop.status) == ("Nova", "North", StopStatus.PLANNED)
    assert stop.window == window_on(TODAY, 15, 17)
    assert (stop.service, stop.load) == (timedelta(minutes=7), 2)
    assert (stop.recipient_phone, stop.recipient_email) == ("+12035550177", "tom@example.com")
    assert stop.notes == "Ring twice\nAccess code: 4821"
    assert (stop.address.line, stop.address.city) == ("14 Elm St 2B", "Norwalk")
    assert stop.address.latitude is not None, "the platform looked the address up"
    assert await platform.find_stop("DL-0001") == stop.model_copy(update={"changed_at": town.clock()})


async def test_a_stop_with_coordinates_is_put_there(town: Town, platform: OptimoRoutePlatform) -> None:
    address = Address(line="Nowhere Farm", latitude=41.2, longitude=-73.5)
    stop = await platform.create_stop(new_stop(address=address))
    assert (stop.address.latitude, stop.address.longitude) == (41.2, -73.5)


async def test_a_stop_for_a_known_driver_is_meant_for_that_driver(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    stop = await platform.create_stop(new_stop(driver_ref="D-1"))
    assert (stop.driver_ref, stop.route_ref, stop.status) == ("D-1", None, StopStatus.PLANNED)
    assert await refusal(platform.create_stop(new_stop(own_ref="DL-0002", driver_ref="D-9"))) == (
        Refused.UNKNOWN_DRIVER
    )


async def test_creating_twice_makes_one_stop(town: Town, platform: OptimoRoutePlatform) -> None:
    first = await platform.create_stop(new_stop())
    again = await platform.create_stop(new_stop(window=window_on(TODAY, 9, 10)))
    assert again.platform_ref == first.platform_ref
    assert len(town.emulator.store.orders) == 4


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", after_work=True, path_contains="create_order"),
        Fault("status", status=502, after_work=True, path_contains="create_order"),
        Fault("malformed", after_work=True, path_contains="create_order"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_a_create_whose_answer_was_lost_is_found_by_the_next_try(
    town: Town, platform: OptimoRoutePlatform, fault: Fault
) -> None:
    town.emulator.faults.next(fault)
    with pytest.raises(PlatformUnavailableError):
        await platform.create_stop(new_stop())
    assert (await platform.create_stop(new_stop())).own_ref == "DL-0001"
    assert len(town.emulator.store.orders) == 4
    assert town.emulator.api.calls.count("create_order") == 1


async def test_two_at_the_same_time_make_one_stop(town: Town, platform: OptimoRoutePlatform) -> None:
    stops = await asyncio.gather(*(platform.create_stop(new_stop()) for _ in range(3)))
    assert len({stop.platform_ref for stop in stops}) == 1
    assert len(town.emulator.store.orders) == 4


async def test_a_number_that_a_client_uses_is_never_taken_for_ours(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    add_stop(town.emulator, town.clock, 4444, window=window_on(TODAY, 9, 10))
    assert await platform.find_stop("S-4444") is None
    assert await platform.find_stop("DL-4040") is None
    assert await refusal(platform.create_stop(new_stop(own_ref="S-4444"))) == "ERR_ORD_EXISTS"


@pytest.mark.parametrize("line", ["1 Nowhere Rd", "2 Twice St", "3 Partly Ave"])
async def test_an_address_that_is_not_found_is_refused(
    town: Town, platform: OptimoRoutePlatform, line: str
) -> None:
    assert await refusal(platform.create_stop(new_stop(address=Address(line=line)))) == Refused.BAD_ADDRESS
    assert len(town.emulator.store.orders) == 3


# --- windows ---


async def test_a_window_is_moved_and_read_back(town: Town, platform: OptimoRoutePlatform) -> None:
    stop = await platform.change_window(town.refs[1], window_on(TODAY, 15, 17))
    assert stop.window == window_on(TODAY, 15, 17)
    assert (stop.status, stop.driver_ref) == (StopStatus.ASSIGNED, "D-1")
    assert town.data(1)["timeWindows"] == [{"twFrom": "15:00", "twTo": "17:00"}]
    assert (town.data(1)["notes"], town.data(1)["customField1"]) == ("Ring twice", "Acme"), (
        "nothing else is reset"
    )


async def test_a_stop_moved_to_another_day_no_longer_counts_as_planned(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.send()
    stop = await platform.change_window(town.refs[1], window_on(TOMORROW, 9, 11))
    assert (stop.window, stop.status) == (window_on(TOMORROW, 9, 11), StopStatus.PLANNED)
    assert (stop.driver_ref, stop.route_ref, stop.planned_at, stop.sequence) == (None, None, None, None)


async def test_the_days_on_which_an_order_may_be_planned_follow_its_promise(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    data = town.data(1) | {"allowedDates": {"from": TODAY, "to": TODAY}}
    town.emulator.store.change_order(town.refs[1], data=data)
    await platform.change_window(town.refs[1], window_on(TOMORROW, 9, 11))
    assert town.data(1)["allowedDates"] == {"from": TODAY, "to": TOMORROW}


async def test_the_same_window_again_writes_nothing(town: Town, platform: OptimoRoutePlatform) -> None:
    town.send()
    stop = await platform.change_window(town.refs[1], window_on(TODAY, 12, 14))
    assert stop.window == window_on(TODAY, 12, 14)
    assert "create_order" not in town.emulator.api.calls


async def test_another_time_on_a_day_that_was_sent_is_for_a_dispatcher(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.send()
    before = records(town)
    assert await refusal(platform.change_window(town.refs[1], window_on(TODAY, 15, 17))) == Refused.RELEASED
    assert await refusal(platform.assign_driver(town.refs[1], "D-2")) == Refused.RELEASED
    assert await refusal(platform.assign_driver(town.refs[1], None)) == Refused.RELEASED
    assert records(town) == before


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (OrderStatus.ON_ROUTE, Refused.UNDER_WAY),
        (OrderStatus.SERVICING, Refused.UNDER_WAY),
        (OrderStatus.SUCCESS, Refused.FINISHED),
        (OrderStatus.FAILED, Refused.FINISHED),
        (OrderStatus.REJECTED, Refused.FINISHED),
        (OrderStatus.CANCELLED, Refused.FINISHED),
    ],
)
async def test_a_stop_in_delivery_or_done_stays_as_it_is(
    town: Town, platform: OptimoRoutePlatform, status: OrderStatus, code: Refused
) -> None:
    town.send()
    town.emulator.store.change_order(town.refs[0], status=status.value)
    before, ref = records(town), town.refs[0]
    assert await refusal(platform.change_window(ref, window_on(TOMORROW, 9, 11))) == code
    assert await refusal(platform.assign_driver(ref, "D-2")) == code
    if status is not OrderStatus.CANCELLED:
        assert await refusal(platform.cancel(ref)) == code
    if code is Refused.FINISHED:
        assert await refusal(platform.add_note(ref, "new")) == code
        assert await refusal(platform.set_access_code(ref, "1")) == code
    assert records(town) == before


async def test_a_window_that_cannot_be_told_is_refused_before_anything_is_written(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    before = records(town)
    assert await refusal(platform.change_window(town.refs[1], window_on(TODAY, 22, 26))) == Refused.BAD_WINDOW
    assert (
        await refusal(platform.create_stop(new_stop(window=window_on(TODAY, 22, 26)))) == Refused.BAD_WINDOW
    )
    assert records(town) == before


async def test_a_platform_that_says_yes_and_keeps_the_old_is_noticed(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.emulator.orders.edits = "drop"
    ref = town.refs[1]
    assert await refusal(platform.change_window(ref, window_on(TODAY, 15, 17))) == Refused.KEPT
    assert await refusal(platform.add_note(ref, "Call first")) == Refused.KEPT
    assert await refusal(platform.set_access_code(ref, "4821")) == Refused.KEPT
    assert await refusal(platform.assign_driver(ref, "D-1")) == Refused.KEPT


async def test_an_edit_of_an_order_deleted_meanwhile_creates_nothing(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    def delete_before_the_write(method: str, params: object) -> None:
        if method == "create_order":
            town.emulator.store.drop_order(town.refs[1])

    town.emulator.api.before_request = delete_before_the_write
    with pytest.raises(StopNotFoundError, match=town.refs[1]):
        await platform.change_window(town.refs[1], window_on(TODAY, 15, 17))
    assert len(town.emulator.store.orders) == 2


# --- notes and codes ---


async def test_a_note_is_added_below_the_others_once(town: Town, platform: OptimoRoutePlatform) -> None:
    stop = await platform.add_note(town.refs[0], "Call\n first")
    assert stop.notes == "Ring twice\nCall first"
    assert (await platform.add_note(town.refs[0], "Call first")).notes == stop.notes
    assert town.emulator.api.calls.count("create_order") == 1


async def test_a_code_is_replaced_and_the_places_own_notes_are_left_alone(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    data = town.data(0)
    place = data["location"] | {"notes": "Dock 3"}
    town.emulator.store.change_order(town.refs[0], data=data | {"location": place})
    await platform.set_access_code(town.refs[0], "1111")
    stop = await platform.set_access_code(town.refs[0], "2222")
    assert stop.notes == "Ring twice\nAccess code: 2222"
    assert town.data(0)["location"]["notes"] == "Dock 3"


# --- drivers and routes ---


async def test_a_planned_stop_is_given_to_another_driver_and_follows_at_the_next_planning(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    add_stop(town.emulator, town.clock, 8, driver="D-2", window=window_on(TODAY, 9, 11))
    stop = await platform.assign_driver(town.refs[1], "D-2")
    assert (stop.driver_ref, stop.route_ref, stop.status) == ("D-2", None, StopStatus.PLANNED)
    await plan(town)
    stop = await platform.get_stop(town.refs[1])
    assert (stop.driver_ref, stop.route_ref, stop.status) == ("D-2", f"{TODAY}:002", StopStatus.ASSIGNED)
    assert (await platform.get_stop(town.refs[0])).driver_ref == "D-1", "the others stay"


async def plan(town: Town) -> None:
    body = {"date": TODAY, "startWith": "CURRENT", "lockType": "RESOURCES"}
    planning = await town.ask("POST", "start_planning", body)
    town.clock.advance(seconds=3)
    status = await town.ask("GET", "get_planning_status", planningId=str(planning["planningId"]))
    assert (status["status"], status["percentageComplete"]) == ("F", 100)


async def test_a_waiting_stop_is_given_and_taken_and_planned(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    ref = (await platform.create_stop(new_stop())).platform_ref
    assert (await platform.assign_driver(ref, "D-1")).driver_ref == "D-1"
    assert (await platform.assign_driver(ref, "D-1")).driver_ref == "D-1"
    assert (await platform.assign_driver(ref, None)).driver_ref is None
    assert (await platform.assign_driver(ref, "D-1")).driver_ref == "D-1"
    await plan(town)
    stop = await platform.get_stop(ref)
    assert (stop.route_ref, stop.sequence) == (f"{TODAY}:001", 3)
    await platform.release_routes(date(2026, 6, 8))
    assert (await platform.get_stop(ref)).tracking_url is not None


async def test_what_only_planning_can_do_is_not_promised(town: Town, platform: OptimoRoutePlatform) -> None:
    assert await refusal(platform.assign_driver(town.refs[0], None)) == Refused.NOT_POSSIBLE
    assert await refusal(platform.assign_driver(town.refs[0], "D-9")) == Refused.UNKNOWN_DRIVER
    assert Capability.ASSIGN_ROUTE not in platform.capabilities
    with pytest.raises(NotPossibleError):
        await platform.assign_route(town.refs[0], f"{TODAY}:001")


# --- cancelling ---


async def test_a_stop_that_no_driver_has_is_deleted(town: Town, platform: OptimoRoutePlatform) -> None:
    await platform.cancel(town.refs[1])
    assert town.refs[1] not in town.emulator.store.orders
    await platform.cancel(town.refs[1])
    with pytest.raises(StopNotFoundError):
        await platform.get_stop(town.refs[1])


async def test_a_stop_that_a_driver_has_is_marked_as_cancelled(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.send()
    await platform.cancel(town.refs[1])
    stop = await platform.get_stop(town.refs[1])
    assert (stop.status, stop.completed_at) == (StopStatus.CANCELLED, town.clock())
    await platform.cancel(town.refs[1])
    assert town.emulator.api.calls.count("update_completion_details") == 1


async def test_a_cancel_whose_answer_was_lost_is_done(town: Town, platform: OptimoRoutePlatform) -> None:
    town.emulator.faults.next(Fault("reset", after_work=True, path_contains="delete_order"))
    await platform.cancel(town.refs[1])
    assert town.refs[1] not in town.emulator.store.orders


# --- second tries ---


async def failed(town: Town, status: OrderStatus = OrderStatus.FAILED) -> str:
    data = town.data(0) | {"skills": ["lift"], "load2": 3, "assignedTo": {"externalId": "D-1"}}
    town.emulator.store.change_order(town.refs[0], data=data)
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0], status=status, note="nobody home")
    return town.refs[0]


def second(**changes: Any) -> Reattempt:
    return Reattempt(**({"own_ref": "DL-0009", "window": window_on(TOMORROW, 9, 11)} | changes))


@pytest.mark.parametrize("status", [OrderStatus.FAILED, OrderStatus.REJECTED])
async def test_a_failed_stop_is_tried_again_as_a_new_order_linked_to_it(
    town: Town, platform: OptimoRoutePlatform, status: OrderStatus
) -> None:
    ref = await failed(town, status)
    stop = await platform.reattempt(ref, second(note="Side door", access_code="77"))
    assert (stop.reattempt_of, stop.own_ref, stop.order_ref) == (ref, "DL-0009", "A-1")
    assert (stop.status, stop.window, stop.driver_ref) == (
        StopStatus.PLANNED,
        window_on(TOMORROW, 9, 11),
        None,
    )
    assert stop.notes == "Ring twice\nSide door\nAccess code: 77"
    old = await platform.get_stop(ref)
    assert (stop.client, stop.zone, stop.address) == (old.client, old.zone, old.address)
    assert (stop.recipient_name, stop.recipient_phone) == (old.recipient_name, old.recipient_phone)
    made = town.emulator.store.order(stop.platform_ref)["data"]
    assert (made["skills"], made["load2"], made["duration"]) == (["lift"], 3, 5)
    assert old.status is StopStatus.FAILED, "the failed try stays on record"


async def test_a_second_try_twice_is_one(town: Town, platform: OptimoRoutePlatform) -> None:
    ref = await failed(town)
    town.emulator.faults.next(Fault("reset", after_work=True, path_contains="create_order"))
    with pytest.raises(PlatformUnavailableError):
        await platform.reattempt(ref, second())
    first = await platform.reattempt(ref, second())
    assert (await platform.reattempt(ref, second())).platform_ref == first.platform_ref
    assert len(town.emulator.store.orders) == 4


async def test_a_second_try_of_a_second_try_links_to_that_one(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    first = await platform.reattempt(await failed(town), second(window=window_on(TODAY, 18, 20)))
    town.emulator.put_on_route(first.platform_ref, "D-1")
    town.emulator.start_order(first.platform_ref)
    town.emulator.complete(first.platform_ref, status=OrderStatus.FAILED, note="refused")
    again = await platform.reattempt(first.platform_ref, second(own_ref="DL-0010"))
    assert (again.reattempt_of, again.order_ref) == (first.platform_ref, "A-1")


async def test_a_second_try_may_go_to_another_address(town: Town, platform: OptimoRoutePlatform) -> None:
    await platform.set_access_code(town.refs[0], "1111")
    ref = await failed(town)
    elsewhere = Address(line="9 Oak Ave", city="Norwalk", region="CT", postcode="06851")
    stop = await platform.reattempt(ref, second(address=elsewhere))
    assert (stop.address.line, stop.address.postcode, stop.recipient_name) == (
        "9 Oak Ave",
        "06851",
        "Dana Okafor",
    )
    assert stop.notes == "Ring twice", "the code belongs to the old door"
    nowhere = second(own_ref="DL-0010", address=Address(line="1 Nowhere Rd"))
    assert await refusal(platform.reattempt(ref, nowhere)) == Refused.BAD_ADDRESS


async def test_only_a_failed_stop_is_tried_again(town: Town, platform: OptimoRoutePlatform) -> None:
    assert await refusal(platform.reattempt(town.refs[0], second())) == Refused.NOT_FAILED
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0])
    assert await refusal(platform.reattempt(town.refs[0], second())) == Refused.NOT_FAILED
    assert len(town.emulator.store.orders) == 3


# --- sending ---


async def test_routes_are_sent_once(town: Town, platform: OptimoRoutePlatform) -> None:
    day = date(2026, 6, 8)
    await platform.release_routes(day)
    assert town.order(0)["sent"]
    await platform.release_routes(day)
    assert town.emulator.api.calls.count("send_routes") == 1
    assert await refusal(platform.release_routes(day + timedelta(days=1))) == "ERR_NOTHING_TO_SEND"


async def test_sending_is_not_repeated_when_its_answer_was_lost(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.emulator.faults.next(Fault("reset", after_work=True, path_contains="send_routes"))
    with pytest.raises(PlatformUnavailableError):
        await platform.release_routes(date(2026, 6, 8))
    await platform.release_routes(date(2026, 6, 8))
    assert town.emulator.api.calls.count("send_routes") == 1


# --- the guard against wiping ---


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "SYNC", "orderNo": "S-1"},
        {"operation": "sync", "orderNo": "S-1"},
        {"operation": "SYNC", "orders": [{"orderNo": "S-1"}]},
        {"orders": [{"operation": "MERGE", "orderNo": "S-2"}, {"operation": "SYNC", "orderNo": "S-1"}]},
    ],
)
async def test_a_write_that_would_wipe_never_leaves(town: Town, body: dict[str, Any]) -> None:
    before = records(town)
    wire = OptimoRouteWire("optimoroute", API_KEY, town.url)
    try:
        for call in (wire.ask, wire.do_once):
            assert await refusal(call("create_order", TypeAdapter(Created), body)) == Refused.WOULD_WIPE
    finally:
        await wire.aclose()
    assert town.emulator.api.calls == []
    assert records(town) == before


# --- clock changes ---

DST_DAYS = [
    ("2026-11-01T05:00:00+00:00", "2026-11-01T07:30:00+00:00"),
    ("2026-11-01T13:00:00+00:00", "2026-11-01T15:00:00+00:00"),
    ("2027-03-14T06:00:00+00:00", "2027-03-14T08:00:00+00:00"),
    ("2027-03-14T13:00:00+00:00", "2027-03-14T15:00:00+00:00"),
]


@pytest.mark.parametrize(("opens", "closes"), DST_DAYS)
async def test_a_window_on_the_day_of_a_clock_change_is_held_as_promised(
    platform: OptimoRoutePlatform, town: Town, opens: str, closes: str
) -> None:
    window = window_on(TODAY, 9, 10).model_copy(
        update={"start_at": datetime.fromisoformat(opens), "end_at": datetime.fromisoformat(closes)}
    )
    stop: Stop = await platform.change_window(town.refs[2], window)
    assert stop.window == window
    assert stop.window.start_at.tzinfo is not None
    assert stop.window.start_at.astimezone(UTC) == window.start_at


async def test_the_key_goes_with_every_call_and_into_no_error(town: Town, connect: Connect) -> None:
    platform = connect(api_key="very-secret")
    with pytest.raises(Exception) as seen:  # noqa: PT011
        await platform.create_stop(new_stop())
    assert "very-secret" not in str(seen.value)
    assert not isinstance(seen.value, httpx.HTTPError)
