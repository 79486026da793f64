"""Puts a zone's manifest together from what was read at one instant. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import fsum

from bot.manifest.facts import DayFacts, Place
from bot.manifest.marks import change_of
from bot.manifest.models import FirstShown, ManifestPost
from bot.stops.models import RouteRecord, StopRecord
from bot.stops.rules import eta_of_promise
from connectors.desk import ManifestChange, ManifestLine, ManifestRoute, ManifestView, ShiftState

FAR = datetime.max.replace(tzinfo=UTC)
UNNUMBERED = 1_000_000


def manifests_of(facts: DayFacts) -> list[ManifestView]:
    """One for each zone that has stops on that day, by name."""
    return [manifest_of(facts, zone, facts.timezone_of(zone) or "UTC") for zone in facts.zones]


def manifest_of(facts: DayFacts, zone: str, timezone: str) -> ManifestView:
    """The zone's manifest, marked with what changed since it was posted; not posted yet: nothing is marked."""
    return _Manifest(facts, zone, facts.posts.get(zone)).view(timezone)


class _Manifest:
    def __init__(self, facts: DayFacts, zone: str, post: ManifestPost | None) -> None:
        self._facts = facts
        self._zone = zone
        self._post = post
        self._shown: Mapping[str, FirstShown] = post.first_shown if post is not None else {}

    def view(self, timezone: str) -> ManifestView:
        placed: dict[Place, list[StopRecord]] = defaultdict(list)
        for stop in self._stops():
            placed[self._place_of(stop)].append(stop)
        routes = [self._route(place, stops) for place, stops in placed.items() if place.is_a_route]
        loose = [stop for place, stops in placed.items() if not place.is_a_route for stop in stops]
        return ManifestView(
            zone=self._zone,
            day=self._facts.day,
            timezone=timezone,
            as_of=self._facts.as_of,
            posted_at=self._post.posted_at if self._post is not None else None,
            page_url=self._post.page_url if self._post is not None else "",
            routes=tuple(sorted(routes, key=_by_name)),
            without_route=self._lines(loose),
        )

    def _stops(self) -> list[StopRecord]:
        """Those of the day, and what was shown once and is not to be driven here any more."""
        return [
            stop
            for stop in self._facts.stops
            if self._facts.is_on(stop, self._zone) or str(stop.id) in self._shown
        ]

    def _place_of(self, stop: StopRecord) -> Place:
        """What is off stays where it stood: whoever has the earlier print looks for it there."""
        before = self._shown.get(str(stop.id))
        if before is not None and not self._facts.is_on(stop, self._zone):
            return Place.of(stop.platform, before.route_ref, before.driver_ref)
        return Place.of(stop.platform, stop.route_ref, stop.driver_ref)

    # --- routes ---------------------------------------------------------------------------------

    def _route(self, place: Place, stops: Sequence[StopRecord]) -> ManifestRoute:
        facts = self._facts
        record = facts.routes.get((place.platform, place.route_ref or ""))
        carried = facts.carried(place)
        driver_ref = _driver_ref(place, record, carried or stops)
        driver = facts.driver(place.platform, driver_ref)
        ref = place.route_ref or place.driver_ref or ""
        return ManifestRoute(
            route_ref=ref,
            name=(record.name if record else "") or (driver.name if driver else "") or ref,
            driver_name=driver.name if driver else "",
            shift=facts.shifts.get((place.platform, driver_ref or ""), ShiftState.NOT_ASKED),
            starts_at=_starts_at(record, carried),
            load=round(fsum(stop.load for stop in carried), 3),
            capacity=driver.capacity if driver else None,
            lines=self._lines(stops),
        )

    # --- lines ----------------------------------------------------------------------------------

    def _lines(self, stops: Sequence[StopRecord]) -> tuple[ManifestLine, ...]:
        return tuple(self._line(stop) for stop in sorted(stops, key=self._turn))

    def _line(self, stop: StopRecord) -> ManifestLine:
        before = self._shown.get(str(stop.id))
        change = change_of(stop, self._zone, before) if self._post is not None else None
        return ManifestLine(
            stop_id=str(stop.id),
            tracking=stop.tracking,
            order_ref=stop.order_ref or "",
            sequence=stop.sequence if stop.is_open else None,
            client=stop.client,
            address_line=stop.address_line,
            recipient_name=stop.recipient_name,
            window=stop.window,
            eta_at=eta_of_promise(stop) if stop.is_open else None,
            status=stop.status,
            load=stop.load,
            is_off=not self._facts.is_on(stop, self._zone),
            change=change,
            follow_up=self._facts.follow_ups.get(stop.id),
            second_try=self._facts.second_tries.get(stop.id),
            **_earlier(stop, change, before),
        )

    def _turn(self, stop: StopRecord) -> tuple[int, int, datetime, str, str]:
        """As it is driven: what is finished as it happened, what is left by its turn, what is off at the end."""
        expected = stop.planned_at or stop.eta_at or stop.window_start_at or FAR
        name = (stop.tracking, str(stop.id))
        if not self._facts.is_on(stop, self._zone):
            return (2, 0, expected, *name)
        if not stop.is_open:
            return (0, 0, stop.completed_at or expected, *name)
        return (1, stop.sequence if stop.sequence is not None else UNNUMBERED, expected, *name)


def _earlier(stop: StopRecord, change: ManifestChange | None, before: FirstShown | None) -> dict[str, object]:
    """How a moved or reassigned stop stood before; it may be both."""
    if before is None or change not in (ManifestChange.MOVED, ManifestChange.REASSIGNED):
        return {}
    earlier: dict[str, object] = {}
    if stop.window != before.window:
        earlier["earlier_window"] = before.window
    if stop.driver_ref != before.driver_ref:
        earlier["earlier_driver_name"] = before.driver_name
    return earlier


def _driver_ref(place: Place, record: RouteRecord | None, stops: Sequence[StopRecord]) -> str | None:
    """The platform's word for its route, else whom most of its stops name."""
    known = place.driver_ref or (record.driver_ref if record is not None else None)
    if known is not None:
        return known
    named = Counter(stop.driver_ref for stop in stops if stop.driver_ref is not None)
    return min(named, key=lambda ref: (-named[ref], ref), default=None)


def _starts_at(record: RouteRecord | None, carried: Sequence[StopRecord]) -> datetime | None:
    if record is not None and record.starts_at is not None:
        return record.starts_at
    return min((stop.planned_at for stop in carried if stop.planned_at is not None), default=None)


def _by_name(route: ManifestRoute) -> tuple[list[tuple[int, str]], str]:
    """`Route 2` before `Route 10`."""
    parts = re.split(r"(\d+)", route.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], route.route_ref
