"""When a maintenance window is, as it was written."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.pauses.times import UnreadableTimeError, read_span

NEW_YORK = ZoneInfo("America/New_York")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("now", "fields", "start", "end"),
    [
        ("2026-06-09 12:00", {"minutes": "90"}, "2026-06-09 12:00", "2026-06-09 13:30"),
        ("2026-06-09 12:00", {"end": "14:00"}, "2026-06-09 12:00", "2026-06-09 14:00"),
        ("2026-06-09 14:00", {"end": "14:00"}, "2026-06-09 14:00", "2026-06-10 14:00"),
        ("2026-06-09 12:00", {"start": "22:00", "end": "02:00"}, "2026-06-09 22:00", "2026-06-10 02:00"),
        # After midnight it is the window that began yesterday.
        ("2026-06-10 01:00", {"start": "22:00", "end": "02:00"}, "2026-06-09 22:00", "2026-06-10 02:00"),
        ("2026-06-10 02:00", {"start": "22:00", "end": "02:00"}, "2026-06-10 22:00", "2026-06-11 02:00"),
        ("2026-06-09 12:00", {"start": "08:00", "end": "10:00"}, "2026-06-10 08:00", "2026-06-10 10:00"),
        ("2026-06-09 12:00", {"start": "11:00", "end": "13:00"}, "2026-06-09 11:00", "2026-06-09 13:00"),
        (
            "2026-06-09 12:00",
            {"date": "2026-06-20", "start": "22:00", "end": "02:00"},
            "2026-06-20 22:00",
            "2026-06-21 02:00",
        ),
        # The clocks go back: an hour more.
        (
            "2026-10-31 12:00",
            {"date": "2026-10-31", "start": "23:00", "end": "03:00"},
            "2026-10-31 23:00",
            "2026-11-01 03:00",
        ),
    ],
)
def test_a_span(now: str, fields: dict[str, str], start: str, end: str) -> None:
    assert read_span(fields, local(now), NEW_YORK) == (local(start), local(end))


def test_without_any_time_it_runs_until_it_is_lifted() -> None:
    now = local("2026-06-09 12:00")
    assert read_span({"minutes": "", "date": "", "start": "", "end": ""}, now, NEW_YORK) == (now, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"minutes": "soon"},
        {"minutes": "9" * 12},
        {"start": "10:00"},
        {"date": "2026-06-20"},
        {"end": "25:00"},
        {"date": "2026-02-30", "start": "10:00", "end": "11:00"},
        {"date": "9999-12-31", "start": "23:00", "end": "01:00"},
    ],
)
def test_what_is_no_time_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(UnreadableTimeError):
        read_span(fields, local("2026-06-09 12:00"), NEW_YORK)
