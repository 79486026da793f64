"""What the pretended Route4Me's drivers do. Doing a thing twice changes nothing."""

from datetime import datetime
from typing import Any

from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import Json, make_id, tracking_number
from connectors.route4me.emulator_stops import Stops
from connectors.route4me.emulator_store import Store
from connectors.route4me.payloads import to_ts

PHONE = "android"
CLOSED = ("Completed", "Failed", "Skipped")


class Driving:
    def __init__(self, store: Store, feed: Feed, stops: Stops) -> None:
        self._store = store
        self._feed = feed
        self._stops = stops

    # --- routes ---

    def set_route_status(self, route_id: str, status: str, at: datetime, **place: Any) -> Json:
        """One more status of the route; the one that it has already is not given again."""
        route = self._store.route(route_id)
        given = list(self._store.route_statuses.get(route_id) or [])
        line = {"route_id": route_id, "status": status, "event_timestamp": to_ts(at)} | place
        if given and given[-1]["status"] == status:
            return dict(given[-1])
        kind = {"started": "route-started", "paused": "route-started", "resumed": "route-started"} | {
            "completed": "route-completed"
        }
        if status in kind:
            fact = f"{route_id}:{status}:{to_ts(at)}"
            self._feed.write(kind[status], at, route=route, fact=fact)
        self._store.route_statuses[route_id] = [*given, line]
        return line

    def report_position(self, member_id: str, latitude: float, longitude: float, at: datetime) -> None:
        self._store.locations[str(member_id)] = {
            "position_lat": round(latitude, 6),
            "position_lng": round(longitude, 6),
            "activity_timestamp": to_ts(at),
        }

    # --- stops ---

    def start(self, address: Json, at: datetime) -> None:
        """The driver leaves for this stop: the route is under way, and the stop is the next one."""
        if _is_over(address) or address["is_visited"]:
            return
        route_id = address["route_id"]
        self.set_route_status(route_id, "started", at)
        ordered = self._store.addresses_of(route_id)
        done = [item for item in ordered if item["is_depot"] or _is_over(item) or item["is_visited"]]
        left = [item for item in ordered if item not in done]
        if left and left[0]["route_destination_id"] == address["route_destination_id"]:
            return
        ahead = [item for item in left if item["route_destination_id"] != address["route_destination_id"]]
        self._store.renumber([*done, address, *ahead])

    def predict(self, address: Json, eta: datetime) -> None:
        """Estimates are not told by the feed: they are read from the route only."""
        if _is_over(address):
            return
        leaves = to_ts(eta) + int(address["time"] or 0)
        self._put(
            address, {}, {"estimated_arrival_time_ts": to_ts(eta), "estimated_departure_time_ts": leaves}
        )

    def arrive(self, address: Json, at: datetime) -> None:
        if address["is_visited"] or _is_over(address):
            return
        self._tell("mark-destination-visited", address, at)
        done = {
            "is_visited": True,
            "timestamp_last_visited": to_ts(at),
            "visited_lat": address["lat"],
            "visited_lng": address["lng"],
        }
        self._put(address, done, {"actual_arrival_time_ts": to_ts(at)})

    def complete(
        self,
        address: Json,
        at: datetime,
        *,
        status: str,
        notes: list[Json],
        place: tuple[float, float] | None,
    ) -> None:
        """The driver leaves a note for each of `notes`, sets the status, and goes."""
        if _is_over(address) and address["is_departed"]:
            return
        number = address["route_destination_id"]
        where = dict(zip(("lat", "lng"), place or (None, None), strict=True))
        for index, note in enumerate(notes):
            told = {"device_type": PHONE} | where | note
            self._stops.add_note(address, told, key=f"{number}:{index}", at=at)
        self._stops.give_status(self._now_at(address), status, at, fact=f"{number}:{to_ts(at)}")
        self._tell("mark-destination-departed", address, at)
        left = {
            "is_departed": True,
            "timestamp_last_departed": to_ts(at),
            "departed_lat": where["lat"],
            "departed_lng": where["lng"],
        }
        self._put(self._now_at(address), left, {"actual_departure_time_ts": to_ts(at)})

    def picture(self, address: Json, index: int, *, is_signature: bool, contents: str = "") -> Json:
        """A note with an upload, as it is listed."""
        kind = "signature" if is_signature else "photo"
        upload_id = make_id(kind, f"{address['route_destination_id']}:{index}").lower()
        return {
            "contents": contents,
            "upload_id": upload_id,
            "upload_extension": "png",
            "upload_url": f"/uploads/{kind}/{upload_id}.png",
            "upload_type": "ESIGNATURE" if is_signature else "DRIVER_IMG",
        }

    def _tell(self, kind: str, address: Json, at: datetime) -> None:
        self._feed.write(kind, at, address=address, fact=f"{address['route_destination_id']}:{to_ts(at)}")

    def _now_at(self, address: Json) -> Json:
        held: Json = self._store.addresses[str(address["route_destination_id"])]
        return held

    def _put(self, address: Json, changes: Json, manifest: Json) -> None:
        self._store.put_address(address | changes | {"manifest": address["manifest"] | manifest})


def _is_over(address: Json) -> bool:
    return bool(address["is_departed"]) or address["additional_status"] in CLOSED


def tracking_page(address: Json, route: Json, member: Json, status: str | None) -> Json:
    """The answer of `status.php`: routing-platforms.md 3.6."""
    arrives = address["manifest"]["estimated_arrival_time_ts"]
    has_started = status in ("started", "paused", "resumed", "completed")
    return {
        "tracking_number": address["tracking_number"]
        or tracking_number(str(address["route_destination_id"])),
        "large_logo_uri": None,
        "mobile_logo_uri": None,
        "map_color": None,
        "large_logo_alignment": None,
        "mobile_logo_alignment": None,
        "show_map_zoom_controls": True,
        "customer_service_phone": None,
        "driver_phone": member.get("member_phone"),
        "route_started": has_started,
        "driver_name": member.get("member_first_name"),
        "driver_picture": None,
        "tracking_page_subheadline": None,
        "destination_address_1": address["address"],
        "destination_address_2": "",
        "delivered": address["additional_status"] == "Completed" or bool(address["is_departed"]),
        "is_failed": address["additional_status"] == "Failed",
        "status_history": [
            {"unix_timestamp": route["created_timestamp"], "info": "Order Assigned to Route"},
        ],
        "locations": [
            {
                "is_destination": True,
                "lat": address["lat"],
                "lng": address["lng"],
                "icon": None,
                "size": 32,
                "anchor": [0, 0],
                "popupAnchor": None,
                "info": "",
            }
        ],
        "custom_data": address["custom_fields"],
        "arrival": [{"from_unix_timestamp": arrives, "to_unix_timestamp": arrives}] if arrives else [],
        "timestamp_geofence_visited": address["geofence_detected_visited_timestamp"],
    }
