"""Public holidays of the places whose locales we read."""

from collections.abc import Container
from datetime import date
from functools import cache

import holidays

# The package loads every country at the first question: half a second that no recipient should wait for.
import holidays.countries

# A locale says England or Spain as a whole; regional days (Scotland, Catalonia) are the operator's calendar.
_PLACES: dict[str, tuple[str, str | None]] = {
    "en-us": ("US", None),
    "en-gb": ("GB", "ENG"),
    "en-ca": ("CA", None),
    "es-mx": ("MX", None),
    "es-es": ("ES", None),
    "es-us": ("US", None),
}
_FALLBACK = {"en": ("US", None), "es": ("MX", None)}


@cache
def public_holidays(locale: str) -> Container[date]:
    """The public holidays where `locale` is spoken, asked with `in`; any year."""
    key = locale.lower().replace("_", "-")
    place = _PLACES.get(key) or _FALLBACK.get(key[:2])
    if place is None:
        return frozenset()
    country, subdivision = place
    return holidays.country_holidays(country, subdiv=subdivision)
