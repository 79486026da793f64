"""Windows and moments in an account's local texts, across clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import DeliveryWindow
from connectors.optimoroute.local_time import (
    known_zone,
    midnight,
    read_moment,
    read_window,
    to_instant,
    write_window,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "UTC"]
BACK = date(2026, 11, 1)
FORWARD = date(2027, 3, 14)
TWO_YEARS = (datetime.fromisoformat("2026-01-01T00:00"), datetime.fromisoformat("2028-01-01T00:00"))
"""Without a zone: what clocks show."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "tw_from", "tw_to", "start", "end"),
    [
        (date(2026, 6, 8), "09:00", "11:00", "2026-06-08T13:00", "2026-06-08T15:00"),
        # 01:30 comes twice: a window opens at the first and closes at the second.
        (BACK, "01:30", "03:00", "2026-11-01T05:30", "2026-11-01T08:00"),
        (BACK, "00:30", "01:30", "2026-11-01T04:30", "2026-11-01T06:30"),
        # 02:30 does not exist: it is the moment of the change.
        (FORWARD, "02:30", "04:00", "2027-03-14T07:00", "2027-03-14T08:00"),
        (FORWARD, "01:00", "02:30", "2027-03-14T06:00", "2027-03-14T07:00"),
        (FORWARD, "02:30", "03:15", "2027-03-14T07:00", "2027-03-14T07:15"),
    ],
)
def test_a_window_is_read_in_the_accounts_zone(
    day: date, tw_from: str, tw_to: str, start: str, end: str
) -> None:
    window = read_window(day, tw_from, tw_to, NEW_YORK)
    assert window == DeliveryWindow(start_at=utc(start), end_at=utc(end))


@pytest.mark.parametrize(
    ("day", "tw_from", "tw_to"),
    [
        (date(2026, 6, 8), "11:00", "09:00"),
        (date(2026, 6, 8), "09:00", "09:00"),
        (date(2026, 6, 8), "", "09:00"),
        (date(2026, 6, 8), "9 am", "11 am"),
        (date(2026, 6, 8), "25:00", "26:00"),
        (FORWARD, "02:10", "02:40"),
    ],
)
def test_what_is_no_window_is_none(day: date, tw_from: str, tw_to: str) -> None:
    assert read_window(day, tw_from, tw_to, NEW_YORK) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-06-08T22:00", "2026-06-09T06:00"),  # over midnight
        ("2026-06-09T02:00", "2026-06-09T04:00"),  # until midnight: the day has no 24:00
        ("2026-06-08T13:00:30", "2026-06-08T15:00"),  # seconds
        ("2026-11-01T06:30", "2026-11-01T08:00"),  # opens at the second 01:30
        ("2026-11-01T04:30", "2026-11-01T05:30"),  # closes at the first 01:30
        ("2026-11-01T05:30", "2026-11-01T06:30"),  # from 01:30 to 01:30
    ],
)
def test_a_window_that_local_texts_cannot_tell_is_not_written(start: str, end: str) -> None:
    assert write_window(DeliveryWindow(start_at=utc(start), end_at=utc(end)), NEW_YORK) is None


@settings(deadline=None)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    start=st.datetimes(*TWO_YEARS).map(lambda value: value.replace(second=0, microsecond=0, tzinfo=UTC)),
    length=st.integers(1, 1600).map(lambda value: timedelta(minutes=value)),
)
def test_a_window_that_is_written_reads_back_as_it_was(
    zone: ZoneInfo, start: datetime, length: timedelta
) -> None:
    window = DeliveryWindow(start_at=start, end_at=start + length)
    told = write_window(window, zone)
    if told is not None:
        assert read_window(*told, zone) == window
    else:
        # Only for a reason: it leaves the day, or touches a repeated hour.
        local_start, local_end = start.astimezone(zone), (start + length).astimezone(zone)
        leaves_the_day = local_start.date() != local_end.date()
        assert leaves_the_day or _is_repeated(local_start) or _is_repeated(local_end)


@settings(deadline=None)
@given(
    minute=st.integers(0, 8 * 60),
    length=st.integers(15, 300),
    change=st.sampled_from(["2026-11-01T04:00", "2027-03-14T05:00"]),
)
def test_on_the_day_of_a_clock_change_a_window_is_kept_or_refused_never_moved(
    minute: int, length: int, change: str
) -> None:
    start = utc(change) + timedelta(minutes=minute)
    window = DeliveryWindow(start_at=start, end_at=start + timedelta(minutes=length))
    told = write_window(window, NEW_YORK)
    assert told is None or read_window(*told, NEW_YORK) == window


@settings(deadline=None)
@given(local=st.datetimes(*TWO_YEARS), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_a_local_time_is_read_as_itself_where_it_exists_and_never_out_of_order(
    local: datetime, zone: ZoneInfo
) -> None:
    local = local.replace(microsecond=0)
    first, second = to_instant(local, zone), to_instant(local, zone, later=True)
    assert first <= second
    shown = first.astimezone(zone).replace(tzinfo=None, fold=0)
    assert shown >= local, "a time that does not exist is never told earlier"
    if shown != local:
        before = (first - timedelta(seconds=1)).astimezone(zone)
        assert before.utcoffset() != first.astimezone(zone).utcoffset(), "it is the moment of the change"


def _is_repeated(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-06-08 10:20:00", "2026-06-08T14:20"),
        ("2026-06-08 10:20", "2026-06-08T14:20"),
        ("2026-11-01 01:30:00", "2026-11-01T05:30"),
        ("2027-03-14 02:30:00", "2027-03-14T07:00"),
    ],
)
def test_a_moment_is_read_in_the_accounts_zone(text: str, instant: str) -> None:
    assert read_moment(text, NEW_YORK) == utc(instant)


@pytest.mark.parametrize("text", ["", "10:20", "2026-06-08", "soon", "2026-06-08 10:20:00+02:00"])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert read_moment(text, NEW_YORK) is None


def test_a_day_whose_midnight_does_not_exist_begins_at_the_change() -> None:
    havana = ZoneInfo("America/Havana")
    assert midnight(date(2026, 3, 8), havana) == utc("2026-03-08T05:00")


@pytest.mark.parametrize("name", ["", "EST5EDT6", "America/Nowhere", "/etc/localtime", "America"])
def test_a_zone_must_be_a_known_one(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        known_zone(name)
