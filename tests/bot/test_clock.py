"""The pretended day's clock: it runs at its pace, is shared, and goes on where it was cut off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import Pace, PretendedClock, SystemClock, ceil_to_minutes

MORNING = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)


class SteppedClock(PretendedClock):
    """A pretended clock whose wall time the test moves."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.wall_at = datetime(2030, 1, 1, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.wall_at

    def wait(self, seconds: float) -> None:
        self.wall_at += timedelta(seconds=seconds)


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    clock = SteppedClock(tmp_path / "clock.json")
    clock.start(MORNING, speed=60)
    return clock


def test_a_minute_of_the_day_passes_in_a_second_at_sixty_fold(clock: SteppedClock) -> None:
    clock.wait(10)
    assert clock.now() == MORNING + timedelta(minutes=10)


def test_a_change_of_speed_neither_skips_nor_repeats_time(clock: SteppedClock) -> None:
    clock.wait(10)
    clock.set_speed(1)
    assert clock.now() == MORNING + timedelta(minutes=10)
    clock.wait(10)
    assert clock.now() == MORNING + timedelta(minutes=10, seconds=10)


def test_a_second_process_sees_every_change_at_once_however_quickly_they_follow(clock: SteppedClock) -> None:
    reader = PretendedClock(clock._path)
    for speed in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0):
        clock.set_speed(speed)
        assert reader.speed == speed


def test_the_day_stands_still_while_nobody_plays_it(clock: SteppedClock) -> None:
    clock.wait(60)
    clock.beat()
    clock.wait(3600)
    clock.resume(speed=60)
    assert clock.now() == MORNING + timedelta(hours=1)
    clock.wait(1)
    assert clock.now() == MORNING + timedelta(hours=1, minutes=1)


def test_a_day_killed_before_its_first_beat_begins_again(clock: SteppedClock) -> None:
    clock.wait(3600)
    clock.resume(speed=1)
    assert clock.now() == MORNING


def test_a_pace_survives_its_file() -> None:
    pace = Pace(MORNING, MORNING + timedelta(days=1, microseconds=7), 12.5)
    assert Pace.from_json(pace.as_json()) == pace


def test_the_real_clock_is_aware_and_both_its_times_are_one() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - clock.wall()) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("said", "rounded"),
    [
        ("15:00:00", "15:00"),
        ("15:00:00.000001", "15:05"),
        ("15:01:00", "15:05"),
        ("15:05:00", "15:05"),
        ("15:59:59", "16:00"),
    ],
)
def test_promises_are_rounded_up_to_five_minutes(said: str, rounded: str) -> None:
    moment = datetime.fromisoformat(f"2026-06-09T{said}+00:00")
    assert ceil_to_minutes(moment, 5) == datetime.fromisoformat(f"2026-06-09T{rounded}+00:00")
