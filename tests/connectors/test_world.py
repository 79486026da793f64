"""The pretended day: what is certain of it, that it resumes exactly, and that it bows to what the API decides."""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from connectors.base import FailureReason, StopStatus
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.emulator_fields import metres
from connectors.onfleet.payloads import TaskState, from_ms, to_ms
from connectors.onfleet.stage import OnfleetStage
from connectors.world import remembered_day_start
from connectors.world.evidence import LeftBehind, left_behind
from connectors.world.plan import MOST_STOPS, PlannedStop, plan_day, route_sizes
from tests.connectors.played_day import MINUTE, TEN_IN_NEW_YORK, PlayedDay, go_on
from tests.connectors.towns import TIMEZONE

SOON = timedelta(milliseconds=2)


class Stage(PlayedDay[OnfleetEmulator]):
    client = OnfleetPlatform

    def open_stage(self, ledger: Path | None) -> tuple[OnfleetEmulator, OnfleetStage]:
        emulator = OnfleetEmulator(
            "key", "5c" * 32, now=self.clock, timezone=TIMEZONE, ledger_path=ledger, rate_limit=None
        )
        return emulator, OnfleetStage(emulator)

    def history(self) -> dict[str, Any]:
        """What drivers did, by task, apart from predictions."""
        return {
            task["id"]: (task["state"], task["completionDetails"], task["worker"])
            for task in self.emulator.store.tasks.values()
        }

    def task(self, tracking: str) -> dict[str, Any]:
        return self.emulator.store.task_by_short_id(tracking)

    def waiting_task(self, after: timedelta = timedelta(hours=2)) -> dict[str, Any]:
        """The task of a stop that its driver will not start before `after` from now."""
        return self.task(self.waiting_stop(after)["tracking"])


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.day.tick()
    return stage


# --- the plan ---


@pytest.mark.parametrize("stops", [1, 2, 5, 60, 137, 2000])
def test_a_day_has_exactly_the_stops_that_were_asked_for(stops: int) -> None:
    routes = plan_day(3, TEN_IN_NEW_YORK, stops)
    assert sum(len(route.stops) for route in routes) == stops
    assert len({stop.key for route in routes for stop in route.stops}) == stops
    assert max(len(route.stops) for route in routes) <= 20


@pytest.mark.parametrize("stops", [0, MOST_STOPS + 1])
def test_a_day_without_stops_or_with_too_many_is_refused(stops: int) -> None:
    with pytest.raises(ValueError, match="stops"):
        plan_day(3, TEN_IN_NEW_YORK, stops)


def test_routes_are_even_and_cover_all_zones() -> None:
    assert route_sizes(60) == [15] * 4
    assert {route.zone.name for route in plan_day(1, TEN_IN_NEW_YORK, 60)} == {"North", "Central", "South"}


def test_every_phone_is_a_possible_fictional_number_and_only_one_expects_two_parcels() -> None:
    routes = plan_day(5, TEN_IN_NEW_YORK, 2000)
    phones = Counter(stop.recipient_phone for route in routes for stop in route.stops)
    assert sorted(phones.values())[-2:] == [1, 2]
    drivers = {route.driver_phone for route in routes}
    assert len(drivers) == len(routes)
    assert not drivers & phones.keys()
    for phone in [*phones, *drivers]:
        assert phonenumbers.is_possible_number(phonenumbers.parse(phone, None))
        assert phone[5:10] == "55501"


@pytest.mark.parametrize("seed", range(12))
def test_every_promise_is_made_in_good_faith(seed: int) -> None:
    for route in plan_day(seed, TEN_IN_NEW_YORK, 60):
        for stop in route.stops:
            assert stop.window.start_at <= stop.planned_at < stop.window.end_at
            length = stop.window.end_at - stop.window.start_at
            assert timedelta(hours=2) <= length <= timedelta(hours=4)


@pytest.mark.parametrize("seed", range(12))
def test_within_the_first_hour_a_stop_is_foreseeably_late_and_one_fails(seed: int) -> None:
    stage = Stage(seed=seed)
    stage.day.tick()
    assert not [stop for stop in stage.stops_of_summary() if stop["late"]], (
        "nothing is late when the day is opened"
    )
    failed_before = stage.statuses()["failed"]
    stage.pass_time(timedelta(hours=1))
    late = [stop for stop in stage.stops_of_summary() if stop["late"]]
    assert [stop for stop in late if stop["status"] in ("out_for_delivery", "arriving")]
    assert stage.statuses()["failed"] > failed_before


# --- the first look, and the passing of time ---


def test_the_day_is_lively_when_it_is_opened(stage: Stage) -> None:
    assert stage.statuses().keys() >= {"out_for_delivery", "delivered"}
    workers = stage.emulator.store.all_of("workers")
    assert all(worker["onDuty"] for worker in workers)
    before = [worker["location"] for worker in workers]
    stage.pass_time(2 * MINUTE)
    assert [worker["location"] for worker in stage.emulator.store.all_of("workers")] != before


def test_at_the_end_every_stop_is_closed_and_the_drivers_are_home(stage: Stage) -> None:
    stage.pass_time(timedelta(hours=11), timedelta(minutes=10))
    assert stage.statuses().keys() == {"delivered", "failed"}
    assert not any(
        worker["onDuty"] or worker["activeTask"] for worker in stage.emulator.store.workers.values()
    )
    failed = [
        task for task in stage.emulator.store.tasks.values() if not task["completionDetails"]["success"]
    ]
    assert all(task["completionDetails"]["failureReason"] != "NONE" for task in failed)


def test_how_often_the_clock_is_looked_at_changes_nothing() -> None:
    often, seldom = Stage(), Stage()
    often.pass_time(timedelta(hours=5), timedelta(seconds=50))
    seldom.pass_time(timedelta(hours=5), timedelta(minutes=45))
    assert often.history() == seldom.history()


def test_another_seed_is_another_day() -> None:
    one, other = Stage(seed=1), Stage(seed=2)
    for stage in (one, other):
        stage.pass_time(timedelta(hours=2), timedelta(minutes=30))
    assert one.history() != other.history()


def test_predictions_are_near_the_truth_and_miss_only_what_nobody_can_know(stage: Stage) -> None:
    stage.pass_time(20 * MINUTE)
    errors = []
    for stop in stage.stops_of_summary():
        visit = stage.day.truth(stop["id"])
        if stop["eta"] and visit and visit.arrives_at and visit.arrives_at > stage.clock.at:
            errors.append(abs(datetime.fromisoformat(stop["eta"]) - visit.arrives_at))
    assert len(errors) > 30
    # Doubled worst error plus a delay that has not begun yet.
    assert max(errors) <= timedelta(minutes=13 + 40)
    assert sorted(errors)[len(errors) // 2] <= timedelta(minutes=15)


def test_a_big_day_is_built_and_driven_whole() -> None:
    stage = Stage(stops=2000)
    stage.pass_time(timedelta(hours=2), timedelta(minutes=20))
    assert len(stage.day.recipients()) == 2000
    assert stage.statuses()["delivered"] > 300


# --- resuming ---


def interfere(stage: Stage) -> None:
    stage.day.make_late(minutes=35)
    stage.day.fail_stop(reason=FailureReason.DAMAGED)


def test_a_killed_day_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    (tmp_path / "steady").mkdir()
    steady, killed = Stage(tmp_path / "steady"), Stage(tmp_path)
    for stage in (steady, killed):
        stage.pass_time(45 * MINUTE)
        interfere(stage)
        stage.pass_time(30 * MINUTE)
    go_on(steady, killed)
    assert killed.history() == steady.history()


def test_a_kill_in_the_middle_of_a_tick_repeats_nothing(tmp_path: Path) -> None:
    """The emulator has heard of it, the day has not yet noted that: it must not take its own work for another's."""
    stage = Stage(tmp_path)
    stage.pass_time(30 * MINUTE)
    mark = stage.day._progress["mark"]
    stage.pass_time(40 * MINUTE)
    told = stage.history()
    stage.day._progress["mark"] = mark
    changes = dict(stage.day._changes)
    stage.reopen()
    stage.day.tick()
    assert stage.history() == told
    assert dict(stage.day._changes) == changes


def test_a_ledger_is_not_used_for_another_day(tmp_path: Path) -> None:
    assert remembered_day_start(tmp_path / "demo.db") is None
    Stage(tmp_path)
    assert remembered_day_start(tmp_path / "demo.db") == TEN_IN_NEW_YORK
    with pytest.raises(ValueError, match="another day"):
        Stage(tmp_path, seed=8)


# --- interference ---


def test_a_driver_held_up_makes_the_rest_of_the_route_later_and_nothing_earlier(stage: Stage) -> None:
    stage.pass_time(50 * MINUTE)
    route = next(route for route in stage.day.routes if not route.plan.delays)
    before = {visit.stop.key: visit for visit in route.visits}
    assert stage.day.make_late(route.driver_ref, 45) == route.driver_ref
    for visit in route.visits:
        then = before[visit.stop.key]
        if then.ends_at <= stage.clock.at:
            assert visit == then
        elif then.starts_at > stage.clock.at:
            assert visit.starts_at - then.starts_at == timedelta(minutes=45)
    etas = {stop["id"]: stop["eta"] for stop in stage.stops_of_summary()}
    stage.day.tick()
    stage.pass_time(MINUTE)
    later = {stop["id"]: stop["eta"] for stop in stage.stops_of_summary()}
    moved = [ref for ref in later if later[ref] and etas[ref] and later[ref] > etas[ref]]
    assert len(moved) >= len([visit for visit in route.visits if visit.starts_at > stage.clock.at])


def test_without_a_name_the_driver_with_most_stops_left_is_held_up(stage: Stage) -> None:
    left = Counter(
        route.driver_ref for route in stage.day.routes for v in route.visits if v.starts_at > stage.clock.at
    )
    assert left[stage.day.make_late()] == max(left.values())
    with pytest.raises(LookupError):
        stage.day.make_late("nobody")


def test_a_delivery_under_way_fails_at_once_with_the_reason_that_was_asked_for(stage: Stage) -> None:
    tracking = stage.day.fail_stop(reason=FailureReason.REFUSED)
    stage.pass_time(MINUTE)
    task = stage.task(tracking)
    assert task["state"] == TaskState.COMPLETED
    assert task["completionDetails"]["failureReason"] == "Refused by recipient"
    assert next(s for s in stage.stops_of_summary() if s["tracking"] == tracking)["status"] == "failed"


def test_a_delivery_still_to_come_fails_at_its_visit(stage: Stage) -> None:
    task = stage.waiting_task()
    stage.day.fail_stop(task["shortId"], FailureReason.ADDRESS_ISSUE)
    visit = stage.day.truth(task["id"])
    assert visit is not None
    stage.clock.at = visit.ends_at - timedelta(seconds=1)
    stage.day.tick()
    assert stage.task(task["shortId"])["state"] == TaskState.ACTIVE
    stage.pass_time(timedelta(seconds=2))
    assert stage.task(task["shortId"])["completionDetails"]["failureReason"] == "Wrong address"
    with pytest.raises(LookupError):
        stage.day.fail_stop("nowhere")


# --- what the API decides ---


def test_a_stop_moved_to_another_day_leaves_the_route_and_comes_back_when_it_is_moved_back(
    stage: Stage,
) -> None:
    task = stage.waiting_task()
    window = {name: task[name] for name in ("completeAfter", "completeBefore")}
    a_day = 24 * 60 * 60 * 1000
    stage.emulator.tasks.update(task["id"], {name: value + a_day for name, value in window.items()})
    stage.pass_time(MINUTE)
    assert stage.day.truth(task["id"]) is None
    assert stage.task(task["shortId"])["state"] == TaskState.UNASSIGNED
    (mine,) = [stop for stop in stage.stops_of_summary() if stop["id"] == task["id"]]
    assert (mine["status"], mine["moved"]) == (StopStatus.PLANNED, True)
    assert (
        mine["window_start"]
        == (from_ms(window["completeAfter"]) + timedelta(days=1))
        .astimezone(datetime.fromisoformat(mine["window_start"]).tzinfo)
        .isoformat()
    )
    stage.emulator.tasks.update(task["id"], window)
    stage.pass_time(MINUTE)
    assert stage.task(task["shortId"])["state"] == TaskState.ASSIGNED
    stage.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert stage.task(task["shortId"])["state"] == TaskState.COMPLETED


def test_a_stop_moved_away_is_not_visited_today_even_after_a_kill(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.day.tick()
    task = stage.waiting_task()
    tomorrow = to_ms(from_ms(task["completeAfter"]) + timedelta(days=1))
    stage.emulator.tasks.update(
        task["id"], {"completeAfter": tomorrow, "completeBefore": tomorrow + 7_200_000}
    )
    stage.reopen()  # killed before the day could notice
    stage.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert stage.task(task["shortId"])["state"] == TaskState.UNASSIGNED
    assert stage.statuses()["planned"] == 1


def test_a_stop_moved_later_today_is_visited_inside_its_new_window(stage: Stage) -> None:
    task = stage.waiting_task(timedelta(minutes=40))
    opens, closes = stage.clock.at + timedelta(hours=5), stage.clock.at + timedelta(hours=7)
    stage.emulator.tasks.update(task["id"], {"completeAfter": to_ms(opens), "completeBefore": to_ms(closes)})
    stage.pass_time(MINUTE)
    visit = stage.day.truth(task["id"])
    assert visit is not None
    assert visit.arrives_at is not None
    assert visit.arrives_at >= opens
    stage.pass_time(timedelta(hours=11), timedelta(minutes=15))
    assert from_ms(stage.task(task["shortId"])["completionDetails"]["time"]) > opens
    assert stage.statuses().keys() <= {"delivered", "failed"}


def test_an_edit_made_between_two_looks_at_the_clock_wins_over_a_start_in_the_same_gap(stage: Stage) -> None:
    task = stage.waiting_task()
    visit = stage.day.truth(task["id"])
    assert visit is not None
    stage.clock.at = visit.starts_at - timedelta(seconds=10)
    stage.day.tick()
    stage.clock.at = visit.starts_at + timedelta(seconds=10)  # by the truth it began, but nobody was told yet
    tomorrow = to_ms(visit.stop.window.start_at + timedelta(days=1))
    stage.emulator.tasks.update(
        task["id"], {"completeAfter": tomorrow, "completeBefore": tomorrow + 7_200_000}
    )
    stage.day.tick()
    assert stage.task(task["shortId"])["state"] == TaskState.UNASSIGNED
    assert stage.day.truth(task["id"]) is None


def test_a_deleted_stop_is_not_visited_and_not_made_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.day.tick()
    task = stage.waiting_task()
    stage.emulator.tasks.delete(task["id"])
    stage.reopen()
    stage.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert task["id"] not in stage.emulator.store.tasks
    assert len(stage.day.recipients()) == 59


def test_a_stop_deleted_under_its_drivers_hands_sets_the_driver_free(stage: Stage) -> None:
    stage.emulator.tasks.refuse_delete_in_flight = False
    active = next(task for task in stage.emulator.store.tasks.values() if task["state"] == TaskState.ACTIVE)
    stage.emulator.tasks.delete(active["id"])
    stage.pass_time(timedelta(hours=10), timedelta(minutes=15))
    assert len(stage.day.recipients()) == 59
    assert stage.statuses().keys() == {"delivered", "failed"}


def test_a_stop_completed_by_force_sets_its_driver_free(stage: Stage) -> None:
    active = next(task for task in stage.emulator.store.tasks.values() if task["state"] == TaskState.ACTIVE)
    visit = stage.day.truth(active["id"])
    assert visit is not None
    stage.emulator.tasks.complete_by_force(active["id"], {"completionDetails": {"success": True}})
    stage.pass_time(SOON)
    now = stage.day.truth(active["id"])
    assert now is not None
    assert now.ends_at < visit.ends_at
    assert now.ends_at - stage.clock.at < MINUTE


# --- what others are told ---


def test_recipients_are_written_as_var_demo_json_promises(stage: Stage) -> None:
    entries = stage.day.recipients()
    assert json.loads(json.dumps(entries)) == entries
    keys = {"phone", "name", "platform", "tracking", "status", "window_start", "window_end"}
    assert all(entry.keys() == keys for entry in entries)
    assert all(
        datetime.fromisoformat(entry["window_start"]).utcoffset() == timedelta(hours=-4) for entry in entries
    )
    by_phone = Counter(entry["phone"] for entry in entries)
    (twice,) = [phone for phone, count in by_phone.items() if count == 2]
    both = [entry for entry in entries if entry["phone"] == twice]
    assert both[0]["name"] == both[1]["name"]
    clients = {stop["client"] for stop in stage.stops_of_summary() if stop["phone"] == twice}
    assert len(clients) == 2


async def test_the_client_sees_the_same_day_as_the_demo_page(stage: Stage) -> None:
    stage.pass_time(40 * MINUTE)
    seen = {stop.tracking: stop for stop in (await stage.seen()).values()}
    assert len(seen) == 60
    for stop in stage.stops_of_summary():
        ours = seen[stop["tracking"]]
        assert (ours.status, ours.client, ours.recipient_phone) == (
            stop["status"],
            stop["client"],
            stop["phone"],
        )
        assert ours.zone in {"North", "Central", "South"}
        if not ours.status.is_closed and stop["status"] != "arriving":
            assert ours.eta_at == datetime.fromisoformat(stop["eta"])


def test_drivers_leave_evidence_and_some_of_it_is_doubtful() -> None:
    route = plan_day(20, TEN_IN_NEW_YORK, 400)
    stops = [stop for plan in route for stop in plan.stops if stop.failure is None]
    left = [left_behind(stop, None) for stop in stops]
    photos, signed = sum(item.photos > 0 for item in left), sum(bool(item.signed_by) for item in left)
    away = [meters_from(stop, item) for stop, item in zip(stops, left, strict=True)]
    assert 0.5 < photos / len(left) < 0.9
    assert 0.05 < signed / len(left) < 0.4
    assert any(not item.photos and not item.signed_by for item in left)
    assert 0.01 < sum(metres > 800 for metres in away) / len(away) < 0.2
    assert all(metres < 70 or metres > 800 for metres in away)
    assert left == [left_behind(stop, None) for stop in stops]


def meters_from(stop: PlannedStop, item: LeftBehind) -> int:
    return metres([stop.address.longitude or 0, stop.address.latitude or 0], [item.longitude, item.latitude])


def test_what_was_left_stands_on_the_platform_when_the_stop_is_over(stage: Stage) -> None:
    stage.pass_time(timedelta(hours=9))
    details = [task["completionDetails"] for task in stage.emulator.store.tasks.values()]
    assert all(item["lastLocation"] for item in details)
    assert any(item["photoUploadIds"] for item in details)
    assert any(item["signatureText"] and item["signatureUploadId"] for item in details)
    assert not any(item["signatureText"] for item in details if not item["success"])
