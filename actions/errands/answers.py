"""How a short answer inside an errand is read: yes or no, one of two, nothing to add. Pure."""

import re
from collections.abc import Collection

from actions.booking import Verdict, read_verdict
from actions.choice import fold, pick_number
from actions.errands.base import SURE, Errand

SOCIAL = frozenset({"thank", "greet", "goodbye"})

ANSWERS = frozenset(
    {
        "confirm",
        "deny",
        "choose_option",
        "provide_time",
        "provide_reference",
        "out_of_scope",
        "nlu_fallback",
        "send_photo",
    }
)
"""Intents of a text that may answer any question."""

_NOTHING = re.compile(
    r"^\W*(?:no|nope|nah|none|nothing|skip|no (?:photo|pic|picture|camera|foto)|"
    r"(?:i )?(?:dont|do not|cant|cannot) (?:have|send|take)\b.*|not now|later|"
    r"no (?:tengo|puedo)\b.*|nada|ninguna?|sin foto|despues)\W*$"
)


def is_something_else(errand: Errand, also: Collection[str] = ()) -> bool:
    """Whether the text is surely about something other than the question; `also` may answer it too."""
    if errand.intent in ANSWERS or errand.intent in also:
        return False
    return errand.intent in SOCIAL or errand.confidence >= SURE


def one_of(errand: Errand, count: int) -> int | None:
    """The index of a numbered answer: `2`, `option b`, `the second`."""
    numbered = pick_number(errand.turn.text, count)
    return numbered[0] if len(numbered) == 1 else None


def verdict_of(errand: Errand) -> Verdict:
    return read_verdict(errand.turn.text, errand.intent, errand.confidence)


def says_nothing(text: str) -> bool:
    """`no`, `skip`, `i dont have one`: there is nothing to add."""
    return _NOTHING.match(fold(text)) is not None
