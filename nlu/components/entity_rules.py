"""Which of the found entities stand when several claim the same words. Pure."""

from typing import Any, Dict, List, Tuple

Entity = Dict[str, Any]
"""As Rasa has it: `entity`, `start` and `end` (characters of the text), `value`, `extractor`, perhaps a confidence."""

PATTERNS = "RegexEntityExtractor"

# A house number inside an address looks like a tracking number to a pattern.
_HOLDS_NUMBERS = frozenset({"address"})

# The more telling pattern first: ten digits are a phone before they are an order.
_ORDER = ("access_code", "phone", "tracking_number")

_EDGES = " \t\r\n.,;:!?¡¿\"'()[]{}<>…“”‘’"


def settled(entities: List[Entity], text: str) -> List[Entity]:
    """Entities in reading order, none overlapping another, without the punctuation at their ends."""
    tidy = [found for found in (_tidied(entity, text) for entity in entities) if found["start"] < found["end"]]
    kept: List[Entity] = []
    for candidate in sorted(tidy, key=lambda entity: _rank(entity, tidy)):
        if not any(_overlap(candidate, other) for other in kept):
            kept.append(candidate)
    return sorted(kept, key=lambda entity: entity["start"])


def _rank(entity: Entity, everything: List[Entity]) -> Tuple[int, int, int]:
    """Small is strong: an address around a number, then patterns, then what the model found, the longer first."""
    length = entity["end"] - entity["start"]
    if not _is_pattern(entity):
        encloses = entity["entity"] in _HOLDS_NUMBERS and any(
            _is_pattern(other) and _overlap(entity, other) and length > other["end"] - other["start"]
            for other in everything
        )
        return (0 if encloses else 2, 0, -length)
    kind = entity["entity"]
    return (1, _ORDER.index(kind) if kind in _ORDER else len(_ORDER), -length)


def _tidied(entity: Entity, text: str) -> Entity:
    start, end = entity["start"], entity["end"]
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return {**entity, "start": start, "end": end, "value": text[start:end]}


def _is_pattern(entity: Entity) -> bool:
    return bool(entity.get("extractor") == PATTERNS)


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(one["start"] < other["end"] and other["start"] < one["end"])
