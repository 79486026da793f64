"""What is written to Route4Me: the bodies of orders and stops, from Doorline's records. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.address_lines import in_one_line
from connectors.base import DeliveryWindow, NewStop, Reattempt, Stop
from connectors.route4me.mapping import (
    ACCESS_CODE,
    LOAD,
    NOTES,
    ORDER_NUMBER,
    OWN_REF,
    REATTEMPT_OF,
    Account,
    order_zone,
)
from connectors.route4me.payloads import Order, RouteAddress
from connectors.route4me.windows import order_seconds, stop_seconds

Body = dict[str, Any]


def new_order(new: NewStop, account: Account, place: tuple[float, float], reattempt_of: str) -> Body | None:
    """None for a window that Route4Me cannot write. `place` is latitude, longitude."""
    window = order_window_body(new.window, account.zone_info)
    if window is None:
        return None
    first, _, last = new.recipient_name.partition(" ")
    custom = {
        account.client_key: new.client,
        account.zone_key: new.zone,
        OWN_REF: new.own_ref,
        ORDER_NUMBER: new.order_ref or "",
        REATTEMPT_OF: reattempt_of,
        NOTES: new.notes,
        ACCESS_CODE: new.access_code,
        LOAD: f"{new.load:g}",
    }
    return window | {
        "address_1": in_one_line(new.address),
        "address_alias": new.recipient_name,
        "address_city": new.address.city,
        "address_zip": new.address.postcode,
        "cached_lat": place[0],
        "cached_lng": place[1],
        "EXT_FIELD_first_name": first,
        "EXT_FIELD_last_name": last,
        "EXT_FIELD_phone": new.recipient_phone or "",
        "EXT_FIELD_email": new.recipient_email or "",
        "EXT_FIELD_custom_data": {name: value for name, value in custom.items() if value},
        "service_time": round(new.service.total_seconds()),
    }


def order_window_body(window: DeliveryWindow, zone: ZoneInfo) -> Body | None:
    """One window, on its day; a second one that stood there is taken away."""
    seconds = order_seconds(window, zone)
    if seconds is None:
        return None
    day, start, end = seconds
    return {
        "day_scheduled_for_YYMMDD": day.isoformat(),
        "local_time_window_start": start,
        "local_time_window_end": end,
        "local_time_window_start_2": None,
        "local_time_window_end_2": None,
        "local_timezone_string": zone.key,
    }


def order_change(order: Order, account: Account, changes: Body, custom: Mapping[str, str]) -> Body:
    """Everything that Route4Me's own clients send with a change, and all custom data: none may be lost."""
    zone = order_zone(order, account)
    return {
        "order_id": order.order_id,
        "address_1": order.address_1,
        "cached_lat": order.cached_lat,
        "cached_lng": order.cached_lng,
        "local_timezone_string": zone.key,
        "EXT_FIELD_custom_data": {**order.custom_data, **custom},
    } | changes


def stop_window_body(window: DeliveryWindow, day: date, zone: ZoneInfo) -> Body | None:
    seconds = stop_seconds(window, day, zone)
    if seconds is None:
        return None
    return {
        "time_window_start": seconds[0],
        "time_window_end": seconds[1],
        "time_window_start_2": None,
        "time_window_end_2": None,
    }


def stop_of_order(
    order: Order, window: DeliveryWindow | None, day: date, account: Account, after: RouteAddress | None
) -> Body | None:
    """The stop that puts `order` on a route of `day`; None for a window that cannot be written there."""
    timed = stop_window_body(window, day, account.zone_info) if window else {}
    if timed is None:
        return None
    place = {"sequence_no": (after.sequence_no or 0) + 1} if after is not None else {}
    return (
        timed
        | place
        | {
            "order_id": int(order.order_id),
            "alias": order.address_alias,
            "address": order.address_1,
            "lat": order.cached_lat,
            "lng": order.cached_lng,
            "first_name": order.first_name,
            "last_name": order.last_name,
            "email": order.email,
            "phone": order.phone,
            "time": order.service_time,
            "weight": _number(order.custom_data.get(LOAD)),
            "order_no": order.custom_data.get(ORDER_NUMBER, ""),
            "custom_fields": dict(order.custom_data),
        }
    )


def second_try(stop: Stop, custom: Mapping[str, str], wanted: Reattempt) -> NewStop:
    """`stop` once more: what is not given stays as it was."""
    notes = "\n".join(line for line in (custom.get(NOTES, ""), wanted.note.strip()) if line)
    # The code of the old door opens no other one.
    old_code = custom.get(ACCESS_CODE, "") if wanted.address is None else ""
    return NewStop(
        own_ref=wanted.own_ref,
        client=stop.client,
        zone=stop.zone,
        address=wanted.address or stop.address,
        recipient_name=stop.recipient_name,
        recipient_phone=stop.recipient_phone,
        recipient_email=stop.recipient_email,
        window=wanted.window,
        service=stop.service or timedelta(minutes=5),
        load=stop.load,
        order_ref=stop.order_ref,
        notes=notes,
        access_code=wanted.access_code or old_code,
    )


def _number(told: str | None) -> float:
    try:
        return float(told or 0)
    except ValueError:
        return 0.0
