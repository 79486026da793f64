"""How far apart two places are. Pure."""

from math import asin, cos, radians, sin, sqrt

EARTH_METERS = 6_371_000

Place = tuple[float, float]
"""Latitude, longitude in degrees."""


def meters_between(one: Place, other: Place) -> float:
    """Along the surface (haversine)."""
    north, east = radians(other[0] - one[0]), radians(other[1] - one[1])
    half = sin(north / 2) ** 2 + cos(radians(one[0])) * cos(radians(other[0])) * sin(east / 2) ** 2
    return 2 * EARTH_METERS * asin(min(1.0, sqrt(half)))
