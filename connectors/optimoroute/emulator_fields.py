"""Fields of the pretended OptimoRoute's orders: which there are, what may stand in them, what they start as."""

import hashlib
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from connectors.optimoroute.emulator_store import Json, VendorError

TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
WEEKDAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
NOTIFICATIONS = frozenset({"dont_notify", "email", "sms", "both", "off"})

DEFAULTS: Json = {
    "date": None,
    "type": "T",
    "duration": 0,
    "priority": "M",
    "location": {},
    "timeWindows": [],
    "allowedDates": None,
    "allowedWeekdays": [],
    "allowedDateTimes": [],
    "assignedTo": None,
    "load1": 0,
    "load2": 0,
    "load3": 0,
    "load4": 0,
    "skills": [],
    "vehicleFeatures": [],
    "notes": "",
    "email": "",
    "phone": "",
    "notificationPreference": "dont_notify",
    "relatedOrderNo": None,
    "relatedId": None,
    "customField1": "",
    "customField2": "",
    "customField3": "",
    "customField4": "",
    "customField5": "",
}
"""What an order holds where nothing was given, and what SYNC resets to."""


def is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def is_window(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    told = [str(value.get("twFrom")), str(value.get("twTo"))]
    return all(TIME_OF_DAY.fullmatch(item) for item in told) and told[0] < told[1]


def is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def is_range(value: object) -> bool:
    if not isinstance(value, dict) or not (is_date(value.get("from")) and is_date(value.get("to"))):
        return False
    return bool(value["from"] <= value["to"])


def is_list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def is_text(value: object) -> bool:
    return isinstance(value, str)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "date": is_date,
    "type": lambda value: value in ("D", "P", "T"),
    "priority": lambda value: value in ("L", "M", "H", "C"),
    "duration": is_count,
    "timeWindows": is_list_of(is_window),
    "allowedDates": lambda value: value is None or is_range(value),
    "allowedWeekdays": is_list_of(lambda value: value in WEEKDAYS),
    "assignedTo": lambda value: value is None or isinstance(value, dict),
    "load1": is_count,
    "load2": is_count,
    "load3": is_count,
    "load4": is_count,
    "notes": is_text,
    "email": is_text,
    "phone": is_text,
    "notificationPreference": lambda value: value in NOTIFICATIONS,
    **{f"customField{number}": is_text for number in range(1, 6)},
}


def given_fields(body: Json) -> Json:
    """The order's fields in a body, location apart. Raises `VendorError` naming the first bad one."""
    given = {name: body[name] for name in DEFAULTS if name in body and name != "location"}
    for name, value in given.items():
        if name in _CHECKS and not _CHECKS[name](value):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", f"Parameter {name} is not valid.")
    return given


def geocoded(location: Json) -> Json:
    """Coordinates for an address: the same for the same one, some kilometres around a town.

    For trying out what can go wrong, `Nowhere`, `Twice` and `Partly` in an address are found not at all, at two
    places, and in part.
    """
    address = str(location.get("address") or "").strip()
    if not address or "Nowhere" in address:
        raise VendorError("ERR_LOC_GEOCODING", "The address could not be found.")
    place = _place(address)
    if "Twice" in address and not location.get("acceptMultipleResults"):
        results = [_result(address, place), _result(address, _place(address + "2"))]
        raise VendorError("ERR_LOC_GEOCODING_MULTIPLE", "More than one place.", geocodingResults=results)
    if "Partly" in address and not location.get("acceptPartialMatch"):
        results = [_result(address, place) | {"partialMatchFlag": True}]
        raise VendorError("ERR_LOC_GEOCODING_PARTIAL", "Found in part.", geocodingResults=results)
    return place


def _place(address: str) -> Json:
    digest = hashlib.sha256(address.encode()).digest()
    return {"latitude": round(41.05 + digest[0] / 4000, 6), "longitude": round(-73.54 + digest[1] / 4000, 6)}


def _result(address: str, place: Json) -> Json:
    return {"geocodedAddress": address, **place}
