"""Which local day a stop belongs to: at midnight, over midnight, across clock changes, without a promise."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.manifest.days import anywhere_on, day_bounds, day_of, is_post_due, main_timezone, read_day
from bot.sop import local_day
from connectors.base import StopStatus
from tests.bot.manifest.day import NEW_YORK, NOON, at, stop

ZONES = (NEW_YORK, "Europe/London", "Asia/Kolkata", "Pacific/Apia", "Pacific/Pago_Pago", "America/Santiago")


@pytest.mark.parametrize(
    ("window", "day"),
    [
        (("00:00", "02:00"), date(2026, 6, 9)),
        (("22:00", "23:59"), date(2026, 6, 9)),
        (("08:00", "10:00"), date(2026, 6, 9)),
    ],
)
def test_the_day_is_that_of_the_windows_start_where_the_stop_is(window: tuple[str, str], day: date) -> None:
    assert day_of(stop("a", window)) == day


def test_a_window_over_midnight_belongs_to_the_day_it_starts_on() -> None:
    record = stop("a", ("23:00", "23:30"))
    record.window_end_at = at("01:00", date(2026, 6, 10))
    assert day_of(record) == date(2026, 6, 9)


@pytest.mark.parametrize(
    ("times", "day"),
    [
        ({"planned_at": at("09:00"), "eta_at": at("09:00", date(2026, 6, 10))}, date(2026, 6, 9)),
        ({"eta_at": at("23:59")}, date(2026, 6, 9)),
        ({"completed_at": at("00:00", date(2026, 6, 10))}, date(2026, 6, 10)),
        ({}, None),
    ],
)
def test_without_a_promise_plan_then_eta_then_completion_say(times: dict[str, Any], day: date | None) -> None:
    assert day_of(stop("a", None, **times)) == day


@pytest.mark.parametrize(
    ("day", "timezone", "hours"),
    [
        (date(2026, 3, 8), NEW_YORK, 23),
        (date(2026, 11, 1), NEW_YORK, 25),
        (date(2026, 6, 9), NEW_YORK, 24),
        (date(2026, 9, 6), "America/Santiago", 23),  # clocks leap over midnight itself
        (date(2026, 4, 4), "America/Santiago", 25),
        (date(2026, 10, 4), "Australia/Lord_Howe", 23.5),
        (date(2026, 6, 9), "Nowhere/Else", 24),
    ],
)
def test_a_day_is_as_long_as_clocks_say(day: date, timezone: str, hours: float) -> None:
    start, end = day_bounds(day, timezone)
    assert end - start == timedelta(hours=hours)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_every_instant_lies_in_exactly_the_day_it_is_told_of(moment: datetime, timezone: str) -> None:
    day = local_day(moment, timezone)
    start, end = day_bounds(day, timezone)
    assert start <= moment < end
    earliest, latest = anywhere_on(day)
    assert earliest <= start
    assert end <= latest


@pytest.mark.parametrize(
    ("post_at", "now", "due"),
    [
        (time(12), NOON - timedelta(seconds=1), False),
        (time(12), NOON, True),
        (time(12), NOON + timedelta(hours=11, minutes=59), True),
        (time(12), NOON + timedelta(hours=13), True),  # the next day: it was missed
        (time(12), NOON - timedelta(days=1), False),
        (None, NOON, False),
    ],
)
def test_it_is_due_from_its_time_on(post_at: time | None, now: datetime, due: bool) -> None:
    assert is_post_due(date(2026, 6, 9), NEW_YORK, post_at, now) is due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 8, 6, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 8, 7, 0, tzinfo=UTC), True),  # 2:30 does not exist: clocks show 3:00
    ],
)
def test_a_time_that_clocks_leap_over_comes_with_the_leap(now: datetime, due: bool) -> None:
    assert is_post_due(date(2026, 3, 8), NEW_YORK, time(2, 30), now) is due


@pytest.mark.parametrize(
    ("named", "main"),
    [([], None), (["b", "a"], "a"), (["b", "a", "b"], "b")],
)
def test_most_stops_say_in_which_time_zone_a_zone_is(named: list[str], main: str | None) -> None:
    assert main_timezone(named) == main


@pytest.mark.parametrize("written", ["", "tomorrow", "2026-02-30", "9999-12-31", "1999-12-31", "11/23/2026"])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_day(written)


def test_a_cancelled_stop_still_has_its_day() -> None:
    assert day_of(stop("a", status=StopStatus.CANCELLED)) == date(2026, 6, 9)
