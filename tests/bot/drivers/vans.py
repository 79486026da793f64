"""What the stories about drivers need: vans on Onfleet, their phones, tasks in Slack."""

from datetime import timedelta
from typing import Any

from sqlmodel import col

from bot.desk.models import DeskTask
from bot.drivers.models import DriverShift
from connectors.base import Address, DeliveryWindow
from connectors.desk import TaskKind
from tests.harness.people import Recipient
from tests.harness.waiting import eventually
from tests.harness.world import World

PHONES = {"van-1": "+12125550701", "van-2": "+12125550702", "van-3": "+12125550703"}
STREETS = (
    "Elm",
    "Oak",
    "Pine",
    "Cedar",
    "Maple",
    "Birch",
    "Ash",
    "Walnut",
    "Cherry",
    "Spruce",
    "Fir",
    "Larch",
)


class Vans:
    def __init__(self, world: World) -> None:
        self.world = world

    def driver(
        self, key: str, *, capacity: float = 0, on_duty: bool = False, phone: str | None = None
    ) -> str:
        """A driver of the North team; gives Onfleet's id."""
        emulator = self.world.onfleet
        worker = emulator.add_worker(
            key,
            name=f"Driver of {key}",
            phone=phone or PHONES[key],
            team=emulator.add_team("North"),
            location=(40.7, -74.0),
            capacity=capacity,
        )
        emulator.set_duty(worker, on_duty, self.world.clock.now())
        return worker

    def give(
        self, worker: str, count: int, *, start: str = "15:00", end: str = "18:00", first: int = 0
    ) -> None:
        """Stops of the afternoon, one street each, not yet known to Doorline."""
        window = DeliveryWindow(start_at=self.world.local(start), end_at=self.world.local(end))
        for index in range(first, first + count):
            line = f"{10 + index} {STREETS[index % len(STREETS)]} St"
            self.world.onfleet.add_task(
                f"{worker}-{index}",
                worker=worker,
                address=Address(line=line, city="New York", postcode="10001", latitude=40.7, longitude=-74.0),
                recipient_name="Robin Doe",
                recipient_phone=f"+1212555{1000 + index}",
                window=window,
                created_at=self.world.clock.now() - timedelta(hours=14),
                metadata={"client": "Acme", "zone": "North"},
            )

    def phone(self, key: str) -> Recipient:
        return self.world.recipient(PHONES[key])

    async def reads(self, key: str) -> list[str]:
        await self.world.settled()
        return await self.phone(key).reads()

    async def shift(self, worker: str) -> DriverShift:
        (row,) = await self.world.rows(DriverShift, col(DriverShift.driver_ref) == worker)
        return row

    async def tasks(self, kind: TaskKind) -> list[DeskTask]:
        await self.world.settled()
        return await self.world.rows(DeskTask, col(DeskTask.kind) == kind)

    async def task(self, kind: TaskKind = TaskKind.DRIVER_UNCONFIRMED) -> DeskTask:
        (row,) = await self.tasks(kind)
        return row

    async def asked(self, key: str = "van-1", stops: int = 3, **driver: Any) -> str:
        """A driver with stops from three o'clock on, who has just been asked; gives Onfleet's id."""
        worker = self.driver(key, **driver)
        self.give(worker, stops)
        await self.world.sync()
        await self.world.advance(minutes=91)
        await eventually(lambda: self.reads(key), lambda texts: len(texts) == 1, "the question")
        return worker
