"""What is written to OptimoRoute: the bodies of new orders and of edits. Pure."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from connectors.address_lines import in_one_line
from connectors.base import DeliveryWindow, NewStop, Reattempt
from connectors.errors import PlatformRejectedError, Refused
from connectors.optimoroute.local_time import write_window
from connectors.optimoroute.mapping import (
    OWN_MARK,
    Account,
    order_ref_of,
    with_access_code,
    with_note,
    without_access_code,
)
from connectors.optimoroute.payloads import Order

Json = dict[str, Any]

TAKEN_OVER = frozenset(
    {
        "type",
        "duration",
        "priority",
        "location",
        "load1",
        "load2",
        "load3",
        "load4",
        "skills",
        "vehicle_features",
        "email",
        "phone",
        "notification_preference",
        "custom_field1",
        "custom_field2",
        "custom_field3",
        "custom_field4",
        "custom_field5",
    }
)
"""What a second try keeps of the failed order. Not the driver, and not the dates it was allowed on."""


def window_fields(window: DeliveryWindow, account: Account) -> Json:
    """`date` and `timeWindows`. Raises `PlatformRejectedError` for a window that cannot be told there."""
    told = write_window(window, account.zone_info)
    if told is None:
        raise PlatformRejectedError(
            account.name, "this window cannot be told in one day's local times", code=Refused.BAD_WINDOW
        )
    day, tw_from, tw_to = told
    return {"date": day.isoformat(), "timeWindows": [{"twFrom": tw_from, "twTo": tw_to}]}


def window_edit(order: Order, window: DeliveryWindow, account: Account) -> Json:
    """The new promise; days on which the order may be planned are widened to its day where they are told."""
    edit = window_fields(window, account)
    allowed = order.allowed_dates
    if allowed is not None and allowed.from_ and allowed.to:
        days = (allowed.from_, allowed.to, edit["date"])
        edit["allowedDates"] = {"from": min(days), "to": max(days)}
    return edit


def new_order(new: NewStop, account: Account, assignee: Mapping[str, Any] | None) -> Json:
    notes = with_note("", new.notes) if "\n" not in new.notes else new.notes.strip()
    location: Json = {"locationName": new.recipient_name, "address": in_one_line(new.address)}
    if new.address.latitude is not None and new.address.longitude is not None:
        location |= {"latitude": new.address.latitude, "longitude": new.address.longitude}
    order = {
        "operation": "CREATE",
        "orderNo": new.own_ref,
        "type": "D",
        "duration": minutes(new.service),
        "priority": "M",
        "location": location,
        "load1": math.ceil(new.load),
        "notes": with_access_code(notes, new.access_code) if new.access_code else notes,
        "phone": new.recipient_phone,
        "email": new.recipient_email,
        account.client_field: new.client,
        account.zone_field: new.zone,
        account.order_field: new.order_ref,
        account.own_field: OWN_MARK,
        "assignedTo": dict(assignee) if assignee else None,
    }
    told = {name: value for name, value in order.items() if value is not None}
    return told | window_fields(new.window, account)


def second_try(failed: Order, wanted: Reattempt, account: Account) -> Json:
    """A new order for a failed one. Without another address its place is taken over, so nothing is geocoded."""
    kept = failed.model_dump(by_alias=True, include=set(TAKEN_OVER), exclude_unset=True)
    # A code belongs to its door.
    notes = failed.notes if wanted.address is None else without_access_code(failed.notes)
    notes = with_note(notes, wanted.note)
    order = kept | {
        "operation": "CREATE",
        "orderNo": wanted.own_ref,
        "notes": with_access_code(notes, wanted.access_code) if wanted.access_code else notes,
        account.order_field: order_ref_of(failed, account) or "",
        account.reattempt_field: failed.id,
        account.own_field: OWN_MARK,
    }
    if wanted.address is not None:
        order["location"] = {
            "locationName": failed.location.location_name,
            "address": in_one_line(wanted.address),
        }
        if wanted.address.latitude is not None and wanted.address.longitude is not None:
            place = {"latitude": wanted.address.latitude, "longitude": wanted.address.longitude}
            order["location"] |= place
    return order | window_fields(wanted.window, account)


def minutes(length: timedelta) -> int:
    return max(math.ceil(length / timedelta(minutes=1)), 0)


def days_between(first: date, last: date, at_most: int) -> list[tuple[date, date]]:
    """The ranges of at most `at_most` days that cover both ends, oldest first."""
    ranges = []
    while first <= last:
        end = min(first + timedelta(days=at_most - 1), last)
        ranges.append((first, end))
        first = end + timedelta(days=1)
    return ranges
