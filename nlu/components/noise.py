"""Careless typing, made from careful texts: what the classifier is trained on beside them. Pure and seeded."""

import random
import re

from nlu.components.texting import without_accents

# What people put around anything they say.
_BEFORE = ("um", "so", "ok so", "hey", "look", "listen", "bro", "sir", "oye", "mira", "pues", "disculpe")
_AFTER = ("!!", "?", "...", "lol", "man", "omg", "asap", "pls", "ya", "😡", "🙏", "😭", "porfa")
_PUNCTUATION = re.compile(r"[.,!?¿¡;']")
_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm",
    "k": "jil", "l": "ko", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip


def mistyped(text: str, seed: str, share: float = 0.18) -> str:
    """`text` as somebody in a hurry types it; the same text and seed give the same. `share` of the words err."""
    rng = random.Random(f"{seed} {text}")
    noisy = " ".join(_slip(word, rng) if rng.random() < share else word for word in text.split())
    if rng.random() < 0.5:
        noisy = without_accents(noisy)
    if rng.random() < 0.5:
        noisy = _PUNCTUATION.sub("", noisy)
    return _padded(noisy or text, rng)


def _padded(text: str, rng: random.Random) -> str:
    """A very short text is left alone: there each word counts."""
    if len(text.split()) < 3:
        return text
    before = f"{rng.choice(_BEFORE)} " if rng.random() < 0.2 else ""
    after = f" {rng.choice(_AFTER)}" if rng.random() < 0.2 else ""
    return f"{before}{text}{after}"


def _slip(word: str, rng: random.Random) -> str:
    """A letter lost, two swapped, one doubled, or its neighbour on the keyboard hit; short words stay."""
    if len(word) < 4:
        return word
    at, kind = rng.randrange(1, len(word) - 1), rng.random()
    if kind < 0.3:
        return word[:at] + word[at + 1 :]
    if kind < 0.6:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.8:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice(_NEIGHBOURS.get(word[at].lower(), word[at])) + word[at + 1 :]
