"""Quiet hours are the stop's own, through both changes of the clock; what is urgent has its own."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversations.quiet import hold_until, quiet_hours
from bot.sop import ProtocolInForce, QuietHours
from tests.harness.protocol import QUIET

RULES = QuietHours()
NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
MINUTE = timedelta(minutes=1)


def local(text: str, timezone: str = NEW_YORK, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "urgent", "until"),
    [
        ("2024-06-10 20:59", False, None),
        ("2024-06-10 21:00", False, "2024-06-11 08:00"),
        ("2024-06-10 23:30", False, "2024-06-11 08:00"),
        ("2024-06-11 00:00", False, "2024-06-11 08:00"),
        ("2024-06-11 07:59", False, "2024-06-11 08:00"),
        ("2024-06-11 08:00", False, None),
        ("2024-06-10 21:30", True, None),
        ("2024-06-10 22:00", True, "2024-06-11 07:00"),
        ("2024-06-11 07:00", True, None),
        ("2024-03-09 22:00", False, "2024-03-10 08:00"),
        ("2024-11-02 22:00", False, "2024-11-03 08:00"),
    ],
)
def test_a_message_waits_for_the_morning(now: str, urgent: bool, until: str | None) -> None:
    held = hold_until(local(now), NEW_YORK, RULES, urgent=urgent)
    assert held == (local(until) if until else None)


def test_the_night_is_the_stops_own_and_not_the_operators() -> None:
    now = local("2024-06-10 22:00")
    assert hold_until(now, LOS_ANGELES, RULES, urgent=False) is None
    assert hold_until(now, NEW_YORK, RULES, urgent=False) is not None


def test_the_night_before_the_clocks_change_lasts_an_hour_less_or_more() -> None:
    for evening, hours in (("2024-03-09 21:00", 10), ("2024-11-02 21:00", 12), ("2024-06-10 21:00", 11)):
        now = local(evening)
        until = hold_until(now, NEW_YORK, RULES, urgent=False)
        assert until is not None
        assert until - now == timedelta(hours=hours)


def test_an_end_that_the_clocks_skip_or_repeat_still_comes() -> None:
    rules = QuietHours(start=time(23), end=time(2, 30))
    until = hold_until(local("2024-03-10 00:30"), NEW_YORK, rules, urgent=False)
    assert until == local("2024-03-10 03:30")
    rules = QuietHours(start=time(23), end=time(1, 30))
    again = local("2024-11-03 01:10", fold=1)
    assert hold_until(again, NEW_YORK, rules, urgent=False) == local("2024-11-03 01:30", fold=1)


def test_the_same_time_twice_is_never_quiet() -> None:
    rules = QuietHours(start=time(9), end=time(9))
    assert hold_until(local("2024-06-10 09:00"), NEW_YORK, rules, urgent=False) is None


zones = st.sampled_from(
    [NEW_YORK, LOS_ANGELES, "America/Phoenix", "Europe/Madrid", "Australia/Lord_Howe", "UTC"]
)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
instants = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: EARLIEST + minutes * MINUTE)


def is_quiet(moment: datetime, zone: ZoneInfo, rules: QuietHours) -> bool:
    at = moment.astimezone(zone).time()
    if rules.start <= rules.end:
        return rules.start <= at < rules.end
    return not rules.end <= at < rules.start


@settings(max_examples=300, deadline=None)
@given(instants, zones, times, times)
def test_what_is_held_leaves_when_the_night_is_over_and_never_within_it(
    now: datetime, timezone: str, start: time, end: time
) -> None:
    zone, rules = ZoneInfo(timezone), QuietHours(start=start, end=end)
    until = hold_until(now, timezone, rules, urgent=False)
    assert (until is not None) is is_quiet(now, zone, rules)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert hold_until(until, timezone, rules, urgent=False) is None
        # Quiet all the time until then; but for the hour at most by which the clocks jump.
        minutes = int((until - now) / MINUTE)
        awake = [step for step in range(minutes) if not is_quiet(now + step * MINUTE, zone, rules)]
        assert len(awake) <= 60


def test_the_protocol_in_force_decides_and_an_unknown_zone_is_the_operators(tmp_path: Path) -> None:
    text = QUIET.read_text("utf-8")
    path = tmp_path / "sop.yml"
    path.write_text(text.replace('start: "21:00"', 'start: "20:00"'), "utf-8")
    hold = quiet_hours(ProtocolInForce(path))
    assert hold(local("2024-06-10 20:30"), NEW_YORK) == local("2024-06-11 08:00")
    assert hold(local("2024-06-10 20:30"), "Mars/Olympus") == local("2024-06-11 08:00")
    assert quiet_hours(ProtocolInForce(path), urgent=True)(local("2024-06-10 20:30"), NEW_YORK) is None


def test_a_protocol_that_says_nothing_of_the_night_has_the_usual_one(tmp_path: Path) -> None:
    text = QUIET.read_text("utf-8")
    before, after = text.split("quiet_hours:", 1)
    path = tmp_path / "sop.yml"
    path.write_text(before + after[after.index("platforms:") :], "utf-8")
    assert ProtocolInForce(path).current.quiet_hours == RULES
