"""The client against the served emulator: what it reads, what it changes, and how it takes bad days."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base import Capability, DeliveryWindow, FailureReason, Stop, StopStatus
from connectors.emulation import Fault
from connectors.errors import (
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.payloads import to_ms
from connectors.onfleet.wire import LIMITS
from connectors.platform_wire import Limits
from tests.connectors.onfleet.onfleet_town import Connect, Town, add_driver, add_stop


async def listed(platform: OnfleetPlatform, town: Town, back: timedelta = timedelta(0)) -> dict[str, Stop]:
    stops = [stop async for stop in platform.changed_stops(town.clock() - back)]
    assert len(stops) == len({stop.platform_ref for stop in stops}), "a stop was told twice"
    return {stop.platform_ref: stop for stop in stops}


# --- reading ---


async def test_a_stop_is_read_with_everything_that_the_bot_tells(
    town: Town, platform: OnfleetPlatform
) -> None:
    stop = await platform.get_stop(town.refs[1])
    task = town.tasks[1]
    assert (stop.tracking, stop.tracking_url) == (task["shortId"], task["trackingURL"])
    assert (stop.client, stop.zone, stop.notes) == ("Acme", "North", "Ring twice")
    assert (stop.address.line, stop.address.city, stop.address.latitude) == ("2 Elm St 2B", "Norwalk", 41.12)
    assert (stop.recipient_name, stop.recipient_phone) == ("Dana Okafor", "+12035550102")
    assert stop.window is not None
    assert to_ms(stop.window.start_at) == task["completeAfter"]
    assert (stop.driver_ref, stop.sequence) == (town.driver, 1)
    assert stop.route_ref == f"worker:{town.driver}:2026-06-08"


async def test_stops_count_as_out_once_their_driver_is_under_way_also_between_two_stops(
    town: Town, platform: OnfleetPlatform
) -> None:
    assert {stop.status for stop in (await listed(platform, town)).values()} == {StopStatus.ASSIGNED}
    town.emulator.set_duty(town.driver, True, town.clock())
    assert {stop.status for stop in (await listed(platform, town)).values()} == {StopStatus.ASSIGNED}
    town.emulator.start_task(town.refs[0])
    stops = await listed(platform, town)
    assert [stops[ref].status for ref in town.refs] == [StopStatus.OUT_FOR_DELIVERY] * 3
    assert [stops[ref].sequence for ref in town.refs] == [0, 1, 2]
    town.emulator.arrive(town.refs[0])
    assert (await platform.get_stop(town.refs[0])).status is StopStatus.ARRIVING
    town.emulator.complete_task(town.refs[0])
    stops = await listed(platform, town, timedelta(minutes=1))
    assert [stops[ref].status for ref in town.refs] == [
        StopStatus.DELIVERED,
        *[StopStatus.OUT_FOR_DELIVERY] * 2,
    ]
    assert [stops[ref].sequence for ref in town.refs] == [None, 0, 1]


async def test_a_fresh_process_still_knows_who_finished_a_stop_this_morning(
    town: Town, connect: Connect
) -> None:
    town.emulator.set_duty(town.driver, True, town.clock())
    town.emulator.start_task(town.refs[0])
    town.emulator.complete_task(town.refs[0])
    town.clock.advance(hours=1)
    stops = await listed(connect(), town)
    assert set(stops) == set(town.refs[1:]), "what closed before `since` is not told again"
    assert {stop.status for stop in stops.values()} == {StopStatus.OUT_FOR_DELIVERY}


async def test_a_failed_stop_is_told_once_with_its_reason(town: Town, platform: OnfleetPlatform) -> None:
    town.emulator.start_task(town.refs[0])
    failed_at = town.clock.advance(minutes=5)
    town.emulator.complete_task(town.refs[0], success=False, reason="No access", notes="gate locked")
    stop = (await listed(platform, town, timedelta(minutes=1)))[town.refs[0]]
    assert (stop.status, stop.failure_reason) == (StopStatus.FAILED, FailureReason.ACCESS_ISSUE)
    assert (stop.failure_note, stop.completed_at) == ("No access: gate locked", failed_at)
    town.clock.advance(minutes=10)
    assert town.refs[0] not in await listed(platform, town, timedelta(minutes=1))


async def test_pages_of_64_are_followed_to_the_last(town: Town, platform: OnfleetPlatform) -> None:
    expected = set(town.refs)
    for number in range(4, 4 + 64 * 2):
        task = add_stop(town.emulator, town.clock, town.driver, number, recipient_phone="+12035550100")
        expected.add(task["id"])
    assert set(await listed(platform, town)) == expected


async def test_a_task_deleted_between_two_pages_does_not_hide_the_rest(
    town: Town, platform: OnfleetPlatform
) -> None:
    for number in range(4, 80):
        add_stop(town.emulator, town.clock, town.driver, number, recipient_phone="+12035550100")
    last_of_page = [task["id"] for task in town.emulator.store.tasks.values()][63]
    pages = 0

    def delete_before_the_second_page(method: str, path: str) -> None:
        nonlocal pages
        if path.endswith("/tasks/all"):
            pages += 1
            if pages == 3:  # closed, first page of open, second page of open
                town.emulator.tasks.delete(last_of_page)

    town.emulator.api.before_request = delete_before_the_second_page
    stops = await listed(platform, town)
    assert pages == 3
    assert len(stops) == 79


async def test_an_unreadable_task_does_not_hide_the_others(town: Town, platform: OnfleetPlatform) -> None:
    broken, strange, good = town.refs
    town.emulator.store.tasks[broken] = town.task(0) | {"completeAfter": "tomorrow-ish"}
    town.emulator.store.tasks[strange] = town.task(1) | {"recipients": [], "state": 2, "metadata": "none"}
    assert set(await listed(platform, town)) == {good}


async def test_drivers_and_their_routes_are_read(town: Town, platform: OnfleetPlatform) -> None:
    idle = add_driver(town.emulator, "R-2")
    town.emulator.set_duty(town.driver, True, town.clock())
    town.emulator.move_worker(town.driver, 41.2, -73.5, town.clock())
    drivers = {driver.platform_ref: driver for driver in await platform.drivers()}
    assert (drivers[town.driver].on_duty, drivers[idle].on_duty) == (True, False)
    assert (drivers[town.driver].latitude, drivers[town.driver].longitude) == (41.2, -73.5)
    (route,) = await platform.routes()
    assert (route.driver_ref, route.name, list(route.stop_refs)) == (town.driver, "North 1", town.refs)


async def test_a_predicted_arrival_is_the_eta(town: Town, platform: OnfleetPlatform) -> None:
    eta = town.clock() + timedelta(minutes=42)
    town.emulator.set_eta(town.refs[2], eta)
    assert (await platform.get_stop(town.refs[2])).eta_at == eta


async def test_an_unknown_stop_is_named(platform: OnfleetPlatform) -> None:
    with pytest.raises(StopNotFoundError, match="nosuchstop"):
        await platform.get_stop("nosuchstop")


async def test_a_reference_cannot_lead_to_another_path(platform: OnfleetPlatform) -> None:
    with pytest.raises(StopNotFoundError):
        await platform.get_stop("../organization")


# --- changing ---


def tomorrow(town: Town) -> DeliveryWindow:
    opens = town.clock() + timedelta(days=1, hours=8)
    return DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=4))


async def test_a_window_is_moved_and_read_back(town: Town, platform: OnfleetPlatform) -> None:
    assert Capability.CHANGE_WINDOW in platform.capabilities
    stop = await platform.change_window(town.refs[1], tomorrow(town))
    assert stop.window == tomorrow(town)
    assert town.task(1)["completeBefore"] == to_ms(tomorrow(town).end_at)


@pytest.mark.parametrize("finished", [False, True])
async def test_the_window_of_a_stop_in_delivery_or_done_stays(
    town: Town, platform: OnfleetPlatform, finished: bool
) -> None:
    town.emulator.start_task(town.refs[0])
    if finished:
        town.emulator.complete_task(town.refs[0])
    before = town.task(0)
    with pytest.raises(PlatformRejectedError) as refused:
        await platform.change_window(town.refs[0], tomorrow(town))
    assert refused.value.code == (Refused.FINISHED if finished else Refused.UNDER_WAY)
    assert town.task(0) == before


@pytest.mark.parametrize(("answer", "code"), [("drop", Refused.KEPT), ("refuse", Refused.UNDER_WAY)])
async def test_a_driver_who_leaves_in_the_middle_of_the_change_is_noticed(
    town: Town, platform: OnfleetPlatform, answer: str, code: str
) -> None:
    """Onfleet does not say whether it refuses or silently keeps the old window: both must end in a no."""
    town.emulator.tasks.forbidden_edits = answer  # type: ignore[assignment]

    def driver_leaves(method: str, path: str) -> None:
        if method == "PUT":
            town.emulator.start_task(town.refs[0])

    town.emulator.api.before_request = driver_leaves
    with pytest.raises(PlatformRejectedError) as refused:
        await platform.change_window(town.refs[0], tomorrow(town))
    assert refused.value.code == code


async def test_a_note_is_added_below_the_others_once(town: Town, platform: OnfleetPlatform) -> None:
    stop = await platform.add_note(town.refs[0], "leave it behind\n the planter ")
    assert stop.notes == "Ring twice\nleave it behind the planter"
    again = await platform.add_note(town.refs[0], "leave it behind the planter")
    assert again.notes == stop.notes
    town.emulator.start_task(town.refs[0])
    assert (await platform.add_note(town.refs[0], "gate 12")).notes.endswith("\ngate 12")


async def test_notes_that_are_full_or_closed_refuse_more(town: Town, platform: OnfleetPlatform) -> None:
    with pytest.raises(PlatformRejectedError) as full:
        await platform.add_note(town.refs[0], "x" * 10_000)
    assert full.value.code == Refused.NOTES_FULL
    town.emulator.start_task(town.refs[0])
    town.emulator.complete_task(town.refs[0])
    with pytest.raises(PlatformRejectedError) as closed:
        await platform.add_note(town.refs[0], "too late")
    assert closed.value.code == Refused.FINISHED


# --- bad days ---


def only(town: Town, fault: Fault, times: int) -> None:
    town.emulator.faults.next(*[fault] * times)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("status", status=502, body={"not": "the vendor's shape"}),
        Fault("status", status=429, headers=(("Retry-After", "0"),)),
        Fault("reset"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
async def test_a_read_survives_a_short_outage_and_reports_a_long_one(
    town: Town, platform: OnfleetPlatform, fault: Fault
) -> None:
    only(town, fault, 3)
    assert (await platform.get_stop(town.refs[0])).platform_ref == town.refs[0]
    only(town, fault, 4)
    with pytest.raises(PlatformUnavailableError):
        await platform.get_stop(town.refs[0])


async def test_nonsense_is_an_unavailable_platform(town: Town, platform: OnfleetPlatform) -> None:
    only(town, Fault("malformed"), 1)
    with pytest.raises(PlatformUnavailableError, match="unreadable"):
        await platform.get_stop(town.refs[0])


async def test_a_silent_platform_is_given_up_after_the_time_out(town: Town, connect: Connect) -> None:
    hasty = connect(limits=Limits(per_second=1000, backoff_seconds=0.01, read_seconds=0.05))
    only(town, Fault("slow", seconds=1.0), 4)
    with pytest.raises(PlatformUnavailableError, match="ReadTimeout"):
        await hasty.get_stop(town.refs[0])


async def test_a_long_retry_after_is_handed_to_the_caller(town: Town, platform: OnfleetPlatform) -> None:
    only(town, Fault("status", status=429, headers=(("Retry-After", "120"),)), 1)
    with pytest.raises(PlatformUnavailableError) as told:
        await platform.get_stop(town.refs[0])
    assert told.value.retry_after == timedelta(seconds=120)


async def test_a_write_whose_answer_was_lost_is_not_sent_again(town: Town, platform: OnfleetPlatform) -> None:
    writes: list[str] = []
    lost_answer = Fault("reset", after_work=True, path_contains=town.refs[0])
    town.emulator.api.before_request = _arm_on_write(town, lost_answer, writes)
    with pytest.raises(PlatformUnavailableError):
        await platform.change_window(town.refs[0], tomorrow(town))
    assert writes == ["PUT"]
    again = await platform.change_window(town.refs[0], tomorrow(town))
    assert again.window == tomorrow(town)


def _arm_on_write(town: Town, fault: Fault, writes: list[str]) -> Callable[[str, str], None]:
    """The fault is taken before a request is looked at: it is laid out when the read before the write comes in."""
    armed = False

    def hook(method: str, path: str) -> None:
        nonlocal armed
        if method == "PUT":
            writes.append(method)
        elif path.endswith(town.refs[0]) and not armed:
            armed = True
            town.emulator.faults.next(fault)

    return hook


async def test_a_wrong_key_is_for_the_operator(connect: Connect) -> None:
    stranger = connect(api_key="wrong")
    with pytest.raises(PlatformMisconfiguredError, match="1102"):
        await stranger.drivers()
    probe = await stranger.probe()
    assert not probe.healthy
    assert "ONFLEET_API_KEY" in probe.detail


async def test_the_probe_names_the_account_and_another_time_zone(connect: Connect) -> None:
    assert "QuickShip" in (await connect().probe()).detail
    assert "America/Chicago" in (await connect(timezone="America/Chicago").probe()).detail


async def test_the_rate_of_the_account_is_kept(town: Town, connect: Connect) -> None:
    """30 questions at once to an account that answers 20 a second: all are answered."""
    town.emulator.api.rate_limit.per_second = 20
    polite = connect(limits=LIMITS)
    answers = await asyncio.gather(*(polite.drivers() for _ in range(30)))
    assert [len(drivers) for drivers in answers] == [1] * 30
