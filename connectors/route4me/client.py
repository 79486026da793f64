"""Doorline's eyes and hands on a Route4Me account."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import httpx
import structlog
from pydantic import TypeAdapter

from connectors.base import (
    Capability,
    DeliveryWindow,
    Driver,
    EventPage,
    NewStop,
    Now,
    PlatformEvent,
    Probe,
    Reattempt,
    Route,
    Stop,
)
from connectors.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
)
from connectors.http import open_client
from connectors.lenient import readable
from connectors.platform_client import PlatformClient
from connectors.platform_wire import Limits
from connectors.route4me.feed import Cursor, advanced, fresh, read_cursor, to_event
from connectors.route4me.mapping import DRIVES, PLATFORM, Account, capacity_of, to_driver, to_route
from connectors.route4me.payloads import (
    Activity,
    ActivityPage,
    CapacityProfile,
    Member,
    R4MRoute,
    UserLocation,
    Vehicle,
    to_ts,
)
from connectors.route4me.where import DAYS_AHEAD, DAYS_BACK, ROUTE_PATH, ROUTES, SeenRoute, Whereabouts
from connectors.route4me.wire import API_BASE, Wires
from connectors.route4me.writing import MEMBERS, Writer

LIMITS = Limits(per_second=10, at_once=6)
"""Route4Me names no numbers: they depend on the plan."""
FEED_PAGE = 100
JUST_READ_SECONDS = 30.0
PICTURE_HOSTS = (".route4me.com", ".rackcdn.com")
"""Where Route4Me keeps what drivers upload. Source: upload_url in the vendor's samples."""

LOCATIONS = TypeAdapter(list[UserLocation])
VEHICLES = TypeAdapter(list[Vehicle])
PROFILES = TypeAdapter(list[CapacityProfile])
ACTIVITY_PAGE = TypeAdapter(ActivityPage)

ABILITIES: Mapping[Capability, str] = {
    Capability.PUSH_EVENTS: "its one unsigned URL is set by hand, and all it says is read back",
    Capability.POLL_EVENTS: "needs the activity feed in the plan",
    Capability.LIVE_ETA: "once the route has started",
    Capability.PROOF: "",
    Capability.FAILURE_REASON: "from the driver's notes",
    Capability.DRIVER_POSITION: "while the driver's app reports",
    Capability.DRIVER_CAPACITY: "of drivers with a route today whose vehicle has a weight limit",
    Capability.CREATE_STOP: "as an order; given to a driver, it needs the driver's route of that day",
    Capability.CHANGE_WINDOW: "to another day the stop leaves its route and waits to be planned",
    Capability.ADD_NOTE: "",
    Capability.ACCESS_CODE: "",
    Capability.ASSIGN_DRIVER: "the driver needs a route on that day",
    Capability.ASSIGN_ROUTE: "",
    Capability.CANCEL: "",
    Capability.REATTEMPT: "as a new order, linked in its custom data",
    Capability.RELEASE_ROUTES: "",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JustRead:
    """The routes of a day as a whole read has seen them, good for one answer."""

    day: date
    at: float
    """By the machine's own clock, in seconds."""
    routes: list[Route]

    def holds(self, day: date) -> bool:
        return day == self.day and time.monotonic() - self.at < JUST_READ_SECONDS


class Route4MePlatform(PlatformClient):
    """`connectors.base.RoutingPlatform` on Route4Me. Open one per account, close it with `aclose`."""

    vendor = PLATFORM

    def __init__(
        self,
        api_key: str,
        api_base: str = API_BASE,
        *,
        v5_base: str | None = None,
        name: str = PLATFORM,
        timezone: str,
        now: Now,
        client_key: str = "client",
        zone_key: str = "zone",
        limits: Limits = LIMITS,
        tracking_page: str | None = None,
    ) -> None:
        """`v5_base` is where v5 is; None: Route4Me's own, or under `api_base` where that is not Route4Me's, as
        an emulator serves both. `tracking_page` holds `{tracking}`: Route4Me tells the number only."""
        self.name = name
        self.account = Account(
            timezone, name=name, client_key=client_key, zone_key=zone_key, tracking_page=tracking_page
        )
        linked = {Capability.TRACKING_LINK: ""} if tracking_page else {}
        self.abilities: Mapping[Capability, str] = {**ABILITIES, **linked}
        self._now = now
        self._host = httpx.URL(api_base).host
        self._wires = Wires(name, api_key, api_base, v5_base, limits)
        self._where = Whereabouts(self._wires, self.account, now)
        self._writer = Writer(self._wires, self.account, self._where)
        self._media = open_client("", read_seconds=limits.read_seconds)
        self._seen_open: set[str] = set()
        self._just_read: JustRead | None = None

    async def aclose(self) -> None:
        await self._wires.aclose()
        await self._media.aclose()

    # --- reading ---

    async def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that something happened to at or after `since`.

        Looks at the routes and orders of the days from a day before `since` to two weeks ahead. Route4Me tells
        no time of a change: a stop that this client saw open the last time is told as well, however late its
        driver's phone reported.
        """
        first = self._today_at(since) - timedelta(days=DAYS_BACK)
        still_open: set[str] = set()
        async for stop in self._stops_of_days(first, self._today() + timedelta(days=DAYS_AHEAD)):
            if not stop.status.is_closed:
                still_open.add(stop.platform_ref)
                yield stop
            elif stop.platform_ref in self._seen_open or _happened_at(stop) >= since:
                yield stop
        self._seen_open = still_open

    async def stops_of_day(self, day: date) -> AsyncIterator[Stop]:
        """A stop without an order may wait for another day on its old route: the day before is looked at too."""
        async for seen in self._where.routes(day - timedelta(days=1), day):
            for stop in self._where.stops(seen):
                if day in self._days_of(stop, seen):
                    yield stop
        async for stop in self._waiting(day, day):
            yield stop

    async def _stops_of_days(self, first: date, last: date) -> AsyncIterator[Stop]:
        today, routes = self._today(), list[Route]()
        async for seen in self._where.routes(first, last):
            if seen.day == today:
                routes.append(to_route(seen.route, seen.status, self.account))
            for stop in self._where.stops(seen):
                yield stop
        self._just_read = JustRead(today, time.monotonic(), routes)
        async for stop in self._waiting(first, last):
            yield stop

    async def _waiting(self, first: date, last: date) -> AsyncIterator[Stop]:
        async for order in self._where.unrouted_orders(first, last):
            try:
                yield self._where.waiting(order).stop
            except PlatformUnavailableError as exc:
                log.warning("route4me_unreadable_order", platform=self.name, reason=exc.detail)

    def _days_of(self, stop: Stop, seen: SeenRoute) -> set[date]:
        told = [stop.window.start_at if stop.window else None, stop.planned_at]
        return {self.account.local_date(at) for at in told if at} or {seen.day}

    async def stops_of_route(self, route_ref: str) -> list[Stop]:
        return self._where.stops(await self._where.route(route_ref))

    async def get_stop(self, platform_ref: str) -> Stop:
        return (await self._where.find(platform_ref)).stop

    async def find_stop(self, own_ref: str) -> Stop | None:
        return await self._writer.find_own(own_ref)

    async def drivers(self) -> list[Driver]:
        """Members who are drivers by their type, and whoever else has a route today."""
        members = await self._wires.v5.get("team/users", MEMBERS)
        located = await self._wires.v4.get("api/track/view_user_locations.php", LOCATIONS)
        today = self._today()
        routes = {header.member_id: header async for header in self._where.headers(today, today)}
        capacities = await self._capacities(routes)
        places = {item.member_data.member_id or item.tracking.member_id: item for item in located}
        return [
            to_driver(member, places.get(member.member_id), capacities.get(member.member_id), self.account)
            for member in members
            if member.member_type == DRIVES or member.member_id in routes
        ]

    async def _capacities(self, routes: Mapping[str, R4MRoute]) -> dict[str, float | None]:
        """By driver. Vehicles are asked for only where a route names one and no limit of its own."""
        vehicles: list[Vehicle] = []
        profiles: list[CapacityProfile] = []
        settings = [route.parameters for route in routes.values()]
        if any(item.vehicle_id and not item.vehicle_max_cargo_weight for item in settings):
            vehicles = await self._wires.v5.get("vehicles", VEHICLES)
            profiles = await self._wires.v5.get("vehicle-capacity-profiles", PROFILES)
        return {member: capacity_of(route, vehicles, profiles) for member, route in routes.items()}

    async def routes(self, day: date | None = None) -> list[Route]:
        """Right after `changed_stops`, today's routes are the ones that it has just read: each costs a call."""
        wanted = day or self._today()
        just_read, self._just_read = self._just_read, None
        if day is None and just_read is not None and just_read.holds(wanted):
            return just_read.routes
        return [
            to_route(seen.route, seen.status, self.account)
            async for seen in self._where.routes(wanted, wanted)
        ]

    # --- events ---

    async def events_after(self, cursor: str | None) -> EventPage:
        """Raises `ValueError` for a cursor that is not one of ours."""
        if cursor is None:
            now = to_ts(self._now())
            return EventPage(cursor=Cursor(now, now).write())
        held, read_at = read_cursor(cursor), self._now()
        end = held.end(read_at)
        activities = await self._activities(held.start, end)
        events = [event for line in fresh(activities, held) for event in self._event(line, read_at)]
        ahead = advanced(held, activities, end)
        return EventPage(events=tuple(events), cursor=ahead.write(), has_more=end < to_ts(read_at))

    def _event(self, activity: Activity, read_at: datetime) -> list[PlatformEvent]:
        vendor_id = f"{self.name}:{activity.activity_id}"
        event = to_event(activity, self.name, vendor_id, read_at, self._where.known_ref)
        return [event] if event is not None else []

    async def _activities(self, start: int, end: int) -> list[Activity]:
        """All of a stretch, both ends included, newest first."""
        lines: list[Activity] = []
        offset = 0
        while True:
            params = {"start": start, "end": end, "limit": FEED_PAGE, "offset": offset}
            page = await self._wires.v4.get(
                "api/get_activities.php",
                ACTIVITY_PAGE,
                {name: str(value) for name, value in params.items()},
            )
            lines += [line for raw in page.results for line in readable(Activity, raw, self.name)]
            offset += len(page.results)
            if len(page.results) < FEED_PAGE or (page.total is not None and offset >= page.total):
                return lines

    # --- writing ---

    async def create_stop(self, new: NewStop) -> Stop:
        return await self._writer.create_stop(new)

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        """To another day: the stop of an order leaves its route and waits to be planned; one without an order
        stays on its route, and a dispatcher moves it."""
        return await self._writer.change_window(platform_ref, window)

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        return await self._writer.add_note(platform_ref, note)

    async def set_access_code(self, platform_ref: str, code: str) -> Stop:
        return await self._writer.set_access_code(platform_ref, code)

    async def assign_driver(self, platform_ref: str, driver_ref: str | None) -> Stop:
        return await self._writer.assign_driver(platform_ref, driver_ref)

    async def assign_route(self, platform_ref: str, route_ref: str, position: int | None = None) -> Stop:
        return await self._writer.assign_route(platform_ref, route_ref, position)

    async def cancel(self, platform_ref: str) -> None:
        await self._writer.cancel(platform_ref)

    async def reattempt(self, platform_ref: str, wanted: Reattempt) -> Stop:
        return await self._writer.reattempt(platform_ref, wanted)

    async def release_routes(self, day: date) -> None:
        async for seen in self._where.routes(day, day):
            if not seen.route.approved_for_execution:
                await self._writer.release(seen)

    # --- pictures, health ---

    def _may_fetch(self, url: str) -> bool:
        try:
            host = httpx.URL(url).host
        except httpx.InvalidURL:
            return False
        return host == self._host or f".{host}".endswith(PICTURE_HOSTS)

    async def probe(self) -> Probe:
        try:
            await self._wires.v4.get(ROUTE_PATH, ROUTES, {"limit": "1", "offset": "0"})
            members = await self._wires.v5.get("team/users", MEMBERS)
        except (PlatformRejectedError, StopNotFoundError) as exc:
            return Probe(name=self.name, healthy=False, detail=f"{exc}. Check {self._variable('API_BASE')}.")
        except PlatformError as exc:
            detail = f"{exc}. Check {self._variable('API_KEY')} and {self._variable('API_BASE')}."
            return Probe(name=self.name, healthy=False, detail=detail)
        return Probe(name=self.name, healthy=True, detail=self._what_was_found(members))

    def _what_was_found(self, members: list[Member]) -> str:
        drivers = [member for member in members if member.member_type == DRIVES]
        owner = next((member for member in members if member.member_type == "PRIMARY_ACCOUNT"), None)
        told, theirs = self.account.timezone, owner.timezone if owner else ""
        if theirs and theirs != told:
            return f"{len(drivers)} drivers: times are told in {told}, Route4Me says {theirs}"
        return f"{len(drivers)} drivers"

    def _today(self) -> date:
        return self._today_at(self._now())

    def _today_at(self, instant: datetime) -> date:
        return self.account.local_date(instant)


def _happened_at(stop: Stop) -> datetime:
    """The last that is known to have happened to a closed stop; nothing known counts as new."""
    return stop.completed_at or stop.changed_at
