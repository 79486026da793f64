"""What must not be shown or kept in the open: access codes in what people write."""

import re
from collections.abc import Callable

DOTS = "••••"

OTHER_DIGIT = "7"
"""No clock shows 77:77: a scrambled code is never read as a time."""

_CODE_WORD = (
    r"(?:codes?|c[oó]digos?|clave|pass(?:code|word)|pin|combination|combo|buzz(?:er)?|keypad|lock ?box)"
)
_PLACE = r"(?:gate|door|entry|entrance|garage|lobby|port[oó]n|puerta)"
_CODE = r"[#*]?\d(?: ?\d){1,9}[#*]?"
_NO_TIME = r"(?!\w|:\d| ?[ap]\.?m\b)"

_AFTER_A_CODE_WORD = re.compile(
    rf"(?<!\w)(?P<before>\w+ )?(?P<word>{_CODE_WORD}\b[^\d.!?\n{DOTS[0]}]{{0,30}}?)"
    rf"(?P<code>{_CODE}{_NO_TIME}(?:(?:,? (?:and|or|y|o) |, ?|/)[#*]?\d{{3,8}}[#*]?{_NO_TIME})*)",
    re.IGNORECASE,
)
_AFTER_A_PLACE = re.compile(
    rf"(\b{_PLACE}(?: ?(?:number|no|is|es)\b)?[ :=,-]*)([#*]?\d{{3,8}}[#*]?){_NO_TIME}", re.IGNORECASE
)
_BEFORE_A_CODE_WORD = re.compile(
    rf"\b\d{{3,8}}[#*]?(?= (?:is|es) (?:the |my |our |el |la )?(?:\w+ ){{0,2}}{_CODE_WORD}\b)", re.IGNORECASE
)
_BARE_KEYPAD = re.compile(r"(?<![\w:/+-])(?:[#*]\d{3,8}[#*]?|\d{3,8}[#*])(?!\w)")

_OTHER_CODES = frozenset({"zip", "post", "postal", "area", "tracking", "order", "promo", "discount", "qr"})
_NUMBERED_THING = re.compile(
    r"\b(?:apt|apartment|unit|suite|ste|room|floor|order|parcel|package|tracking|number|no|pedido|depto|building"
    r"|st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|calle)[.,]? ?$",
    re.IGNORECASE,
)
"""What a `#` and its number belong to when they are no keypad's."""


_POSTAL = re.compile(r"\bpostal\b", re.IGNORECASE)
"""What a Spanish `código` may be instead."""

Cover = Callable[[str], str]
"""What stands in the place of one code."""


def masked(text: str) -> str:
    """The text with anything that may be an access code replaced by dots.

    Times, house and order numbers stay. In doubt a number is masked: a dispatcher who needs it asks.
    """
    return _covered(text, lambda code: DOTS)


def scrambled(text: str) -> str:
    """The text with other digits in anything that may be an access code: it still reads as one."""
    return _covered(text, lambda code: re.sub(r"\d", OTHER_DIGIT, code))


def _covered(text: str, cover: Cover) -> str:
    text = _AFTER_A_CODE_WORD.sub(lambda match: _without_code(match, cover), text)
    text = _AFTER_A_PLACE.sub(lambda match: match.group(1) + cover(match.group(2)), text)
    text = _BEFORE_A_CODE_WORD.sub(lambda match: cover(match.group()), text)
    return _BARE_KEYPAD.sub(lambda match: _without_keypad(match, cover), text)


def _without_code(match: re.Match[str], cover: Cover) -> str:
    before, word = match.group("before") or "", match.group("word")
    if before.strip().lower() in _OTHER_CODES or _POSTAL.search(word):
        return match.group()
    return (
        before
        + word
        + re.sub(r"[#*]?\d(?: ?\d)*[#*]?", lambda code: cover(code.group()), match.group("code"))
    )


def _without_keypad(match: re.Match[str], cover: Cover) -> str:
    is_named = _NUMBERED_THING.search(match.string[: match.start()]) is not None
    return match.group() if is_named and match.group().startswith("#") else cover(match.group())
