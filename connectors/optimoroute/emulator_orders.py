"""The pretended OptimoRoute's rules for orders: how each operation writes, and what drivers make of them."""

from datetime import datetime
from typing import Any, Literal

from connectors.base import Now
from connectors.optimoroute.emulator_fields import DEFAULTS, geocoded, given_fields
from connectors.optimoroute.emulator_store import Json, Store, VendorError, make_id
from connectors.optimoroute.local_time import to_instant
from connectors.optimoroute.payloads import OrderStatus, from_unix, to_unix

CLOSED = ("success", "failed", "rejected", "cancelled")
OPERATIONS = ("CREATE", "UPDATE", "SYNC", "MERGE")


class Orders:
    """Orders as the API and the driver's app may treat them. Raises `VendorError` where OptimoRoute says no."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self.edited: list[str] = []
        """Ids of orders that the API changed, for the pretended day to look at."""
        self.edits: Literal["take", "drop"] = "take"
        """`drop` answers yes to an edit and keeps the old."""

    # --- written over the API ---

    def write(self, body: object, *, geocode: bool, operation: object = None) -> Json:
        """One order of `create_order` or `create_or_update_orders`; the id of what was written."""
        if not isinstance(body, dict):
            raise VendorError("MALFORMED_REQUEST", "an order is expected")
        operation = body.get("operation") or operation or "MERGE"
        if operation not in OPERATIONS:
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "Parameter operation is not valid.")
        known = self._known(
            body, accept_twins=operation == "CREATE" and bool(body.get("acceptDuplicateOrderNo"))
        )
        if known is not None and operation == "CREATE":
            raise VendorError("ERR_ORD_EXISTS", "An order with this orderNo exists.")
        if known is None and (operation == "UPDATE" or body.get("id")):
            raise VendorError("ERR_ORD_NOT_FOUND", "The order was not found.")
        if known is None:
            return self._create(body, geocode=geocode)
        return self._edit(known, body, operation, geocode=geocode)

    def _known(self, body: Json, *, accept_twins: bool) -> Json | None:
        if body.get("id"):
            return self._store.orders.get(str(body["id"]))
        if not body.get("orderNo"):
            raise VendorError("ERR_MISSING_MAND_FIELD", "orderNo")
        if accept_twins or not self._store.ids_of(str(body["orderNo"])):
            return None
        return self._store.named(body)

    def _create(self, body: Json, *, geocode: bool) -> Json:
        for name in ("date", "location"):
            if not body.get(name):
                raise VendorError("ERR_MISSING_MAND_FIELD", name)
        data = DEFAULTS | given_fields(body) | {"location": self._location({}, body, geocode=geocode)}
        self._check_assignee(data)
        order_id = make_id("order", f"api:{self._store.count('orders')}")
        self._store.put_order(self.fresh(order_id, str(body["orderNo"]), data))
        self.edited.append(order_id)
        return self._store.order(order_id)

    def fresh(self, order_id: str, order_no: str, data: Json) -> Json:
        return {
            "seq": self._store.count("sequence"),
            "data": {"id": order_id, "orderNo": order_no, **data},
            "status": OrderStatus.UNSCHEDULED.value,
            "sent": False,
            "start": None,
            "end": None,
            "eta": None,
            "form": {},
        }

    def _edit(self, known: Json, body: Json, operation: str, *, geocode: bool) -> Json:
        """MERGE and UPDATE change what is given, SYNC resets everything else. A planned stop stays planned."""
        base = DEFAULTS if operation == "SYNC" else known["data"]
        data = base | given_fields(body)
        if "location" in body:
            own = {} if operation == "SYNC" else known["data"]["location"]
            data["location"] = self._location(own, body, geocode=geocode)
        self._check_assignee(data)
        number = str(body.get("orderNo") or known["data"]["orderNo"])
        data |= {"id": known["data"]["id"], "orderNo": number}
        if self.edits == "take":
            self._store.put_order(known | {"data": data})
            self.edited.append(data["id"])
        return self._store.order(known["data"]["id"])

    def _location(self, own: Json, body: Json, *, geocode: bool) -> Json:
        given = body["location"]
        if not isinstance(given, dict):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "Parameter location is not valid.")
        merged = own | given
        has_place = given.get("latitude") is not None and given.get("longitude") is not None
        if not has_place and given.get("address", own.get("address")) == own.get("address") and own:
            return merged  # no other place
        if not has_place:
            merged |= self._known_place(given) or self._geocoded(given, geocode=geocode)
        texts = {name: merged.get(name) or "" for name in ("locationNo", "locationName", "address", "notes")}
        place = {name: merged[name] for name in ("latitude", "longitude")}
        return texts | place | {"checkInTime": merged.get("checkInTime") or 0, "valid": True}

    def _known_place(self, location: Json) -> Json | None:
        number = location.get("locationNo")
        for order in self._store.orders.values() if number else ():
            there = order["data"]["location"]
            if there.get("locationNo") == number:
                return {name: there[name] for name in ("latitude", "longitude", "address", "locationName")}
        return None

    def _geocoded(self, location: Json, *, geocode: bool) -> Json:
        if not geocode:
            raise VendorError("ERR_MISSING_MAND_FIELD", "coordinates or a known locationNo")
        return geocoded(location)

    def _check_assignee(self, data: Json) -> None:
        if data["assignedTo"] is not None:
            self._store.driver(data["assignedTo"])

    def delete(self, key: object) -> None:
        order_id = self._store.named(key)["data"]["id"]
        self._store.drop_order(order_id)
        self.edited.append(order_id)

    def set_completion(self, update: object) -> Json:
        """One entry of `update_completion_details`. The order must be with a driver."""
        order = self._store.named(update)
        data = update.get("data") if isinstance(update, dict) else None
        if not isinstance(data, dict) or data.get("status") not in set(OrderStatus):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "data.status")
        if not order["sent"]:
            # The vendor's own code for this is not published.
            raise VendorError("ERR_ORD_NOT_DISPATCHED", "The order was not sent to a driver.")
        status, now = data["status"], to_unix(self._now())
        end = self._unix(data.get("endTime")) or (order["end"] or now if status in CLOSED else None)
        start = self._unix(data.get("startTime")) or order["start"]
        self._store.change_order(order["data"]["id"], status=status, start=start, end=end)
        self.edited.append(order["data"]["id"])
        return order

    def _unix(self, moment: object) -> int | None:
        told = moment if isinstance(moment, dict) else {}
        try:
            if told.get("unixTimestamp"):
                return to_unix(from_unix(told["unixTimestamp"]))
            if told.get("utcTime"):
                return to_unix(datetime.fromisoformat(told["utcTime"] + "+00:00"))
            if told.get("localTime"):
                return to_unix(to_instant(datetime.fromisoformat(told["localTime"]), self._store.zone))
        except (TypeError, ValueError) as exc:
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "a time is not valid") from exc
        return None

    # --- what the driver's app does; each does nothing when it was done before ---

    def start(self, order_id: str, at: datetime) -> None:
        order = self._store.order(order_id)
        if order["status"] != OrderStatus.SCHEDULED:
            return
        key = self._store.route_key_of(order_id)
        ids = [stop["id"] for stop in self._store.routes.get(key or "", [])]
        if all(self._store.order(item)["status"] == OrderStatus.SCHEDULED for item in ids):
            self._store.tell("start_route", at, self._store.driver_of(order_id))
        self._store.change_order(order_id, status=OrderStatus.ON_ROUTE.value)

    def arrive(self, order_id: str, at: datetime) -> None:
        order = self._store.order(order_id)
        if order["status"] != OrderStatus.ON_ROUTE:
            return
        self._store.tell("start_service", at, self._store.driver_of(order_id), order)
        self._store.change_order(order_id, status=OrderStatus.SERVICING.value, start=at.timestamp())

    def finish(self, order_id: str, status: OrderStatus, at: datetime, form: Json) -> None:
        order = self._store.order(order_id)
        if order["status"] in CLOSED:
            return
        self._store.tell(status.value, at, self._store.driver_of(order_id), order)
        # Kept to the microsecond, told to the second: the pretended day knows its own finishes by their time.
        start = order["start"] or (at.timestamp() if status is not OrderStatus.REJECTED else None)
        done: dict[str, Any] = {"status": status.value, "start": start, "end": at.timestamp()}
        self._store.change_order(order_id, form=form, eta=None, **done)

    def predict(self, order_id: str, eta: datetime) -> None:
        if self._store.order(order_id)["status"] not in CLOSED:
            self._store.change_order(order_id, eta=to_unix(eta))
