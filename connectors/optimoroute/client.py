"""Doorline's eyes and hands on an OptimoRoute account."""

import ipaddress
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import httpx

from connectors.base import (
    Capability,
    DeliveryWindow,
    Driver,
    EventPage,
    NewStop,
    Now,
    Probe,
    Reattempt,
    Route,
    Stop,
)
from connectors.errors import (
    NotPossibleError,
    PlatformError,
)
from connectors.http import open_client
from connectors.optimoroute.changing import Changes
from connectors.optimoroute.local_time import local_date
from connectors.optimoroute.mapping import (
    CUSTOM_FIELDS,
    PLATFORM,
    Account,
    ConfiguredDriver,
    route_ref,
    route_status,
    to_drivers,
    to_route,
)
from connectors.optimoroute.polling import EventFeed
from connectors.optimoroute.reading import Reader
from connectors.optimoroute.wire import LIMITS, OptimoRouteWire
from connectors.platform_client import PlatformClient
from connectors.platform_wire import Limits

API_BASE = "https://api.optimoroute.com"
LOOKBACK = timedelta(days=3)
"""Before the day of `since`: a stop promised earlier than this that is still open is not seen."""
LOOKAHEAD = timedelta(days=21)

BY_PLANNING = "reaches the driver after planning and sending"
ABILITIES: Mapping[Capability, str] = {
    Capability.POLL_EVENTS: "",
    Capability.LIVE_ETA: "while the route is driven",
    Capability.PROOF: "without place and name",
    Capability.FAILURE_REASON: "guessed from the driver's note",
    Capability.TRACKING_LINK: "",
    Capability.DRIVER_DUTY: "since events are read",
    Capability.CREATE_STOP: BY_PLANNING,
    Capability.CHANGE_WINDOW: BY_PLANNING,
    Capability.ADD_NOTE: "a route that was sent shows it once it is sent again",
    Capability.ACCESS_CODE: "a route that was sent shows it once it is sent again",
    Capability.ASSIGN_DRIVER: "takes effect with the next planning; not once the day is sent",
    Capability.CANCEL: "not when the driver is on the way to it",
    Capability.REATTEMPT: BY_PLANNING,
    Capability.RELEASE_ROUTES: "cannot be undone",
}


class OptimoRoutePlatform(PlatformClient):
    """`connectors.base.RoutingPlatform` on OptimoRoute. Open one per account, close it with `aclose`.

    OptimoRoute plans: a window or a driver on an order is a wish, which moves a planned stop only with the
    next planning and reaches the driver only with the next sending. So what would contradict a route that the
    drivers already have (another time on that day, another driver) is refused with `Refused.RELEASED` before
    anything is written, for a dispatcher to do; another day is taken, and keeps the stop out of the plan.
    """

    vendor = PLATFORM

    def __init__(
        self,
        api_key: str,
        api_base: str = API_BASE,
        *,
        name: str = PLATFORM,
        timezone: str,
        now: Now,
        client_field: str = "customField1",
        zone_field: str = "customField2",
        limits: Limits | None = None,
        drivers: Sequence[ConfiguredDriver] | None = None,
        media_hosts: Collection[str] | None = None,
        send_notifications: bool = True,
    ) -> None:
        """`timezone` is the account's: OptimoRoute tells local times only and does not name their zone.

        `media_hosts` are where pictures may be fetched from, besides `api_base`; None: any public https host.
        `send_notifications` lets OptimoRoute tell recipients when routes are released, as the account is set.
        Raises `ValueError` for an empty or unknown `timezone`, and for fields that are not two of
        `customField1` to `customField5`; the other three, in their order, hold the client's own number, the
        failed order of a second try, and our mark.
        """
        self.name = name
        # Doorline's own three take what the operator's two leave.
        left = [field for field in CUSTOM_FIELDS if field not in (client_field, zone_field)]
        self.account = Account(
            timezone,
            name,
            client_field,
            zone_field,
            order_field=left[0],
            reattempt_field=left[1],
            own_field=left[2],
            drivers=tuple(drivers or ()),
        )
        has_capacity = any(driver.capacity is not None for driver in self.account.drivers)
        self.abilities: Mapping[Capability, str] = dict(ABILITIES) | (
            {Capability.DRIVER_CAPACITY: "of configured drivers"} if has_capacity else {}
        )
        self._now = now
        limits = limits or LIMITS
        limits = replace(limits, at_once=min(limits.at_once, LIMITS.at_once))
        self._wire = OptimoRouteWire(name, api_key, api_base, limits)
        self._reader = Reader(self._wire, self.account, now)
        # Pictures are kept by others, who must not be shown our key.
        self._media = open_client("", read_seconds=limits.read_seconds)
        self._api_base = httpx.URL(api_base)
        self._media_hosts = media_hosts
        self._events = EventFeed(self._wire, self._reader, self.account)
        self._changes = Changes(self._wire, self._reader, self.account, send_notifications=send_notifications)

    async def aclose(self) -> None:
        await self._wire.aclose()
        await self._media.aclose()

    # --- reading ---

    async def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that were completed at or after `since`.

        From three days before the day of `since` to 21 days ahead: OptimoRoute lists by the day of the promise
        and keeps no time of change. A cancelled order has no time of its own and is told again each run.
        """
        zone = self.account.zone_info
        first, today = local_date(since, zone) - LOOKBACK, self._reader.today()

        def is_wanted(stop: Stop) -> bool:
            return not stop.status.is_closed or stop.completed_at is None or stop.completed_at >= since

        async for stop in self._reader.stops_between(first, today + LOOKAHEAD, today, is_wanted):
            yield stop

    async def stops_of_day(self, day: date) -> AsyncIterator[Stop]:
        async for stop in self._reader.stops_between(day, day, day, lambda _: True):
            yield stop

    async def stops_of_route(self, route_ref: str) -> list[Stop]:
        return await self._reader.stops_of_route(route_ref)

    async def get_stop(self, platform_ref: str) -> Stop:
        return await self._reader.stop(platform_ref)

    async def find_stop(self, own_ref: str) -> Stop | None:
        return await self._reader.find_own(own_ref)

    async def drivers(self) -> list[Driver]:
        """Configured drivers and those with a route today; on duty as far as events have told this process."""
        routes = await self._reader.routes(self._reader.today())
        return to_drivers(routes, self.account, self._events.told.duty)

    async def routes(self, day: date | None = None) -> list[Route]:
        day = day or self._reader.today()
        is_sent = await self._reader.is_sent(day)
        progress = await self._reader.progress(await self._reader.routes(day), day)
        routes = []
        for item in progress.values():
            told = self._events.told.status_of(route_ref(day.isoformat(), item.route.serial))
            status = route_status(item, is_sent=is_sent, told=told)
            routes.append(to_route(item, status, self.account))
        return routes

    async def events_after(self, cursor: str | None) -> EventPage:
        return await self._events.after(cursor)

    # --- writing ---

    async def create_stop(self, new: NewStop) -> Stop:
        return await self._changes.create_stop(new)

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        return await self._changes.change_window(platform_ref, window)

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        return await self._changes.add_note(platform_ref, note)

    async def set_access_code(self, platform_ref: str, code: str) -> Stop:
        return await self._changes.set_access_code(platform_ref, code)

    async def assign_driver(self, platform_ref: str, driver_ref: str | None) -> Stop:
        """A wish for the next planning. A planned stop can be given to another, but not taken off its route."""
        return await self._changes.assign_driver(platform_ref, driver_ref)

    async def assign_route(self, platform_ref: str, route_ref: str, position: int | None = None) -> Stop:
        """Planning alone makes routes and orders them; a driver can be wished for with `assign_driver`."""
        raise NotPossibleError(self.name, "putting a stop on a route")

    async def cancel(self, platform_ref: str) -> None:
        await self._changes.cancel(platform_ref)

    async def reattempt(self, platform_ref: str, wanted: Reattempt) -> Stop:
        return await self._changes.reattempt(platform_ref, wanted)

    async def release_routes(self, day: date) -> None:
        """Nothing planned on that day is a refusal with OptimoRoute's own code `ERR_NOTHING_TO_SEND`."""
        await self._changes.release_routes(day)

    # --- pictures and health ---

    def _may_fetch(self, url: str) -> bool:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            return False
        same = ("scheme", "host", "port")
        if all(getattr(target, part) == getattr(self._api_base, part) for part in same):
            return True
        if target.scheme != "https":
            return False
        return target.host in self._media_hosts if self._media_hosts is not None else _is_public(target.host)

    async def probe(self) -> Probe:
        try:
            routes = await self._reader.routes(self._reader.today())
        except PlatformError as exc:
            hint = f"Check {self._variable('API_KEY')} and {self._variable('API_BASE')}"
            return Probe(name=self.name, healthy=False, detail=f"{exc}. {hint}.")
        detail = f"{len(routes)} routes today; times are told in {self.account.timezone}"
        return Probe(name=self.name, healthy=True, detail=detail)


def _is_public(host: str) -> bool:
    """Whether a host may be asked for a picture: a name in the open network, never a machine of ours."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))
    return False
