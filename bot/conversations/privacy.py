"""What must not be shown or kept in the open: access codes in what people write."""

import re

_CODE_WORD = r"(?:code|c[oó]digo|clave|pin|gate|buzzer|keypad|port[oó]n|puerta|door|entry|lock ?box)"
_NEAR_A_CODE_WORD = re.compile(rf"({_CODE_WORD}\D{{0,20}}?)([#*]?\d[\d ]{{1,9}}[#*]?)", re.IGNORECASE)
_BARE_KEYPAD = re.compile(r"(?<![\w:/+-])(?:[#*]\d{3,8}[#*]?|\d{3,8}[#*])(?!\w)")


def masked(text: str) -> str:
    """The text with anything that may be an access code replaced by dots; times and house numbers stay."""
    text = _NEAR_A_CODE_WORD.sub(lambda match: match.group(1) + "••••", text)
    return _BARE_KEYPAD.sub("••••", text)
