"""Plain fields of the pretended Onfleet's tasks: which there are, what may stand in them, what they start as."""

import hashlib
import math
from collections.abc import Callable
from typing import Any

from connectors.onfleet.emulator_store import Json, VendorError, make_id
from connectors.onfleet.payloads import from_ms

MAX_NOTES = 10_000
INVALID = "The values provided for one or more parameters are invalid."
KNOWN_FIELDS = frozenset(
    {
        "completeAfter",
        "completeBefore",
        "notes",
        "quantity",
        "serviceTime",
        "pickupTask",
        "metadata",
        "dependencies",
        "merchant",
        "executor",
    }
)


def no_completion() -> Json:
    return {
        "success": False,
        "time": None,
        "notes": "",
        "successNotes": "",
        "failureReason": "NONE",
        "failureNotes": "",
        "events": [],
        "actions": [],
        "distance": 0,
        "firstLocation": [],
        "lastLocation": [],
        "photoUploadId": None,
        "photoUploadIds": None,
        "signatureUploadId": None,
        "signatureText": None,
        "unavailableAttachments": [],
    }


def overrides(wanted: Json) -> Json:
    """What a create body says of the recipient for this task only."""
    return {
        "recipientName": wanted.get("recipientName"),
        "recipientNotes": wanted.get("recipientNotes"),
        "recipientSkipSMSNotifications": wanted.get("recipientSkipSMSNotifications"),
        "useMerchantForProxy": None,
    }


def unused() -> Json:
    """Fields that every task has and that nothing here fills."""
    return {
        "additionalQuantities": {"quantityA": 0, "quantityB": 0, "quantityC": 0},
        "appearance": {"triangleColor": None},
        "customFields": [],
        "identity": {"failedScanCount": 0, "checksum": None},
        "scanOnlyRequiredBarcodes": False,
    }


def evidence(
    task_id: str, photos: int, signed_by: str, has_signature: bool, location: tuple[float, float] | None
) -> Json:
    """The part of `completionDetails` that a driver's app fills; `location` is latitude, longitude."""
    ids = [make_id("photo", f"{task_id}:{index}") for index in range(photos)]
    return {
        "photoUploadId": ids[0] if ids else None,
        "photoUploadIds": ids or None,
        "signatureUploadId": make_id("signature", task_id) if has_signature else None,
        "signatureText": signed_by or None,
        "lastLocation": [round(location[1], 6), round(location[0], 6)] if location else [],
    }


def defaults() -> Json:
    return {
        "completeAfter": None,
        "completeBefore": None,
        "notes": "",
        "quantity": 0,
        "serviceTime": 0,
        "pickupTask": False,
        "metadata": [],
        "dependencies": [],
    }


NOWHERE = "nowhere"
"""A line with this word is on no map."""
PARTS = ("number", "street", "apartment", "city", "state", "postalCode", "country")


def geocoded(address: Json, around: list[float]) -> tuple[Json, list[float]]:
    """The parts of an address as Onfleet's geocoder tells them, and where it is: within some 3 km of `around`.

    Raises `VendorError` for an address without a street, and for one that is nowhere.
    """
    parts = dict.fromkeys(PARTS, "") | {name: str(address.get(name) or "") for name in PARTS}
    unparsed = str(address.get("unparsed") or "")
    if unparsed:
        parts |= {name: value for name, value in _parsed(unparsed).items() if not parts[name]}
    line = f"{parts['number']} {parts['street']} {parts['city']}".strip()
    if not parts["street"] or NOWHERE in f"{line} {unparsed}".lower():
        raise VendorError(1011, "Unable to geocode the address.", unparsed or line)
    digest = hashlib.sha256(line.lower().encode()).digest()
    east, north = (digest[0] - 128) / 4000, (digest[1] - 128) / 5000
    return parts, [round(around[0] + east, 6), round(around[1] + north, 6)]


def _parsed(unparsed: str) -> dict[str, str]:
    """`14 Elm St 2B, Norwalk, CT 06850, United States` by its commas."""
    line, city, region, country = [*(part.strip() for part in unparsed.split(",")), "", "", ""][:4]
    number, _, street = line.partition(" ")
    if not number[:1].isdigit():
        number, street = "", line
    state, _, postcode = region.rpartition(" ") if region[-1:].isdigit() else (region, "", "")
    return {
        "number": number,
        "street": street,
        "city": city,
        "state": state,
        "postalCode": postcode,
        "country": country,
    }


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "completeAfter": lambda value: value is None or _is_instant(value),
    "completeBefore": lambda value: value is None or _is_instant(value),
    "notes": lambda value: isinstance(value, str) and len(value) <= MAX_NOTES,
    "metadata": lambda value: isinstance(value, list),
}


def fields(wanted: Json, base: Json) -> Json:
    """The plain fields of a create or update body. Raises `VendorError` naming the first bad one."""
    given = {name: wanted[name] for name in wanted if name in KNOWN_FIELDS}
    for name, value in given.items():
        if name in _CHECKS and not _CHECKS[name](value):
            raise VendorError(1000, INVALID, name)
    merged = base | given
    check_window(merged)
    return merged


def check_window(task: Json) -> None:
    after, before = task.get("completeAfter"), task.get("completeBefore")
    if after is not None and before is not None and after >= before:
        raise VendorError(
            1009, "A time constraint was violated.", "completeAfter must be before completeBefore"
        )


def _is_instant(value: object) -> bool:
    try:
        from_ms(value)
    except ValueError:
        return False
    return True


def metres(one: list[float], other: list[float]) -> int:
    """Distance of two `[lng, lat]`, good enough inside a city."""
    east = math.radians(other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    north = math.radians(other[1] - one[1])
    return round(6_371_000 * math.hypot(east, north))
