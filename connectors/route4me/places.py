"""Route4Me's one line and two numbers as an address. Pure."""

from connectors.address_lines import parts_of
from connectors.base import Address


def parse_address(one_line: str, latitude: float | None, longitude: float | None) -> Address:
    # 0, 0 is in the sea: Route4Me's way to say that a place is not known.
    is_known = latitude is not None and longitude is not None and (latitude, longitude) != (0, 0)
    return Address(
        **parts_of(one_line),
        latitude=latitude if is_known else None,
        longitude=longitude if is_known else None,
    )
