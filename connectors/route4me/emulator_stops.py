"""The pretended Route4Me's routes and stops: put there, changed, moved, taken off. No state refuses anything."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import Now
from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import (
    CHANGEABLE,
    ORDER_STATUS_OF,
    STATUSES,
    Json,
    VendorError,
    is_true,
    make_id,
    new_address,
    new_note,
    new_parameters,
    new_route,
)
from connectors.route4me.emulator_orders import Orders
from connectors.route4me.emulator_places import geocode
from connectors.route4me.emulator_store import OWNER, Store
from connectors.route4me.payloads import to_ts
from connectors.route4me.windows import route_day

MAX_NOTE = 1_000
FIRST_NOTE = 1_000_001


class Stops:
    """Handlers of `route.php` and `address.php`, apart from HTTP."""

    def __init__(self, store: Store, feed: Feed, orders: Orders, now: Now) -> None:
        self._store = store
        self._feed = feed
        self._orders = orders
        self._now = now

    # --- routes ---

    def create_route(
        self,
        parameters: Json,
        *,
        key: str | None = None,
        member_id: object = OWNER,
        problem_id: str | None = None,
    ) -> Json:
        route_id = self._store.new_route_id(key)
        if route_id not in self._store.routes:
            member = self._store.member(member_id)
            self._store.routes[route_id] = new_route() | {
                "route_id": route_id,
                "optimization_problem_id": problem_id or make_id("problem", route_id),
                "member_id": member["member_id"],
                "created_timestamp": to_ts(self._now()),
                "parameters": new_parameters() | parameters | {"member_id": member["member_id"]},
            }
        return self._store.route(route_id)

    def update_route(self, route_id: str, wanted: Json) -> Json:
        """Parameters, release, and stops: new ones, those of other routes, and new places for its own."""
        route = self._store.route(route_id)
        if isinstance(wanted.get("parameters"), dict):
            route = self._set_parameters(route, wanted["parameters"])
        if "approved_for_execution" in wanted:
            route = self._approve(route, is_true(wanted["approved_for_execution"]))
        for address in wanted.get("addresses") or []:
            self._take_in(route_id, address)
        return self._store.whole_route(route, notes=False)

    def _set_parameters(self, route: Json, wanted: Json) -> Json:
        parameters = route["parameters"] | {
            name: value for name, value in wanted.items() if name in new_parameters()
        }
        changed = route | {"parameters": parameters}
        if "member_id" in wanted:
            changed["member_id"] = self._store.member(wanted["member_id"])["member_id"]
            parameters["member_id"] = changed["member_id"]
        self._store.routes[route["route_id"]] = changed
        if changed["member_id"] != route["member_id"]:
            both = {"old_member_id": str(route["member_id"]), "new_member_id": changed["member_id"]}
            self._feed.write("route-owner-changed", self._now(), route=changed, **both)
        self._feed.write("route-update", self._now(), route=changed)
        self._note_edits(changed["route_id"])
        return changed

    def release(self, route_id: str, at: datetime) -> None:
        """The driver gets the route."""
        route = self._store.route(route_id)
        if not route["approved_for_execution"]:
            self._feed.write("approved-to-execute", at, route=route, fact=route_id)
            self._store.routes[route_id] = route | {"approved_for_execution": True}

    def _approve(self, route: Json, is_approved: bool) -> Json:
        if route["approved_for_execution"] is is_approved:
            return route
        changed = route | {"approved_for_execution": is_approved}
        kind = "approved-to-execute" if is_approved else "unapproved-to-execute"
        self._feed.write(kind, self._now(), route=changed)
        self._store.routes[route["route_id"]] = changed
        return changed

    def _take_in(self, route_id: str, wanted: Json) -> None:
        known = self._store.addresses.get(str(wanted.get("route_destination_id")))
        if known is None:
            self.insert(route_id, wanted)
        elif known["route_id"] != route_id:
            self.move(str(known["route_destination_id"]), route_id, None)
        else:
            self._write(known, wanted)
            if wanted.get("sequence_no") is not None:
                self._put_at(self._store.addresses[str(known["route_destination_id"])], wanted["sequence_no"])

    def delete_route(self, route_id: str) -> None:
        route = self._store.route(route_id)
        for address in self._store.addresses_of(route_id):
            self._let_go(address)
        del self._store.routes[route_id]
        self._feed.write("route-delete", self._now(), route=route)

    def duplicate(self, route_id: str) -> Json:
        route = self._store.route(route_id)
        copy = self.create_route(route["parameters"], member_id=route["member_id"])
        for address in self._store.addresses_of(route_id):
            self._copy(address, copy["route_id"])
        self._feed.write("route-duplicate", self._now(), route=route)
        return copy

    def _copy(self, address: Json, route_id: str) -> None:
        destination_id = self._store.new_destination_id()
        fresh = {name: address[name] for name in (*CHANGEABLE, "custom_fields", "sequence_no")}
        not_done = {"is_visited": False, "is_departed": False, "order_id": None}
        times = {"timestamp_last_visited": None, "timestamp_last_departed": None}
        self._store.put_address(
            new_address()
            | fresh
            | not_done
            | times
            | {
                "route_destination_id": destination_id,
                "route_id": route_id,
                "tracking_number": self._store.tracking_of(destination_id, None),
            }
        )

    # --- stops ---

    def insert(
        self,
        route_id: str,
        wanted: Json,
        *,
        destination_id: int | None = None,
        at: datetime | None = None,
        edited: bool = True,
    ) -> Json:
        """A new stop at `sequence_no`, else at the end. Raises `VendorError` for one without a place."""
        route = self._store.route(route_id)
        given = self._with_order(route, wanted)
        place = self._place_of(given)
        number = destination_id if destination_id is not None else self._store.new_destination_id()
        others = self._store.addresses_of(route_id)
        address = new_address() | {
            "route_destination_id": number,
            "route_id": route_id,
            "member_id": route["member_id"],
            "optimization_problem_id": route["optimization_problem_id"],
            "sequence_no": len(others),
            "channel_name": make_id("channel", str(number)).lower(),
            "tracking_number": self._store.tracking_of(number, given.get("order_id")),
            "curbside_lat": place[0],
            "curbside_lng": place[1],
        }
        address |= self._fields(address, given) | {"lat": place[0], "lng": place[1]}
        moment = at or self._now()
        fact = f"{number}" if not edited else None
        self._feed.write("insert-destination", moment, address=address, route=route, fact=fact)
        self._store.put_address(address)
        if address["order_id"]:
            self._orders.put_on_route(address["order_id"], moment)
        if given.get("sequence_no") is not None:
            self._put_at(address, given["sequence_no"])
        if edited:
            self.note_edit(address)
        return address

    def _with_order(self, route: Json, wanted: Json) -> Json:
        order = self._store.orders.get(str(wanted.get("order_id") or ""))
        if order is None:
            return wanted
        if self._store.address_of_order(order["order_id"]) is not None:
            raise VendorError(409, "The order is on a route already")
        day, zone = route_day(route["parameters"]["route_date"]), ZoneInfo(self._orders.timezone)
        base = self._orders.as_stop(order, day, zone)
        return base | {name: value for name, value in wanted.items() if value is not None}

    def _place_of(self, given: Json) -> tuple[float, float]:
        if given.get("lat") is not None and given.get("lng") is not None:
            return float(given["lat"]), float(given["lng"])
        found = geocode(str(given.get("address") or ""))
        if found is None:
            raise VendorError(400, "The address could not be geocoded")
        return found

    def update(self, route_id: str, destination_id: str, wanted: Json) -> Json:
        address = self._store.address(route_id, destination_id)
        self._write(address, wanted)
        if wanted.get("sequence_no") is not None:
            self._put_at(self._store.address(route_id, destination_id), wanted["sequence_no"])
        return self._store.whole_address(self._store.address(route_id, destination_id), notes=True)

    def _write(self, address: Json, wanted: Json) -> None:
        changed = address | self._fields(address, wanted)
        self._feed.write("update-destinations", self._now(), address=changed)
        self._store.put_address(changed)
        self.note_edit(changed)

    def _fields(self, address: Json, wanted: Json) -> Json:
        """What of `wanted` may be written. Custom fields add to those that stand there."""
        given = {name: value for name, value in wanted.items() if name in CHANGEABLE}
        for name in ("time_window_start", "time_window_end"):
            if isinstance(given.get(name), str):
                given[name] = int(given[name])
        custom = wanted.get("custom_fields")
        if isinstance(custom, dict):
            plain = {str(name): str(value) for name, value in custom.items()}
            given["custom_fields"] = address["custom_fields"] | plain
        return given

    def _put_at(self, address: Json, place: Any) -> None:
        others = [
            item
            for item in self._store.addresses_of(address["route_id"])
            if item["route_destination_id"] != address["route_destination_id"]
        ]
        index = max(0, min(int(place), len(others)))
        self._store.renumber([*others[:index], address, *others[index:]])

    def move(self, destination_id: str, to_route_id: str, after_id: str | None) -> None:
        """The seconds of its windows stay as they are, and count from the new route's day."""
        address = self._store.address("", destination_id)
        target = self._store.route(to_route_id)
        others = [
            item
            for item in self._store.addresses_of(to_route_id)
            if str(item["route_destination_id"]) != str(destination_id)
        ]
        place = len(others)
        if after_id is not None:
            ids = [str(item["route_destination_id"]) for item in others]
            if str(after_id) not in ids:
                raise VendorError(404, "after_destination_id is not on the route")
            place = ids.index(str(after_id)) + 1
        self._feed.write("move-destination", self._now(), address=address, to_route_id=to_route_id)
        moved = address | {"route_id": to_route_id, "member_id": target["member_id"]}
        self._store.put_address(moved | {"sequence_no": len(others)})
        self._put_at(self._store.address(to_route_id, destination_id), place)
        self.note_edit(moved)

    def delete(self, route_id: str, destination_id: str) -> None:
        address = self._store.address(route_id, destination_id)
        self._feed.write("delete-destination", self._now(), address=address)
        self._let_go(address)

    def _let_go(self, address: Json) -> None:
        self._store.drop_address(address)
        self._store.renumber(self._store.addresses_of(address["route_id"]))
        if address["order_id"]:
            self._orders.take_off_route(address["order_id"], self._now())
        self.note_edit(address)

    # --- what happens at the door, told over the API ---

    def mark(self, route_id: str, destination_id: str, wanted: Json) -> Json:
        """`is_visited` or `is_departed`, as a flag."""
        address = self._store.address(route_id, destination_id)
        changes: Json = {}
        for name, stamp, kind in (
            ("is_visited", "timestamp_last_visited", "mark-destination-visited"),
            ("is_departed", "timestamp_last_departed", "mark-destination-departed"),
        ):
            if name in wanted:
                is_set = is_true(wanted[name])
                changes |= {name: is_set, stamp: to_ts(self._now()) if is_set else None}
                self._feed.write(kind, self._now(), address=address)
        self._store.put_address(address | changes)
        if "is_departed" in changes:
            self._note_end(address, self._now() if changes["is_departed"] else None)
        self.note_edit(address)
        return self._store.whole_address(address | changes, notes=True)

    def set_status(self, destination_ids: object, status: object) -> None:
        if status not in STATUSES:
            raise VendorError(406, "The selected status is invalid.")
        numbers = destination_ids if isinstance(destination_ids, list) else []
        for address in [self._store.address("", str(number)) for number in numbers]:
            self.give_status(address, str(status), self._now())
            self.note_edit(address)

    def give_status(self, address: Json, status: str, at: datetime, fact: str | None = None) -> None:
        told = status.lower()
        self._feed.write("route-destination-status", at, address=address, fact=fact, detailed_event=told)
        held = None if told == "empty" else status
        self._note_end(address, at if held else None)
        self._store.put_address(
            self._store.addresses[str(address["route_destination_id"])] | {"additional_status": held}
        )
        if address["order_id"] and told in ORDER_STATUS_OF:
            self._orders.close(address["order_id"], ORDER_STATUS_OF[told], at)

    def add_note(
        self, address: Json, fields: Json, *, key: str | None = None, at: datetime | None = None
    ) -> Json:
        """Notes are only ever added. With a `key`, the same one again is the same note."""
        moment = at or self._now()
        number = (
            self._store.number_of("note", key, FIRST_NOTE)
            if key is not None
            else self._store.next_number("note", FIRST_NOTE)
        )
        if str(number) in self._store.notes:
            return dict(self._store.notes[str(number)])
        note = new_note() | {
            "note_id": number,
            "route_id": address["route_id"],
            "route_destination_id": address["route_destination_id"],
            "ts_added": to_ts(moment),
        }
        note |= fields | {"contents": str(fields.get("contents") or "")[:MAX_NOTE]}
        told = {"note_id": str(number), "note_type": note["activity_type"], "note_contents": note["contents"]}
        self._feed.write(
            "note-insert", moment, address=address, fact=key, note_content=note["contents"], **told
        )
        return self._store.add_note(note)

    # --- what the pretended day asks for ---

    def _note_end(self, address: Json, at: datetime | None) -> None:
        key = str(address["route_destination_id"])
        if at is None:
            self._store.closed_at.pop(key, None)
        else:
            self._store.closed_at.setdefault(key, at.isoformat())

    def note_edit(self, address: Json) -> None:
        number = address["route_destination_id"]
        self._orders.edited.append(
            f"order:{address['order_id']}" if address["order_id"] else f"stop:{number}"
        )

    def _note_edits(self, route_id: str) -> None:
        for address in self._store.addresses_of(route_id):
            if not address["is_depot"]:
                self.note_edit(address)
