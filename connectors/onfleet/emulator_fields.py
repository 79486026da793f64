"""Plain fields of the pretended Onfleet's tasks: which there are, what may stand in them, what they start as."""

import math
from collections.abc import Callable
from typing import Any

from connectors.onfleet.emulator_store import Json, VendorError
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
        "firstLocation": [],
        "lastLocation": [],
        "photoUploadId": None,
        "photoUploadIds": None,
        "signatureUploadId": None,
        "signatureText": None,
        "unavailableAttachments": [],
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
