"""The pretended day on the pretended Route4Me, read through the connector."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import Capability, FailureReason, RouteStatus, StopStatus
from connectors.route4me.client import Route4MePlatform
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.stage import Route4MeStage
from connectors.world.evidence import left_behind
from connectors.world.truth import window_at
from tests.connectors.played_day import MINUTE, TEN_IN_NEW_YORK, PlayedDay, go_on
from tests.connectors.towns import TIMEZONE


class Theatre(PlayedDay[Route4MeEmulator]):
    client = Route4MePlatform

    def open_stage(self, ledger: Path | None) -> tuple[Route4MeEmulator, Route4MeStage]:
        emulator = Route4MeEmulator("key", now=self.clock, timezone=TIMEZONE, ledger_path=ledger)
        return emulator, Route4MeStage(emulator)

    def reopen(self) -> None:
        super().reopen()
        self.day.tick()

    def history(self) -> dict[str, tuple[object, ...]]:
        names = ("additional_status", "is_visited", "timestamp_last_departed", "route_id", "departed_lat")
        return {
            key: tuple(address[name] for name in names)
            for key, address in self.emulator.store.addresses.items()
        }


@pytest.mark.parametrize("minutes", [0, 40, 200, 660])
async def test_the_client_sees_the_day_as_it_is(minutes: int) -> None:
    theatre = Theatre()
    theatre.pass_time(minutes * MINUTE, 5 * MINUTE)
    seen = await theatre.seen()
    assert len(seen) == 60
    for told in theatre.stops_of_summary():
        ours = seen[str(told["id"])]
        assert (ours.status, ours.client, ours.recipient_phone, ours.tracking) == (
            told["status"],
            told["client"],
            told["phone"],
            told["tracking"],
        )
        assert ours.zone in {"North", "Central", "South"}
        assert ours.address.city
        if not ours.status.is_closed and ours.status is not StopStatus.ARRIVING:
            assert ours.eta_at == datetime.fromisoformat(str(told["eta"])).replace(microsecond=0)


async def test_evidence_and_reasons_are_read_as_they_were_left() -> None:
    theatre = Theatre()
    theatre.day.fail_stop(reason=FailureReason.REFUSED)
    theatre.pass_time(timedelta(hours=11), 10 * MINUTE)
    seen = await theatre.seen()
    closed_reasons = set()
    for route in theatre.day.routes:
        for visit in route.visits:
            ours = seen[theatre.day._placed[visit.stop.key].platform_ref]
            left = left_behind(visit.stop, visit.failure)
            assert ours.completed_at == visit.ends_at.replace(microsecond=0)
            assert ours.proof is not None
            assert len(ours.proof.photo_urls) == left.photos
            assert ours.proof.signed_by == left.signed_by
            assert (ours.proof.latitude, ours.proof.longitude) == (left.latitude, left.longitude)
            if visit.failure:
                closed_reasons.add(visit.failure.reason)
                assert ours.failure_reason is visit.failure.reason
                assert visit.failure.words in ours.failure_note
            else:
                assert ours.proof.note == left.note
    assert FailureReason.REFUSED in closed_reasons


def test_a_killed_day_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    (tmp_path / "steady").mkdir()
    steady, killed = Theatre(tmp_path / "steady"), Theatre(tmp_path)
    for theatre in (steady, killed):
        theatre.pass_time(45 * MINUTE)
        theatre.day.make_late(minutes=35)
        theatre.day.fail_stop(reason=FailureReason.DAMAGED)
    go_on(steady, killed)
    assert killed.history() == steady.history()


async def test_a_stop_moved_to_tomorrow_over_the_api_leaves_the_route_and_is_not_visited() -> None:
    theatre = Theatre()
    ref = theatre.waiting()
    async with theatre.read() as platform:
        before = await platform.get_stop(ref)
        assert before.window is not None
        tomorrow = before.window.model_copy(
            update={
                "start_at": before.window.start_at + timedelta(days=1),
                "end_at": before.window.end_at + timedelta(days=1),
            }
        )
        moved = await platform.change_window(ref, tomorrow)
        assert (moved.window, moved.status, moved.route_ref) == (tomorrow, StopStatus.PLANNED, None)
        assert moved.tracking == before.tracking
        theatre.pass_time(timedelta(hours=11), 15 * MINUTE)
        after = await platform.get_stop(ref)
        assert (after.status, after.window) == (StopStatus.PLANNED, tomorrow)
    assert theatre.day.truth(ref) is None


async def test_a_stop_moved_back_to_today_returns_to_its_driver() -> None:
    theatre = Theatre()
    ref = theatre.waiting()
    async with theatre.read() as platform:
        before = await platform.get_stop(ref)
        assert before.window is not None
        later = before.window.model_copy(
            update={
                "end_at": before.window.end_at + timedelta(days=1),
                "start_at": before.window.start_at + timedelta(days=1),
            }
        )
        await platform.change_window(ref, later)
        theatre.pass_time(MINUTE)
        back = await platform.change_window(ref, before.window)
        assert back.route_ref is None
        theatre.pass_time(MINUTE)
        again = await platform.get_stop(ref)
        assert (again.route_ref, again.driver_ref) == (before.route_ref, before.driver_ref)
        assert (again.notes, again.client, again.order_ref) == (before.notes, before.client, before.order_ref)


async def test_a_cancelled_stop_is_not_visited_and_not_made_again(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path)
    ref = theatre.waiting()
    async with theatre.read() as platform:
        await platform.cancel(ref)
    theatre.reopen()
    theatre.pass_time(timedelta(hours=10), 15 * MINUTE)
    assert len(theatre.day.recipients()) == 59
    assert theatre.emulator.find_order(ref) is None


async def test_routes_and_drivers_are_told_through_the_day() -> None:
    theatre = Theatre()
    theatre.pass_time(30 * MINUTE)
    async with theatre.read() as platform:
        routes = await platform.routes()
        drivers = {driver.platform_ref: driver for driver in await platform.drivers()}
        theatre.pass_time(timedelta(hours=11), 20 * MINUTE)
        finished = await platform.routes(TEN_IN_NEW_YORK.date())
    assert {route.status for route in routes} == {RouteStatus.STARTED}
    assert {route.status for route in finished} == {RouteStatus.FINISHED}
    assert sum(len(route.stop_refs) for route in routes) == 60
    for route in theatre.day.routes:
        driver = drivers[route.driver_ref]
        assert (driver.phone, driver.zones) == (route.plan.driver_phone, (route.plan.zone.name,))
        assert driver.capacity == 30
        assert driver.on_duty is None
        assert driver.seen_at == TEN_IN_NEW_YORK + 30 * MINUTE
    assert (
        Capability.DRIVER_DUTY not in Route4MePlatform("k", timezone=TIMEZONE, now=theatre.clock).capabilities
    )


def test_every_window_of_the_day_stands_as_it_was_promised() -> None:
    theatre = Theatre()
    stage = Route4MeStage(theatre.emulator)
    for route in theatre.day.routes:
        for stop in route.plan.stops:
            standing = stage.find_standing(theatre.day._placed[stop.key].platform_ref)
            assert standing is not None
            assert standing.window == window_at(stop, route.changes, theatre.clock.at)
