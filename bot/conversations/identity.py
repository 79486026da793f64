"""Who is asking, on channels that prove nothing by themselves: the halves of a proof in a text. Pure.

A proof is a tracking or order number and, from the same order, the postcode or the last four digits of the phone.
"""

import re
from dataclasses import dataclass, replace

from bot.stops.models import StopRecord
from bot.stops.references import offered_numbers

FEW_WORDS = 6
"""In a longer text a bare four- or five-digit number may be anything."""

_LAST_FOUR = re.compile(
    r"(?:\blast[ -]?(?:4|four)\b|\bend(?:s|ing)?\b(?: in| with)?|[uú]ltim[oa]s (?:4|cuatro)\b"
    r"|\b(?:termina(?:do|da|n)?|acaba(?:do|n)?) (?:en|con)\b)[^\d]{0,40}(\d(?:[ -]?\d){3})(?!\d)",
    re.IGNORECASE,
)
_SPEAKS_OF_LAST_FOUR = re.compile(r"\blast[ -]?(?:4|four)\b|[uú]ltim[oa]s\b", re.IGNORECASE)
_PHONE = re.compile(
    r"(?:\b(?:phone|cell|mobile|tel[eé]fono|tel|cel(?:ular)?|m[oó]vil|whatsapp)\b[^\d+]{0,25})"
    r"(\+?\d(?:[ ().-]{0,2}\d){6,14})(?!\d)"
    r"|(\+\d(?:[ ().-]{0,2}\d){7,14}|\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?!\d)",
    re.IGNORECASE,
)
_POSTCODE_WORD = (
    r"\b(?:zip(?: ?code)?|post ?code|postal(?: code)?|c[oó]digo postal|c\.?p\.?)\b"
    r"[\s:#.]*(?:(?:is|es|number)\s+)?"
)
_UK = r"[a-z]{1,2}\d[a-z\d]? ?\d[abd-hjlnp-uw-z]{2}"
"""The last two letters are never C I K M O V, so that `b4 2pm` is none. Source: BS 7666."""
_CANADA = r"[a-z]\d[a-z][ -]?\d[a-z]\d"
_FIVE = r"\d{5}(?:-?\d{4})?"
_NAMED_POSTCODE = re.compile(rf"{_POSTCODE_WORD}({_UK}|{_CANADA}|{_FIVE})(?!\w)", re.IGNORECASE)
_LETTERED_POSTCODE = re.compile(rf"(?<![\w-])({_UK}|{_CANADA})(?![\w-])", re.IGNORECASE)
_BARE_POSTCODE = re.compile(r"(?<![\w#-])(\d{5}(?:-\d{4})?)(?![\w-])")
_BARE_FOUR = re.compile(r"(?<![\w:#-])(\d{4})(?![\w:-])")
_DICTATED = re.compile(r"(?<![\w-])(\d{3,6}(?: \d{2,6}){2,4})(?![\w-])")
"""`7718 2240 19` is a number, and no part of it the end of a phone."""
_CALLED_NUMBER = re.compile(
    r"\b(?:order|pedido|track\w*|seguimiento|gu[ií]a)\b\W*(?:\w+\W+)?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Claims:
    """What somebody says of an order. Empty where nothing was said."""

    tracking: str = ""
    """As it is looked up: lower case."""
    postcode: str = ""
    """As `normal_postcode` writes it."""
    phone_end: str = ""
    """Four digits."""

    @property
    def is_whole(self) -> bool:
        return bool(self.tracking and (self.postcode or self.phone_end))

    def __bool__(self) -> bool:
        return bool(self.tracking or self.postcode or self.phone_end)

    def on_top_of(self, earlier: "Claims") -> "Claims":
        """Both together; what is said now takes the place of what was said before."""
        tracking = self.tracking or earlier.tracking
        if self.postcode or self.phone_end:
            return replace(self, tracking=tracking)
        return replace(earlier, tracking=tracking)


def read_claims(text: str) -> Claims:
    """The halves of a proof that a text holds; the first of each kind. Never raises."""
    phone_end, rest = _take(text, _LAST_FOUR, _PHONE)
    postcode, rest = _take(rest, _NAMED_POSTCODE, _LETTERED_POSTCODE)
    dictated, rest = _take(rest, _DICTATED)
    if not postcode and len(rest.split()) <= FEW_WORDS:
        postcode, rest = _take_bare(rest, _BARE_POSTCODE)
    speaks_of_it = _SPEAKS_OF_LAST_FOUR.search(rest) is not None
    if not phone_end and (speaks_of_it or len(rest.split()) <= FEW_WORDS):
        phone_end, rest = _take_bare(rest, _BARE_FOUR)
    numbers = (
        offered_numbers(dictated) or offered_numbers(rest) or offered_numbers(" ".join(_long_numbers(rest)))
    )
    digits = re.sub(r"\D", "", phone_end)
    return Claims(numbers[0] if numbers else "", normal_postcode(postcode), digits[-4:])


def is_proved(stop: StopRecord, claims: Claims) -> bool:
    """Whether the claims fit this stop: its tracking or order number, and its postcode or the end of its phone."""
    numbers = (stop.tracking.lower(), (stop.order_ref or "").lower())
    if not claims.is_whole or claims.tracking not in numbers:
        return False
    postcode = normal_postcode(stop.postcode)
    if claims.postcode and postcode and claims.postcode == postcode:
        return True
    return bool(claims.phone_end) and (stop.recipient_phone or "").endswith(claims.phone_end)


def normal_postcode(postcode: str) -> str:
    """Capitals, no spaces or dashes; of a ZIP+4 the ZIP."""
    bare = re.sub(r"[^A-Z0-9]", "", postcode.upper())
    return bare[:5] if re.fullmatch(r"\d{9}", bare) else bare


def _take(text: str, *patterns: re.Pattern[str]) -> tuple[str, str]:
    """The first group that the first fitting pattern holds, and the text without the whole match."""
    for pattern in patterns:
        if match := pattern.search(text):
            found = next(group for group in match.groups() if group)
            return found, f"{text[: match.start()]} {text[match.end() :]}"
    return "", text


def _take_bare(text: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    """As `_take`, passing over what is called an order or tracking number."""
    for match in pattern.finditer(text):
        if not _CALLED_NUMBER.search(text[: match.start()]):
            return match.group(1), f"{text[: match.start()]} {text[match.end() :]}"
    return "", text


def _long_numbers(text: str) -> list[str]:
    """What looks like a tracking number where the rest of the text does not point at it: `its for QS123456 thx`."""
    words = [word.strip(".,;:!?()") for word in text.split()]
    return [word for word in words if re.fullmatch(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9-]{5,23}", word)][:1]
