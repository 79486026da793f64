"""How a manifest is put together: what is on it, in which order, with which numbers, and what is marked."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.manifest.facts import DayFacts
from bot.manifest.rules import manifest_of
from bot.stops.models import StopRecord
from connectors.base import StopStatus
from connectors.desk import ManifestChange, ManifestLine, ManifestView, ShiftState
from tests.bot.manifest.day import DAY, NEW_YORK, NOON, at, facts_of, posted, route, stop

TOMORROW = DAY + timedelta(days=1)


def view_of(facts: DayFacts, zone: str = "North") -> ManifestView:
    return manifest_of(facts, zone, NEW_YORK)


def trackings(view: ManifestView) -> list[list[str]]:
    return [[line.tracking for line in each.lines] for each in view.routes]


def line_of(view: ManifestView, tracking: str) -> ManifestLine:
    (line,) = [line for line in view.lines if line.tracking == tracking]
    return line


def since(before: DayFacts, **changes: Any) -> DayFacts:
    """The same day after its manifest was posted."""
    return facts_of(*before.stops, **({"posts": {"North": posted(before)}} | changes))


# --- what is on it --------------------------------------------------------------------------------


def test_it_holds_what_is_driven_there_on_that_day_and_nothing_else() -> None:
    view = view_of(
        facts_of(
            stop("here"),
            stop("done", status=StopStatus.DELIVERED, completed_at=NOON),
            stop("failed", status=StopStatus.FAILED),
            stop("elsewhere", zone="South"),
            stop("tomorrow", day=TOMORROW),
            stop("cancelled", status=StopStatus.CANCELLED),
            stop("never", None),
        )
    )
    assert sorted(line.tracking for line in view.lines) == ["done", "failed", "here"]
    assert view.stops == 3


def test_stops_without_route_and_driver_stand_apart() -> None:
    view = view_of(facts_of(stop("a"), stop("loose", driver=None)))
    assert (trackings(view), [line.tracking for line in view.without_route]) == ([["a"]], ["loose"])


def test_routes_stand_in_the_order_of_their_names_as_people_count() -> None:
    stops = [stop(ref, route=ref) for ref in ("r10", "r2", "r1")]
    routes = {("onfleet", ref): route(ref, f"Route {ref[1:]}") for ref in ("r10", "r2", "r1")}
    assert [each.name for each in view_of(facts_of(*stops, routes=routes)).routes] == [
        "Route 1",
        "Route 2",
        "Route 10",
    ]


def test_lines_stand_as_they_are_driven() -> None:
    view = view_of(
        facts_of(
            stop("second", sequence=1),
            stop("unnumbered", ("08:00", "09:00")),
            stop("first", sequence=0),
            stop("done_late", status=StopStatus.DELIVERED, completed_at=at("11:00"), sequence=0),
            stop("done_early", status=StopStatus.FAILED, completed_at=at("09:00")),
        )
    )
    assert trackings(view) == [["done_early", "done_late", "first", "second", "unnumbered"]]


def test_a_route_knows_driver_shift_start_and_load_whatever_zones_it_goes_through() -> None:
    stops = [
        stop("a", route="r", driver="dana", load=2.0),
        stop("b", route="r", driver="dana", load=1.5, zone="South"),
        stop("off", route="r", driver="dana", load=9.0, status=StopStatus.CANCELLED),
    ]
    starts = at("08:30")
    routes = {("onfleet", "r"): route("r", "Route 1", "dana", starts_at=starts)}
    facts = facts_of(*stops, routes=routes, shifts={("onfleet", "dana"): ShiftState.CONFIRMED})
    (found,) = view_of(facts).routes
    assert (found.name, found.driver_name, found.shift) == ("Route 1", "Dana", ShiftState.CONFIRMED)
    assert (found.starts_at, found.load, found.capacity) == (starts, 3.5, 3.0)
    assert found.is_over_capacity
    assert [line.tracking for line in found.lines] == ["a"]


def test_without_a_route_of_its_own_a_run_is_the_drivers() -> None:
    (found,) = view_of(facts_of(stop("a", planned_at=at("13:00")), stop("b", planned_at=at("12:00")))).routes
    assert (found.route_ref, found.name, found.starts_at) == ("dana", "Dana", at("12:00"))


def test_the_same_reference_on_two_accounts_is_two_routes() -> None:
    stops = [stop("a", route="1"), stop("b", route="1", platform="onfleet_west")]
    assert sorted(trackings(view_of(facts_of(*stops)))) == [["a"], ["b"]]


def test_an_eta_of_an_earlier_day_is_not_told() -> None:
    view = view_of(facts_of(stop("a", eta_at=at("15:00", date(2026, 6, 8))), stop("b", eta_at=at("15:00"))))
    assert (line_of(view, "a").eta_at, line_of(view, "b").eta_at) == (None, at("15:00"))


# --- what changed ---------------------------------------------------------------------------------


def test_before_it_is_posted_nothing_is_marked() -> None:
    view = view_of(facts_of(stop("a")))
    assert (view.posted_at, line_of(view, "a").change) == (None, None)


def _cancel(record: StopRecord) -> None:
    record.status = StopStatus.CANCELLED


def _move(record: StopRecord) -> None:
    record.window_start_at, record.window_end_at = at("17:00"), at("19:00")


def _move_away(record: StopRecord) -> None:
    record.window_start_at, record.window_end_at = at("14:00", TOMORROW), at("16:00", TOMORROW)


def _give_away(record: StopRecord) -> None:
    record.driver_ref = "sam"


def _take(record: StopRecord) -> None:
    record.driver_ref = None


def _rezone(record: StopRecord) -> None:
    record.zone, record.driver_ref = "South", "sam"


def _deliver(record: StopRecord) -> None:
    record.status, record.completed_at = StopStatus.DELIVERED, NOON


def _move_and_cancel(record: StopRecord) -> None:
    _move(record)
    _cancel(record)


def _move_and_give_away(record: StopRecord) -> None:
    _move(record)
    _give_away(record)


@pytest.mark.parametrize(
    ("happens", "change", "is_off", "earlier"),
    [
        (_cancel, ManifestChange.CANCELLED, True, ("", False)),
        (_move, ManifestChange.MOVED, False, ("", True)),
        (_move_away, ManifestChange.MOVED, True, ("", True)),
        (_give_away, ManifestChange.REASSIGNED, False, ("Dana", False)),
        (_take, ManifestChange.REASSIGNED, False, ("Dana", False)),
        (_rezone, ManifestChange.REASSIGNED, True, ("Dana", False)),
        (_deliver, None, False, ("", False)),
        (_move_and_cancel, ManifestChange.CANCELLED, True, ("", False)),
        (_move_and_give_away, ManifestChange.MOVED, False, ("Dana", True)),
    ],
)
def test_a_change_since_it_was_posted_is_marked(
    happens: Any, change: ManifestChange | None, is_off: bool, earlier: tuple[str, bool]
) -> None:
    before = facts_of(stop("a"), stop("b"))
    after = since(before)
    happens(after.stops[0])
    line = line_of(view_of(after), "a")
    assert (line.change, line.is_off) == (change, is_off)
    assert (line.earlier_driver_name, line.earlier_window is not None) == earlier
    assert line_of(view_of(after), "b").change is None


def test_what_is_off_stays_on_its_route_at_the_end_and_counts_no_more() -> None:
    before = facts_of(stop("a", sequence=0), stop("b", sequence=1))
    after = since(before)
    _cancel(after.stops[0])
    after.stops[0].driver_ref = None
    view = view_of(after)
    assert (trackings(view), view.stops, view.routes[0].load) == ([["b", "a"]], 1, 1.0)


def test_a_stop_that_comes_later_is_added_and_stays_so() -> None:
    before = facts_of(stop("a"))
    view = view_of(
        since(facts_of(*before.stops), stops=[*before.stops, stop("new")], posts={"North": posted(before)})
    )
    assert (line_of(view, "new").change, line_of(view, "a").change) == (ManifestChange.ADDED, None)


def test_a_stop_that_was_never_shown_and_is_cancelled_is_not_shown_at_all() -> None:
    before = facts_of(stop("a"))
    gone = stop("gone", status=StopStatus.CANCELLED)
    assert (
        len(view_of(since(before, stops=[*before.stops, gone], posts={"North": posted(before)})).lines) == 1
    )


def test_a_stop_that_nobody_had_was_with_nobody() -> None:
    before = facts_of(stop("a", driver=None))
    after = since(before)
    _give_away(after.stops[0])
    line = line_of(view_of(after), "a")
    assert (line.change, line.earlier_driver_name) == (ManifestChange.REASSIGNED, "")


STOPS = st.lists(
    st.builds(
        lambda zone, driver, route, status, shift: stop(
            f"t{shift}",
            zone=zone,
            driver=driver,
            route=route,
            status=status,
            day=DAY + timedelta(days=shift % 3 - 1),
        ),
        st.sampled_from(["North", "South", ""]),
        st.sampled_from(["dana", "sam", None]),
        st.sampled_from(["r1", "r2", None]),
        st.sampled_from(list(StopStatus)),
        st.integers(0, 8),
    ),
    max_size=25,
)


@given(STOPS)
def test_every_stop_of_the_day_is_on_exactly_one_manifest_once(stops: list[StopRecord]) -> None:
    facts = facts_of(*stops)
    shown = [line.stop_id for zone in facts.zones for line in view_of(facts, zone).lines]
    wanted = [
        str(record.id)
        for record in stops
        if record.status is not StopStatus.CANCELLED
        and record.window_start_at
        and record.window_start_at.date() == DAY
    ]
    assert sorted(shown) == sorted(wanted)
