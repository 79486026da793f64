"""What of a manifest changed since it was posted. Pure."""

from collections.abc import Iterable, Mapping

from bot.manifest.facts import DayFacts
from bot.manifest.models import FirstShown
from bot.stops.models import StopRecord
from connectors.base import StopStatus
from connectors.desk import ManifestChange


def first_shown(facts: DayFacts, stops: Iterable[StopRecord], *, is_late: bool) -> dict[str, FirstShown]:
    """How these stops stand now, by id: what later changes are counted from."""
    return {
        str(stop.id): FirstShown(
            window=stop.window,
            route_ref=stop.route_ref,
            driver_ref=stop.driver_ref,
            driver_name=facts.driver_name(stop.platform, stop.driver_ref),
            is_late=is_late,
        )
        for stop in stops
    }


def not_shown_yet(facts: DayFacts, zone: str, shown: Mapping[str, FirstShown]) -> list[StopRecord]:
    return [stop for stop in facts.of_day.values() if stop.zone == zone and str(stop.id) not in shown]


def change_of(stop: StopRecord, zone: str, before: FirstShown | None) -> ManifestChange | None:
    """What became of it since it was first shown on this zone's manifest; `before` None: it is new there.

    A stop that came late stays an added one, however it is moved afterwards.
    """
    if stop.status is StopStatus.CANCELLED:
        return ManifestChange.CANCELLED
    if before is None or before.is_late:
        return ManifestChange.ADDED
    if stop.window != before.window:
        return ManifestChange.MOVED
    if stop.driver_ref != before.driver_ref or stop.zone != zone:
        return ManifestChange.REASSIGNED
    return None
