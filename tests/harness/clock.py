"""Clocks for tests: one that stands still until the test moves it, and the real one."""

from datetime import UTC, datetime, timedelta

NOON_IN_NEW_YORK = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
"""Tuesday, June 9th, 12:00 EDT: a working day with its afternoon to come."""


class ManualClock:
    speed = 1.0

    def __init__(self, at: datetime = NOON_IN_NEW_YORK) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.now()

    def move(self, delta: timedelta) -> None:
        self.at += delta


class RunningClock(ManualClock):
    """Real time: for stories whose app is another process. It cannot be moved."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def move(self, delta: timedelta) -> None:
        raise AssertionError(f"real time cannot be moved by {delta}")
