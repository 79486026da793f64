"""What a calendar says, spelt out: repeated, moved, left out, all day, without a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.ical.mapping import UnreadableCalendarError, read_calendar, shifts_of
from tests.connectors.ical.feeds import ALL_DAY, BAD, CANCELLED, FLOATING, MOVED, UTC_EVENT, WEEKS, calendar

NEW_YORK = ZoneInfo("America/New_York")
JUNE, AUGUST = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


def told(text: str, start: datetime = JUNE, end: datetime = AUGUST) -> list[tuple[str, str, str]]:
    """New York's start and end, and the likeliest name."""
    return [
        (
            f"{shift.start_at.astimezone(NEW_YORK):%m-%d %H:%M}",
            f"{shift.end_at.astimezone(NEW_YORK):%m-%d %H:%M}",
            shift.names[0],
        )
        for shift in shifts_of(read_calendar(text), start, end, NEW_YORK)
    ]


def test_a_series_with_a_date_left_out_and_one_moved() -> None:
    assert told(calendar(WEEKS, MOVED)) == [
        ("06-01 08:00", "06-08 08:00", "dana@quickship.example"),
        ("06-30 08:00", "07-01 08:00", "lee@quickship.example"),
        ("07-13 08:00", "07-20 08:00", "dana@quickship.example"),
        ("07-27 08:00", "08-03 08:00", "dana@quickship.example"),
    ]


def test_a_series_keeps_its_local_time_through_the_change_of_the_clocks() -> None:
    november = told(calendar(WEEKS), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
    assert [start for start, _, _ in november] == ["10-19 08:00", "11-02 08:00", "11-16 08:00"]


@pytest.mark.parametrize(
    ("event", "shift"),
    [
        (ALL_DAY, ("07-04 00:00", "07-05 00:00", "Sam (holiday cover)")),
        (FLOATING, ("06-10 18:00", "06-10 22:00", "Lee")),
        (UTC_EVENT, ("06-10 20:00", "06-11 00:00", "Ode")),
    ],
)
def test_times_of_every_kind(event: str, shift: tuple[str, str, str]) -> None:
    assert told(calendar(event)) == [shift]


def test_what_is_cancelled_is_nobodys_and_a_bad_series_spoils_nothing_else() -> None:
    assert told(calendar(CANCELLED, BAD, UTC_EVENT)) == [("06-10 20:00", "06-11 00:00", "Ode")]


def test_who_declined_is_not_named() -> None:
    (first, *_) = shifts_of(read_calendar(calendar(WEEKS)), JUNE, AUGUST, NEW_YORK)
    assert first.names == ("dana@quickship.example", "Dana Reyes", "On call")


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (datetime(2026, 6, 8, 12, tzinfo=UTC), datetime(2026, 6, 9, tzinfo=UTC), 0),
        (datetime(2026, 6, 8, 11, 59, 59, tzinfo=UTC), datetime(2026, 6, 9, tzinfo=UTC), 1),
        (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), 0),
    ],
)
def test_a_stretch_is_half_open(start: datetime, end: datetime, count: int) -> None:
    assert len(told(calendar(WEEKS), start, end)) == count


@pytest.mark.parametrize("text", ["", "<html>sign in</html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCalendarError):
        read_calendar(text)
