"""How many SMS segments a text takes. Carriers bill and throttle by segment.

Source: 3GPP TS 23.038 (the GSM-7 tables); `messaging-contracts` A11 for the sizes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each takes two septets: an escape and the character."""


class Encoding(StrEnum):
    GSM7 = "gsm-7"
    UCS2 = "ucs-2"


LIMITS = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}
"""Units in a lone segment, and in each of several, where a header takes the difference."""


@dataclass(frozen=True)
class Segmentation:
    encoding: Encoding
    units: int
    """Septets in GSM-7, UTF-16 code units in UCS-2."""
    segments: int


def segment(text: str) -> Segmentation:
    """Splits as handsets expect: neither an escaped character nor a surrogate pair crosses a boundary."""
    encoding = encoding_of(text)
    sizes = [_units(character, encoding) for character in text]
    lone, each = LIMITS[encoding]
    units = sum(sizes)
    if units <= lone:
        return Segmentation(encoding, units, 1 if units else 0)
    return Segmentation(encoding, units, _pack(sizes, each))


def encoding_of(text: str) -> Encoding:
    """One character outside GSM-7 turns the whole text into UCS-2."""
    return Encoding.GSM7 if GSM7_BASIC.union(GSM7_EXTENSION).issuperset(text) else Encoding.UCS2


def _units(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in GSM7_EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _pack(sizes: Iterable[int], limit: int) -> int:
    segments, used = 1, 0
    for size in sizes:
        if used + size > limit:
            segments, used = segments + 1, 0
        used += size
    return segments
