"""Pure: the address that a recipient wrote, as a platform can look it up."""

import re

from connectors.base import Address

_POSTCODE = re.compile(r"\b(\d{5})(?:-\d{4})?\s*$")
_LEADS_IN = re.compile(
    r"^(?:(?:no|sorry|hi|hello|it'?s|its|it is|the|right|correct|new|actual|real|my|our|address|addr|is|should be|"
    r"es|la|mi|direcci[oó]n|correcta)[\s,:.]+)+(?=\d)",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?:apt|apartment|unit|suite|ste|floor|fl|room|rm|bldg|building|piso|depto)\b|#", re.IGNORECASE
)


def corrected(words: str, failed: Address) -> Address:
    """`words` with the town of the failed stop, unless they name another: by a comma or a postcode at the end.

    A dispatcher has approved the words; the platform's map has the last say.
    """
    line = _LEADS_IN.sub("", " ".join(words.split()))
    is_whole = "," in line or _POSTCODE.search(line) is not None
    if is_whole:
        return Address(line=line, country=failed.country)
    town = failed.city or _town_in(failed.line)
    return Address(line=line, city=town, region=failed.region, country=failed.country)


def _town_in(line: str) -> str:
    """`New York` of `14 Elm St, Apt 2B, New York 10001`, as platforms keep it that have one line for all."""
    pieces = (piece.strip() for piece in line.split(",")[1:])
    named = (" ".join(_without_numbers(piece)) for piece in pieces if not _UNIT.match(piece))
    return ", ".join(piece for piece in named if piece)


def _without_numbers(piece: str) -> list[str]:
    """The postcode is of the old street, and numbers are of the door."""
    return [word for word in piece.split() if not any(letter.isdigit() for letter in word)]
