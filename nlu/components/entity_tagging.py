"""Texts as tokens with features and tags, for a conditional random field, and tags back as entities. Pure."""

import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from nlu.components.entity_words import classes
from nlu.components.texting import without_accents

OUTSIDE = "O"
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")
_REACH = 2
"""How many tokens to either side a token knows of."""


class Token(NamedTuple):
    text: str
    start: int
    end: int


def tokens(text: str) -> List[Token]:
    """Words and numbers; every mark by itself. Offsets are characters of `text`."""
    return [Token(found[0], found.start(), found.end()) for found in _TOKEN.finditer(text)]


def features(found: Sequence[Token], intent: Optional[str]) -> List[List[str]]:
    """For each token what it, its neighbours and the text's intent are. `intent`: None when it is not known."""
    seen = [_seen(token) for token in found]
    return [_with_neighbours(seen, at, intent or "?") for at in range(len(found))]


def tags(found: Sequence[Token], entities: Sequence[Dict[str, Any]]) -> List[str]:
    """`B-date`, `I-date` or `O` for each token."""
    told = [OUTSIDE] * len(found)
    for entity in entities:
        inside = [
            at for at, token in enumerate(found) if token.start < entity["end"] and entity["start"] < token.end
        ]
        for position, at in enumerate(inside):
            told[at] = f"{'I' if position else 'B'}-{entity['entity']}"
    return told


def entities(text: str, found: Sequence[Token], told: Sequence[str]) -> List[Dict[str, Any]]:
    """The reverse of `tags`; an `I` that follows nothing of its kind begins an entity."""
    spans: List[Dict[str, Any]] = []
    before = OUTSIDE
    for token, tag in zip(found, told):
        kind = tag[2:]
        if tag.startswith("I-") and before[2:] == kind:
            spans[-1]["end"] = token.end
        elif tag != OUTSIDE:
            spans.append({"entity": kind, "start": token.start, "end": token.end})
        before = tag
    return [{**span, "value": text[span["start"] : span["end"]]} for span in spans]


def _seen(token: Token) -> Dict[str, str]:
    """What a token looks like by itself."""
    # A lone surrogate cannot be written as UTF-8, which the tagger wants.
    readable = token.text.encode("utf-8", "replace").decode("utf-8")
    word = without_accents(readable.casefold()).replace("’", "'")
    shape = re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", word))
    return {
        "w": word if not word.isdigit() else "0" * len(word),
        "s": shape if len(shape) <= 6 else shape[:6],
        "c": "+".join(classes(word)) or "-",
        "n": word if word.isdigit() and len(word) <= 2 else "-",
    }


def _with_neighbours(seen: List[Dict[str, str]], at: int, intent: str) -> List[str]:
    here = seen[at]
    word = here["w"]
    told = [f"p2={word[:2]}", f"p4={word[:4]}", f"e2={word[-2:]}", f"e3={word[-3:]}"]
    told += [f"i={intent}", f"i={intent} s={here['s']}", f"i={intent} c={here['c']}", f"only={len(seen) == 1}"]
    for step in range(-_REACH, _REACH + 1):
        near = seen[at + step] if 0 <= at + step < len(seen) else {"w": "<>", "s": "<>", "c": "<>", "n": "-"}
        told += [f"{step}{name}={value}" for name, value in near.items() if value != "-"]
    for step in (-1, 0):
        pair = [seen[to]["w"] if 0 <= to < len(seen) else "<>" for to in (at + step, at + step + 1)]
        kinds = [seen[to]["c"] if 0 <= to < len(seen) else "<>" for to in (at + step, at + step + 1)]
        told += [f"{step}ww={pair[0]} {pair[1]}", f"{step}cc={kinds[0]} {kinds[1]}"]
    return told
