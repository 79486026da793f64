"""Times of day on Route4Me's wire: seconds of a UTC day on stops, of the local clock on orders."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.base import DeliveryWindow
from connectors.route4me.windows import (
    order_seconds,
    route_date,
    route_day,
    stop_seconds,
    window_of_order,
    window_of_stop,
)

ZONES = ["America/New_York", "Asia/Tokyo", "Pacific/Auckland", "UTC", "Europe/London", "Asia/Kolkata"]
NEW_YORK = ZoneInfo("America/New_York")
TOKYO = ZoneInfo("Asia/Tokyo")
FALL_BACK = date(2026, 11, 1)
SPRING_FORWARD = date(2027, 3, 14)
FIVE = timedelta(minutes=5)


def local(zone: ZoneInfo, day: date, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, fold=fold), zone).astimezone(UTC)


def window(start: datetime, end: datetime) -> DeliveryWindow:
    return DeliveryWindow(start_at=start, end_at=end)


def test_a_route_day_is_midnight_utc_of_that_day() -> None:
    assert route_date(date(2017, 3, 7)) == 1_488_844_800
    assert route_day(1_488_844_800) == date(2017, 3, 7)


@pytest.mark.parametrize(
    ("zone", "day", "pair", "start", "end"),
    [
        (NEW_YORK, date(2026, 6, 8), (50_400, 57_600), (10, 0), (12, 0)),
        # The evening is after midnight UTC: as more than a day's seconds, or wrapped around.
        (NEW_YORK, date(2026, 6, 8), (82_800, 90_000), (19, 0), (21, 0)),
        (NEW_YORK, date(2026, 6, 8), (82_800, 3_600), (19, 0), (21, 0)),
        (NEW_YORK, date(2026, 6, 8), (0, 3_600), (20, 0), (21, 0)),
        # The morning in Tokyo is the day before in UTC, which only a wrapped number can say.
        (TOKYO, date(2026, 6, 8), (82_800, 3_600), (8, 0), (10, 0)),
        (NEW_YORK, FALL_BACK, (50_400, 57_600), (9, 0), (11, 0)),
        (NEW_YORK, SPRING_FORWARD, (50_400, 57_600), (10, 0), (12, 0)),
    ],
)
def test_a_stops_seconds_are_read_on_the_routes_local_day(
    zone: ZoneInfo, day: date, pair: tuple[int, int], start: tuple[int, int], end: tuple[int, int]
) -> None:
    assert window_of_stop(pair, day, zone) == window(local(zone, day, *start), local(zone, day, *end))


@pytest.mark.parametrize("pair", [(None, None), (None, 5), (5, None), (36_000, 36_000), (90_000, 88_000)])
def test_no_window_is_made_of_half_a_pair_or_an_empty_one(pair: tuple[int | None, int | None]) -> None:
    assert window_of_stop(pair, date(2026, 6, 8), NEW_YORK) is None


def test_tomorrow_on_todays_route_is_more_than_a_days_seconds() -> None:
    tomorrow = window(local(NEW_YORK, date(2026, 6, 9), 10), local(NEW_YORK, date(2026, 6, 9), 12))
    assert stop_seconds(tomorrow, date(2026, 6, 8), NEW_YORK) == (136_800, 144_000)


def test_yesterday_cannot_be_written_on_todays_route() -> None:
    yesterday = window(local(NEW_YORK, date(2026, 6, 7), 10), local(NEW_YORK, date(2026, 6, 7), 12))
    assert stop_seconds(yesterday, date(2026, 6, 8), NEW_YORK) is None


@given(
    name=st.sampled_from(ZONES),
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    start=st.integers(0, 30 * 12),
    length=st.integers(1, 24 * 12),
)
@example(name="America/New_York", day=FALL_BACK, start=12, length=12)
@example(name="America/New_York", day=FALL_BACK, start=0, length=36)
@example(name="America/New_York", day=SPRING_FORWARD, start=12, length=12)
@example(name="Pacific/Auckland", day=date(2026, 4, 5), start=0, length=12)
@example(name="Pacific/Auckland", day=date(2026, 9, 27), start=12, length=12)
def test_what_is_written_on_a_stop_reads_the_same_or_is_not_written(
    name: str, day: date, start: int, length: int
) -> None:
    zone = ZoneInfo(name)
    opens = local(zone, day, 0) + start * FIVE
    wanted = window(opens, opens + length * FIVE)
    pair = stop_seconds(wanted, day, zone)
    if pair is not None:
        assert min(pair) >= 0
        assert window_of_stop(pair, day, zone) == wanted


@given(
    name=st.sampled_from(ZONES),
    day=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    start=st.integers(6 * 12, 22 * 12),
    length=st.integers(1, 6 * 12),
)
@example(name="America/New_York", day=FALL_BACK, start=6 * 12, length=72)
@example(name="America/New_York", day=SPRING_FORWARD, start=6 * 12, length=72)
def test_every_window_of_the_route_day_can_be_written_on_a_stop_and_on_an_order(
    name: str, day: date, start: int, length: int
) -> None:
    zone = ZoneInfo(name)
    clock = datetime.combine(day, time(0)) + start * FIVE
    opens = clock.replace(tzinfo=zone).astimezone(UTC)
    wanted = window(opens, opens + length * FIVE)
    pair = stop_seconds(wanted, day, zone)
    assert pair is not None
    assert window_of_stop(pair, day, zone) == wanted
    written = order_seconds(wanted, zone)
    assert written is not None or {day, day + timedelta(days=1)} & _fold_days(zone)
    if written is not None:
        assert window_of_order(written[1:], written[0], zone) == wanted


def _fold_days(zone: ZoneInfo) -> set[date]:
    """Days on which the clock goes back in the years that are looked at."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(731)]
    return {
        day for day in days if _midnights_offset(day, zone) > _midnights_offset(day + timedelta(days=1), zone)
    }


def _midnights_offset(day: date, zone: ZoneInfo) -> timedelta:
    offset = datetime.combine(day, time(0), zone).utcoffset()
    assert offset is not None
    return offset


def test_an_order_is_written_by_the_clock_also_on_the_day_that_the_clock_changes() -> None:
    for day in (FALL_BACK, SPRING_FORWARD, date(2026, 6, 8)):
        wanted = window(local(NEW_YORK, day, 10, 30), local(NEW_YORK, day, 12))
        assert order_seconds(wanted, NEW_YORK) == (day, 37_800, 43_200)


def test_the_second_of_two_equal_hours_has_no_number_on_an_order() -> None:
    first = window(local(NEW_YORK, FALL_BACK, 0, 30), local(NEW_YORK, FALL_BACK, 1, 30))
    second = window(local(NEW_YORK, FALL_BACK, 1, 0, fold=1), local(NEW_YORK, FALL_BACK, 1, 30, fold=1))
    assert order_seconds(first, NEW_YORK) == (FALL_BACK, 1_800, 5_400)
    assert order_seconds(second, NEW_YORK) is None
    # A stop counts elapsed seconds and can say it.
    assert stop_seconds(second, FALL_BACK, NEW_YORK) == (21_600, 23_400)


def test_a_window_past_midnight_stays_on_its_orders_day() -> None:
    late = window(local(NEW_YORK, date(2026, 6, 8), 22), local(NEW_YORK, date(2026, 6, 9), 1))
    assert order_seconds(late, NEW_YORK) == (date(2026, 6, 8), 79_200, 90_000)


@pytest.mark.parametrize("pair", [(0, 0), (None, 3), (7_200, 3_600)])
def test_an_order_without_times_has_no_window(pair: tuple[int | None, int | None]) -> None:
    assert window_of_order(pair, date(2026, 6, 8), NEW_YORK) is None
