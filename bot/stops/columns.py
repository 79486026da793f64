"""Pure: a platform's stop as the columns of our record of it."""

from datetime import datetime
from typing import Any

from bot.conversations.privacy import DOTS
from bot.stops.note_text import without_codes as without_spoken_codes
from connectors.base import ACCESS_CODE_LABEL, Stop

TOLD_FIELDS = (
    "status",
    "window_start_at",
    "window_end_at",
    "eta_at",
    "driver_ref",
    "route_ref",
    "failure_reason",
)
"""Changes of these become stop events; the rest is kept silently."""
UNKNOWN_TO_WEBHOOKS = ("sequence", "route_ref", "proof", "order_ref", "planned_at", "service_seconds")
"""A webhook carries one stop without its route: what it cannot know must not be wiped."""
UNWATCHED_FIELDS = frozenset(
    {
        "changed_at",
        "tracking",
        "order_ref",
        "own_ref",
        "reattempt_of",
        "address_line",
        "postcode",
        "recipient_name",
        "recipient_phone",
        "recipient_email",
        "load",
        "notes",
        "tracking_url",
        "failure_note",
        "is_texted_by_platform",
        "proof",
    }
)
"""Changes of these alone say nothing about a promise. What is new in `columns_of` is watched until it stands here."""


def columns_of(stop: Stop) -> dict[str, Any]:
    """Everything of a `StopRecord` that the platform tells, but for its identity."""
    plain = stop.model_dump(exclude={"platform", "platform_ref", "address", "window", "proof", "service"})
    return plain | {
        "address_line": stop.address.line,
        "postcode": stop.address.postcode,
        "latitude": stop.address.latitude,
        "longitude": stop.address.longitude,
        # Access codes stay on the platform: nothing of ours needs them.
        "notes": without_codes(stop.notes),
        "proof": stop.proof.model_dump(mode="json") if stop.proof is not None else None,
        "window_start_at": stop.window.start_at if stop.window else None,
        "window_end_at": stop.window.end_at if stop.window else None,
        "service_seconds": round(stop.service.total_seconds()) if stop.service is not None else None,
    }


def without_codes(notes: str) -> str:
    """Whatever stands in the line for the access code is one, also what does not look like it."""
    return "\n".join(without_spoken_codes(_hidden(line)) for line in notes.split("\n"))


def _hidden(line: str) -> str:
    return f"{ACCESS_CODE_LABEL}{DOTS}" if line.startswith(ACCESS_CODE_LABEL) else line


def as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
