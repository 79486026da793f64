"""Changes to stops and orders: looked up first, refused where it is too late, read back afterwards.

Route4Me refuses nothing by state: a stop can be changed after its driver left it. What must not be is refused here.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from pydantic import TypeAdapter

from connectors.address_lines import in_one_line
from connectors.base import (
    ACCESS_CODE_LABEL,
    Address,
    DeliveryWindow,
    NewStop,
    Reattempt,
    RouteStatus,
    Stop,
    StopStatus,
)
from connectors.errors import PlatformRejectedError, Refused, StopNotFoundError
from connectors.route4me.mapping import (
    ACCESS_CODE,
    NOTES,
    ORDER_REF,
    OWN_REF,
    Account,
    open_stops,
    order_day,
    ref_of,
    visits,
)
from connectors.route4me.orders import (
    Body,
    new_order,
    order_change,
    order_window_body,
    second_try,
    stop_of_order,
    stop_window_body,
)
from connectors.route4me.payloads import Answer, Geocoded, Member, Order, R4MRoute, RouteAddress
from connectors.route4me.where import ORDER, ORDER_PATH, ROUTE, ROUTE_PATH, Found, SeenRoute, Whereabouts
from connectors.route4me.windows import to_the_second
from connectors.route4me.wire import Wires

ANSWER = TypeAdapter(Answer)
GEOCODED = TypeAdapter(list[Geocoded])
MEMBERS = TypeAdapter(list[Member])
ADDRESS_PATH = "api.v4/address.php"
MOVE_PATH = "actions/route/move_route_destination.php"
MAX_NOTES = 4_000
"""Ours: Route4Me tells no limit for a custom field."""


class Writer:
    """The writing half of `client.Route4MePlatform`."""

    def __init__(self, wires: Wires, account: Account, where: Whereabouts) -> None:
        self._wires = wires
        self._account = account
        self._where = where

    # --- window, notes, code ---

    async def change_window(self, ref: str, window: DeliveryWindow) -> Stop:
        found = await self._where.find(ref)
        self._refuse_late(found.stop)
        if found.stop.window != to_the_second(window):
            await self._write_window(found, window)
        stop = (await self._where.find(ref)).stop
        return self._kept_unless(stop.window == to_the_second(window), stop)

    async def _write_window(self, found: Found, window: DeliveryWindow) -> None:
        """An order's stop that is to be visited on another day leaves its route and waits to be planned again."""
        day = self._account.local_date(window.start_at)
        if found.seen is None:
            await self._put_order(found, self._order_window(window), {})
        elif found.order_id and day != found.seen.day:
            await self._take_off(found, window)
        else:
            body = stop_window_body(window, found.seen.day, self._account.zone_info)
            await self._put_stop(found, self._writable(body))

    async def add_note(self, ref: str, note: str) -> Stop:
        found = await self._where.find(ref)
        line = " ".join(note.split())
        if line in found.stop.notes.splitlines():
            return found.stop
        self._refuse_closed(found.stop)
        notes = f"{found.custom.get(NOTES, '').rstrip()}\n{line}".lstrip("\n")
        if len(notes) > MAX_NOTES:
            raise self._refusal(f"the notes of {ref} are full", Refused.NOTES_FULL)
        await self._put_custom(found, {NOTES: notes})
        stop = (await self._where.find(ref)).stop
        return self._kept_unless(line in stop.notes.splitlines(), stop)

    async def set_access_code(self, ref: str, code: str) -> Stop:
        found = await self._where.find(ref)
        wanted = " ".join(code.split())
        if found.custom.get(ACCESS_CODE, "") == wanted:
            return found.stop
        self._refuse_closed(found.stop)
        await self._put_custom(found, {ACCESS_CODE: wanted})
        stop = (await self._where.find(ref)).stop
        lines = [line for line in stop.notes.splitlines() if line.startswith(ACCESS_CODE_LABEL)]
        return self._kept_unless(lines == ([ACCESS_CODE_LABEL + wanted] if wanted else []), stop)

    # --- driver, route ---

    async def assign_driver(self, ref: str, driver_ref: str | None) -> Stop:
        found = await self._where.find(ref)
        if driver_ref is None:
            return await self._unassign(found)
        if found.stop.driver_ref == driver_ref and found.seen is not None:
            return found.stop
        self._refuse_late(found.stop)
        route = await self._route_of_driver(driver_ref, self._day_of(found))
        return await self._place(found, await self._where.route(route.route_id), None)

    async def _unassign(self, found: Found) -> Stop:
        if found.seen is None:
            return found.stop
        self._refuse_late(found.stop)
        if not found.order_id:
            raise self._refusal("a stop without an order is always on a route", Refused.NOT_POSSIBLE)
        await self._take_off(found, found.stop.window)
        stop = (await self._where.find(ORDER_REF + found.order_id)).stop
        return self._kept_unless(stop.route_ref is None, stop)

    async def assign_route(self, ref: str, route_ref: str, position: int | None) -> Stop:
        found = await self._where.find(ref)
        target = await self._where.route(route_ref)
        if self._is_placed(found, target, position):
            return found.stop
        self._refuse_late(found.stop)
        return await self._place(found, target, position)

    def _is_placed(self, found: Found, target: SeenRoute, position: int | None) -> bool:
        if found.seen is None or found.seen.route.route_id != target.route.route_id:
            return False
        left = len(open_stops(target.route))
        wanted = left - 1 if position is None else min(position, left - 1)
        return found.stop.sequence == wanted

    async def _place(self, found: Found, target: SeenRoute, position: int | None) -> Stop:
        """Puts the stop on `target` and looks whether it is there, at the place that was asked for."""
        others = [item for item in visits(target.route) if not _is_same(item, found)]
        left = [item for item in open_stops(target.route) if not _is_same(item, found)]
        after = _predecessor(target.route, others, left, position)
        if found.address is None:
            await self._insert(found, target, after)
        else:
            await self._move(found, found.address, target, after)
        ref = found.stop.platform_ref
        self._where.remember(ref, target.route.route_id)
        stop = (await self._where.find(ref)).stop
        wanted = None if position is None else min(position, len(left))
        is_there = stop.route_ref == target.route.route_id and wanted in (None, stop.sequence)
        return self._kept_unless(is_there, stop)

    async def _insert(self, found: Found, target: SeenRoute, after: RouteAddress | None) -> None:
        if found.order is None:
            raise StopNotFoundError(self._account.name, found.stop.platform_ref)
        address = stop_of_order(found.order, found.stop.window, target.day, self._account, after)
        body = {"addresses": [self._writable(address)], "optimal_position": False}
        await self._wires.v4.call(
            "PUT", ROUTE_PATH, ANSWER, params={"route_id": target.route.route_id}, json=body
        )

    async def _move(
        self, found: Found, address: RouteAddress, target: SeenRoute, after: RouteAddress | None
    ) -> None:
        # The seconds of a window count from the route's day: on another day they would say another promise.
        window, is_same_day = found.stop.window, found.seen is None or found.seen.day == target.day
        timed = stop_window_body(window, target.day, self._account.zone_info) if window else {}
        body = {} if is_same_day else self._writable(timed)
        form = {
            "to_route_id": target.route.route_id,
            "route_destination_id": address.route_destination_id,
        }
        if after is not None:
            form["after_destination_id"] = after.route_destination_id
        await self._wires.v4.call("POST", MOVE_PATH, ANSWER, form=form)
        if body:
            params = _at(address) | {"route_id": target.route.route_id}
            await self._wires.v4.call("PUT", ADDRESS_PATH, ANSWER, params=params, json=body, repeatable=True)

    async def _route_of_driver(self, driver_ref: str, day: date) -> R4MRoute:
        async for header in self._where.headers(day, day):
            if header.member_id == driver_ref:
                return header
        members = await self._wires.v5.get("team/users", MEMBERS)
        if all(member.member_id != driver_ref for member in members):
            raise self._refusal(f"no driver {driver_ref}", Refused.UNKNOWN_DRIVER)
        raise self._refusal(f"driver {driver_ref} has no route on {day.isoformat()}", Refused.NO_ROUTE)

    def _day_of(self, found: Found) -> date:
        """The local day on which the stop is to be visited."""
        if found.stop.window is not None:
            return self._account.local_date(found.stop.window.start_at)
        day = found.seen.day if found.seen else (order_day(found.order) if found.order else None)
        return day or self._account.local_date(found.stop.changed_at)

    # --- new stops ---

    async def find_own(self, own_ref: str) -> Stop | None:
        order = await self._where.order_with(OWN_REF, own_ref)
        if order is None:
            return None
        if not order.in_route_count:
            return self._where.waiting(order).stop
        return (await self._where.find(ORDER_REF + order.order_id)).stop

    async def create_stop(self, new: NewStop, reattempt_of: str = "") -> Stop:
        """Always an order first: it can be looked up, and its reference outlives its route."""
        held = await self.find_own(new.own_ref)
        if held is None:
            held = await self._create_order(new, reattempt_of)
        if new.driver_ref is not None and held.route_ref is None and not held.status.is_closed:
            return await self.assign_driver(held.platform_ref, new.driver_ref)
        return held

    async def _create_order(self, new: NewStop, reattempt_of: str) -> Stop:
        if new.driver_ref is not None:
            # Looked up before the order is there: an unknown driver must leave nothing behind.
            await self._route_of_driver(new.driver_ref, self._account.local_date(new.window.start_at))
        place = await self._place_of(new.address)
        body = self._writable(new_order(new, self._account, place, reattempt_of))
        created = await self._wires.v4.call("POST", ORDER_PATH, ORDER, json=body)
        stop = (await self._where.find(ORDER_REF + created.order_id)).stop
        is_kept = stop.own_ref == new.own_ref and stop.window == to_the_second(new.window)
        return self._kept_unless(is_kept, stop)

    async def _place_of(self, address: Address) -> tuple[float, float]:
        """Latitude and longitude; asks Route4Me's geocoder where they are not given."""
        if address.latitude is not None and address.longitude is not None:
            return address.latitude, address.longitude
        params = {"format": "json", "addresses": in_one_line(address)}
        for found in await self._wires.v4.get("api/geocoder.php", GEOCODED, params):
            if found.lat is not None and found.lng is not None and (found.lat, found.lng) != (0, 0):
                return found.lat, found.lng
        raise self._refusal("no such address on its map", Refused.BAD_ADDRESS)

    async def reattempt(self, ref: str, wanted: Reattempt) -> Stop:
        held = await self.find_own(wanted.own_ref)
        if held is not None:
            return held
        found = await self._where.find(ref)
        if found.stop.status is not StopStatus.FAILED:
            raise self._refusal(f"{ref} did not fail", Refused.NOT_FAILED)
        return await self.create_stop(second_try(found.stop, found.custom, wanted), found.stop.platform_ref)

    # --- the end ---

    async def cancel(self, ref: str) -> None:
        try:
            found = await self._where.find(ref)
        except StopNotFoundError:
            return
        if found.stop.status is StopStatus.CANCELLED:
            return
        self._refuse_late(found.stop)
        await self._delete_stop(found)
        if found.order_id:
            await self._delete_order(found.order_id)
        await self._gone_or_kept(found.stop.platform_ref)

    async def _delete_order(self, order_id: str) -> None:
        with suppress(StopNotFoundError):
            await self._wires.v4.call(
                "DELETE", ORDER_PATH, ANSWER, json={"order_ids": [int(order_id)]}, repeatable=True
            )

    async def _gone_or_kept(self, ref: str) -> None:
        try:
            left = (await self._where.find(ref)).stop
        except StopNotFoundError:
            return
        self._kept_unless(left.status is StopStatus.CANCELLED, left)

    async def release(self, seen: SeenRoute) -> None:
        params = {"route_id": seen.route.route_id}
        await self._wires.v4.call(
            "PUT", ROUTE_PATH, ROUTE, params=params, json={"approved_for_execution": True}, repeatable=True
        )
        after = await self._where.route(seen.route.route_id)
        if not after.route.approved_for_execution and after.status is RouteStatus.PLANNED:
            raise self._refusal(f"route {seen.route.route_id} was not released", Refused.KEPT)

    # --- single calls ---

    async def _put_stop(self, found: Found, changes: Body) -> None:
        if found.address is None:
            raise StopNotFoundError(self._account.name, found.stop.platform_ref)
        await self._wires.v4.call(
            "PUT", ADDRESS_PATH, ANSWER, params=_at(found.address), json=changes, repeatable=True
        )

    async def _put_order(self, found: Found, changes: Body, custom: Mapping[str, str]) -> None:
        order = found.order or await self._where.order(found.order_id)
        await self._send_order(order, changes, custom)

    async def _send_order(self, order: Order, changes: Body, custom: Mapping[str, str]) -> None:
        body = order_change(order, self._account, changes, custom)
        await self._wires.v4.call("PUT", ORDER_PATH, ANSWER, json=body, repeatable=True)

    async def _put_custom(self, found: Found, changes: Mapping[str, str]) -> None:
        if found.address is not None:
            await self._put_stop(found, {"custom_fields": {**found.custom, **changes}})
        else:
            await self._put_order(found, {}, changes)

    async def _take_off(self, found: Found, window: DeliveryWindow | None) -> None:
        """Back to an order that waits. What was written on the stop goes with it, before the stop goes."""
        changes = self._order_window(window) if window is not None else {}
        await self._put_order(found, changes, found.custom)
        await self._delete_stop(found)

    async def _delete_stop(self, found: Found) -> None:
        if found.address is None:
            return
        with suppress(StopNotFoundError):  # somebody was faster
            await self._wires.v4.call(
                "DELETE", ADDRESS_PATH, ANSWER, params=_at(found.address), repeatable=True
            )
        self._where.remember(found.stop.platform_ref, None)

    # --- saying no ---

    def _order_window(self, window: DeliveryWindow) -> Body:
        return self._writable(order_window_body(window, self._account.zone_info))

    def _writable(self, body: Body | None) -> Body:
        if body is None:
            raise self._refusal("Route4Me cannot write this window", Refused.BAD_WINDOW)
        return body

    def _refuse_closed(self, stop: Stop) -> None:
        if stop.status.is_closed:
            raise self._refusal(f"{stop.platform_ref} is {stop.status.value}", Refused.FINISHED)

    def _refuse_late(self, stop: Stop) -> None:
        """The first stop that is left of a started route is the one that the driver is on the way to."""
        self._refuse_closed(stop)
        is_next = stop.status is StopStatus.OUT_FOR_DELIVERY and stop.sequence == 0
        if is_next or stop.status is StopStatus.ARRIVING:
            raise self._refusal(f"the driver is on the way to {stop.platform_ref}", Refused.UNDER_WAY)

    def _kept_unless(self, is_done: bool, stop: Stop) -> Stop:
        if not is_done:
            raise self._refusal(f"{stop.platform_ref} kept what it had", Refused.KEPT)
        return stop

    def _refusal(self, detail: str, code: str) -> PlatformRejectedError:
        return PlatformRejectedError(self._account.name, detail, code=code)


def _at(address: RouteAddress) -> dict[str, str]:
    return {"route_id": address.route_id, "route_destination_id": address.route_destination_id}


def _is_same(address: RouteAddress, found: Found) -> bool:
    return ref_of(address) == found.stop.platform_ref


def _predecessor(
    route: R4MRoute, others: list[RouteAddress], left: list[RouteAddress], position: int | None
) -> RouteAddress | None:
    """After which stop, or depot, it goes to stand at `position` among those that are left."""
    depots = [address for address in route.addresses if address.is_depot]
    before = [*sorted(depots, key=lambda depot: depot.sequence_no or 0)[:1], *others]
    if position is None or position >= len(left):
        return before[-1] if before else None
    index = before.index(left[position])
    return before[index - 1] if index else None
