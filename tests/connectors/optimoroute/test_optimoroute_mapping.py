"""OptimoRoute's orders as stops: tables of cases, edges first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.address_lines import in_one_line
from connectors.base import Address, FailureReason, RouteStatus, StopStatus
from connectors.optimoroute.mapping import (
    Account,
    ConfiguredDriver,
    Progress,
    Surroundings,
    failure_reason,
    is_written_to,
    read_route_ref,
    route_ref,
    route_status,
    to_address,
    to_drivers,
    to_stop,
    with_access_code,
    with_note,
)
from connectors.optimoroute.payloads import Completion, Location, Order, OrderStatus, Schedule, WireRoute
from connectors.optimoroute.writing import days_between
from connectors.world.town import FAILURES, OTHER_FAILURES, Failure

ACCOUNT = Account("America/New_York")
NOW = datetime(2026, 6, 8, 13, 0, tzinfo=UTC)
TODAY = "2026-06-08"


def order(**changes: Any) -> Order:
    body: dict[str, Any] = {"id": "o1", "orderNo": "A-1", "date": TODAY}
    return Order.model_validate(body | changes)


def schedule(**changes: Any) -> Schedule:
    body: dict[str, Any] = {"driverSerial": "001", "scheduledAtDt": f"{TODAY} 10:00:00"}
    return Schedule.model_validate(body | changes)


def around(status: str = "scheduled", plan: Schedule | None = None, **progress: Any) -> Surroundings:
    return Surroundings(plan or schedule(), Completion(status=status), **progress)


def driven(statuses: dict[str, OrderStatus], ids: tuple[str, ...] = ("o0", "o1", "o2")) -> Progress:
    route = WireRoute.model_validate({"driverSerial": "001", "stops": [{"id": item} for item in ids]})
    return Progress(route, date(2026, 6, 8), statuses)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("unscheduled", StopStatus.PLANNED),
        ("scheduled", StopStatus.ASSIGNED),
        ("on_route", StopStatus.OUT_FOR_DELIVERY),
        ("servicing", StopStatus.ARRIVING),
        ("success", StopStatus.DELIVERED),
        ("failed", StopStatus.FAILED),
        ("rejected", StopStatus.FAILED),
        ("cancelled", StopStatus.CANCELLED),
        ("", StopStatus.ASSIGNED),
    ],
)
def test_every_status_has_its_word(told: str, status: StopStatus) -> None:
    assert to_stop(order(), ACCOUNT, NOW, around(told)).status is status


def test_an_order_of_which_nothing_is_known_waits_to_be_planned() -> None:
    stop = to_stop(order(), ACCOUNT, NOW)
    assert (stop.status, stop.driver_ref, stop.window, stop.eta_at) == (StopStatus.PLANNED, None, None, None)


@pytest.mark.parametrize(
    ("statuses", "status", "sequence"),
    [
        ({}, StopStatus.ASSIGNED, 1),
        ({"o0": OrderStatus.CANCELLED}, StopStatus.ASSIGNED, 0),
        ({"o0": OrderStatus.ON_ROUTE}, StopStatus.OUT_FOR_DELIVERY, 1),
        ({"o2": OrderStatus.SERVICING}, StopStatus.OUT_FOR_DELIVERY, 2),
        ({"o0": OrderStatus.SUCCESS}, StopStatus.OUT_FOR_DELIVERY, 0),
        ({"o0": OrderStatus.REJECTED}, StopStatus.OUT_FOR_DELIVERY, 0),
    ],
)
def test_a_scheduled_stop_is_out_once_its_driver_is_under_way(
    statuses: dict[str, OrderStatus], status: StopStatus, sequence: int
) -> None:
    stop = to_stop(order(), ACCOUNT, NOW, around(progress=driven(statuses)))
    assert (stop.status, stop.sequence) == (status, sequence)


@pytest.mark.parametrize(
    ("changes", "plan", "status", "driver"),
    [
        ({}, {}, StopStatus.ASSIGNED, "001"),
        ({"assignedTo": {"serial": "001"}}, {}, StopStatus.ASSIGNED, "001"),
        ({"assignedTo": {"externalId": "D1"}}, {"driverExternalId": "D1"}, StopStatus.ASSIGNED, "D1"),
        ({"assignedTo": {"externalId": "D2"}}, {"driverExternalId": "D1"}, StopStatus.PLANNED, "D2"),
        ({"date": "2026-06-09"}, {}, StopStatus.PLANNED, None),
        ({}, {"scheduledAtDt": "", "scheduledAt": "10:00"}, StopStatus.ASSIGNED, "001"),
    ],
)
def test_a_plan_counts_until_the_order_wants_something_else(
    changes: dict[str, Any], plan: dict[str, Any], status: StopStatus, driver: str | None
) -> None:
    stop = to_stop(order(**changes), ACCOUNT, NOW, around(plan=schedule(**plan)))
    assert (stop.status, stop.driver_ref) == (status, driver)
    assert (stop.planned_at is None) is (status is StopStatus.PLANNED)


def test_once_the_driver_is_on_the_way_the_plan_is_what_counts() -> None:
    stop = to_stop(order(date="2026-06-09", assignedTo={"serial": "002"}), ACCOUNT, NOW, around("on_route"))
    assert (stop.driver_ref, stop.route_ref) == ("001", f"{TODAY}:001")


TWO = [{"twFrom": "16:00", "twTo": "18:00"}, {"twFrom": "08:00", "twTo": "10:00"}]


@pytest.mark.parametrize(
    ("hours_later", "opens"),
    [(0, 8), (0.99, 8), (1, 16), (9, 16), (48, 16)],
)
def test_of_several_windows_the_first_that_is_not_over_is_the_promise(hours_later: float, opens: int) -> None:
    stop = to_stop(order(timeWindows=TWO), ACCOUNT, NOW + timedelta(hours=hours_later))
    assert stop.window is not None
    assert stop.window.start_at == datetime(2026, 6, 8, opens + 4, tzinfo=UTC)


@pytest.mark.parametrize("day", ["", "soon", "2026-02-30"])
def test_an_order_without_a_day_has_no_promise(day: str) -> None:
    assert to_stop(order(date=day, timeWindows=TWO), ACCOUNT, NOW).window is None


def test_an_eta_is_told_only_of_open_stops() -> None:
    plan = schedule(liveEstimate={"arrivalTimeDt": f"{TODAY} 10:20:00"}, arrivalTimeDt=f"{TODAY} 09:58:00")
    assert to_stop(order(), ACCOUNT, NOW, around("on_route", plan)).eta_at == datetime(
        2026, 6, 8, 14, 20, tzinfo=UTC
    )
    assert to_stop(order(), ACCOUNT, NOW, around("success", plan)).eta_at is None
    assert to_stop(order(), ACCOUNT, NOW, around("on_route")).eta_at is None


@pytest.mark.parametrize(
    ("fields", "own_ref", "order_ref", "reattempt_of"),
    [
        ({}, None, "A-1", None),
        ({"customField3": " N-7 "}, None, "N-7", None),
        ({"customField5": "doorline"}, "A-1", None, None),
        ({"customField5": "doorline", "customField3": "N-7", "customField4": "o0"}, "A-1", "N-7", "o0"),
        ({"customField5": "theirs", "customField4": "fragile"}, None, "A-1", None),
        ({"orderNo": "", "customField5": "doorline"}, None, None, None),
    ],
)
def test_numbers_are_told_apart_by_whose_they_are(
    fields: dict[str, str], own_ref: str | None, order_ref: str | None, reattempt_of: str | None
) -> None:
    stop = to_stop(order(**fields), ACCOUNT, NOW)
    assert (stop.own_ref, stop.order_ref, stop.reattempt_of) == (own_ref, order_ref, reattempt_of)


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (
            "14 Elm St, 2B, Norwalk, CT 06850, United States",
            Address(
                line="14 Elm St 2B", city="Norwalk", region="CT", postcode="06850", country="United States"
            ),
        ),
        (
            "1 Main St, Springfield, IL 62701",
            Address(line="1 Main St", city="Springfield", region="IL", postcode="62701"),
        ),
        ("12 Rue Haute, Lyon", Address(line="12 Rue Haute, Lyon")),
        ("", Address(line="")),
    ],
)
def test_an_address_in_one_line_is_taken_apart_where_it_can_be(told: str, address: Address) -> None:
    assert to_address(Location(address=told)) == address


@settings(deadline=None)
@given(
    line=st.from_regex(r"[1-9]\d{0,3} [A-Z][a-z]{2,8} (St|Ave)( \d[A-D])?", fullmatch=True),
    city=st.from_regex(r"[A-Z][a-z]{2,12}( [A-Z][a-z]{2,6})?", fullmatch=True),
    postcode=st.from_regex(r"[0-9]{5}", fullmatch=True),
    country=st.sampled_from(["", "United States"]),
)
def test_an_address_that_we_write_reads_back_as_it_was(
    line: str, city: str, postcode: str, country: str
) -> None:
    address = Address(line=line, city=city, region="CT", postcode=postcode, country=country)
    assert to_address(Location(address=in_one_line(address))) == address


@pytest.mark.parametrize("failure", [*FAILURES, *OTHER_FAILURES], ids=lambda failure: failure.words)
def test_what_drivers_write_of_a_failure_is_understood(failure: Failure) -> None:
    assert failure_reason(failure.words) is failure.reason


@pytest.mark.parametrize("note", ["", "see photo"])
def test_a_note_that_says_nothing_is_no_reason(note: str) -> None:
    assert failure_reason(note) is FailureReason.OTHER


@settings(deadline=None)
@given(notes=st.text("ab \n", max_size=20), line=st.text("ab ", max_size=8))
def test_a_line_is_added_once_and_nothing_else_is_lost(notes: str, line: str) -> None:
    once = with_note(notes, line)
    assert with_note(once, line) == once
    assert set(notes.split()) | set(line.split()) == set(once.split())


@pytest.mark.parametrize(
    ("notes", "after"),
    [
        ("", "Access code: 77"),
        ("Ring", "Ring\nAccess code: 77"),
        ("Access code: 11\nRing", "Ring\nAccess code: 77"),
        ("Access code:11\nAccess code: 12", "Access code: 77"),
        ("The access code: ask", "The access code: ask\nAccess code: 77"),
    ],
)
def test_there_is_one_code_of_ours(notes: str, after: str) -> None:
    assert with_access_code(notes, " 77 ") == after
    assert with_access_code(after, "77") == after


@pytest.mark.parametrize(
    ("statuses", "is_sent", "told", "status"),
    [
        ({}, False, None, RouteStatus.PLANNED),
        ({}, True, None, RouteStatus.RELEASED),
        ({}, True, RouteStatus.STARTED, RouteStatus.STARTED),
        ({"o0": OrderStatus.SUCCESS}, True, None, RouteStatus.STARTED),
        ({"o0": OrderStatus.SUCCESS}, True, RouteStatus.FINISHED, RouteStatus.FINISHED),
        (
            dict.fromkeys(["o0", "o1", "o2"], OrderStatus.FAILED),
            True,
            RouteStatus.STARTED,
            RouteStatus.FINISHED,
        ),
    ],
)
def test_a_route_is_as_far_as_its_orders_or_its_events_say(
    statuses: dict[str, OrderStatus], is_sent: bool, told: RouteStatus | None, status: RouteStatus
) -> None:
    assert route_status(driven(statuses), is_sent=is_sent, told=told) is status


def test_a_driver_is_called_as_the_routes_call_them() -> None:
    sam = ConfiguredDriver(external_id="D-1", serial="001", phone="+17325550100", capacity=9)
    ada = ConfiguredDriver(external_id="D-2", name="Ada")
    account = Account("America/New_York", drivers=(sam, ada))
    routes = [
        WireRoute.model_validate({"driverSerial": "001", "driverName": "Sam"}),
        WireRoute.model_validate({"driverSerial": "003", "driverExternalId": "D-3", "driverName": "Eve"}),
    ]
    told = [
        (item.platform_ref, item.name, item.capacity, item.on_duty)
        for item in to_drivers(routes, account, {"001": True})
    ]
    assert told == [("001", "Sam", 9, True), ("D-3", "Eve", None, None), ("D-2", "Ada", None, None)]


def test_a_route_reference_reads_back() -> None:
    assert read_route_ref(route_ref(TODAY, "0:1")) == (date(2026, 6, 8), "0:1")
    assert [read_route_ref(ref) for ref in ("", TODAY, ":001", f"{TODAY}:", "x:1")] == [None] * 5


@settings(deadline=None)
@given(first=st.dates(date(2026, 1, 1), date(2027, 1, 1)), days=st.integers(0, 200), most=st.integers(1, 40))
def test_ranges_cover_every_day_once(first: date, days: int, most: int) -> None:
    last = first + timedelta(days=days)
    covered = [
        start + timedelta(days=number)
        for start, end in days_between(first, last, most)
        for number in range((end - start).days + 1)
    ]
    assert covered == [first + timedelta(days=number) for number in range(days + 1)]
    assert all((end - start).days < most for start, end in days_between(first, last, most))


@pytest.mark.parametrize(
    ("told", "expected"),
    [("", None), ("dont_notify", False), ("off", False), ("sms", True), ("email", True), ("both", True)],
)
def test_whether_optimoroute_writes_to_the_recipient_is_the_orders_word(
    told: str, expected: bool | None
) -> None:
    assert is_written_to(order(notificationPreference=told)) is expected
