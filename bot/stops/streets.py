"""Addresses as they may be shown to whoever holds a link. Pure."""

import re

_UNIT = re.compile(r"\s*(?:#|\b(?:apt|apartment|unit|suite|ste|fl|floor|depto|piso)\b).*$", re.IGNORECASE)


def street_of(address_line: str) -> str:
    """`Elm St` of `14 Elm St 2B`: neither house number nor apartment."""
    words = _UNIT.sub("", address_line.split(",")[0]).split()
    if len(words) > 1 and any(character.isdigit() for character in words[0]):
        words.pop(0)
    while len(words) > 1 and any(character.isdigit() for character in words[-1]):
        words.pop()
    return " ".join(words)
