"""The plan of a pretended day: routes, stops, promises, and the mishaps in it. Pure, the same for one seed."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.base import Address, DeliveryWindow
from connectors.world import town
from connectors.world.town import Failure, Zone

STOPS_PER_ROUTE = 15
MOST_STOPS = town.PHONES_PER_AREA_CODE * len(town.RECIPIENT_AREA_CODES)
WINDOW_HOURS = (2, 2, 2, 3, 4)
HALF_HOUR = timedelta(minutes=30)
SEEDED_DELAY_SHARE = 0.4
FAILURE_SHARE = 0.05


@dataclass(frozen=True)
class PlannedStop:
    key: str
    client: str
    recipient_name: str
    recipient_phone: str
    address: Address
    window: DeliveryWindow
    planned_at: datetime
    """When the driver is due there by the plan."""
    travel: timedelta
    """From the stop before, without delays."""
    service: timedelta
    notes: str = ""
    failure: Failure | None = None
    optimism: float = 0.0
    """How the platform's ETA errs on this stop: standard normal, positive is too late."""


@dataclass(frozen=True)
class Delay:
    at: datetime
    length: timedelta
    cause: str


@dataclass(frozen=True)
class PlannedRoute:
    key: str
    name: str
    zone: Zone
    driver_name: str
    driver_phone: str
    departs_at: datetime
    stops: tuple[PlannedStop, ...]
    delays: tuple[Delay, ...] = ()


def plan_day(seed: int, day_start: datetime, stops: int) -> tuple[PlannedRoute, ...]:
    """The day as it stands at `day_start`, when the drivers have been out for a while.

    From some 20 stops on two things are certain whatever the seed: the first route falls behind within minutes
    and will miss a promise that is due in the next two hours; on another route a delivery fails soon.
    """
    if not 1 <= stops <= MOST_STOPS:
        raise ValueError(f"a pretended day has 1 to {MOST_STOPS} stops, not {stops}")
    # Seeded with text: the same numbers on every platform and Python version.
    rng = random.Random(f"doorline:{seed}:{stops}")
    sizes = route_sizes(stops)
    routes = []
    number = 0
    for index, size in enumerate(sizes):
        routes.append(_plan_route(rng, index, size, number, day_start))
        number += size
    routes[0] = _with_certain_delay(routes[0], day_start)
    if len(routes) > 1:
        routes[1] = _with_certain_failure(routes[1], day_start)
    return _with_one_phone_twice(tuple(routes), day_start)


def route_sizes(stops: int) -> list[int]:
    """Stops per route: even, about `STOPS_PER_ROUTE`, and a route in every zone if there are enough stops."""
    count = min(stops, max(len(town.ZONES), math.ceil(stops / STOPS_PER_ROUTE)))
    return [stops // count + (1 if index < stops % count else 0) for index in range(count)]


def phone(area_codes: Sequence[int], number: int) -> str:
    area_code = area_codes[number // town.PHONES_PER_AREA_CODE]
    return f"+1{area_code}55501{number % town.PHONES_PER_AREA_CODE:02d}"


def _plan_route(rng: random.Random, index: int, size: int, first: int, day_start: datetime) -> PlannedRoute:
    zone = town.ZONES[index % len(town.ZONES)]
    departs_at = day_start - timedelta(minutes=rng.randint(25, 75))
    at = departs_at
    stops = []
    for position in range(size):
        stop = _plan_stop(rng, first + position, zone, at)
        stops.append(stop)
        at = stop.planned_at + stop.service
    return PlannedRoute(
        key=f"R-{index + 1:03d}",
        name=f"{zone.name} {index // len(town.ZONES) + 1}",
        zone=zone,
        driver_name=town.DRIVER_NAMES[index % len(town.DRIVER_NAMES)],
        driver_phone=phone(town.DRIVER_AREA_CODES, index),
        departs_at=departs_at,
        stops=tuple(stops),
        delays=_seeded_delays(rng, day_start),
    )


def _plan_stop(rng: random.Random, number: int, zone: Zone, leaves_at: datetime) -> PlannedStop:
    travel = timedelta(seconds=rng.randint(12 * 60, 32 * 60))
    planned_at = leaves_at + travel
    return PlannedStop(
        key=f"S-{number + 1:04d}",
        client=town.CLIENTS[rng.choices(range(len(town.CLIENTS)), (5, 3, 2))[0]],
        recipient_name=f"{rng.choice(town.FIRST_NAMES)} {rng.choice(town.LAST_NAMES)}",
        recipient_phone=phone(town.RECIPIENT_AREA_CODES, number),
        address=_address(rng, zone),
        window=_window_around(rng, planned_at),
        planned_at=planned_at,
        travel=travel,
        service=timedelta(seconds=rng.randint(3 * 60, 8 * 60)),
        notes=rng.choice(town.NOTES),
        failure=rng.choice(town.FAILURES) if rng.random() < FAILURE_SHARE else None,
        optimism=max(-2.0, min(2.0, rng.gauss(0, 1))),
    )


def _address(rng: random.Random, zone: Zone) -> Address:
    apartment = f", {rng.choice(town.APARTMENTS)}" if rng.random() < 0.3 else ""
    return Address(
        line=f"{rng.randint(2, 480)} {rng.choice(town.STREETS)}{apartment}",
        city=zone.city,
        postcode=zone.postcode,
        region=town.REGION,
        country=town.COUNTRY,
        latitude=round(zone.latitude + rng.uniform(-0.03, 0.03), 6),
        longitude=round(zone.longitude + rng.uniform(-0.04, 0.04), 6),
    )


def _window_around(rng: random.Random, planned_at: datetime) -> DeliveryWindow:
    """Two to four hours on the half hour, in which the plan leaves 18 minutes or more to spare."""
    length = timedelta(hours=rng.choice(WINDOW_HOURS))
    start = floor_to(planned_at - length * rng.uniform(0.2, 0.6), HALF_HOUR)
    return DeliveryWindow(start_at=start, end_at=start + length)


def floor_to(instant: datetime, step: timedelta) -> datetime:
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (instant - midnight) // step * step


def _seeded_delays(rng: random.Random, day_start: datetime) -> tuple[Delay, ...]:
    hit, minutes, after = rng.random(), rng.randint(12, 40), rng.randint(45, 300)
    cause = rng.choice(("traffic", "traffic", "vehicle", "depot"))
    if hit >= SEEDED_DELAY_SHARE:
        return ()
    return (Delay(day_start + timedelta(minutes=after), timedelta(minutes=minutes), cause),)


def _with_certain_delay(route: PlannedRoute, day_start: datetime) -> PlannedRoute:
    delay = Delay(day_start + timedelta(minutes=6), timedelta(minutes=55), "traffic")
    soon = (day_start + timedelta(minutes=30), day_start + timedelta(minutes=90))
    stops = list(route.stops)
    for index, stop in enumerate(stops):
        if soon[0] <= stop.planned_at < soon[1]:
            # Five to 35 minutes to spare by the plan: 55 minutes of traffic miss it.
            end = floor_to(stop.planned_at + timedelta(minutes=5) + HALF_HOUR, HALF_HOUR)
            window = DeliveryWindow(start_at=end - timedelta(hours=2), end_at=end)
            stops[index] = replace(stop, window=window, failure=None)
            break
    return replace(route, stops=tuple(stops), delays=(delay,))


def _with_certain_failure(route: PlannedRoute, day_start: datetime) -> PlannedRoute:
    stops = list(route.stops)
    for index, stop in enumerate(stops):
        if stop.planned_at > day_start + timedelta(minutes=5):
            stops[index] = replace(stop, failure=town.FAILURES[2])
            break
    return replace(route, stops=tuple(stops))


def _with_one_phone_twice(routes: tuple[PlannedRoute, ...], day_start: datetime) -> tuple[PlannedRoute, ...]:
    """Somebody expects two parcels from two clients at one door, the second with the zone's last route."""
    first = routes[0]
    due = [stop for stop in first.stops if stop.planned_at > day_start + timedelta(minutes=100)]
    later = [route for route in routes if route.zone is first.zone][-1]
    if not due or later.stops[-1].key == due[0].key:
        return routes
    one, last = due[0], later.stops[-1]
    client = next(name for name in town.CLIENTS if name != one.client)
    twin = replace(
        last,
        client=client,
        recipient_name=one.recipient_name,
        recipient_phone=one.recipient_phone,
        address=one.address,
        failure=None,
    )
    changed = replace(later, stops=(*later.stops[:-1], twin))
    return tuple(changed if route is later else route for route in routes)
