"""What a text says about the new window: a wish for a time, a yes, a no, or leaving it all as it is. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from actions.choice import fold, pick, pick_number
from actions.services import Windows
from actions.speech import locale_of, say_hours
from bot.windows.offers import day_of
from connectors.base import DeliveryWindow

_ABANDONED = re.compile(
    r"""\b(?:
        never\ ?mind | nvm | forget\ (?:about\ )?it
        | (?:leave|keep)\ (?:it|things|everything)(?:\ (?:as|how|the\ way)\ .*)?$
        | keep\ the\ (?:old|original|current) | dont\ (?:bother|change)
        | olvidal[oa] | deje?l[oa]\ (?:asi|como) | dejal[oa]\ (?:asi|como)
    )""",
    re.VERBOSE,
)
_NAMES_A_DAY = re.compile(
    r"""\b(?:
        (?:to|2)(?:day|night|nite|morrow|moro\w*) | tom+or+o*w | tmr?w | yesterday | this
        | (?:mon|tue|wed|thu|fri|sat|sun|week|jan|feb|apr|aug|sept?|oct|nov|dec)[a-z]*
        | mar(?:ch)? | may | june? | july? | (?:\d+|two|three|few)\ (?:days?|h(?:ou)?rs?)
        | \d+(?:st|nd|rd|th)(?!\ (?:one|option)\b) | \d{1,2}[/.]\d{1,2}
        | hoy | manana | ayer | (?:lun|mart|mier|juev|vier|sab|dom)[a-z]* | semana | esta
        | (?:\d+|dos|tres)\ (?:dias?|horas?)
        | (?:ener|febr|abri|mayo|juni|juli|agos|octu|novi|dici)[a-z]*
    )\b""",
    re.VERBOSE,
)
_PLAIN_YES = re.compile(
    r"(?:y|ye[sp]|yes please|yea+h?|yup|ok(?:ay)?|sure|correct|right|perfect|fine|book it|do it|go ahead|confirm(?:ed)?"
    r"|si|si por favor|claro|dale|vale|listo|de acuerdo|correcto|perfecto)"
)
_PLAIN_NO = re.compile(r"(?:n|no|nope|nah|no thanks|no thank you|not that|no gracias)")

SURE_ENOUGH = 0.5
"""Below this confidence a "confirm" books nothing: the question is asked again."""


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Wish:
    """A time that somebody asked for. All empty: the text names no time."""

    window: DeliveryWindow | None = None
    choices: tuple[DeliveryWindow, ...] = ()
    """Windows offered on the day that was named without an hour."""
    day: date | None = None
    """A day without an hour of which no window was offered: its windows are still to be looked up."""
    problem: str | None = None
    """Why it cannot be booked as said: a reason of `doorline when`."""

    @property
    def is_empty(self) -> bool:
        return self == Wish()


@dataclass(frozen=True)
class Wishing:
    """Against what a wish is understood."""

    timezone: str
    language: str
    now: datetime
    offers: Sequence[DeliveryWindow] = ()
    pending: DeliveryWindow | None = None
    """The window that waits for a yes: hours said without a day mean its day."""


def read_wish(windows: Windows, text: str, context: Wishing) -> Wish:
    if numbered := pick_number(text, len(context.offers)):
        return Wish(context.offers[numbered[0]])
    if re.fullmatch(r"\W*\d\W*", text):
        # A lone digit answers a list; as an hour it would be a guess.
        return Wish(problem="vague") if context.offers else Wish()
    reading = windows.read(text, context.timezone, locale_of(context.language, context.timezone))
    if not names_day(text) and (picked := pick(text, [_names(offer, context) for offer in context.offers])):
        return Wish(context.offers[picked[0]])
    if (
        reading.date is None
        and reading.start is None
        and not reading.exclude
        and reading.reason in (None, "no_time")
    ):
        return Wish()
    window = windows.to_window(reading, context.timezone)
    if window is None:
        return Wish(problem=str(reading.reason or "vague"))
    if reading.start is None:
        return _any_time_on(window, context)
    return Wish(_on_pending_day(window, text, context))


def read_verdict(text: str, intent: str, confidence: float) -> Verdict:
    """Whether "Shall I book it?" got a yes. Plain words decide before the model does."""
    words = re.sub(r"[^\w ]", "", fold(text)).strip()
    if _PLAIN_YES.fullmatch(words) or (intent == "confirm" and confidence >= SURE_ENOUGH):
        return Verdict.YES
    if _PLAIN_NO.fullmatch(words) or intent == "deny":
        return Verdict.NO
    return Verdict.UNCLEAR


def is_abandoned(text: str) -> bool:
    return _ABANDONED.search(fold(text)) is not None


def names_day(text: str) -> bool:
    return _NAMES_A_DAY.search(fold(text)) is not None


def to_slot(window: DeliveryWindow) -> str:
    """ISO start and end: what stands in Rasa's slots, read back with `from_slot`."""
    return f"{window.start_at.isoformat()}/{window.end_at.isoformat()}"


def from_slot(value: str) -> DeliveryWindow:
    start, end = value.split("/")
    return DeliveryWindow(start_at=datetime.fromisoformat(start), end_at=datetime.fromisoformat(end))


def _names(offer: DeliveryWindow, context: Wishing) -> list[str]:
    hours = say_hours(offer, context.timezone)
    return [hours, hours.rsplit(" ", 1)[0]]


def _any_time_on(window: DeliveryWindow, context: Wishing) -> Wish:
    """A day without an hour: what is offered on that day, else the whole service day."""
    day = day_of(window, context.timezone)
    choices = tuple(offer for offer in context.offers if day_of(offer, context.timezone) == day)
    if len(choices) > 1:
        return Wish(choices=choices)
    if context.pending is not None:
        # "make it monday then": the hours that were read back, on the other day.
        return Wish(_on_day(context.pending, day, context.timezone))
    return Wish(choices[0]) if choices else Wish(day=day)


def _on_pending_day(window: DeliveryWindow, text: str, context: Wishing) -> DeliveryWindow:
    """Hours without a day, while another day waits for a yes: those hours on that day."""
    if context.pending is None or names_day(text):
        return window
    moved = _on_day(window, day_of(context.pending, context.timezone), context.timezone)
    return moved if moved.end_at > context.now else window


def _on_day(window: DeliveryWindow, day: date, timezone: str) -> DeliveryWindow:
    """The same wall-clock hours on another day."""
    zone = ZoneInfo(timezone)
    start, end = (
        datetime.combine(day, moment.astimezone(zone).time(), zone).astimezone(UTC)
        for moment in (window.start_at, window.end_at)
    )
    return DeliveryWindow(start_at=start, end_at=end)


def service_day(day: date, timezone: str) -> DeliveryWindow:
    """Any time on one local day."""
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(day, hour, zone).astimezone(UTC) for hour in (time(8), time(21)))
    return DeliveryWindow(start_at=start, end_at=end)
