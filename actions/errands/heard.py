"""What one text says about a parcel that failed: a code, a time, a place, another way out. Pure; both languages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from actions.booking import Wish, names_day
from actions.choice import fold, pick_number
from actions.errands.address import LONGEST, is_place, names_address
from actions.errands.refusal import wants_back
from actions.errands.unavailable import way_named
from bot.conversations.privacy import DOTS, masked
from bot.recovery.answers import Choice
from bot.stops.note_text import what_to_note
from connectors.base import DeliveryWindow

BY_WORDS = {
    "neighbour": Choice.NEIGHBOUR,
    "safe_place": Choice.SAFE_PLACE,
    "pick_up": Choice.PICK_UP,
    "another_time": Choice.REATTEMPT,
}

_LACKS_CODE = re.compile(
    r"\b(?:no|not|dont|doesnt|isnt|without|sin|ningun|forgot|lost)\b[^.,;]{0,25}\b(?:codes?|codigos?|clave|pin)\b"
)
_INTO = re.compile(
    r"\b(?:buzz|ring|call|intercom|knock|bell|open|unlocked|timbre|toque|llame|interfon|abiert[ao])\b"
)
"""How to get in without a code."""
_SOON = re.compile(
    r"\b(?:asap|as soon as|soonest|earliest|any ?time|whenever|any day|lo antes posible|cuanto antes"
    r"|cuando (?:sea|pueda|quiera)|cualquier (?:dia|hora|momento))\b"
)
_DAYS = (
    r"(?:today|tonight|tomorrow|tmrw?|(?:on |this |next )?(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)"
    r"(?:day)?|hoy|ma[nñ]ana|(?:el |este )?(?:lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo))"
)
_TRAILING_DAY = re.compile(rf"[\s,]+{_DAYS}(?: (?:please|pls|por favor|works|is fine))?\W*$", re.IGNORECASE)


@dataclass(frozen=True)
class Heard:
    choice: Choice | None = None
    has_code: bool = False
    lacks_code: bool = False
    place: str = ""
    """Where or with whom, free of codes."""
    address: str = ""
    note: str = ""
    """How to get in, free of codes."""
    point: str = ""
    window: DeliveryWindow | None = None
    is_firm: bool = False
    choices: tuple[DeliveryWindow, ...] = ()
    """Windows of the day that was named without an hour."""
    problem: str | None = None
    """Why the time cannot be had."""
    is_soon: bool = False
    """Any time will do, the sooner the better."""

    @property
    def is_empty(self) -> bool:
        return self == Heard()


def words_heard(text: str, *, at_code: bool = False) -> Heard:
    """All but times, lists and addresses. `at_code`: the question was how to get in."""
    said = what_to_note(text)
    folded = fold(text)
    lacks_code = not said.has_code and _LACKS_CODE.search(folded) is not None
    by_other_means = at_code and not said.has_code and (lacks_code or _INTO.search(folded) is not None)
    return Heard(
        choice=_choice(text, has_where=bool(said.where), has_code=said.has_code),
        has_code=said.has_code,
        lacks_code=lacks_code or by_other_means,
        place=without_day(said.where),
        note=free_of_codes(text) if by_other_means else "",
        is_soon=_SOON.search(folded) is not None,
    )


def place_heard(text: str, choice: Choice) -> Heard:
    """The answer to "where exactly?" or "which neighbor?": the whole text, unless a part of it says where."""
    said = what_to_note(text)
    place = without_day(said.where) or without_day(free_of_codes(text))
    return Heard(choice=choice, has_code=said.has_code, place=place)


def address_heard(text: str) -> str:
    """The corrected address in the recipient's words; empty where there is none in them."""
    if not names_address(text) and not is_place(text):
        return ""
    return free_of_codes(text)[:LONGEST]


def option_heard(text: str, count: int) -> int | None:
    """The index of a numbered answer to a list of `count`."""
    numbered = pick_number(text, count)
    return numbered[0] if len(numbered) == 1 else None


def with_wish(heard: Heard, wish: Wish, offers: Sequence[DeliveryWindow]) -> Heard:
    """A window that stood on the list that was shown needs no second yes."""
    window = wish.window
    if window is None and wish.choices and heard.choice in (Choice.NEIGHBOUR, Choice.SAFE_PLACE):
        # Nobody has to be at home: the hours are ours to propose.
        window, wish = wish.choices[0], Wish(wish.choices[0])
    return replace(
        heard,
        window=window,
        is_firm=window in offers,
        choices=wish.choices,
        problem=wish.problem,
    )


def may_name_time(text: str, *, is_about_time: bool) -> bool:
    """Numbers of houses and floors are no hours, where nobody asked for a time."""
    return is_about_time or names_day(text)


def free_of_codes(text: str) -> str:
    """On one line, as it may be kept and said back."""
    bare = masked(" ".join(text.split())).replace(DOTS, "")
    return re.sub(r"[{}<>]", "", bare).strip(" .,;")


def without_day(place: str) -> str:
    """`with the lady next door`: the day that follows is when, not where."""
    return free_of_codes(_TRAILING_DAY.sub("", place))


def _choice(text: str, *, has_where: bool, has_code: bool) -> Choice | None:
    if wants_back(text):
        return Choice.SEND_BACK
    choice = BY_WORDS.get(way_named(text) or "")
    if choice is Choice.SAFE_PLACE and not has_where and not _SAFE.search(fold(text)):
        # "the garage code is 4471" leaves nothing in the garage.
        return None
    if choice is Choice.NEIGHBOUR and has_code and not has_where:
        return None
    return choice


_SAFE = re.compile(r"\b(?:safe (?:place|spot)|lugar seguro|leave it|dejel[oa])\b")
