"""Pure: the access code in a recipient's own text, for the platform's notes and nothing else."""

import re

from bot.conversations.privacy import DOTS
from bot.stops.note_text import without_codes

_BARE = re.compile(r"(?<![\w:/.+-])[#*]?\d{3,8}[#*]?(?![\w:/-]|\.\d)")
"""A number by itself, where a code was asked for: `4471. today works`."""
_OF_A_TIME_OR_PLACE = re.compile(
    r"(?:\b(?:at|by|after|before|around|until|till|apt|unit|suite|room|floor|a las?|despu[eé]s de las?|antes de las?|"
    r"piso|depto)\.?\s*#?$)",
    re.IGNORECASE,
)


def code_in(text: str) -> str:
    """The codes of a text as one line, `4471#` or `4471#, 0912`; empty where there is none, or it was forgotten."""
    text = " ".join(text.split())
    if DOTS in text:
        return ""
    hidden = _hidden(text, without_codes(text))
    return ", ".join(dict.fromkeys(hidden or _bare(text)))


def _hidden(text: str, safe: str) -> list[str]:
    """What the dots of `safe` stand for in `text`."""
    if DOTS not in safe:
        return []
    around = [re.escape(part) for part in safe.split(DOTS)]
    found = re.fullmatch("(.+?)".join(around), text)
    return list(found.groups()) if found is not None else []


def _bare(text: str) -> list[str]:
    """The only number that could be one; with several nobody knows which it is."""
    found = [
        match.group()
        for match in _BARE.finditer(text)
        if not _OF_A_TIME_OR_PLACE.search(text[: match.start()])
    ]
    return found if len(found) == 1 else []
