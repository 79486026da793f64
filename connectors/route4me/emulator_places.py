"""The pretended Route4Me's map: every address is somewhere in one town, except on Nowhere."""

import hashlib

NOT_FOUND = "nowhere"
CENTRE = (41.07, -73.52)
SPREAD = 0.05
"""Degrees."""


def geocode(address: str) -> tuple[float, float] | None:
    """Latitude and longitude, the same for the same words; None for what is not on the map."""
    plain = " ".join(address.lower().split())
    if not plain or NOT_FOUND in plain:
        return None
    digest = hashlib.sha256(plain.encode()).digest()
    north, east = (int.from_bytes(digest[at : at + 4]) / 2**32 * 2 - 1 for at in (0, 4))
    return round(CENTRE[0] + north * SPREAD, 6), round(CENTRE[1] + east * SPREAD, 6)
