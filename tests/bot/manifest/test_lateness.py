"""Which changes are news to a driver who is out, and which are planning, progress or over."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.manifest.lateness import LateChange, News, Out, late_change
from bot.manifest.telling import SINGLY, tasks_of
from bot.stops.models import DriverRecord, StopEvent, StopRecord
from connectors.base import StopStatus
from connectors.desk import ManifestChange
from tests.bot.manifest.day import DAY, NOON, at, stop

SEEN = NOON - timedelta(hours=1)
TOMORROW = DAY + timedelta(days=1)
DANA_OUT: dict[Out, datetime] = {("onfleet", "dana", DAY): SEEN}
BOTH_OUT: dict[Out, datetime] = DANA_OUT | {("onfleet", "sam", DAY): SEEN}


def event(changes: dict[str, Any], when: datetime = NOON) -> StopEvent:
    return StopEvent(stop_id=uuid4(), at=when, source="onfleet:poll", changes=changes)


def told(
    record: StopRecord, *events: StopEvent, outs: dict[Out, datetime] = DANA_OUT
) -> tuple[ManifestChange, dict[str, News]] | None:
    change = late_change(record, events, outs, DAY)
    return (change.change, dict(change.told)) if change is not None else None


CREATED = {"status": [None, "assigned"]}
CANCELLED = {"status": ["assigned", "cancelled"]}
MOVED = {
    "window_start_at": [at("12:00").isoformat(), at("14:00").isoformat()],
    "window_end_at": [at("14:00").isoformat(), at("16:00").isoformat()],
}
FROM_SAM = {"driver_ref": ["sam", "dana"]}
TO_SAM = {"driver_ref": ["dana", "sam"]}
FROM_NOBODY = {"driver_ref": [None, "dana"]}


@pytest.mark.parametrize(
    ("record", "changes", "expected"),
    [
        ({}, CREATED, (ManifestChange.ADDED, {"dana": News.ADDED})),
        ({}, FROM_NOBODY, (ManifestChange.ADDED, {"dana": News.ADDED})),
        ({}, FROM_SAM, (ManifestChange.REASSIGNED, {"dana": News.ADDED})),
        ({"driver": "sam"}, TO_SAM, (ManifestChange.REASSIGNED, {"dana": News.TAKEN})),
        ({"driver": None}, {"driver_ref": ["dana", None]}, (ManifestChange.REASSIGNED, {"dana": News.OFF})),
        ({"status": StopStatus.CANCELLED}, CANCELLED, (ManifestChange.CANCELLED, {"dana": News.CANCELLED})),
        ({}, MOVED, (ManifestChange.MOVED, {"dana": News.MOVED})),
        ({"window": None}, {name: [old[0], None] for name, old in MOVED.items()}, None),
        ({"route": "r2"}, {"route_ref": ["r1", "r2"]}, None),  # planned anew for the same driver
        ({}, {"eta_at": [None, NOON.isoformat()]}, None),
        ({"status": StopStatus.DELIVERED}, {"status": ["assigned", "delivered"]}, None),
        ({"status": StopStatus.DELIVERED}, FROM_SAM, None),  # found long after it happened
        ({"status": StopStatus.FAILED}, MOVED, None),
        ({"driver": "sam"}, {"driver_ref": [None, "sam"]}, None),  # Sam is not out
        ({"day": TOMORROW}, CREATED, None),
    ],
)
def test_a_change_of_a_run_that_is_out_is_news(record: dict[str, Any], changes: Any, expected: Any) -> None:
    assert told(stop("a", **record), event(changes)) == expected


def test_both_drivers_hear_of_a_stop_that_goes_from_one_to_the_other() -> None:
    assert told(stop("a", driver="sam"), event(TO_SAM), outs=BOTH_OUT) == (
        ManifestChange.REASSIGNED,
        {"dana": News.TAKEN, "sam": News.ADDED},
    )


@pytest.mark.parametrize(
    ("happened", "is_told"),
    [(SEEN - timedelta(hours=1), False), (SEEN, False), (SEEN + timedelta(seconds=1), True)],
)
def test_what_changed_up_to_the_moment_it_was_seen_out_was_planning(
    happened: datetime, is_told: bool
) -> None:
    assert (told(stop("a"), event(CREATED, happened)) is not None) is is_told


def test_of_a_stop_that_changed_before_and_after_only_the_later_change_counts() -> None:
    early = event(FROM_NOBODY, SEEN - timedelta(minutes=5))
    assert told(stop("a"), early, event(MOVED)) == (ManifestChange.MOVED, {"dana": News.MOVED})


def test_what_was_undone_in_between_is_no_news() -> None:
    back = {name: values[::-1] for name, values in MOVED.items()}
    assert told(stop("a", ("12:00", "14:00")), event(MOVED), event(back)) is None
    assert told(stop("a", driver=None, status=StopStatus.CANCELLED), event(CREATED), event(CANCELLED)) is None


def test_a_stop_that_moves_to_another_day_leaves_the_run() -> None:
    moved = {
        "window_start_at": [at("14:00").isoformat(), at("14:00", TOMORROW).isoformat()],
        "window_end_at": [at("16:00").isoformat(), at("16:00", TOMORROW).isoformat()],
    }
    off = (ManifestChange.MOVED, {"dana": News.OFF})
    assert told(stop("a", day=TOMORROW), event(moved)) == off
    to_nobody = {"driver_ref": ["dana", None]}
    assert told(stop("a", driver=None, day=TOMORROW), event(moved), event(to_nobody)) == (
        ManifestChange.REASSIGNED,
        {"dana": News.OFF},
    )
    undriven = event(to_nobody, SEEN + timedelta(minutes=9))
    seen_after_the_move = {("onfleet", "dana", DAY): SEEN + timedelta(minutes=5)}
    early = event(moved, SEEN + timedelta(minutes=1))
    late = told(stop("a", driver=None, day=TOMORROW), early, undriven, outs=seen_after_the_move)
    assert late is None, "it was another day's already"


def test_a_run_of_tomorrow_that_was_released_today_is_out_too() -> None:
    outs: dict[Out, datetime] = {("onfleet", "dana", TOMORROW): SEEN}
    assert told(stop("a", day=TOMORROW), event(CREATED), outs=outs) == (
        ManifestChange.ADDED,
        {"dana": News.ADDED},
    )
    yesterdays: dict[Out, datetime] = {("onfleet", "dana", DAY - timedelta(days=1)): SEEN}
    assert told(stop("a", day=DAY - timedelta(days=1)), event(CREATED), outs=yesterdays) is None


def test_drivers_of_another_account_are_others() -> None:
    assert told(stop("a", platform="onfleet_west"), event(CREATED)) is None


# --- how dispatchers are told ---------------------------------------------------------------------


def changes(count: int, change: ManifestChange = ManifestChange.ADDED) -> list[LateChange]:
    return [
        LateChange(stop(f"t{number}", ("14:00", "16:00")), change, DAY, {"dana": News.ADDED})
        for number in range(count)
    ]


DANA = {
    ("onfleet", "dana"): DriverRecord(
        platform="onfleet", platform_ref="dana", name="Dana", phone="+12125550111"
    )
}


def test_a_few_changes_are_a_task_each() -> None:
    wanted = tasks_of(changes(SINGLY), DANA, {})
    assert [each.facts.address_line for each in wanted] == ["t0 Elm St", "t1 Elm St", "t2 Elm St"]
    assert {(each.facts.change, each.facts.driver_name, each.zone) for each in wanted} == {
        ("added", "Dana", "North")
    }
    assert {each.expires_at for each in wanted} == {at("00:00", TOMORROW)}


def test_many_of_one_kind_are_one_task_that_counts_them() -> None:
    few = changes(1, ManifestChange.CANCELLED)
    counted = {
        each.facts.change: each.facts.stops for each in tasks_of([*changes(SINGLY + 1), *few], DANA, {})
    }
    assert counted == {"added": SINGLY + 1, "cancelled": 1}


def test_a_driver_whom_no_text_reaches_is_named_as_such() -> None:
    (wanted,) = tasks_of(changes(1), DANA, {("onfleet", "dana"): "no_phone_of_driver"})
    assert wanted.facts.reasons == ("no_phone_of_driver",)
