"""The reserved words that carriers and the law know, read before any model and only as the whole message.

`cancel my delivery` and `stop please` are plain language. Sources: `messaging-contracts` A8 and A9; the Spanish
words are ours.
"""

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


CARRIER_STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
"""The carrier answers and blocks these itself, so we stay silent. Source: Twilio, default opt-out words."""
CARRIER_START_WORDS = frozenset({"start", "unstop", "yes"})
"""The carrier answers these itself to whom it blocks. `YES` is also how people confirm: it is a word of
consent only from who is opted out."""
CARRIER_HELP_WORDS = frozenset({"help", "info"})

SPANISH_STOP_WORDS = frozenset(
    {"alto", "parar", "para", "detener", "cancelar", "baja", "fin", "salir", "no mas"}
)
"""`para` (also "for") and `fin` (also in "fin de semana") stand here because alone they answer nothing that we
ask, and whoever sent half a sentence by mistake is told at once how to come back."""
SPANISH_START_WORDS = frozenset({"alta", "iniciar", "comenzar"})
SPANISH_HELP_WORDS = frozenset({"ayuda"})
SPANISH_KEYWORDS = SPANISH_STOP_WORDS | SPANISH_START_WORDS | SPANISH_HELP_WORDS

STOP_WORDS = CARRIER_STOP_WORDS | SPANISH_STOP_WORDS | {"opt out", "stop all", "remove"}
START_WORDS = SPANISH_START_WORDS | {"start", "unstop"}
HELP_WORDS = CARRIER_HELP_WORDS | SPANISH_HELP_WORDS

RESERVED_WORDS = STOP_WORDS | START_WORDS | HELP_WORDS | CARRIER_START_WORDS
"""What no prompt of ours may ask for."""

_ONE_WORD_OVER_AND_OVER = re.compile(r"(\w+)(?: \1)+")


def folded(text: str) -> str:
    """Lower case, plain letters and digits, one space between words.

    Accents, apostrophes and what cannot be seen vanish; other marks, emoji and hyphens part words.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(_plain(char) for char in decomposed).split())


def _plain(char: str) -> str:
    # Mn: accents. Cf: zero-width characters and marks of direction.
    if char in "'’‘`´" or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return ""
    return char if char.isalnum() else " "


def keyword(text: str) -> Keyword | None:
    """The keyword that the whole text is, if it is one; `STOP STOP` is the word, said twice."""
    words = folded(text)
    if repeated := _ONE_WORD_OVER_AND_OVER.fullmatch(words):
        words = repeated.group(1)
    if words in STOP_WORDS:
        return Keyword.STOP
    if words in START_WORDS:
        return Keyword.START
    return Keyword.HELP if words in HELP_WORDS else None


def carrier_answers(text: str, *, is_blocked: bool) -> bool:
    """Whether the carrier answers this word of consent itself: only its own words, as the whole message."""
    bare = text.strip().casefold()
    return bare in CARRIER_STOP_WORDS or (is_blocked and bare in CARRIER_START_WORDS)
