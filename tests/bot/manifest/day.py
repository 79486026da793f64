"""One day's stops, routes and drivers, for what needs no database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from bot.manifest.facts import DayFacts
from bot.manifest.marks import first_shown, not_shown_yet
from bot.manifest.models import ManifestPost
from bot.stops.models import DriverRecord, RouteRecord, StopRecord
from connectors.base import RouteStatus, StopStatus

DAY = date(2026, 6, 9)
NEW_YORK = "America/New_York"
NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)


def at(clock: str, day: date = DAY, timezone: str = NEW_YORK) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}:00").replace(tzinfo=ZoneInfo(timezone))


def stop(
    tracking: str,
    window: tuple[str, str] | None = ("14:00", "16:00"),
    *,
    day: date = DAY,
    driver: str | None = "dana",
    route: str | None = None,
    zone: str = "North",
    timezone: str = NEW_YORK,
    status: StopStatus = StopStatus.ASSIGNED,
    **facts: Any,
) -> StopRecord:
    return StopRecord(
        **{
            "platform": "onfleet",
            "platform_ref": uuid4().hex,
            "tracking": tracking,
            "status": status,
            "client": "Acme",
            "zone": zone,
            "timezone": timezone,
            "address_line": f"{tracking} Elm St",
            "postcode": "10001",
            "recipient_name": "Robin Doe",
            "window_start_at": at(window[0], day, timezone) if window else None,
            "window_end_at": at(window[1], day, timezone) if window else None,
            "driver_ref": driver,
            "route_ref": route,
            "load": 1.0,
            "changed_at": NOON,
            "confirmed_at": NOON,
        }
        | facts
    )


def route(ref: str, name: str, driver: str | None = None, **facts: Any) -> RouteRecord:
    return RouteRecord(
        platform="onfleet",
        platform_ref=ref,
        name=name,
        day=DAY,
        driver_ref=driver,
        status=RouteStatus.STARTED,
        updated_at=NOON,
        **facts,
    )


def facts_of(*stops: StopRecord, **facts: Any) -> DayFacts:
    """With two drivers, Dana and Sam; Dana's van holds 3."""
    drivers = {
        ("onfleet", ref): DriverRecord(platform="onfleet", platform_ref=ref, name=name, capacity=capacity)
        for ref, name, capacity in (("dana", "Dana", 3.0), ("sam", "Sam", None))
    }
    usual: dict[str, Any] = {"day": DAY, "as_of": NOON, "stops": stops, "drivers": drivers}
    return DayFacts(**(usual | facts))


def posted(facts: DayFacts, zone: str = "North") -> ManifestPost:
    """The zone's manifest as it would have been posted of these facts."""
    shown = first_shown(facts, not_shown_yet(facts, zone, {}), is_late=False)
    return ManifestPost(
        zone=zone,
        day=facts.day,
        timezone=NEW_YORK,
        is_scheduled=True,
        posted_at=NOON - timedelta(hours=5),
        as_of=NOON,
        baseline={stop_id: each.model_dump(mode="json") for stop_id, each in shown.items()},
        page_url="https://doorline.example/board/manifest",
        refresh_at=NOON,
    )
