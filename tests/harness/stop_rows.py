"""A stop that is over, as a row: what reports and summaries are made of."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.stops.models import StopRecord
from connectors.base import StopStatus

NEW_YORK = ZoneInfo("America/New_York")


def finished_stop(number: int, day: date, *, late: int = -30, **changes: Any) -> StopRecord:
    """Acme's, of `day`, window 2 to 4 pm in New York; delivered `late` minutes after the window's end."""
    end_at = datetime.combine(day, time(16), NEW_YORK)
    values: dict[str, Any] = {
        "platform": "onfleet",
        "platform_ref": f"r{number}",
        "tracking": f"T{number}",
        "status": StopStatus.DELIVERED,
        "client": "Acme",
        "zone": "North",
        "timezone": NEW_YORK.key,
        "address_line": "14 Elm St",
        "postcode": "10001",
        "recipient_name": "Robin Doe",
        "window_start_at": end_at - timedelta(hours=2),
        "window_end_at": end_at,
        "completed_at": end_at + timedelta(minutes=late),
        "changed_at": end_at,
        "confirmed_at": end_at,
    }
    utc = {name: each.astimezone(UTC) for name, each in values.items() if isinstance(each, datetime)}
    return StopRecord(**values | utc | changes)
