"""A pretended Route4Me account with two drivers, their routes and three stops, and a clock that only tests move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.base import Address, DeliveryWindow, NewStop
from connectors.route4me.client import Route4MePlatform
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.emulator_fields import Json
from tests.connectors.towns import NINE_IN_NEW_YORK, TIMEZONE, Clock, visit

API_KEY = "11111111111111111111111111111111"
DEPOT = Address(
    line="North depot",
    city="Norwalk",
    postcode="06850",
    region="CT",
    country="United States",
    latitude=41.1,
    longitude=-73.4,
)


@dataclass
class Town:
    """S-1, S-2, S-3 in this order on the first driver's route, windows 10-12, 12-14, 14-16; the other is empty.

    S-1 and S-2 have orders behind them, S-3 has none.
    """

    emulator: Route4MeEmulator
    url: str
    clock: Clock
    drivers: list[str]
    routes: list[str]
    refs: list[str]

    def address(self, index: int) -> Json:
        return self.emulator.routed(self.refs[index])

    @property
    def order_of(self) -> list[str]:
        """Our references in driving order on the first route."""
        found = self.emulator.store.addresses_of(self.routes[0])
        return [
            f"order:{item['order_id']}" if item["order_id"] else f"stop:{item['route_destination_id']}"
            for item in found
            if not item["is_depot"]
        ]


Connect = Callable[..., Route4MePlatform]


def new_emulator(clock: Clock, **options: object) -> Route4MeEmulator:
    given = {"repeat_seconds": 0.05} | options
    return Route4MeEmulator(API_KEY, now=clock, timezone=TIMEZONE, **given)  # type: ignore[arg-type]


def furnish(emulator: Route4MeEmulator, clock: Clock) -> tuple[list[str], list[str], list[str]]:
    """Drivers, routes and stops; the same again where they are there already."""
    day = clock.at.date()
    drivers = [
        emulator.add_member(
            "R-1", name="Sam Porter", phone="+17325550100", zone="North", location=(41.1, -73.4)
        ),
        emulator.add_member(
            "R-2", name="Kim Ode", phone="+17325550101", zone="North", location=(41.2, -73.5)
        ),
    ]
    routes = [
        emulator.add_route(
            f"R-{number}",
            name=f"North {number}",
            day=day,
            member=driver,
            depot=DEPOT,
            starts_at=clock.at,
            most_weight=20,
        )
        for number, driver in enumerate(drivers, start=1)
    ]
    refs, yesterday = [], clock.at - timedelta(hours=14)
    for number in (1, 2):
        order = emulator.add_order(f"S-{number}", **_stop(clock, number), created_at=yesterday)
        emulator.route_order(
            order, routes[0], planned_at=_opens(clock, number) + timedelta(minutes=20), at=yesterday
        )
        refs.append(f"order:{order['order_id']}")
    bare = emulator.add_stop("S-3", routes[0], **_stop(clock, 3), at=yesterday)
    return drivers, routes, [*refs, f"stop:{bare['route_destination_id']}"]


def _opens(clock: Clock, number: int) -> datetime:
    return NINE_IN_NEW_YORK + timedelta(hours=2 * number - 1)


def _stop(clock: Clock, number: int) -> Json:
    opens = _opens(clock, number)
    return {
        **visit(number, opens),
        "custom": {
            "client": "Acme",
            "zone": "North",
            "order_ref": f"A-{number}",
            "notes": "Ring twice",
            "load": "2",
        },
    }


def a_new_stop(clock: Clock, **changes: object) -> NewStop:
    """Tomorrow from 14 to 16, at an address that the map knows."""
    opens = NINE_IN_NEW_YORK + timedelta(days=1, hours=5)
    given: dict[str, object] = {
        "own_ref": "DL-0001",
        "client": "Acme",
        "zone": "North",
        "address": Address(
            line="9 Oak Ave", city="Norwalk", postcode="06850", region="CT", country="United States"
        ),
        "recipient_name": "Ana Ruiz Soto",
        "recipient_phone": "+12035550177",
        "recipient_email": "ana@example.com",
        "window": DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=2)),
        "service": timedelta(minutes=7),
        "load": 3,
        "order_ref": "A-77",
        "notes": "Blue door",
        "access_code": "4711",
    }
    return NewStop(**(given | changes))
