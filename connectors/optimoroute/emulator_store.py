"""What the pretended OptimoRoute remembers: orders, drivers, routes, events, and what was sent on which day.

Instants are unix seconds here; dates and times of day are texts local to the account, as on the wire.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.emulation import Ledger
from connectors.optimoroute.local_time import known_zone
from connectors.optimoroute.payloads import from_unix, to_unix

Json = dict[str, Any]

HTTP_STATUSES = {
    "AUTH_KEY_MISSING": 401,
    "AUTH_KEY_UNKNOWN": 401,
    "ERR_TOO_MANY_CONNECTIONS": 429,
    "ERR_INTERNAL": 500,
    "METHOD_UNKNOWN": 404,
    "WRONG_VERB": 405,
}
"""By code where errors are told by status too; 400 for the rest. OptimoRoute ties no code to a status."""


class VendorError(Exception):
    """An answer with `success: false`, or one such entry in a bulk answer."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(message or code)
        self.code = code
        self.more = more

    def body(self) -> Json:
        return {"success": False, "code": self.code, "message": str(self), **self.more}


def make_id(kind: str, key: str) -> str:
    """32 hexadecimal digits, the same for the same key."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:32]


class Store:
    """Everything of the pretended account. Give a `path` and it survives kill -9."""

    def __init__(self, path: Path | None, timezone: str) -> None:
        self.zone: ZoneInfo = known_zone(timezone)
        self.orders = Ledger(path, "optimoroute_orders")
        self.deleted_orders = Ledger(path, "optimoroute_deleted_orders")
        self.drivers = Ledger(path, "optimoroute_drivers")
        """By serial."""
        self.routes = Ledger(path, "optimoroute_routes")
        """By `<date>:<serial>`: stops in driving order."""
        self.events = Ledger(path, "optimoroute_events")
        self.dispatch = Ledger(path, "optimoroute_dispatch")
        self.plannings = Ledger(path, "optimoroute_plannings")
        self._counters = Ledger(path, "optimoroute_counters")
        self._ids_by_number: dict[str, list[str]] = {}
        self._route_of: dict[str, str] = {}
        for order in self.orders.values():
            self._ids_by_number.setdefault(order["data"]["orderNo"], []).append(order["data"]["id"])
        for key, stops in self.routes.items():
            self._route_of |= {stop["id"]: key for stop in stops}

    def count(self, name: str) -> int:
        number = int(self._counters.get(name, 0)) + 1
        self._counters[name] = number
        return number

    # --- orders ---

    def put_order(self, order: Json) -> None:
        order_id, number = order["data"]["id"], order["data"]["orderNo"]
        known = self.orders.get(order_id)
        if known is not None and known["data"]["orderNo"] != number:
            self._ids_by_number[known["data"]["orderNo"]].remove(order_id)
        ids = self._ids_by_number.setdefault(number, [])
        if order_id not in ids:
            ids.append(order_id)
        self.orders[order_id] = order

    def drop_order(self, order_id: str) -> None:
        order = self.order(order_id)
        self.take_off(order_id)
        self._ids_by_number[order["data"]["orderNo"]].remove(order_id)
        self.deleted_orders[order_id] = order
        del self.orders[order_id]

    def order(self, order_id: str) -> Json:
        if order_id not in self.orders:
            raise VendorError("ERR_ORD_NOT_FOUND", "The order was not found.")
        found: Json = self.orders[order_id]
        return found

    def ids_of(self, order_no: str) -> list[str]:
        return list(self._ids_by_number.get(order_no, []))

    def named(self, key: object) -> Json:
        """The order of `{"id"}` or `{"orderNo"}`; the id wins where both are given."""
        if not isinstance(key, dict) or not (key.get("id") or key.get("orderNo")):
            raise VendorError("ERR_MISSING_MAND_FIELD", "orderNo or id")
        if key.get("id"):
            return self.order(str(key["id"]))
        ids = self.ids_of(str(key["orderNo"]))
        if len(ids) > 1:
            raise VendorError("ERR_MULTIPLE_ORD_FOUND", "More than one order has this orderNo.")
        return self.order(ids[0] if ids else "")

    def change_order(self, order_id: str, **changes: Any) -> None:
        self.orders[order_id] = self.order(order_id) | changes

    # --- routes ---

    def route_key_of(self, order_id: str) -> str | None:
        return self._route_of.get(order_id)

    def driver_of(self, order_id: str) -> Json | None:
        key = self._route_of.get(order_id)
        driver: Json | None = self.drivers[key.partition(":")[2]] if key else None
        return driver

    def put_on(self, key: str, stop: Json) -> None:
        """Puts a stop at the end of a route, and takes it off any other."""
        self.take_off(stop["id"])
        self._route_of[stop["id"]] = key
        self.routes[key] = [*self.routes.get(key, []), stop]

    def take_off(self, order_id: str) -> None:
        key = self._route_of.pop(order_id, None)
        if key is not None:
            self.routes[key] = [stop for stop in self.routes[key] if stop["id"] != order_id]

    def routes_of(self, day: str) -> list[tuple[Json, list[Json]]]:
        """Drivers with their stops of that day, drivers without any left out."""
        every = ((driver, self.routes.get(f"{day}:{driver['serial']}")) for driver in self.drivers.values())
        return [(driver, stops) for driver, stops in every if stops]

    def driver(self, wanted: object) -> Json:
        """By `{"externalId"}` or `{"serial"}`, also under the names of the queries."""
        named = wanted if isinstance(wanted, dict) else {}
        external = named.get("externalId") or named.get("driverExternalId")
        serial = named.get("serial") or named.get("driverSerial")
        for driver in self.drivers.values():
            if (external and driver["externalId"] == external) or (serial and driver["serial"] == serial):
                known: Json = driver
                return known
        raise VendorError("ERR_INVALID_PARAM_FORMAT", "The driver is not known.")

    # --- time ---

    def local(self, unix: float) -> datetime:
        return from_unix(unix).astimezone(self.zone)

    def moment(self, unix: float) -> Json:
        """The three forms in which OptimoRoute tells one instant."""
        return {
            "unixTimestamp": int(unix),
            "utcTime": f"{from_unix(unix):%Y-%m-%dT%H:%M:%S}",
            "localTime": f"{self.local(unix):%Y-%m-%dT%H:%M:%S}",
        }

    # --- events ---

    def tell(self, event: str, at: datetime, driver: Json | None, order: Json | None = None) -> None:
        """Writes one event, once."""
        told: Json = {"event": event, **self.moment(to_unix(at))}
        if order is not None:
            told |= {"orderNo": order["data"]["orderNo"], "orderId": order["data"]["id"]}
        if driver is not None:
            told |= {"driverSerial": driver["serial"], "driverName": driver["name"]}
            told |= {"driverExternalId": driver["externalId"]} if driver["externalId"] else {}
        about = told.get("orderId") or told.get("driverSerial")
        self.events.setdefault(f"{event}:{about}:{told['unixTimestamp']}", told)
