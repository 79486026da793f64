"""A pretended Onfleet account with one driver and three stops, and a clock that only tests move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.emulator_store import Json
from tests.connectors.towns import TIMEZONE, Clock, visit

API_KEY = "test-key"
SECRET = "5c" * 32


@dataclass
class Town:
    """The emulator with one driver and the stops S-1, S-2, S-3 in this order, windows 10-12, 12-14, 14-16."""

    emulator: OnfleetEmulator
    url: str
    clock: Clock
    driver: str
    tasks: list[Json]

    @property
    def refs(self) -> list[str]:
        return [task["id"] for task in self.tasks]

    def task(self, index: int) -> Json:
        return self.emulator.store.task(self.refs[index])


Connect = Callable[..., OnfleetPlatform]


def new_emulator(clock: Clock, **options: object) -> OnfleetEmulator:
    given = {"rate_limit": None, "repeat_seconds": 0.05} | options
    return OnfleetEmulator(API_KEY, SECRET, now=clock, timezone=TIMEZONE, **given)  # type: ignore[arg-type]


def add_driver(emulator: OnfleetEmulator, key: str = "R-1") -> str:
    return emulator.add_worker(
        key,
        name="Sam Porter",
        display_name="North 1",
        phone="+17325550100",
        team=emulator.add_team("North"),
        location=(41.1, -73.4),
    )


def add_stop(emulator: OnfleetEmulator, clock: Clock, driver: str, number: int, **changes: object) -> Json:
    opens = clock.at + timedelta(hours=2 * number - 1)
    given: dict[str, object] = {
        "worker": driver,
        **visit(number, opens),
        "created_at": clock.at - timedelta(hours=14) + timedelta(seconds=number),
        "metadata": {"client": "Acme", "zone": "North"},
        "notes": "Ring twice",
    }
    return emulator.add_task(f"S-{number}", **(given | changes))  # type: ignore[arg-type]
