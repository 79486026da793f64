"""What the pretended Route4Me remembers, as the JSON it answers with. Give a path and it survives kill -9."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from connectors.emulation import Ledger
from connectors.route4me.emulator_fields import Json, VendorError, make_id, new_member, tracking_number

OWNER = "1"
"""The member to whom the account belongs, and every route that nobody was given."""


class Store:
    """Every object of the pretended account. A stop says itself on which route it is, and at which place."""

    def __init__(self, path: Path | None) -> None:
        self.media_base = ""
        """Where the account is served: uploads are named with their whole address."""
        self.members = Ledger(path, "route4me_members")
        self.routes = Ledger(path, "route4me_routes")
        self.addresses = Ledger(path, "route4me_addresses")
        self.orders = Ledger(path, "route4me_orders")
        self.notes = Ledger(path, "route4me_notes")
        self.vehicles = Ledger(path, "route4me_vehicles")
        self.profiles = Ledger(path, "route4me_capacity_profiles")
        self.route_statuses = Ledger(path, "route4me_route_statuses")
        """By route: every status it was given, oldest first."""
        self.problems = Ledger(path, "route4me_optimization_problems")
        self.locations = Ledger(path, "route4me_locations")
        """By member: the last place that was reported."""
        self.activities = Ledger(path, "route4me_activities")
        self.closed_at = Ledger(path, "route4me_closed_at")
        """By stop: exactly when it was finished, for the pretended day; Route4Me rounds to seconds."""
        self.known = Ledger(path, "route4me_known_keys")
        """By our own key: the number that the account gave."""
        self._counters = Ledger(path, "route4me_counters")
        self._on_route: dict[str, set[str]] = defaultdict(set)
        self._of_order: dict[str, str] = {}
        self._notes_of: dict[str, list[str]] = defaultdict(list)
        for key, address in self.addresses.items():
            self._index(key, address)
        for key, note in self.notes.items():
            self._notes_of[str(note["route_destination_id"])].append(key)

    def next_number(self, kind: str, first: int) -> int:
        number = int(self._counters.get(kind, first - 1)) + 1
        self._counters[kind] = number
        return number

    def number_of(self, kind: str, key: str, first: int) -> int:
        """The number of our own `key`: the same one every time."""
        name = f"{kind}:{key}"
        if name not in self.known:
            self.known[name] = self.next_number(kind, first)
        return int(self.known[name])

    def settle_owner(self, timezone: str) -> None:
        if OWNER not in self.members:
            self.members[OWNER] = new_member() | {
                "member_id": int(OWNER),
                "member_first_name": "QuickShip",
                "member_last_name": "Dispatch",
                "member_email": "dispatch@example.com",
                "member_type": "PRIMARY_ACCOUNT",
                "timezone": timezone,
                "READONLY_USER": False,
                "OWNER_MEMBER_ID": 0,
            }

    # --- stops ---

    def put_address(self, address: Json) -> None:
        key = str(address["route_destination_id"])
        if (before := self.addresses.get(key)) is not None:
            self._on_route[str(before["route_id"])].discard(key)
        self._index(key, address)
        self.addresses[key] = address

    def drop_address(self, address: Json) -> None:
        key = str(address["route_destination_id"])
        self._on_route[str(address["route_id"])].discard(key)
        if self._of_order.get(str(address["order_id"])) == key:
            del self._of_order[str(address["order_id"])]
        self.addresses.pop(key, None)

    def _index(self, key: str, address: Json) -> None:
        self._on_route[str(address["route_id"])].add(key)
        if address["order_id"]:
            self._of_order[str(address["order_id"])] = key

    def address(self, route_id: str, destination_id: str) -> Json:
        """Raises `VendorError` where there is none such on that route."""
        found: Json | None = self.addresses.get(str(destination_id))
        if found is None or (route_id and found["route_id"] != route_id):
            raise VendorError(404, "The route destination does not exist")
        return found

    def address_of_order(self, order_id: object) -> Json | None:
        key = self._of_order.get(str(order_id))
        return self.addresses.get(key) if key else None

    def address_by_tracking(self, number: str) -> Json | None:
        return next((item for item in self.addresses.values() if item["tracking_number"] == number), None)

    def addresses_of(self, route_id: str) -> list[Json]:
        found = [self.addresses[key] for key in self._on_route.get(route_id, ())]
        return sorted(found, key=lambda address: (address["sequence_no"], address["route_destination_id"]))

    def renumber(self, ordered: Iterable[Json]) -> None:
        for place, address in enumerate(ordered):
            if address["sequence_no"] != place:
                self.put_address(address | {"sequence_no": place})

    def new_destination_id(self) -> int:
        return self.next_number("destination", 217_000_001)

    def tracking_of(self, destination_id: int, order_id: object) -> str:
        """Of the order where there is one, so that it stays when the stop moves."""
        return tracking_number(f"order:{order_id}" if order_id else f"stop:{destination_id}")

    # --- notes ---

    def add_note(self, note: Json) -> Json:
        self.notes[str(note["note_id"])] = note
        self._notes_of[str(note["route_destination_id"])].append(str(note["note_id"]))
        return note

    def notes_of(self, destination_id: object) -> list[Json]:
        """Newest first, as the vendor lists them."""
        keys = self._notes_of.get(str(destination_id), [])
        return [self._whole_note(self.notes[key]) for key in reversed(keys) if key in self.notes]

    def _whole_note(self, note: Json) -> Json:
        path = note["upload_url"]
        return note | {"upload_url": self.media_base + path} if path else note

    # --- as the API answers ---

    def route(self, route_id: str) -> Json:
        # A missing route has no body: the vendor's own clients are made for that.
        if route_id not in self.routes:
            raise VendorError(404)
        found: Json = self.routes[route_id]
        return found

    def order(self, order_id: object) -> Json:
        found: Json | None = self.orders.get(str(order_id))
        if found is None:
            raise VendorError(404, "The order does not exist")
        return found

    def member(self, member_id: object) -> Json:
        found: Json | None = self.members.get(str(member_id))
        if found is None:
            raise VendorError(404, "The member does not exist")
        return found

    def whole_address(self, address: Json, *, notes: bool) -> Json:
        told = self.notes_of(address["route_destination_id"])
        custom = address["custom_fields"]
        return address | {
            "destination_note_count": len(told),
            "custom_fields_str_json": json.dumps(custom),
            "notes": told if notes else [],
        }

    def header(self, route: Json) -> Json:
        """A route as lists have it: without its stops."""
        addresses = self.addresses_of(route["route_id"])
        member = self.members.get(str(route["member_id"]), {})
        return route | {
            "member_email": member.get("member_email"),
            "member_first_name": member.get("member_first_name"),
            "member_last_name": member.get("member_last_name"),
            "destination_count": sum(not address["is_depot"] for address in addresses),
            "addresses": [],
        }

    def whole_route(self, route: Json, *, notes: bool = False) -> Json:
        addresses = self.addresses_of(route["route_id"])
        name = {"route_name": route["parameters"]["route_name"]}
        whole = [self.whole_address(address, notes=notes) | name for address in addresses]
        return self.header(route) | {"addresses": whole}

    def whole_order(self, order: Json) -> Json:
        """Custom data come back in a list, however they were sent."""
        data = order["EXT_FIELD_custom_data"]
        return order | {"EXT_FIELD_custom_data": [data] if data else []}

    def status_of_route(self, route_id: str) -> str | None:
        given = self.route_statuses.get(route_id) or []
        return str(given[-1]["status"]) if given else None

    def new_route_id(self, key: str | None) -> str:
        return make_id("route", key if key is not None else str(self.next_number("route", 1)))
