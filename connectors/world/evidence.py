"""What drivers leave as evidence on the pretended day. Pure: the same stop, the same evidence."""

import math
import random
from dataclasses import dataclass

from connectors.world.plan import PlannedStop
from connectors.world.town import Failure

PHOTO_SHARE = 0.72
SIGNED_SHARE = 0.18
"""The rest, one in ten, leaves neither."""
ELSEWHERE_SHARE = 0.08
"""Handed over, or so it is said, some streets away."""
METRES_PER_DEGREE = 111_320
PLACES = ("front door", "porch", "with the doorman", "mail room", "side entrance")


@dataclass(frozen=True)
class LeftBehind:
    photos: int
    signed_by: str
    note: str
    latitude: float
    longitude: float
    """Where the driver was when the stop was finished."""


def left_behind(stop: PlannedStop, failure: Failure | None) -> LeftBehind:
    # A generator of its own: what drivers leave changes nothing of the day's course.
    luck = random.Random(f"evidence:{stop.key}:{stop.recipient_phone}")
    drawn, is_elsewhere = luck.random(), luck.random() < ELSEWHERE_SHARE
    metres = luck.uniform(900, 2600) if is_elsewhere else luck.uniform(4, 60)
    latitude, longitude = _moved(stop, metres, luck.uniform(0, 2 * math.pi))
    is_signed = failure is None and drawn >= PHOTO_SHARE and drawn < PHOTO_SHARE + SIGNED_SHARE
    photos = 0 if drawn >= PHOTO_SHARE or is_elsewhere else luck.choice((1, 1, 2))
    return LeftBehind(
        photos=photos,
        signed_by=_short(stop.recipient_name) if is_signed else "",
        note=luck.choice(PLACES) if photos and failure is None else "",
        latitude=latitude,
        longitude=longitude,
    )


def _moved(stop: PlannedStop, metres: float, direction: float) -> tuple[float, float]:
    latitude, longitude = stop.address.latitude or 0.0, stop.address.longitude or 0.0
    north = metres * math.cos(direction) / METRES_PER_DEGREE
    east = metres * math.sin(direction) / (METRES_PER_DEGREE * math.cos(math.radians(latitude)))
    return round(latitude + north, 6), round(longitude + east, 6)


def _short(name: str) -> str:
    """`Dana Okafor` signs as `D. Okafor`."""
    first, _, last = name.partition(" ")
    return f"{first[:1]}. {last}" if last else first
