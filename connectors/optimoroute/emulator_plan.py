"""The pretended OptimoRoute's planning and sending: who gets which order, and when the drivers have it."""

from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.base import Now
from connectors.optimoroute.emulator_fields import is_date, is_range
from connectors.optimoroute.emulator_store import Json, Store, VendorError
from connectors.optimoroute.local_time import read_window, to_instant
from connectors.optimoroute.payloads import OrderStatus, to_unix

PLANNING_TAKES = timedelta(seconds=2)
LOOKS_TO_FINISH = 3
"""A planning is over after so many looks at it too, for whoever's clock stands still."""
DRIVE_SECONDS = 15 * 60
DRIVE_METRES = 5_000
SHIFT_STARTS = time(8)
LOCKS = ("NONE", "ROUTES", "RESOURCES")


class Plan:
    """Raises `VendorError` where OptimoRoute says no."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now

    # --- planning ---

    def start(self, body: Json) -> Json:
        days = _days(body)
        if (
            body.get("startWith", "EMPTY") not in ("EMPTY", "CURRENT")
            or body.get("lockType", "NONE") not in LOCKS
        ):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "startWith or lockType")
        orders, drivers = body.get("useOrders") or [], body.get("useDrivers") or []
        number = self._store.count("plannings")
        self._store.plannings[str(number)] = {
            "status": "R",
            "at": self._now().isoformat(),
            "looks": 0,
            "days": days,
            "startWith": body.get("startWith", "EMPTY"),
            "lockType": body.get("lockType", "NONE"),
            "orders": [item for item in orders if self._store.ids_of(str(item))],
            "drivers": [driver["serial"] for driver in map(self._find_driver, drivers) if driver],
            "allOrders": not orders,
            "allDrivers": not drivers,
        }
        return {
            "planningId": number,
            "missingOrders": [item for item in orders if not self._store.ids_of(str(item))],
            "missingDrivers": [item for item in drivers if self._find_driver(item) is None],
            "ordersWithInvalidLocation": [],
        }

    def _find_driver(self, wanted: object) -> Json | None:
        try:
            return self._store.driver(wanted)
        except VendorError:
            return None

    def status(self, planning_id: object) -> Json:
        key, planning = self._planning(planning_id)
        self._store.plannings[key] = planning | {"looks": planning["looks"] + 1}
        self.settle()
        planning = self._store.plannings[key]
        share = self._elapsed(planning) / PLANNING_TAKES
        percent = 100 if planning["status"] == "F" else min(99, round(100 * share))
        return {"status": planning["status"], "percentageComplete": percent}

    def stop(self, planning_id: object) -> None:
        key, planning = self._planning(planning_id)
        if planning["status"] == "R":
            self._store.plannings[key] = planning | {"status": "C"}

    def _planning(self, planning_id: object) -> tuple[str, Json]:
        key = str(planning_id)
        if key not in self._store.plannings:
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "planningId")
        return key, self._store.plannings[key]

    def settle(self) -> None:
        """Finishes the plannings that had their time."""
        for key, planning in list(self._store.plannings.items()):
            if planning["status"] == "R":
                is_due = self._elapsed(planning) >= PLANNING_TAKES or planning["looks"] >= LOOKS_TO_FINISH
                if is_due:
                    self._carry_out(planning)
                    self._store.plannings[key] = self._store.plannings[key] | {"status": "F"}

    def _elapsed(self, planning: Json) -> timedelta:
        return self._now() - datetime.fromisoformat(planning["at"])

    def _carry_out(self, planning: Json) -> None:
        for day in planning["days"]:
            self._clear(day, planning)
            # ROUTES keeps planned routes as they are: only who has none gets something.
            held = [driver["serial"] for driver, _ in self._store.routes_of(day)]
            locked = held if planning["lockType"] == "ROUTES" else []
            for order in self._candidates(day, planning):
                driver = self._driver_with_room(order, day, planning, locked)
                if driver is not None:
                    self.schedule(order["data"]["id"], driver["serial"], day)

    def _clear(self, day: str, planning: Json) -> None:
        """Takes off what may move: all with EMPTY, else what its order no longer wants where it stands."""
        for driver, stops in self._store.routes_of(day):
            for stop in stops:
                order = self._store.order(stop["id"])
                if order["status"] != OrderStatus.SCHEDULED or not self._is_chosen(order, planning):
                    continue
                is_wrong = order["data"]["date"] != day or not _suits(order, driver)
                if is_wrong or (planning["startWith"] == "EMPTY" and planning["lockType"] == "NONE"):
                    self.unschedule(stop["id"])

    def _candidates(self, day: str, planning: Json) -> list[Json]:
        waiting = [
            order
            for order in self._store.orders.values()
            if order["status"] == OrderStatus.UNSCHEDULED
            and order["data"]["date"] == day
            and self._is_chosen(order, planning)
        ]
        return sorted(waiting, key=lambda order: str(order["data"]["timeWindows"]))

    def _is_chosen(self, order: Json, planning: Json) -> bool:
        return planning["allOrders"] or order["data"]["orderNo"] in planning["orders"]

    def _driver_with_room(self, order: Json, day: str, planning: Json, locked: list[str]) -> Json | None:
        """Of those who may take it the one with the fewest stops."""
        options = []
        for driver in self._store.drivers.values():
            serial, stops = driver["serial"], self._store.routes.get(f"{day}:{driver['serial']}", [])
            is_allowed = planning["allDrivers"] or serial in planning["drivers"]
            if is_allowed and serial not in locked and _suits(order, driver):
                options += [(len(stops), serial, driver)] if self._has_room(order, driver, stops, day) else []
        return min(options, key=lambda option: option[:2])[2] if options else None

    def _has_room(self, order: Json, driver: Json, stops: list[Json], day: str) -> bool:
        if not driver["days"].get(day, {}).get("enabled", True):
            return False
        for number in range(1, 5):
            capacity = driver.get(f"capacity{number}")
            name = f"load{number}"
            carried = sum(self._store.order(stop["id"])["data"][name] for stop in stops)
            if capacity is not None and carried + order["data"][name] > capacity:
                return False
        return True

    # --- a stop on a route, and off it ---

    def schedule(self, order_id: str, serial: str, day: str, planned_at: datetime | None = None) -> None:
        """At the end of the driver's route of that day, early in its window or when the driver gets there."""
        key = f"{day}:{serial}"
        if self._store.route_key_of(order_id) == key:
            return
        order = self._store.order(order_id)
        free_at = self._free_at(key, day)
        arrival = to_unix(planned_at) if planned_at else free_at + DRIVE_SECONDS
        window = self._window(order, day)
        scheduled = arrival if planned_at or window is None else max(arrival, to_unix(window))
        stop = {
            "id": order_id,
            "arrival": arrival,
            "scheduled": scheduled,
            "travel": DRIVE_SECONDS,
            "distance": DRIVE_METRES,
        }
        self._store.put_on(key, stop)
        if order["status"] == OrderStatus.UNSCHEDULED:
            self._store.change_order(order_id, status=OrderStatus.SCHEDULED.value)

    def unschedule(self, order_id: str) -> None:
        self._store.take_off(order_id)
        if self._store.order(order_id)["status"] == OrderStatus.SCHEDULED:
            self._store.change_order(order_id, status=OrderStatus.UNSCHEDULED.value, sent=False, eta=None)

    def _free_at(self, key: str, day: str) -> int:
        stops = self._store.routes.get(key, [])
        if not stops:
            return to_unix(
                to_instant(datetime.combine(date.fromisoformat(day), SHIFT_STARTS), self._store.zone)
            )
        last = stops[-1]
        return int(last["scheduled"] + 60 * self._store.order(last["id"])["data"]["duration"])

    def _window(self, order: Json, day: str) -> datetime | None:
        told = order["data"]["timeWindows"]
        if not told:
            return None
        window = read_window(date.fromisoformat(day), told[0]["twFrom"], told[0]["twTo"], self._store.zone)
        return window.start_at if window else None

    # --- sending ---

    def send(self, day: str) -> None:
        """Gives the drivers what they do not have yet."""
        unsent = [
            stop["id"]
            for _, stops in self._store.routes_of(day)
            for stop in stops
            if not self._store.order(stop["id"])["sent"]
        ]
        if not unsent:
            raise VendorError("ERR_NOTHING_TO_SEND", "There is nothing to send.")
        for order_id in unsent:
            self._store.change_order(order_id, sent=True)
        self._store.dispatch[day] = {"state": "sent", "at": to_unix(self._now())}

    def dispatch_status(self, day: str) -> Json:
        sent = self._store.dispatch.get(day)
        at = f"{self._store.moment(sent['at'])['utcTime']}" if sent else None
        part: Json = {
            "state": sent["state"] if sent else "not_sent",
            "sentAtUtc": at,
            "scheduledForUtc": None,
        }
        return {"live": sent is not None, "routes": part, "notifications": dict(part)}

    # --- a driver's day ---

    def change_day(self, driver: Json, day: str, changes: Json) -> None:
        """Other working hours, vehicle or capacity; takes everything off that driver's routes of the day."""
        if not is_date(day):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "date")
        capacities = {
            f"capacity{number}": changes[f"vehicleCapacity{number}"]
            for number in range(1, 5)
            if changes.get(f"vehicleCapacity{number}") is not None
        }
        days = driver["days"] | {day: driver["days"].get(day, {}) | changes}
        self._store.drivers[driver["serial"]] = driver | capacities | {"days": days}
        for stop in list(self._store.routes.get(f"{day}:{driver['serial']}", [])):
            self.unschedule(stop["id"])


def _suits(order: Json, driver: Json) -> bool:
    wanted: Any = order["data"]["assignedTo"]
    if not wanted:
        return True
    return bool(
        (wanted.get("externalId") and wanted["externalId"] == driver["externalId"])
        or (wanted.get("serial") and wanted["serial"] == driver["serial"])
    )


def _days(body: Json) -> list[str]:
    if is_date(body.get("date")):
        return [body["date"]]
    told = body.get("dateRange")
    if not isinstance(told, dict) or not is_range(told):
        raise VendorError("ERR_MISSING_MAND_FIELD", "date or dateRange")
    first, last = date.fromisoformat(told["from"]), date.fromisoformat(told["to"])
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
