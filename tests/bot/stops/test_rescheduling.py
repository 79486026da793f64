"""Moving a stop: who may, which windows there are, and what the platform holds afterwards."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.stops.answers import RescheduleOutcome
from bot.stops.finder import StopFinder
from bot.stops.models import StopRecord
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync
from connectors.base import Address, DeliveryWindow, RoutingPlatform, StopStatus
from connectors.emulation import Fault, Server
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.payloads import from_ms
from tests.bot.stops.town import DAY, KIM, NOW, ROBIN, Person, Town, stop
from tests.harness.accounts import ONFLEET_KEY, ONFLEET_SECRET, TIMEZONE
from tests.harness.clock import ManualClock

WEDNESDAY = date(2026, 6, 10)


def window(start: str, end: str, day: date = WEDNESDAY) -> DeliveryWindow:
    zone = ZoneInfo(TIMEZONE)
    at = [datetime.combine(day, datetime.strptime(each, "%H:%M").time(), zone) for each in (start, end)]  # noqa: DTZ007
    return DeliveryWindow(start_at=at[0], end_at=at[1])


MORNING, AFTERNOON, EVENING = window("08:00", "12:00"), window("12:00", "17:00"), window("17:00", "21:00")


@dataclass
class Yard:
    """A town whose stops stand on Onfleet."""

    town: Town
    onfleet: OnfleetEmulator
    platforms: dict[str, RoutingPlatform]
    sync: PlatformSync
    folder: Path

    def service(self, capacity: int | None = None) -> StopService:
        sop = self.town.sop
        if capacity is not None:
            text = (PROJECT_ROOT / "bot" / "sop.yml").read_text()
            path = self.folder / "sop.yml"
            path.write_text(text.replace("redelivery:", f"redelivery:\n  capacity_per_window: {capacity}", 1))
            sop = ProtocolInForce(path)
        town = self.town
        town.finder = StopFinder(town.database, town.clock, sop, self.platforms)
        return StopService(town.database, town.clock, sop, self.platforms, self.sync, town.finder)

    async def has_stop(self, held: DeliveryWindow = EVENING, phone: str = ROBIN) -> StopRecord:
        """Gives the record, as a whole read brought it in."""
        team = self.onfleet.add_team("North")
        worker = self.onfleet.add_worker(
            "van-7", name="Driver of van 7", phone="+12125550999", team=team, location=(40.7, -74.0)
        )
        task = self.onfleet.add_task(
            f"task{len(self.onfleet.store.tasks)}",
            worker=worker,
            address=Address(
                line="14 Elm St 2B", city="New York", postcode="10001", latitude=40.7, longitude=-74.0
            ),
            recipient_name="Robin Doe",
            recipient_phone=phone,
            window=held,
            created_at=NOW - DAY,
            metadata={"client": "Acme", "zone": "North"},
        )
        await self.sync.read_all("onfleet")
        rows: list[StopRecord] = await self.town.rows(StopRecord)
        return next(row for row in rows if row.platform_ref == task["id"])

    def held_by_platform(self, record: StopRecord) -> DeliveryWindow:
        task = self.onfleet.store.tasks[record.platform_ref]
        return DeliveryWindow(start_at=from_ms(task["completeAfter"]), end_at=from_ms(task["completeBefore"]))


@pytest.fixture
async def yard(town: Town, tmp_path: Path) -> AsyncIterator[Yard]:
    clock: ManualClock = town.clock
    onfleet = OnfleetEmulator(
        ONFLEET_KEY, ONFLEET_SECRET, now=clock.now, timezone=TIMEZONE, rate_limit=None, repeat_seconds=0.2
    )
    server = Server(onfleet.app)
    await server.start()
    platform = OnfleetPlatform(ONFLEET_KEY, server.url, timezone=TIMEZONE, now=clock.now)
    platforms: dict[str, RoutingPlatform] = {platform.name: platform}
    sync = PlatformSync(town.database, clock, platforms, lambda: timedelta(seconds=30))
    yield Yard(town, onfleet, platforms, sync, tmp_path)
    await platform.aclose()
    await server.stop()


async def moves(
    person: Person, service: StopService, record: StopRecord, to: DeliveryWindow
) -> RescheduleOutcome:
    return await service.reschedule(await person.writes("yes"), str(record.id), to)


async def test_the_phone_on_the_order_moves_it_and_the_platform_holds_it(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    outcome = await moves(await yard.town.texter(), service, record, MORNING)
    assert (outcome.result, outcome.stop.window) == ("booked", MORNING)
    assert yard.held_by_platform(record) == MORNING


async def test_a_proved_visitor_moves_it_too(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    visitor = await yard.town.visitor()
    assert (await moves(visitor, service, record, MORNING)).result == "refused_by_platform"
    assert yard.held_by_platform(record) == EVENING
    assert await visitor.finds(f"{record.tracking} 0199") == f"one {record.tracking}"
    assert (await moves(visitor, service, record, MORNING)).result == "booked"
    assert yard.held_by_platform(record) == MORNING


async def test_a_stranger_who_may_only_look_moves_nothing(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    kim = await yard.town.texter(KIM)
    assert await kim.finds(f"tracking {record.tracking}") == f"one {record.tracking}"
    outcome = await moves(kim, service, record, MORNING)
    assert (outcome.result, outcome.respond_by) == ("refused_by_platform", None)
    assert yard.held_by_platform(record) == EVENING


async def test_a_platform_that_is_down_is_told_apart_from_one_that_refuses(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    robin = await yard.town.texter()
    yard.onfleet.faults.down = True
    assert (await moves(robin, service, record, MORNING)).result == "platform_down"
    yard.onfleet.faults.down = False
    yard.onfleet.faults.next(*[Fault("status", status=400, body={"message": {"error": 1000}})] * 2)
    assert (await moves(robin, service, record, MORNING)).result == "refused_by_platform"
    assert yard.held_by_platform(record) == EVENING


async def test_a_closed_stop_is_not_moved(yard: Yard) -> None:
    done = stop("DO10001", status=StopStatus.DELIVERED, completed=-DAY)
    await yard.town.holds(done)
    outcome = await moves(await yard.town.texter(), yard.service(), done, MORNING)
    assert outcome.result == "stop_closed"


async def test_the_windows_of_one_day_are_offered_soonest_first(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    assert await service.windows_on(str(record.id), WEDNESDAY) == (MORNING, AFTERNOON, EVENING)
    assert await service.windows_on(str(record.id), date(2026, 6, 14)) == (), "a Sunday"
    today = window("17:00", "21:00", date(2026, 6, 9))
    assert await service.windows_on(str(record.id), date(2026, 6, 9)) == (today,)


async def test_a_wish_that_is_no_service_window_is_met_by_those_it_overlaps(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service(capacity=2)
    after_eleven = window("11:00", "16:00")
    assert await service.windows_within(str(record.id), after_eleven) == (MORNING, AFTERNOON)
    assert await service.windows_within(str(record.id), window("06:00", "07:00")) == ()
    for _ in range(2):
        await yard.has_stop(MORNING, KIM)
    assert await service.windows_within(str(record.id), after_eleven) == (AFTERNOON,)


async def test_a_full_window_is_neither_offered_nor_booked(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service(capacity=2)
    await yard.has_stop(MORNING, KIM)
    half_an_hour_of_it = window("08:30", "10:30")
    await yard.has_stop(half_an_hour_of_it, KIM)
    assert await service.windows_on(str(record.id), WEDNESDAY) == (AFTERNOON, EVENING)
    assert MORNING not in await service.offers(str(record.id))
    assert await service.why_not_bookable_for(str(record.id), window("09:00", "11:00")) == "full"
    assert await service.why_not_bookable_for(str(record.id), AFTERNOON) is None
    assert (await moves(await yard.town.texter(), service, record, MORNING)).result == "refused_by_platform"
    assert yard.held_by_platform(record) == EVENING


async def test_a_stop_takes_no_room_from_itself_nor_does_another_zone_or_what_is_done(yard: Yard) -> None:
    record, service = await yard.has_stop(MORNING), yard.service(capacity=1)
    starts = MORNING.start_at - NOW
    await yard.town.holds(
        stop("SO10001", zone="South", starts=starts),
        stop("DO10001", zone="North", starts=starts, status=StopStatus.CANCELLED, completed=-DAY),
    )
    assert await service.windows_on(str(record.id), WEDNESDAY) == (MORNING, AFTERNOON, EVENING)
    assert (await moves(await yard.town.texter(), service, record, MORNING)).result == "booked"


async def test_without_a_limit_no_window_fills(yard: Yard) -> None:
    record, service = await yard.has_stop(), yard.service()
    await yard.town.holds(*(stop(f"AC1{number:04}", starts=MORNING.start_at - NOW) for number in range(30)))
    assert await service.why_not_bookable_for(str(record.id), MORNING) is None
