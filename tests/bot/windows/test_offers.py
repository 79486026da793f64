"""Windows that may be offered in a reschedule."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bot.windows import offered_windows, public_holidays

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
