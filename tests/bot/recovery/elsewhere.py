"""Failed deliveries on the platforms that are not Onfleet: what drivers do there, and the second tries that stand there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from connectors.base import Address, DeliveryWindow
from connectors.optimoroute.payloads import OrderStatus
from connectors.route4me.mapping import ORDER_REF
from tests.bot.recovery.story import Story
from tests.harness.world import World

HOME = Address(line="14 Elm St 2B", city="New York", postcode="10001", latitude=40.7, longitude=-74.0)
NOTES = "Ring twice"


@dataclass(frozen=True)
class Held:
    """A second try as the platform itself has written it down."""

    day: str
    """`YYYY-MM-DD` on the platform's local calendar."""
    hours: tuple[str, str]
    """`HH:MM` of its clock."""
    notes: tuple[str, ...]
    """The lines that the driver reads."""
    code: str
    of: str
    """The stop that failed."""
    client: str
    zone: str
    phone: str
    address: str


class Platform(Protocol):
    """One driver's day there, played by hand."""

    name: str
    makes: str
    """Part of the path of the call that makes a second try."""

    def has_stop(self, key: str, window: DeliveryWindow, phone: str, client: str) -> tuple[str, str]:
        """On today's route; gives reference and tracking."""
        ...

    def gives_up(self, ref: str, words: str, kind: str = "") -> None: ...

    def writes(self, ref: str, words: str) -> None:
        """A note at a stop that is given up already."""
        ...

    def second_tries(self, ref: str) -> list[Held]: ...

    def tells_twice(self) -> None:
        """From now on each event."""
        ...


class OnRoute4Me:
    name = "route4me"
    makes = "order.php"

    def __init__(self, world: World) -> None:
        self._emulator, self._now = world.route4me, world.clock.now
        self.driver = self._emulator.add_member("van-7", name="Sam Porter", phone="+12125550999")
        day = world.local("09:00").date()
        self.route = self._emulator.add_route(
            "van-7", name="North 1", day=day, member=self.driver, depot=HOME
        )

    def has_stop(self, key: str, window: DeliveryWindow, phone: str, client: str) -> tuple[str, str]:
        order = self._emulator.add_order(
            key,
            address=HOME,
            recipient_name="Robin Doe",
            recipient_phone=phone,
            window=window,
            created_at=self._now() - timedelta(hours=12),
            custom={"client": client, "zone": "North", "order_ref": key, "notes": NOTES, "load": "1"},
        )
        self._emulator.route_order(order, self.route)
        return f"{ORDER_REF}{order['order_id']}", str(order["tracking_number"])

    def gives_up(self, ref: str, words: str, kind: str = "") -> None:
        self._emulator.start(ref, self._now())
        self._emulator.complete(ref, self._now(), status="Failed", note_type=kind, words=words)

    def writes(self, ref: str, words: str) -> None:
        note = {"contents": words, "activity_type": "other", "device_type": "android"}
        self._emulator.stops.add_note(self._emulator.routed(ref), note, key=f"{ref}:late", at=self._now())

    def second_tries(self, ref: str) -> list[Held]:
        orders = self._emulator.store.orders.values()
        return [
            _of_order(each) for each in orders if each["EXT_FIELD_custom_data"].get("reattempt_of") == ref
        ]

    def tells_twice(self) -> None:
        self._emulator.feed.faults.duplicate = True


def _of_order(order: Mapping[str, Any]) -> Held:
    custom = order["EXT_FIELD_custom_data"]
    ends = order["local_time_window_start"], order["local_time_window_end"]
    return Held(
        day=order["day_scheduled_for_YYMMDD"],
        hours=(_clock(ends[0]), _clock(ends[1])),
        notes=tuple(custom["notes"].splitlines()),
        code=custom.get("access_code", ""),
        of=custom["reattempt_of"],
        client=custom["client"],
        zone=custom["zone"],
        phone=order["EXT_FIELD_phone"],
        address=order["address_1"],
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


class OnOptimoRoute:
    name = "optimoroute"
    makes = "create_order"

    def __init__(self, world: World) -> None:
        self.emulator, self._now = world.optimoroute, world.clock.now
        self.driver = self.emulator.add_driver("van-7", name="Sam Porter", vehicle="North 1")

    def has_stop(self, key: str, window: DeliveryWindow, phone: str, client: str) -> tuple[str, str]:
        order = self.emulator.add_order(
            key,
            driver=self.driver,
            address=HOME,
            recipient_name="Robin Doe",
            recipient_phone=phone,
            window=window,
            fields={"customField1": client, "customField2": "North"},
            notes=NOTES,
        )
        return str(order["id"]), str(order["orderNo"])

    def gives_up(self, ref: str, words: str, kind: str = "") -> None:
        """`kind` is a status of OptimoRoute's; by itself `failed`."""
        self.emulator.start_order(ref)
        self.emulator.complete(ref, status=OrderStatus(kind or "failed"), note=words)

    def writes(self, ref: str, words: str) -> None:
        form = self.emulator.store.order(ref)["form"]
        self.emulator.store.change_order(ref, form=form | {"note": words})

    def second_tries(self, ref: str) -> list[Held]:
        orders = [each["data"] for each in self.emulator.store.orders.values()]
        return [_of_data(each) for each in orders if each["customField4"] == ref]

    def tells_twice(self) -> None:
        self.emulator.api.event_faults = {"duplicate"}


def _of_data(data: Mapping[str, Any]) -> Held:
    (window,) = data["timeWindows"]
    lines = data["notes"].splitlines()
    code = next((line for line in lines if line.startswith("Access code: ")), "")
    return Held(
        day=data["date"],
        hours=(window["twFrom"][:5], window["twTo"][:5]),
        notes=tuple(line for line in lines if line != code),
        code=code.removeprefix("Access code: "),
        of=data["customField4"],
        client=data["customField1"],
        zone=data["customField2"],
        phone=data["phone"],
        address=data["location"]["address"],
    )


class Elsewhere(Story):
    """A `Story` whose stops are on one of these platforms."""

    def __init__(self, world: World, platform: Platform) -> None:
        super().__init__(world)
        self.platform = platform
        self._refs: dict[str, str] = {}

    def is_promised(self, key: str = "A-1", phone: str = "+12125550100", client: str = "Acme") -> str:
        """A stop of this morning; gives its tracking."""
        ref, tracking = self.platform.has_stop(key, self.window("10:00", "12:00", 0), phone, client)
        self._refs[tracking] = ref
        return tracking

    def is_given_up(self, tracking: str, words: str, kind: str = "") -> None:
        self.platform.gives_up(self._refs[tracking], words, kind)

    def is_explained(self, tracking: str, words: str) -> None:
        """The driver's note comes after the failure."""
        self.platform.writes(self._refs[tracking], words)

    async def is_read(self) -> None:
        """Doorline hears of all that, and does what follows."""
        await self.world.sync()
        await self.world.tick()

    async def has_failed(self, words: str = "rang twice, nobody home") -> str:
        tracking = self.is_promised()
        await self.world.sync()
        self.is_given_up(tracking, words)
        await self.is_read()
        return tracking

    def held(self, tracking: str) -> list[Held]:
        """Its second tries there."""
        return self.platform.second_tries(self._refs[tracking])


PLATFORMS: dict[str, Callable[[World], Platform]] = {"route4me": OnRoute4Me, "optimoroute": OnOptimoRoute}
