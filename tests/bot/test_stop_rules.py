"""Which stops somebody can be asking about, and what in a text may be a tracking number."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.stops.models import StopRecord
from bot.stops.rules import askable, confirmed_at, looks_like_reference, tracking_candidates
from connectors.base import StopStatus

NOW = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
"""Noon in New York."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def stop(
    name: str,
    *,
    starts: timedelta | None = 2 * HOUR,
    status: StopStatus = StopStatus.ASSIGNED,
    completed: timedelta | None = None,
    eta: timedelta | None = None,
) -> StopRecord:
    """Times count from `NOW`."""
    return StopRecord(
        platform="onfleet",
        platform_ref=name,
        tracking=name,
        status=status,
        timezone="America/New_York",
        window_start_at=None if starts is None else NOW + starts,
        window_end_at=None if starts is None else NOW + starts + 2 * HOUR,
        eta_at=None if eta is None else NOW + eta,
        completed_at=None if completed is None else NOW + completed,
        changed_at=NOW,
        confirmed_at=NOW,
    )


def asked(*stops: StopRecord) -> list[str]:
    return [found.tracking for found in askable(stops, NOW)]


def test_todays_open_stops_come_first_by_their_windows() -> None:
    evening, noon, tomorrow = stop("evening", starts=6 * HOUR), stop("noon"), stop("tomorrow", starts=DAY)
    done = stop("done", status=StopStatus.DELIVERED, completed=-HOUR)
    assert asked(evening, tomorrow, done, noon) == ["noon", "evening"]


def test_an_overdue_stop_of_yesterday_is_still_asked_about() -> None:
    assert asked(stop("overdue", starts=-DAY), stop("today")) == ["overdue", "today"]


def test_without_open_ones_todays_finished_stops_are_meant() -> None:
    done = stop("done", status=StopStatus.DELIVERED, completed=-HOUR)
    assert asked(done, stop("tomorrow", starts=DAY)) == ["done"]


def test_a_failed_stop_of_today_is_asked_about_too() -> None:
    assert asked(stop("failed", status=StopStatus.FAILED, completed=-HOUR)) == ["failed"]


def test_else_the_next_open_ones() -> None:
    yesterdays = stop("yesterdays", starts=-DAY, status=StopStatus.DELIVERED, completed=-DAY)
    assert asked(stop("later", starts=2 * DAY), stop("tomorrow", starts=DAY), yesterdays) == [
        "tomorrow",
        "later",
    ]


def test_else_the_newest_finished_one_of_a_fortnight() -> None:
    old = stop("old", status=StopStatus.DELIVERED, completed=-3 * DAY)
    newer = stop("newer", status=StopStatus.DELIVERED, completed=-2 * DAY)
    assert asked(old, newer) == ["newer"]
    assert asked(stop("ancient", status=StopStatus.DELIVERED, completed=-15 * DAY)) == []


def test_a_stop_without_window_is_todays_when_its_eta_is() -> None:
    assert asked(stop("eta", starts=None, eta=HOUR), stop("tomorrow", starts=DAY)) == ["eta"]
    assert asked(stop("no day", starts=None), stop("tomorrow", starts=DAY)) == ["no day", "tomorrow"]


def test_the_day_is_the_stops_own_not_utcs() -> None:
    # 21:00 in New York is tomorrow in UTC.
    assert asked(stop("tonight", starts=9 * HOUR), stop("tomorrow", starts=DAY)) == ["tonight"]


def test_nothing_known_nothing_askable() -> None:
    assert asked() == []
    assert asked(stop("cancelled", status=StopStatus.CANCELLED)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("QS123456", ["qs123456"]),
        ("it's qs-123456, thanks", ["qs-123456"]),
        ("AB12CD34 or ab12cd34", ["ab12cd34"]),
        ("first 1Z999AA1 then 88776655", ["1z999aa1", "88776655"]),
        ("12345", []),
        ("tomorrow between 2 and 4", []),
        ("package", []),
        ("a" * 25 + "1", []),
        ("", []),
    ],
)
def test_tracking_candidates(text: str, found: list[str]) -> None:
    assert tracking_candidates(text) == found


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("QS123456", True),
        ("its QS123456", True),
        ("my tracking number is QS123456", True),
        ("order QS123456 where is it", True),
        ("mi pedido es QS123456", True),
        ("número QS123456 por favor señor", True),
        ("can you come on 2026-06-10 after five", False),
        ("call me at 2125550100 when you are near", False),
        ("where is my order", False),
        ("", False),
    ],
)
def test_a_reference_is_offered_on_purpose(text: str, is_one: bool) -> None:
    assert looks_like_reference(text) is is_one


def test_news_are_as_old_as_the_newer_of_event_and_whole_read() -> None:
    record = stop("any")
    assert confirmed_at(record, None) == NOW
    assert confirmed_at(record, NOW - HOUR) == NOW
    assert confirmed_at(record, NOW + HOUR) == NOW + HOUR
