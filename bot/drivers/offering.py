"""Between which stops a driver is asked, and which of them the answer means. Pure."""

from collections.abc import Sequence

from bot.drivers.report_reading import Nameable, Standing, option_meant, stop_named, where_they_are
from bot.drivers.road import OnTheRoad
from bot.drivers.texts import place_of

MOST_OPTIONS = 3


def options_between(meant: Sequence[Nameable], road: OnTheRoad) -> list[Nameable]:
    """Those that fit, else those around where they are; one per address."""
    around = [*meant] or _around(road.stops)
    by_address = {stop.address_line: stop for stop in reversed(around)}
    return sorted(by_address.values(), key=around.index)[:MOST_OPTIONS]


def _around(stops: Sequence[Nameable]) -> list[Nameable]:
    here = where_they_are(stops)
    after = [
        stop for stop in stops if stop.standing is Standing.LATER and here and stop.number > here[0].number
    ]
    return [*here, *after]


def which(text: str, road: OnTheRoad, options: Sequence[str]) -> Nameable | None:
    """`options` are ids of stops, in the order of the question."""
    able = {str(stop.stop_id): stop for stop in road.stops}
    offered = [able[option] for option in options if option in able]
    return option_meant(text, offered) or stop_named(text, road.stops)


def same_door(stop: Nameable, road: OnTheRoad) -> list[Nameable]:
    """The other parcels for the address."""
    return [
        each
        for each in road.stops
        if each.address_line == stop.address_line
        and each.stop_id != stop.stop_id
        and each.standing is not Standing.OVER
    ]


def numbered(options: Sequence[Nameable]) -> str:
    """`1) 11 Elm St 2) 12 Oak Ave`."""
    return " ".join(f"{place}) {place_of(stop.address_line)}" for place, stop in enumerate(options, 1))
