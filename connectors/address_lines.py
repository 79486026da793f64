"""An address as the one line in which some platforms keep it. Pure."""

import re

from connectors.base import Address

_US_LINE = re.compile(
    r"(?P<line>.+), (?P<city>[^,]+), (?P<region>[A-Z]{2}) (?P<postcode>\d{5}(?:-\d{4})?)"
    r"(?:, (?P<country>[^,]+))?"
)


def in_one_line(address: Address) -> str:
    """`14 Elm St, Norwalk, CT 06850, USA`; `parts_of` takes it apart again, where the country writes so."""
    region = " ".join(part for part in (address.region, address.postcode) if part)
    return ", ".join(part for part in (address.line, address.city, region, address.country) if part)


def parts_of(one_line: str) -> dict[str, str]:
    """By the names of `Address`; what is not written in the usual US form stays whole as the `line`."""
    plain = one_line.strip()
    parts = _US_LINE.fullmatch(plain)
    return {name: told for name, told in parts.groupdict().items() if told} if parts else {"line": plain}
