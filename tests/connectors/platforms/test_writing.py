"""What is written is read back, done once however often it is asked for, and the same on every platform."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import ACCESS_CODE_LABEL, Capability, DeliveryWindow, FailureReason, StopStatus
from connectors.errors import (
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.world.town import failure_for
from tests.connectors.platforms.stands import (
    TODAY,
    TOMORROW,
    Stand,
    elm_street,
    local,
    new_stop,
    second_try,
    window,
)

FAILURE = failure_for(FailureReason.RECIPIENT_UNAVAILABLE)
DAY_AFTER = TODAY + timedelta(days=2)


# --- created ---


async def test_a_stop_is_created_with_all_that_was_wanted(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    made = await stand.make("DL-1", access_code="#4821")
    assert made == await stand.platform.get_stop(made.platform_ref)
    wanted = new_stop()
    assert (made.platform, made.own_ref, made.order_ref) == (stand.name, "DL-1", "N-4711")
    assert (made.client, made.zone, made.window) == ("Nova", "North", wanted.window)
    assert made.address.line == "77 Elm St"
    assert (made.recipient_name, made.recipient_phone) == ("Ana Ruiz", "+12035550177")
    assert (made.service, made.load) == (wanted.service, 2.0)
    assert made.notes.splitlines() == ["Side entrance", f"{ACCESS_CODE_LABEL}#4821"]
    assert made.status is StopStatus.PLANNED
    assert made.tracking


async def test_creating_twice_makes_one(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    first = await stand.make()
    second = await stand.make(recipient_name="Somebody Else")
    assert second.platform_ref == first.platform_ref
    assert set(await stand.of_day(TOMORROW)) == {first.platform_ref}
    fresh = await stand.connect().create_stop(new_stop())
    assert fresh.platform_ref == first.platform_ref, "also after a restart"


async def test_a_creation_whose_answer_was_lost_makes_one_in_the_end(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    stand.between.lose(stand.ways.creates)
    with suppress(PlatformUnavailableError):  # a platform that knows our number may be asked again at once
        await stand.make()
    assert stand.between.nothing_left_to_lose
    made = await stand.make()
    assert made.own_ref == "DL-1"
    assert set(await stand.of_day(TOMORROW)) == {made.platform_ref}


async def test_a_stop_without_phone_notes_or_order_number_is_created(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    made = await stand.make(recipient_phone=None, notes="", order_ref=None)
    assert (made.recipient_phone, made.notes) == (None, "")
    assert made.recipient_name == "Ana Ruiz"


async def test_an_address_without_coordinates_is_found_and_one_that_is_nowhere_is_refused(
    stand: Stand,
) -> None:
    stand.needs(Capability.CREATE_STOP)
    bare = {"latitude": None, "longitude": None}
    made = await stand.make(address=elm_street(77).model_copy(update=bare))
    assert made.address.latitude is not None
    nowhere = elm_street(78).model_copy(update=bare | {"line": "1 Nowhere Ln"})
    with pytest.raises(PlatformRejectedError) as refused:
        await stand.make("DL-2", address=nowhere, recipient_phone="+12035550178")
    assert refused.value.code == Refused.BAD_ADDRESS
    assert await stand.platform.find_stop("DL-2") is None


async def test_a_stop_is_created_on_a_drivers_route_at_once(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP, Capability.ASSIGN_DRIVER)
    made = await stand.make(window=window(17, 19), driver_ref=stand.drivers[1])
    status = StopStatus.PLANNED if stand.ways.plans else StopStatus.ASSIGNED
    assert (made.driver_ref, made.status) == (stand.drivers[1], status)
    again = await stand.make(window=window(17, 19), driver_ref=stand.drivers[1])
    assert again.platform_ref == made.platform_ref


async def test_one_phone_may_expect_two_parcels_under_two_names(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    one = await stand.make("DL-1", recipient_name="Ana Ruiz")
    two = await stand.make("DL-2", recipient_name="A. Ruiz")
    assert (await stand.platform.get_stop(one.platform_ref)).recipient_name == "Ana Ruiz"
    assert two.recipient_name == "A. Ruiz"


# --- windows ---


async def test_a_window_is_moved_and_read_back(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP, Capability.CHANGE_WINDOW)
    made = await stand.make()
    for wanted in (window(9, 11, TOMORROW), window(15, 18, TOMORROW), window(8, 20, DAY_AFTER)):
        moved = await stand.platform.change_window(made.platform_ref, wanted)
        assert (moved.platform_ref, moved.window) == (made.platform_ref, wanted)
        again = await stand.platform.change_window(made.platform_ref, wanted)
        assert again.window == wanted
    found = await stand.platform.find_stop("DL-1")
    assert found is not None
    assert found.window == window(8, 20, DAY_AFTER)
    assert made.platform_ref not in await stand.of_day(TOMORROW)
    assert made.platform_ref in await stand.of_day(DAY_AFTER)


async def test_moving_a_window_leaves_everything_else_as_it_was(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP, Capability.CHANGE_WINDOW)
    made = await stand.make(access_code="#4821")
    moved = await stand.platform.change_window(made.platform_ref, window(9, 11, TOMORROW))
    left_out = {"window", "changed_at", "planned_at", "eta_at"}
    assert moved.model_dump(exclude=left_out) == made.model_dump(exclude=left_out)


CLOCKS_BACK, CLOCKS_FORWARD = date(2026, 11, 1), date(2027, 3, 14)


@pytest.mark.parametrize("day", [CLOCKS_BACK, CLOCKS_FORWARD], ids=["clocks back", "clocks forward"])
async def test_a_window_on_the_day_of_a_clock_change_stays_what_it_is(stand: Stand, day: date) -> None:
    stand.needs(Capability.CREATE_STOP, Capability.CHANGE_WINDOW)
    stand.clock.at = local(day, 12) - timedelta(days=2)
    made = set()
    for number, hours in enumerate([(0, 4), (0.5, 3.5), (9, 11), (8, 21), (18, 20), (22, 23.5)]):
        wanted, eve = window(*hours, day), window(*hours, day - timedelta(days=1))
        stop = await stand.make(f"DL-{number}", window=wanted)
        assert stop.window == wanted
        assert (await stand.platform.change_window(stop.platform_ref, eve)).window == eve
        assert (await stand.platform.change_window(stop.platform_ref, wanted)).window == wanted
        assert (await stand.connect().get_stop(stop.platform_ref)).window == wanted
        made.add(stop.platform_ref)
    assert set(await stand.of_day(day)) == made


async def test_a_window_inside_the_hour_that_happens_twice_is_kept_or_refused(stand: Stand) -> None:
    """Wall-clock platforms cannot say which of the two: they must say so, and not move the promise."""
    stand.needs(Capability.CREATE_STOP)
    first_half_past_one = local(CLOCKS_BACK, 1.5)
    stand.clock.at = first_half_past_one - timedelta(days=1)
    hour = timedelta(hours=1)
    wanted = DeliveryWindow(start_at=first_half_past_one, end_at=first_half_past_one + hour)
    with suppress(PlatformRejectedError):
        assert (await stand.make(window=wanted)).window == wanted
        return
    with pytest.raises(PlatformRejectedError) as refused:
        await stand.make(window=wanted)
    assert refused.value.code == Refused.BAD_WINDOW
    assert await stand.platform.find_stop("DL-1") is None


# --- notes ---


async def test_a_note_is_added_below_the_others_once(stand: Stand) -> None:
    stand.needs(Capability.ADD_NOTE)
    ref = stand.refs[2]
    noted = await stand.platform.add_note(ref, "leave it behind\n the planter ")
    assert noted.notes.splitlines() == ["Ring twice", "leave it behind the planter"]
    for platform in (stand.platform, stand.connect()):
        again = await platform.add_note(ref, "leave it behind the planter")
        assert again.notes == noted.notes
    more = await stand.platform.add_note(ref, "call first")
    assert more.notes.splitlines() == ["Ring twice", "leave it behind the planter", "call first"]
    assert (await stand.platform.get_stop(stand.refs[1])).notes == "Ring twice"


async def test_an_access_code_stands_at_this_stop_only_and_is_replaced(stand: Stand) -> None:
    stand.needs(Capability.ACCESS_CODE)
    ref = stand.refs[2]
    coded = await stand.platform.set_access_code(ref, "#1111")
    assert coded.notes.splitlines() == ["Ring twice", f"{ACCESS_CODE_LABEL}#1111"]
    again = await stand.platform.set_access_code(ref, "#1111")
    assert again.notes == coded.notes
    replaced = await stand.platform.set_access_code(ref, "#2222")
    assert replaced.notes.splitlines() == ["Ring twice", f"{ACCESS_CODE_LABEL}#2222"]
    others = [stop.notes for other, stop in (await stand.of_day()).items() if other != ref]
    assert others == ["Ring twice"] * 5


async def test_a_note_and_a_code_live_side_by_side(stand: Stand) -> None:
    stand.needs(Capability.ADD_NOTE, Capability.ACCESS_CODE)
    ref = stand.refs[2]
    await stand.platform.set_access_code(ref, "#1111")
    await stand.platform.add_note(ref, "call first")
    both = await stand.platform.set_access_code(ref, "#2222")
    assert set(both.notes.splitlines()) == {"Ring twice", "call first", f"{ACCESS_CODE_LABEL}#2222"}


# --- who drives it ---


async def test_a_stop_is_given_to_a_driver_and_taken_away(stand: Stand) -> None:
    stand.needs(Capability.ASSIGN_DRIVER)
    ref = await stand.a_stop_to_move()
    for platform in (stand.platform, stand.connect()):
        given = await platform.assign_driver(ref, stand.drivers[1])
        assert (given.platform_ref, given.driver_ref) == (ref, stand.drivers[1])
    for platform in (stand.platform, stand.connect()):
        taken = await platform.assign_driver(ref, None)
        assert (taken.driver_ref, taken.route_ref, taken.status) == (None, None, StopStatus.PLANNED)
    assert (await stand.platform.get_stop(ref)).driver_ref is None


async def test_a_stop_that_changes_hands_keeps_its_identity_and_the_rest(stand: Stand) -> None:
    stand.needs(Capability.ASSIGN_DRIVER)
    ref = await stand.a_stop_to_move()
    before = await stand.platform.get_stop(ref)
    await stand.platform.assign_driver(ref, None)
    after = await stand.platform.assign_driver(ref, stand.drivers[1])
    kept = {"platform_ref", "tracking", "order_ref", "own_ref", "address", "client", "zone"}
    kept |= {"recipient_name", "recipient_phone", "window", "service", "load", "notes"}
    assert after.model_dump(include=kept) == before.model_dump(include=kept)


async def test_an_unknown_driver_is_refused_and_nothing_changes(stand: Stand) -> None:
    stand.needs(Capability.ASSIGN_DRIVER)
    ref = await stand.a_stop_to_move()
    before = await stand.platform.get_stop(ref)
    with pytest.raises(PlatformRejectedError) as refused:
        await stand.platform.assign_driver(ref, "nosuchdriver")
    assert refused.value.code == Refused.UNKNOWN_DRIVER
    assert (await stand.platform.get_stop(ref)).driver_ref == before.driver_ref


async def test_a_stop_is_put_on_a_route_at_a_place(stand: Stand) -> None:
    stand.needs(Capability.ASSIGN_ROUTE)
    ref, first = stand.refs[2], stand.refs[3]
    (route,) = [item for item in await stand.platform.routes() if item.driver_ref == stand.drivers[1]]

    async def order() -> list[str]:
        return [stop.platform_ref for stop in await stand.platform.stops_of_route(route.platform_ref)]

    for _ in range(2):
        moved = await stand.platform.assign_route(ref, route.platform_ref, 0)
        assert (moved.driver_ref, moved.route_ref) == (stand.drivers[1], route.platform_ref)
        assert await order() == [ref, *stand.refs[3:]]
    await stand.platform.assign_route(ref, route.platform_ref, 1)
    assert await order() == [first, ref, *stand.refs[4:]]
    await stand.platform.assign_route(ref, route.platform_ref)
    assert set(await order()) == {ref, *stand.refs[3:]}
    (other,) = [item for item in await stand.platform.routes() if item.driver_ref == stand.drivers[0]]
    assert list(other.stop_refs) == stand.refs[:2]


# --- ended and tried again ---


async def test_a_stop_is_cancelled_once_and_for_all(stand: Stand) -> None:
    stand.needs(Capability.CANCEL, Capability.CREATE_STOP)
    made = await stand.make()
    await stand.platform.cancel(made.platform_ref)
    await stand.platform.cancel(made.platform_ref)
    await stand.connect().cancel(made.platform_ref)
    await _is_gone(stand, made.platform_ref)
    left = await stand.of_day(TOMORROW)
    assert all(stop.status is StopStatus.CANCELLED for stop in left.values())


async def test_a_stop_on_a_route_is_cancelled_and_the_others_stay(stand: Stand) -> None:
    stand.needs(Capability.CANCEL)
    ref = stand.refs[2]
    await stand.platform.cancel(ref)
    await stand.platform.cancel(ref)
    await _is_gone(stand, ref)
    stops = await stand.of_day()
    assert {other for other, stop in stops.items() if not stop.status.is_closed} == set(stand.refs) - {ref}


async def _is_gone(stand: Stand, ref: str) -> None:
    with suppress(StopNotFoundError):
        assert (await stand.platform.get_stop(ref)).status is StopStatus.CANCELLED


async def test_a_failed_stop_is_tried_again_linked_to_it(stand: Stand) -> None:
    stand.needs(Capability.REATTEMPT)
    failed = stand.finish(0, FAILURE)
    before = await stand.platform.get_stop(failed)
    wanted = second_try(note="call from the gate", access_code="#4821")
    again = await stand.platform.reattempt(failed, wanted)
    assert again.platform_ref != failed
    assert (again.own_ref, again.reattempt_of) == ("DL-R1", failed)
    assert (again.window, again.client, again.zone) == (wanted.window, "Acme", "North")
    assert again.address.line == before.address.line
    assert (again.recipient_name, again.recipient_phone) == (before.recipient_name, before.recipient_phone)
    assert again.order_ref == before.order_ref
    lines = set(again.notes.splitlines())
    assert lines == {"Ring twice", "call from the gate", f"{ACCESS_CODE_LABEL}#4821"}
    assert not again.status.is_closed
    after = await stand.platform.get_stop(failed)
    assert (after.status, after.window) == (StopStatus.FAILED, before.window), (
        "the failed one stays on record"
    )


async def test_trying_again_twice_makes_one(stand: Stand) -> None:
    stand.needs(Capability.REATTEMPT)
    failed = stand.finish(0, FAILURE)
    stand.between.lose(stand.ways.clones)
    with suppress(PlatformUnavailableError):
        await stand.platform.reattempt(failed, second_try())
    assert stand.between.nothing_left_to_lose
    one = await stand.platform.reattempt(failed, second_try())
    two = await stand.connect().reattempt(failed, second_try())
    assert one.platform_ref == two.platform_ref
    assert (one.own_ref, one.reattempt_of) == ("DL-R1", failed)
    assert set(await stand.of_day(TOMORROW)) == {one.platform_ref}


async def test_a_second_try_may_go_to_another_door(stand: Stand) -> None:
    stand.needs(Capability.REATTEMPT)
    failed = stand.finish(0, FAILURE)
    again = await stand.platform.reattempt(failed, second_try(address=elm_street(90)))
    assert again.address.line == "90 Elm St"
    assert (await stand.platform.get_stop(failed)).address.line == "1 Elm St"


@pytest.mark.parametrize(("place", "codes"), [({}, 1), ({"address": elm_street(90)}, 0)])
async def test_the_old_access_code_goes_to_the_same_door_only(
    stand: Stand, place: dict[str, Any], codes: int
) -> None:
    stand.needs(Capability.REATTEMPT, Capability.ACCESS_CODE)
    await stand.platform.set_access_code(stand.refs[0], "#1111")
    failed = stand.finish(0, FAILURE)
    again = await stand.platform.reattempt(failed, second_try(**place))
    assert again.notes.count("#1111") == codes
    assert "Ring twice" in again.notes


async def test_a_second_try_that_failed_too_is_tried_a_third_time(stand: Stand) -> None:
    stand.needs(Capability.REATTEMPT)
    failed = stand.finish(0, FAILURE)
    second = await stand.platform.reattempt(failed, second_try("DL-R1"))
    third = await stand.platform.reattempt(failed, second_try("DL-R2"))
    assert third.platform_ref != second.platform_ref
    assert (third.own_ref, third.reattempt_of) == ("DL-R2", failed)
    found = await stand.platform.find_stop("DL-R1")
    assert found is not None
    assert found.platform_ref == second.platform_ref
