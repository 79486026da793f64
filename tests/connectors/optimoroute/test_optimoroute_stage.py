"""A pretended day played whole on the pretended OptimoRoute, and read through the client as it truly goes."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import DeliveryWindow, FailureReason, Reattempt, RouteStatus, StopStatus
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.stage import OptimoRouteStage
from tests.connectors.played_day import MINUTE, TEN_IN_NEW_YORK, PlayedDay, go_on
from tests.connectors.towns import TIMEZONE


class Played(PlayedDay[OptimoRouteEmulator]):
    client = OptimoRoutePlatform

    def __init__(self, folder: Path | None = None, start: datetime = TEN_IN_NEW_YORK) -> None:
        super().__init__(folder, start=start, stops=24)

    def open_stage(self, ledger: Path | None) -> tuple[OptimoRouteEmulator, OptimoRouteStage]:
        emulator = OptimoRouteEmulator("key", now=self.clock, timezone=TIMEZONE, ledger_path=ledger)
        return emulator, OptimoRouteStage(emulator)

    def history(self) -> dict[str, Any]:
        """What drivers did, by order, apart from predictions."""
        names = ("status", "start", "end", "form", "sent")
        orders = self.emulator.store.orders
        return {ref: {name: order[name] for name in names} for ref, order in orders.items()}


@pytest.mark.parametrize("hours", [0.1, 1, 3, 9])
async def test_the_client_sees_the_day_as_it_truly_goes(hours: float) -> None:
    played = Played()
    played.pass_time(timedelta(hours=hours), timedelta(minutes=3))
    seen = await played.seen()
    told = {str(stop["id"]): stop for stop in played.stops_of_summary()}
    assert seen.keys() == told.keys()
    for ref, stop in told.items():
        ours = seen[ref]
        assert (ours.status, ours.client, ours.recipient_phone) == (
            stop["status"],
            stop["client"],
            stop["phone"],
        )
        assert (ours.tracking, ours.zone in {"North", "Central", "South"}) == (stop["tracking"], True)
        assert ours.window is not None
        assert ours.window.start_at == datetime.fromisoformat(stop["window_start"])
        if ours.status is StopStatus.OUT_FOR_DELIVERY:
            assert ours.eta_at == datetime.fromisoformat(stop["eta"])
            assert ours.sequence is not None
        if ours.status is StopStatus.FAILED:
            visit = played.day.truth(ref)
            assert visit is not None
            assert visit.failure is not None
            assert (ours.failure_reason, ours.failure_note) == (visit.failure.reason, visit.failure.words)


async def test_at_the_end_every_stop_is_closed_with_what_was_left_and_the_drivers_are_home() -> None:
    played = Played()
    played.pass_time(timedelta(hours=11), timedelta(minutes=10))
    assert played.statuses().keys() == {"delivered", "failed"}
    stops = (await played.seen()).values()
    assert all(stop.status.is_closed and stop.completed_at and stop.tracking_url for stop in stops)
    assert any(stop.proof and stop.proof.photo_urls for stop in stops)
    assert any(stop.proof and stop.proof.signature_url for stop in stops)
    async with played.read() as platform:
        page = await platform.events_after("")
        assert not page.has_more
        assert {driver.on_duty for driver in await platform.drivers()} == {False}
        assert {route.status for route in await platform.routes()} == {RouteStatus.FINISHED}
    told = Counter(event.kind for event in page.events)
    assert told["stop_delivered"] + told["stop_failed"] == 24
    assert told["driver_duty"] == 2 * len(played.day.routes)
    times = [event.occurred_at for event in page.events]
    assert times == sorted(times)


async def test_a_stop_moved_to_tomorrow_by_the_client_leaves_the_route_and_is_not_visited() -> None:
    played = Played()
    played.day.tick()
    ref = played.waiting()
    async with played.read() as platform:
        before = (await platform.get_stop(ref)).window
        assert before is not None
        a_day = timedelta(days=1)
        window = DeliveryWindow(start_at=before.start_at + a_day, end_at=before.end_at + a_day)
        await platform.change_window(ref, window)
        played.pass_time(MINUTE)
        assert played.day.truth(ref) is None
        stop = await platform.get_stop(ref)
        assert (stop.status, stop.driver_ref, stop.window) == (StopStatus.PLANNED, None, window)
        await platform.change_window(ref, before)
        played.pass_time(MINUTE)
        assert (await platform.get_stop(ref)).driver_ref is not None
    played.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert played.emulator.store.order(ref)["status"] == "success"


async def test_a_stop_cancelled_by_the_client_is_not_visited() -> None:
    played = Played()
    played.day.tick()
    ref = played.waiting()
    async with played.read() as platform:
        await platform.cancel(ref)
    played.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert played.emulator.store.order(ref)["status"] == "cancelled"
    assert played.emulator.store.order(ref)["start"] is None


async def test_a_failure_is_tried_again_tomorrow_and_the_day_goes_on() -> None:
    played = Played()
    played.pass_time(20 * MINUTE)
    tracking = played.day.fail_stop(reason=FailureReason.REFUSED)
    played.pass_time(2 * MINUTE)
    opens = played.clock() + timedelta(days=1)
    window = DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=2))
    async with played.read() as platform:
        (failed,) = [stop for stop in (await played.seen()).values() if stop.tracking == tracking]
        assert (failed.status, failed.failure_reason) == (StopStatus.FAILED, FailureReason.REFUSED)
        again = await platform.reattempt(failed.platform_ref, Reattempt(own_ref="DL-0001", window=window))
    assert (again.reattempt_of, again.status) == (failed.platform_ref, StopStatus.PLANNED)
    played.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert played.statuses().keys() == {"delivered", "failed"}
    assert played.emulator.store.order(again.platform_ref)["status"] == "unscheduled"


def test_a_killed_day_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    (tmp_path / "steady").mkdir()
    steady, killed = Played(tmp_path / "steady"), Played(tmp_path)
    for played in (steady, killed):
        played.pass_time(45 * MINUTE)
        played.day.make_late(minutes=35)
        played.day.fail_stop(reason=FailureReason.DAMAGED)
        played.pass_time(30 * MINUTE)
    go_on(steady, killed)
    assert killed.history() == steady.history()
    events = [dict(played.emulator.store.events) for played in (steady, killed)]
    assert events[0] == events[1]


def test_a_day_opened_late_ends_its_promises_with_the_day() -> None:
    played = Played(start=datetime(2026, 6, 8, 23, 30, tzinfo=UTC))  # half past seven in the evening
    windows = [order["data"]["timeWindows"][0] for order in played.emulator.store.orders.values()]
    assert any(window["twTo"] == "23:59" for window in windows)
    played.pass_time(timedelta(hours=12), timedelta(minutes=20))
    assert played.statuses().keys() <= {"delivered", "failed"}
    days = {order["data"]["date"] for order in played.emulator.store.orders.values()}
    assert min(days) == date(2026, 6, 8).isoformat()
