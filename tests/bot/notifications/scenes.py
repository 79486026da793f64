"""Stops, histories and rules as they stand on an afternoon in New York; each test changes what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.notifications.facts import History, Rules, Said, StopNow
from bot.sop import QuietHours
from bot.sop_notifications import Approaching, BackOnTime, Later, NotificationKind, RunningLate
from connectors.base import ChannelName, DeliveryWindow, StopStatus

NEW_YORK = "America/New_York"
NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
"""Tuesday, June 9th, 12:00 EDT."""


def at(clock: str, day: int = 0) -> datetime:
    """Local to New York, on that Tuesday or so many days later."""
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 6, 9, tzinfo=UTC) + timedelta(days=day, hours=hour + 4, minutes=minute)


def window(start: str, end: str, day: int = 0) -> DeliveryWindow:
    return DeliveryWindow(start_at=at(start, day), end_at=at(end, day))


def a_stop(**changes: Any) -> StopNow:
    """On the van since noon, window 2-4 pm, far away and in time."""
    usual: dict[str, Any] = {
        "stop_id": UUID(int=1),
        "status": StopStatus.OUT_FOR_DELIVERY,
        "timezone": NEW_YORK,
        "window": window("14:00", "16:00"),
        "believed_window": window("14:00", "16:00"),
        "eta_at": at("15:20"),
        "is_fresh": True,
        "stops_away": 12,
    }
    return StopNow(**usual | changes)


def rules(**changes: Any) -> Rules:
    usual: dict[str, Any] = {
        "kinds": frozenset(NotificationKind),
        "channels": (ChannelName.SMS,),
        "language": "en",
        "approaching": Approaching(),
        "running_late": RunningLate(),
        "back_on_time": BackOnTime(),
        "later": Later(),
        "most_per_stop": 5,
        "most_per_person": 8,
        "apart": timedelta(minutes=10),
        "fresh": timedelta(minutes=20),
        "platform_quiet": timedelta(minutes=15),
        "quiet_hours": QuietHours(),
    }
    return Rules(**usual | changes)


def said(kind: NotificationKind, clock: str, **changes: Any) -> Said:
    return Said(kind, at(clock), **{"has_reached": True, **changes})


def told(*lines: Said, **changes: Any) -> History:
    """As if these were all that this person got today."""
    usual: dict[str, Any] = {
        "said": lines,
        "told_today_stop": len(lines),
        "told_today_person": len(lines),
        "written_at": lines[-1].at if lines else None,
    }
    return History(**usual | changes)
