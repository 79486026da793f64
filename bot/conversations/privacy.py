"""What must not be shown or kept in the open: access codes in what people write."""

import re

DOTS = "••••"

_CODE_WORD = (
    r"(?:codes?|c[oó]digos?|clave|pass(?:code|word)|pin|combination|combo|buzz(?:er)?|keypad|lock ?box)"
)
_PLACE = r"(?:gate|door|entry|entrance|garage|lobby|port[oó]n|puerta)"
_CODE = r"[#*]?\d(?: ?\d){1,9}[#*]?"
_NO_TIME = r"(?!\w|:\d| ?[ap]\.?m\b)"

_AFTER_A_CODE_WORD = re.compile(
    rf"(?<!\w)(?P<before>\w+ )?(?P<word>{_CODE_WORD}\b[^\d.!?\n]{{0,30}}?)"
    rf"(?P<code>{_CODE}{_NO_TIME}(?:(?:,? (?:and|or|y|o) |, ?|/)[#*]?\d{{3,8}}[#*]?{_NO_TIME})*)",
    re.IGNORECASE,
)
_AFTER_A_PLACE = re.compile(
    rf"(\b{_PLACE}(?: ?(?:number|no|is|es)\b)?[ :=,-]*)[#*]?\d{{3,8}}[#*]?{_NO_TIME}", re.IGNORECASE
)
_BEFORE_A_CODE_WORD = re.compile(
    rf"\b\d{{3,8}}[#*]?(?= (?:is|es) (?:the |my |our |el |la )?(?:\w+ ){{0,2}}{_CODE_WORD}\b)", re.IGNORECASE
)
_BARE_KEYPAD = re.compile(r"(?<![\w:/+-])(?:[#*]\d{3,8}[#*]?|\d{3,8}[#*])(?!\w)")

_OTHER_CODES = frozenset({"zip", "postal", "area", "tracking", "order", "promo", "discount", "qr"})
_NUMBERED_THING = re.compile(
    r"\b(?:apt|apartment|unit|suite|ste|room|floor|order|parcel|package|tracking|number|no|pedido|depto|building"
    r"|st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|calle)[.,]? ?$",
    re.IGNORECASE,
)
"""What a `#` and its number belong to when they are no keypad's."""


def masked(text: str) -> str:
    """The text with anything that may be an access code replaced by dots.

    Times, house and order numbers stay. In doubt a number is masked: a dispatcher who needs it asks.
    """
    text = _AFTER_A_CODE_WORD.sub(_without_code, text)
    text = _AFTER_A_PLACE.sub(lambda match: match.group(1) + DOTS, text)
    text = _BEFORE_A_CODE_WORD.sub(DOTS, text)
    return _BARE_KEYPAD.sub(_without_keypad, text)


def _without_code(match: re.Match[str]) -> str:
    before = match.group("before") or ""
    if before.strip().lower() in _OTHER_CODES:
        return match.group()
    return before + match.group("word") + re.sub(r"[#*]?\d(?: ?\d)*[#*]?", DOTS, match.group("code"))


def _without_keypad(match: re.Match[str]) -> str:
    is_named = _NUMBERED_THING.search(match.string[: match.start()]) is not None
    return match.group() if is_named and match.group().startswith("#") else DOTS
