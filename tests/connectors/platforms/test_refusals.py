"""A write that comes too late, or that a platform does not know, is a clear no and changes nothing."""

from collections.abc import Awaitable, Callable

import pytest

from connectors.base import Capability, FailureReason, RouteStatus
from connectors.errors import NotPossibleError, PlatformRejectedError, Refused, StopNotFoundError
from connectors.world.town import failure_for
from tests.connectors.platforms.stands import TODAY, TOMORROW, Stand, new_stop, second_try, window

FAILURE = failure_for(FailureReason.RECIPIENT_UNAVAILABLE)
Write = Callable[[Stand, str], Awaitable[object]]

WRITES: dict[Capability, Write] = {
    Capability.CHANGE_WINDOW: lambda stand, ref: stand.platform.change_window(ref, window(9, 11, TOMORROW)),
    Capability.ADD_NOTE: lambda stand, ref: stand.platform.add_note(ref, "too late"),
    Capability.ACCESS_CODE: lambda stand, ref: stand.platform.set_access_code(ref, "#9"),
    Capability.ASSIGN_DRIVER: lambda stand, ref: stand.platform.assign_driver(ref, stand.drivers[1]),
    Capability.CANCEL: lambda stand, ref: stand.platform.cancel(ref),
}
UNTIL_UNDER_WAY = [Capability.CHANGE_WINDOW, Capability.ASSIGN_DRIVER, Capability.CANCEL]


async def refused_with(write: Awaitable[object]) -> str:
    with pytest.raises(PlatformRejectedError) as refused:
        await write
    return refused.value.code


@pytest.mark.parametrize("capability", WRITES)
@pytest.mark.parametrize("failed", [False, True], ids=["delivered", "failed"])
async def test_a_finished_stop_can_no_longer_be_changed(
    stand: Stand, capability: Capability, failed: bool
) -> None:
    stand.needs(capability)
    ref = stand.finish(0, FAILURE if failed else None)
    before = await stand.platform.get_stop(ref)
    assert await refused_with(WRITES[capability](stand, ref)) == Refused.FINISHED
    assert await stand.platform.get_stop(ref) == before


@pytest.mark.parametrize("capability", UNTIL_UNDER_WAY)
async def test_a_stop_that_the_driver_is_on_the_way_to_keeps_its_promise_and_its_driver(
    stand: Stand, capability: Capability
) -> None:
    stand.needs(capability)
    ref = stand.start(0)
    before = await stand.platform.get_stop(ref)
    assert await refused_with(WRITES[capability](stand, ref)) == Refused.UNDER_WAY
    after = await stand.platform.get_stop(ref)
    assert (after.window, after.driver_ref, after.status) == (before.window, before.driver_ref, before.status)


async def test_a_note_still_reaches_the_driver_on_the_way(stand: Stand) -> None:
    stand.needs(Capability.ADD_NOTE, Capability.ACCESS_CODE)
    ref = stand.start(0)
    await stand.platform.add_note(ref, "gate 12")
    coded = await stand.platform.set_access_code(ref, "#12")
    assert {"gate 12", "Access code: #12"} <= set(coded.notes.splitlines())


@pytest.mark.parametrize("state", ["waiting", "under way", "delivered"])
async def test_only_a_failed_stop_is_tried_again(stand: Stand, state: str) -> None:
    stand.needs(Capability.REATTEMPT)
    ref = stand.refs[0]
    if state == "under way":
        stand.start(0)
    if state == "delivered":
        stand.finish(0)
    assert await refused_with(stand.platform.reattempt(ref, second_try())) == Refused.NOT_FAILED
    assert await stand.platform.find_stop("DL-R1") is None


@pytest.mark.parametrize("capability", WRITES)
async def test_a_write_to_an_unknown_stop_names_it(stand: Stand, capability: Capability) -> None:
    stand.needs(capability)
    if capability is Capability.CANCEL:
        await stand.platform.cancel(stand.ways.unknown_ref)
        return
    with pytest.raises(StopNotFoundError):
        await WRITES[capability](stand, stand.ways.unknown_ref)


async def test_a_second_try_of_an_unknown_stop_names_it(stand: Stand) -> None:
    stand.needs(Capability.REATTEMPT)
    with pytest.raises(StopNotFoundError):
        await stand.platform.reattempt(stand.ways.unknown_ref, second_try())


async def test_an_unknown_route_takes_no_stop(stand: Stand) -> None:
    stand.needs(Capability.ASSIGN_ROUTE)
    before = await stand.platform.get_stop(stand.refs[2])
    with pytest.raises(StopNotFoundError):
        await stand.platform.assign_route(stand.refs[2], "nosuchroute")
    assert await stand.platform.get_stop(stand.refs[2]) == before


NOT_DECLARED: dict[Capability, Write] = WRITES | {
    Capability.POLL_EVENTS: lambda stand, ref: stand.platform.events_after(None),
    Capability.CREATE_STOP: lambda stand, ref: stand.platform.create_stop(new_stop()),
    Capability.ASSIGN_ROUTE: lambda stand, ref: stand.platform.assign_route(ref, "r"),
    Capability.REATTEMPT: lambda stand, ref: stand.platform.reattempt(ref, second_try()),
    Capability.RELEASE_ROUTES: lambda stand, ref: stand.platform.release_routes(TODAY),
}


async def test_what_a_platform_does_not_declare_it_says_is_not_possible(stand: Stand) -> None:
    asked = len(stand.between.seen)
    for capability in NOT_DECLARED.keys() - stand.platform.capabilities:
        with pytest.raises(NotPossibleError) as refused:
            await NOT_DECLARED[capability](stand, stand.refs[2])
        assert refused.value.code == Refused.NOT_POSSIBLE
    assert len(stand.between.seen) == asked, "nothing was asked of the platform"


async def test_what_it_can_is_declared_with_its_condition(stand: Stand) -> None:
    assert stand.platform.capabilities == frozenset(stand.platform.abilities)
    assert (stand.platform.name, stand.platform.vendor) == (stand.name, stand.vendor)
    for condition in stand.platform.abilities.values():
        assert len(condition) <= 120
        assert "\n" not in condition


async def test_routes_are_sent_however_often_it_is_asked_for(stand: Stand) -> None:
    stand.needs(Capability.RELEASE_ROUTES)
    for platform in (stand.platform, stand.platform, stand.connect()):
        await platform.release_routes(TODAY)
        routes = await stand.platform.routes()
        assert [route.status for route in routes] == [RouteStatus.RELEASED] * 2
