"""Two requests in one text: where it may be cut, and which pairs of meanings are really two. Pure."""

import re
from dataclasses import dataclass

SURE = 0.6
"""Both halves must be understood this surely on their own."""

_CUT = re.compile(
    r"\s*(?:[.?!;]+\s+|\n+"
    r"|,?\s+(?:and also|also|and then|plus|and|btw|oh and|y tambi[eé]n|tambi[eé]n|adem[aá]s|y|e)\s+"
    r"(?=(?:can|could|would|will|please|pls|plz|where|when|what|who|is|are|do|does|did|if|leave|tell|bring|move|change"
    r"|send|put|i|my|the|d[oó]nde|cu[aá]ndo|qu[eé]|qui[eé]n|puede|pueden|podr[ií]a|podr[ií]an|d[eé]je?n?lo|deja|dile"
    r"|d[ií]gale|quiero|necesito|el|la|mi)\b))",
    re.IGNORECASE,
)
SHORTEST = 2
"""Words without which a half says nothing by itself."""

FIRST = frozenset(
    {
        "track_delivery",
        "reschedule_delivery",
        "delivery_instructions",
        "change_address",
        "proof_of_delivery",
        "delivery_info",
    }
)
SECOND = FIRST | {"talk_to_human"}

ONE_WISH = (
    {"delivery_instructions", "change_address"},
    {"proof_of_delivery", "track_delivery"},
)
"""Pairs that people say for one and the same thing."""


@dataclass(frozen=True)
class Meaning:
    text: str
    intent: str
    confidence: float


def halves(text: str) -> list[str]:
    """The clauses of a text that may ask for two things; empty where it has but one."""
    parts = [part.strip(" ,.;") for part in _CUT.split(text)]
    clauses = [part for part in parts if len(part.split()) >= SHORTEST]
    return clauses if 1 < len(clauses) <= 4 else []


def two_requests(meanings: list[Meaning]) -> tuple[Meaning, Meaning] | None:
    """The two things that are asked for, in their order; None where it is one, or not sure.

    Clauses that ask for nothing by themselves ("thanks so much", "i am at work") are passed over.
    """
    asked = [meaning for meaning in meanings if meaning.intent in SECOND and meaning.confidence >= SURE]
    distinct: list[Meaning] = []
    for meaning in asked:
        if all(meaning.intent != known.intent for known in distinct):
            distinct.append(meaning)
    if len(distinct) != 2 or len(asked) != len(meanings):
        return None
    first, second = distinct
    if first.intent not in FIRST or {first.intent, second.intent} in ONE_WISH:
        return None
    return first, second
