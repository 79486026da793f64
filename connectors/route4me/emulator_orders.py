"""The pretended Route4Me's orders: written, searched, and turned into stops."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.base import Now
from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import (
    NEW,
    ORDER_READ_ONLY,
    ROUTED,
    UNROUTED,
    Json,
    VendorError,
    new_order,
    tracking_number,
)
from connectors.route4me.emulator_places import geocode
from connectors.route4me.emulator_store import OWNER, Store
from connectors.route4me.payloads import to_ts
from connectors.route4me.windows import stop_seconds, window_of_order

FIRST_ORDER = 7_000_001


class Orders:
    """Handlers of `order.php`, apart from HTTP."""

    def __init__(self, store: Store, feed: Feed, now: Now, timezone: str) -> None:
        self._store = store
        self._feed = feed
        self._now = now
        self.timezone = timezone
        self.edited: list[str] = []

    def create(self, wanted: Json, *, order_id: int | None = None, at: datetime | None = None) -> Json:
        """Raises `VendorError` for an order without a place."""
        number = order_id if order_id is not None else self._store.next_number("order", FIRST_ORDER)
        moment = at or self._now()
        order = new_order() | {
            "order_id": number,
            "created_timestamp": to_ts(moment),
            "day_added_YYMMDD": moment.date().isoformat(),
            "member_id": int(OWNER),
            "tracking_number": tracking_number(f"order:{number}"),
        }
        made = self._changed(order, wanted, moment)
        if not str(made["address_1"]).strip():
            raise VendorError(400, "address_1 is required")
        self._store.orders[str(number)] = self._placed(made)
        self._feed.write("order-created", moment, message="Order created", order=made, order_id=number)
        return made

    def update(self, wanted: Json) -> Json:
        before = self._store.order(wanted.get("order_id"))
        after = self._placed(self._changed(before, wanted, self._now()))
        self._store.orders[str(before["order_id"])] = after
        self._note_edit(before["order_id"])
        self._feed.write(
            "order-updated", self._now(), message="Order updated", order=after, order_id=before["order_id"]
        )
        return after

    def delete(self, order_ids: object) -> None:
        """Unknown ones are passed over. What stands on a route stays there, without its order."""
        for order_id in order_ids if isinstance(order_ids, list) else []:
            order = self._store.orders.pop(str(order_id), None)
            if order is not None:
                self._store.known[f"gone:{order['order_id']}"] = 1
                self._note_edit(order_id)
                self._feed.write("order-deleted", self._now(), order=order, order_id=order["order_id"])

    def _changed(self, order: Json, wanted: Json, at: datetime) -> Json:
        given = {
            name: value for name, value in wanted.items() if name in order and name not in ORDER_READ_ONLY
        }
        data = given.pop("EXT_FIELD_custom_data", None)
        if isinstance(data, dict):
            given["EXT_FIELD_custom_data"] = {str(key): str(value) for key, value in data.items()}
        day = given.get("day_scheduled_for_YYMMDD")
        if day is not None and not _is_day(day):
            raise VendorError(400, "day_scheduled_for_YYMMDD must be a date")
        return order | given | {"updated_timestamp": to_ts(at)}

    def _placed(self, order: Json) -> Json:
        """An order without coordinates is looked up on the map."""
        if order["cached_lat"] is not None and order["cached_lng"] is not None:
            return order
        found = geocode(str(order["address_1"]))
        if found is None:
            raise VendorError(400, "The address could not be geocoded")
        place = dict(zip(("cached_lat", "cached_lng"), found, strict=True))
        order.update(place | {"curbside_lat": found[0], "curbside_lng": found[1]})
        return order

    def _note_edit(self, order_id: object) -> None:
        self.edited.append(f"order:{order_id}")

    # --- search ---

    def search(self, wanted: Json) -> Json:
        """Of `GET order.php`, and of `POST` with a filter: dates are one day or a pair of days."""
        found = [order for order in self._store.orders.values() if _matches(order, wanted)]
        offset, limit = int(wanted.get("offset") or 0), int(wanted.get("limit") or 30)
        page = [self._store.whole_order(order) for order in found[offset : offset + limit]]
        fields = [name for name in str(wanted.get("fields") or "").split(",") if name]
        rows = [[order.get(name) for name in fields] for order in page] if fields else page
        return {"results": rows, "total": len(found), "fields": fields or None}

    # --- on routes ---

    def as_stop(self, order: Json, day: date, zone: ZoneInfo) -> Json:
        """The fields of a stop that delivers `order` on a route of `day`."""
        data = order["EXT_FIELD_custom_data"]
        pair = (order["local_time_window_start"], order["local_time_window_end"])
        scheduled = order["day_scheduled_for_YYMMDD"]
        own_zone = ZoneInfo(order["local_timezone_string"] or zone.key)
        window = window_of_order(pair, date.fromisoformat(scheduled), own_zone) if scheduled else None
        seconds = stop_seconds(window, day, zone) if window else None
        start, end = seconds or (None, None)
        return {
            "order_id": order["order_id"],
            "alias": order["address_alias"],
            "address": order["address_1"],
            "lat": order["cached_lat"],
            "lng": order["cached_lng"],
            "first_name": order["EXT_FIELD_first_name"],
            "last_name": order["EXT_FIELD_last_name"],
            "email": order["EXT_FIELD_email"],
            "phone": order["EXT_FIELD_phone"],
            "time": order["service_time"] or 0,
            "time_window_start": start,
            "time_window_end": end,
            "custom_fields": dict(data),
        }

    def put_on_route(self, order_id: object, at: datetime) -> None:
        self._mark(order_id, ROUTED, 1, at)

    def take_off_route(self, order_id: object, at: datetime) -> None:
        order = self._store.orders.get(str(order_id))
        waits = order is not None and order["order_status_id"] in (NEW, ROUTED, UNROUTED)
        self._mark(order_id, UNROUTED if waits else None, 0, at)

    def close(self, order_id: object, status: int, at: datetime) -> None:
        self._mark(order_id, status, None, at)

    def _mark(self, order_id: object, status: int | None, on_routes: int | None, at: datetime) -> None:
        order = self._store.orders.get(str(order_id))
        if order is None:
            return
        changes: Json = {} if status is None else {"order_status_id": status}
        if on_routes is not None:
            changes |= {"in_route_count": on_routes, "last_routed_timestamp": to_ts(at) if on_routes else 0}
        self._store.orders[str(order_id)] = order | changes | {"updated_timestamp": to_ts(at)}


def _matches(order: Json, wanted: Json) -> bool:
    display = wanted.get("display") or "all"
    is_routed = order["in_route_count"] > 0
    if (display, is_routed) in (("routed", False), ("unrouted", True)):
        return False
    for asked, held in (
        (wanted.get("scheduled_for_YYMMDD"), order["day_scheduled_for_YYMMDD"]),
        (wanted.get("day_added_YYMMDD"), order["day_added_YYMMDD"]),
    ):
        days = [str(day) for day in (asked if isinstance(asked, list) else [asked]) if day]
        if days and not (held and days[0] <= held <= days[-1]):
            return False
    query = str(wanted.get("query") or "").lower()
    return not query or query in _searchable(order)


def _searchable(order: Json) -> str:
    told = [order["address_1"], order["address_alias"], order["order_id"], order["tracking_number"]]
    names = [order[f"EXT_FIELD_{name}"] for name in ("first_name", "last_name", "email", "phone")]
    return " ".join(str(item) for item in (*told, *names, *order["EXT_FIELD_custom_data"].values())).lower()


def _is_day(told: object) -> bool:
    try:
        date.fromisoformat(str(told))
    except ValueError:
        return False
    return True
