"""Changes of an OptimoRoute account: each read back, each safe to ask for again, refused where it comes too late."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, NoReturn

from pydantic import TypeAdapter

from connectors.base import DeliveryWindow, NewStop, Reattempt, Stop
from connectors.errors import (
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
    UnreadablePayloadError,
)
from connectors.optimoroute.local_time import local_date, read_day
from connectors.optimoroute.mapping import (
    FINISHED,
    UNDER_WAY,
    Account,
    is_own,
    plan_day,
    wire_assignee,
    with_access_code,
    with_note,
)
from connectors.optimoroute.payloads import Answer, Created, DispatchState, Order, OrderStatus, UpdatesAnswer
from connectors.optimoroute.reading import Look, Reader
from connectors.optimoroute.wire import EXISTS, NOTHING_TO_SEND, OptimoRouteWire, checked
from connectors.optimoroute.writing import new_order, second_try, window_edit

Holds = Callable[[Order], bool]

ANSWER = TypeAdapter(Answer)
CREATED = TypeAdapter(Created)
UPDATES = TypeAdapter(UpdatesAnswer)


class Changes:
    """Every method raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(
        self, wire: OptimoRouteWire, reader: Reader, account: Account, *, send_notifications: bool
    ) -> None:
        self._wire = wire
        self._reader = reader
        self._account = account
        self._send_notifications = send_notifications

    async def create_stop(self, new: NewStop) -> Stop:
        if (found := await self._reader.find_own(new.own_ref)) is not None:
            return found
        day = local_date(new.window.start_at, self._account.zone_info)
        assignee = await self._assignee(new.driver_ref, day) if new.driver_ref else None
        return await self._create(new_order(new, self._account, assignee))

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        look = await self._open(platform_ref)
        edit = window_edit(look.order, window, self._account)
        if _holds_window(look.order, edit):
            return await self._reader.stop(platform_ref)
        if edit["date"] == self._planned_day(look):
            await self._refuse_if_sent(look)
        return await self._merge(look.order, edit, lambda order: _holds_window(order, edit), "window")

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        order = (await self._unfinished(platform_ref)).order
        return await self._write_notes(order, with_note(order.notes, note))

    async def set_access_code(self, platform_ref: str, code: str) -> Stop:
        order = (await self._unfinished(platform_ref)).order
        return await self._write_notes(order, with_access_code(order.notes, code))

    async def assign_driver(self, platform_ref: str, driver_ref: str | None) -> Stop:
        """A wish for the next planning. A planned stop can be given to another, but not taken off its route."""
        look = await self._open(platform_ref)
        await self._refuse_if_sent(look)
        if driver_ref is not None:
            return await self._give(look, driver_ref)
        if self._planned_day(look) is not None:
            raise PlatformRejectedError(
                self._account.name,
                "only planning takes a planned stop off its route",
                code=Refused.NOT_POSSIBLE,
            )
        return await self._merge(
            look.order, {"assignedTo": None}, lambda order: order.assigned_to.ref is None, "driver"
        )

    async def cancel(self, platform_ref: str) -> None:
        """Marked as cancelled once the drivers have the route, so that it stays in its history; else deleted."""
        try:
            look = await self._reader.look(platform_ref)
        except StopNotFoundError:
            return
        status = self._status(look)
        if status is OrderStatus.CANCELLED:
            return
        self._refuse(status, FINISHED, UNDER_WAY)
        day = self._planned_day(look)
        if day is not None and await self._reader.is_sent(_day(day)):
            await self._mark_cancelled(platform_ref)
        else:
            await self._delete(platform_ref)

    async def reattempt(self, platform_ref: str, wanted: Reattempt) -> Stop:
        found = await self._reader.find_own(wanted.own_ref)
        if found is not None and found.reattempt_of == platform_ref:
            return found
        look = await self._reader.look(platform_ref)
        if self._status(look) not in (OrderStatus.FAILED, OrderStatus.REJECTED):
            raise PlatformRejectedError(
                self._account.name, f"stop {platform_ref} did not fail", code=Refused.NOT_FAILED
            )
        return await self._create(second_try(look.order, wanted, self._account))

    async def release_routes(self, day: date) -> None:
        if await self._reader.is_sent(day):
            return
        body = {"date": day.isoformat(), "sendNotifications": self._send_notifications}
        try:
            await self._wire.do_once("send_routes", ANSWER, body)
        except PlatformRejectedError as exc:
            # Somebody else sent them in the same moment.
            if exc.code != NOTHING_TO_SEND or not await self._reader.is_sent(day):
                raise
        if await self._reader.dispatch_state(day) == DispatchState.NOT_SENT:
            raise PlatformRejectedError(
                self._account.name, f"the routes of {day} were not sent", code=Refused.KEPT
            )

    # --- parts ---

    async def _create(self, body: Mapping[str, Any]) -> Stop:
        """An order number exists once, so what an earlier try made is found by it."""
        number = str(body["orderNo"])
        try:
            order_id = (await self._wire.do_once("create_order", CREATED, body)).id
        except PlatformRejectedError as exc:
            if exc.code != EXISTS:
                raise
            order_id = ""
        order = await self._reader.order_by_number(number)
        if order is None:
            raise PlatformUnavailableError(self._account.name, f"order {number} was taken and is not there")
        link = self._account.reattempt_field
        if not is_own(order, self._account) or order.custom(link) != str(body.get(link) or ""):
            raise PlatformRejectedError(self._account.name, f"order {number} belongs to another", code=EXISTS)
        if order_id and not _holds_window(order, body):
            self._kept(order, "window")
        return await self._reader.stop(order.id)

    async def _merge(self, order: Order, edit: Mapping[str, Any], holds: Holds, what: str) -> Stop:
        key = {"id": order.id} | ({"orderNo": order.order_no} if order.order_no else {})
        try:
            await self._wire.ask("create_order", CREATED, {"operation": "MERGE", **key, **edit})
        except StopNotFoundError as exc:
            raise StopNotFoundError(self._account.name, order.id) from exc
        if not holds(await self._reader.order(order.id)):
            self._kept(order, what)
        return await self._reader.stop(order.id)

    async def _write_notes(self, order: Order, notes: str) -> Stop:
        if notes == order.notes:
            return await self._reader.stop(order.id)
        return await self._merge(
            order, {"notes": notes}, lambda held: held.notes.splitlines() == notes.splitlines(), "notes"
        )

    async def _give(self, look: Look, driver_ref: str) -> Stop:
        day = read_day(look.order.date) or self._reader.today()
        assignee = await self._assignee(driver_ref, day)

        def holds(order: Order) -> bool:
            return order.assigned_to.ref is not None and driver_ref in (
                order.assigned_to.external_id,
                order.assigned_to.serial,
            )

        if holds(look.order):
            return await self._reader.stop(look.order.id)
        return await self._merge(look.order, {"assignedTo": assignee}, holds, "driver")

    async def _assignee(self, driver_ref: str, day: date) -> Mapping[str, Any]:
        """How that driver is named. Known are who is configured, and who has a route that day or today."""
        days = {day, self._reader.today()}
        routes = [route for one in sorted(days) for route in await self._reader.routes(one)]
        assignee = wire_assignee(driver_ref, routes, self._account)
        if assignee is None:
            raise PlatformRejectedError(
                self._account.name, f"no driver {driver_ref}", code=Refused.UNKNOWN_DRIVER
            )
        return assignee

    async def _mark_cancelled(self, platform_ref: str) -> None:
        updates = [{"id": platform_ref, "data": {"status": OrderStatus.CANCELLED.value}}]
        answer = await self._wire.ask("update_completion_details", UPDATES, {"updates": updates})
        for result in answer.results:
            checked(self._account.name, result, platform_ref)
        look = await self._reader.look(platform_ref)
        if self._status(look) is not OrderStatus.CANCELLED:
            self._kept(look.order, "status")

    async def _delete(self, platform_ref: str) -> None:
        try:
            await self._wire.ask("delete_order", ANSWER, {"id": platform_ref})
            await self._reader.order(platform_ref)
        except StopNotFoundError:
            return
        raise PlatformRejectedError(
            self._account.name, f"stop {platform_ref} was not deleted", code=Refused.KEPT
        )

    async def _open(self, platform_ref: str) -> Look:
        """An order that no driver is on the way to."""
        look = await self._reader.look(platform_ref)
        self._refuse(self._status(look), FINISHED, UNDER_WAY)
        return look

    async def _unfinished(self, platform_ref: str) -> Look:
        look = await self._reader.look(platform_ref)
        self._refuse(self._status(look), FINISHED)
        return look

    def _refuse(self, status: OrderStatus, *groups: Collection[OrderStatus]) -> None:
        for group in groups:
            if status in group:
                code = Refused.FINISHED if group is FINISHED else Refused.UNDER_WAY
                raise PlatformRejectedError(self._account.name, f"the stop is {status.value}", code=code)

    async def _refuse_if_sent(self, look: Look) -> None:
        day = self._planned_day(look)
        if day is not None and await self._reader.is_sent(_day(day)):
            raise PlatformRejectedError(
                self._account.name, f"the routes of {day} are with the drivers", code=Refused.RELEASED
            )

    def _status(self, look: Look) -> OrderStatus:
        try:
            return look.status
        except UnreadablePayloadError as exc:
            raise PlatformUnavailableError(self._account.name, str(exc)) from exc

    def _planned_day(self, look: Look) -> str | None:
        """The day on whose routes it stands, whatever was promised since."""
        if look.around.schedule is None or self._status(look) is OrderStatus.UNSCHEDULED:
            return None
        return plan_day(look.order, look.around.schedule)

    def _kept(self, order: Order, what: str) -> NoReturn:
        raise PlatformRejectedError(
            self._account.name, f"stop {order.id} kept its old {what}", code=Refused.KEPT
        )


def _holds_window(order: Order, edit: Mapping[str, Any]) -> bool:
    held = [(item.tw_from[:5], item.tw_to[:5]) for item in order.time_windows]
    wanted = [(item["twFrom"], item["twTo"]) for item in edit["timeWindows"]]
    return order.date == edit["date"] and held == wanted


def _day(text: str) -> date:
    return date.fromisoformat(text)
