"""Windows that may be offered in a reschedule."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bot.windows import (
    count_bookings,
    offered_windows,
    public_holidays,
    why_not_bookable,
    windows_on,
    windows_within,
)
from bot.windows.offers import BookingRules
from connectors.base import DeliveryWindow

ZONE = "America/New_York"
MORNING, AFTERNOON = (time(8), time(12)), (time(12), time(17))


def offered(now: datetime, **changes: object) -> list[str]:
    settings: dict[str, object] = {
        "service_windows": [AFTERNOON, MORNING],
        "days_ahead": 2,
        "cutoff_minutes": 60,
    }
    windows = offered_windows(now, ZONE, **(settings | changes))  # type: ignore[arg-type]
    return [f"{window.start_at.astimezone(ZoneInfo(ZONE)):%a %H:%M}" for window in windows]


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo(ZONE))


def test_windows_come_in_order_and_none_that_begins_within_the_cutoff() -> None:
    assert offered(local(10, 11)) == ["Wed 12:00", "Thu 08:00", "Thu 12:00", "Fri 08:00", "Fri 12:00"]
    assert offered(local(10, 11, 1))[0] == "Thu 08:00"


def test_sundays_and_blocked_days_are_left_out() -> None:
    assert offered(local(13, 18), blocked={date(2026, 6, 15)}) == []
    assert offered(local(13, 18)) == ["Mon 08:00", "Mon 12:00"]
    assert offered(local(13, 18), weekdays=range(7), days_ahead=1) == ["Sun 08:00", "Sun 12:00"]


def test_public_holidays_can_be_blocked() -> None:
    juneteenth = offered(local(18, 18), blocked=public_holidays("en-US"), days_ahead=1)
    assert juneteenth == []
    assert offered(local(18, 18), blocked=public_holidays("en-GB"), days_ahead=1) == [
        "Fri 08:00",
        "Fri 12:00",
    ]


def test_windows_keep_their_wall_clock_over_a_clock_change() -> None:
    windows = offered_windows(
        datetime(2026, 10, 31, 18, tzinfo=ZoneInfo(ZONE)),
        ZONE,
        service_windows=[MORNING],
        days_ahead=1,
        cutoff_minutes=0,
        weekdays=range(7),
    )
    assert [window.start_at.isoformat() for window in windows] == ["2026-11-01T13:00:00+00:00"]


EVENING = (time(17), time(21))
SERVICE = [MORNING, AFTERNOON, EVENING]
RULES: BookingRules = {"days_ahead": 5, "cutoff_minutes": 60}


def window(day: int, start: int, end: int) -> DeliveryWindow:
    return DeliveryWindow(start_at=local(day, start), end_at=local(day, end))


def hours(windows: list[DeliveryWindow]) -> list[str]:
    zone = ZoneInfo(ZONE)
    return [f"{each.start_at.astimezone(zone):%a %H}-{each.end_at.astimezone(zone):%H}" for each in windows]


def test_a_wished_day_is_answered_with_the_windows_of_that_day() -> None:
    friday = windows_on(date(2026, 6, 12), local(10, 11), ZONE, service_windows=SERVICE, **RULES)
    assert hours(friday) == ["Fri 08-12", "Fri 12-17", "Fri 17-21"]


def test_a_wished_day_may_have_only_its_rest_left_or_nothing() -> None:
    def on(day: int) -> list[str]:
        return hours(
            windows_on(date(2026, 6, day), local(10, 11, 30), ZONE, service_windows=SERVICE, **RULES)
        )

    assert on(10) == ["Wed 17-21"]
    assert on(14) == []
    assert on(16) == []
    assert on(9) == []


def test_a_wish_is_met_by_every_service_window_that_it_overlaps() -> None:
    def within(start: int, end: int) -> list[str]:
        wish = window(11, start, end)
        return hours(windows_within(wish, local(10, 11), ZONE, service_windows=SERVICE, **RULES))

    assert within(16, 18) == ["Thu 12-17", "Thu 17-21"]
    assert within(8, 12) == ["Thu 08-12"]
    assert within(21, 22) == []


def test_a_wish_that_has_begun_is_met_by_what_is_left_of_it() -> None:
    wish = window(10, 8, 21)
    now = local(10, 15)
    assert why_not_bookable(wish, now, ZONE, **RULES) == "too_soon"
    assert hours(windows_within(wish, now, ZONE, service_windows=SERVICE, **RULES)) == ["Wed 17-21"]


def test_full_windows_are_not_offered() -> None:
    rules: BookingRules = {**RULES, "days_ahead": 1, "capacity": 2, "booked": {window(11, 8, 12): 2}}
    windows = offered_windows(local(10, 16), ZONE, service_windows=SERVICE, **rules)
    assert hours(windows) == ["Wed 17-21", "Thu 12-17", "Thu 17-21"]


def test_a_named_window_is_full_once_every_window_it_touches_is() -> None:
    booked = {window(11, 8, 12): 2, window(11, 12, 17): 1}
    rules: BookingRules = {**RULES, "capacity": 2, "booked": booked}

    def problem(start: int, end: int) -> str | None:
        return why_not_bookable(window(11, start, end), local(10, 11), ZONE, service_windows=SERVICE, **rules)

    assert problem(9, 11) == "full"
    assert problem(9, 13) is None
    assert problem(12, 17) is None


def test_without_service_windows_a_named_window_counts_for_itself() -> None:
    rules: BookingRules = {**RULES, "capacity": 1, "booked": {window(11, 9, 11): 1}}
    assert why_not_bookable(window(11, 9, 11), local(10, 11), ZONE, **rules) == "full"
    assert why_not_bookable(window(11, 9, 12), local(10, 11), ZONE, **rules) is None


def test_no_capacity_holds_nothing_and_none_is_no_limit() -> None:
    thursday = window(11, 8, 12)
    unlimited: BookingRules = {**RULES, "booked": {thursday: 900}, "capacity": None}
    assert why_not_bookable(thursday, local(10, 11), ZONE, **unlimited) is None
    closed: BookingRules = {**RULES, "capacity": 0}
    assert why_not_bookable(thursday, local(10, 11), ZONE, **closed) == "full"


def test_bookings_count_where_most_of_them_lies() -> None:
    booked = [
        window(11, 8, 12),
        window(11, 9, 11),
        window(11, 11, 14),
        window(11, 10, 14),
        window(11, 21, 22),
    ]
    assert count_bookings(booked, ZONE, SERVICE) == {
        window(11, 8, 12): 3,
        window(11, 12, 17): 1,
        window(11, 21, 22): 1,
    }


def test_a_window_in_the_hour_that_a_clock_change_skips_is_not_offered() -> None:
    night = [(time(2), time(3)), MORNING]
    now = datetime(2026, 3, 7, 18, tzinfo=ZoneInfo(ZONE))
    days: BookingRules = {**RULES, "weekdays": range(7)}
    assert hours(windows_on(date(2026, 3, 8), now, ZONE, service_windows=night, **days)) == ["Sun 08-12"]
