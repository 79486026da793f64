"""Time. The day's time decides about deliveries; wall time decides how long a person has waited.

In production both are the same. In the demo the day may run sixty times faster, while whoever types into
the phone still waits in real seconds.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The day's time, aware UTC."""
        ...

    def wall(self) -> datetime:
        """What a waiting person's watch says, aware UTC."""
        ...

    @property
    def speed(self) -> float:
        """How many seconds of the day pass in one second of wall time."""
        ...


class SystemClock:
    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    wall = now


@dataclass(frozen=True)
class Pace:
    """From `wall_at` on, the day stood at `day_at` and runs `speed` times as fast as the wall clock."""

    wall_at: datetime
    day_at: datetime
    speed: float

    def day(self, wall: datetime) -> datetime:
        return self.day_at + (wall - self.wall_at) * self.speed

    def as_json(self) -> str:
        return json.dumps(
            {"wall_at": self.wall_at.isoformat(), "day_at": self.day_at.isoformat(), "speed": self.speed}
        )

    @classmethod
    def from_json(cls, text: str) -> "Pace":
        values = json.loads(text)
        return cls(
            datetime.fromisoformat(values["wall_at"]),
            datetime.fromisoformat(values["day_at"]),
            float(values["speed"]),
        )


class PretendedClock:
    """The pretended day's clock, shared by several processes through one small file.

    The process that plays the outside world writes it; the others only read. While no process has run, the
    day stands still: `resume` continues where it was cut off instead of skipping the hours in between.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._modified_ns = -1
        self._pace: Pace | None = None

    def start(self, day_at: datetime, speed: float) -> None:
        self._write(Pace(self.wall(), day_at, speed))

    def resume(self, speed: float) -> None:
        """Continues from the last beat that was left by `beat`."""
        beat = self._path.with_suffix(".beat")
        day_at = datetime.fromisoformat(beat.read_text()) if beat.exists() else self._current().day_at
        self._write(Pace(self.wall(), day_at, speed))

    def beat(self) -> None:
        """Leaves a mark of the day's time, so that a killed day can be resumed."""
        _replace(self._path.with_suffix(".beat"), self.now().isoformat())

    def set_speed(self, speed: float) -> None:
        self._write(Pace(self.wall(), self.now(), speed))

    def now(self) -> datetime:
        return self._current().day(self.wall())

    def wall(self) -> datetime:
        return datetime.now(UTC)

    @property
    def speed(self) -> float:
        return self._current().speed

    def _current(self) -> Pace:
        modified_ns = os.stat(self._path).st_mtime_ns
        if self._pace is None or modified_ns != self._modified_ns:
            self._pace = Pace.from_json(self._path.read_text())
            self._modified_ns = modified_ns
        return self._pace

    def _write(self, pace: Pace) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _replace(self._path, pace.as_json())


def _replace(path: Path, text: str) -> None:
    """Writes whole or not at all: a reader never sees half a file."""
    draft = path.with_suffix(path.suffix + ".draft")
    draft.write_text(text)
    draft.replace(path)


def ceil_to_minutes(moment: datetime, minutes: int) -> datetime:
    """The first instant at or after `moment` whose minute is a multiple of `minutes`."""
    floor = moment.replace(second=0, microsecond=0) - timedelta(minutes=moment.minute % minutes)
    return floor if floor == moment else floor + timedelta(minutes=minutes)
