"""Another address: never changed silently. A dispatcher approves it, and the recipient hears what became of it."""

import re

from actions.errands.answers import is_something_else, says_nothing
from actions.errands.base import Ask, Done, Errand, ErrandKind, Next, SomethingElse
from actions.status import Saying, describe
from connectors.base import StopStatus

_STREET = re.compile(
    r"\b\d+[a-z]?\b.*\b(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|ct|court|way|pl|place|hwy|pkwy|terrace"
    r"|square|sq|suite|apt|unit|floor|building|bldg|depto|piso)\b|\b(?:calle|avenida|av|carrera|cra|colonia|urb)\b.*\d"
    r"|\b(?:apt|apartment|unit|suite|ste|floor|depto|apartamento|piso|casa|house|number|numero)\.? ?#?\d+\w?\b"
    r"|\b[a-z]\d[a-z] ?\d[a-z]\d\b|\b\d{5}(?:-\d{4})?\b",
    re.IGNORECASE,
)
"""A number with a word of the street, a unit, or a postcode: enough for a dispatcher to work with."""

_PLACE = re.compile(
    r"\b(?:locker|pick ?up point|depot|store|post office|work|office|job|trabajo|oficina|tienda|sucursal|correos)\b",
    re.IGNORECASE,
)
LONGEST = 200


class Address(ErrandKind):
    intent = "change_address"

    async def begin(self, errand: Errand) -> Next:
        stop = errand.about
        if stop.status.is_closed and stop.status is not StopStatus.FAILED:
            return Done((describe(stop, self.services.now(), errand.turn.language),))
        return await self._ask_dispatch(errand) if names_address(errand.began.text) else Ask("detail")

    def ask(self, errand: Errand) -> Saying:
        return Saying("utter_ask_new_address", {"parcel": self.parcel(errand)})

    async def take(self, errand: Errand) -> Next:
        text = errand.turn.text
        if says_nothing(text):
            return Done((Saying("utter_nothing_changed"),))
        is_answer = names_address(text) or is_place(text)
        if not is_answer and is_something_else(errand, also={self.intent, "delivery_instructions"}):
            return SomethingElse()
        return await self._ask_dispatch(errand)

    async def _ask_dispatch(self, errand: Errand) -> Next:
        words = " ".join(errand.turn.text.split())[:LONGEST]
        promise = await self.services.requests.ask(
            errand.turn, "change_address", errand.about.stop_id, words=words
        )
        slots = {"parcel": self.parcel(errand), "by": self.by(promise, errand)}
        return Done((Saying("utter_request_change_address", slots),))


def names_address(text: str) -> bool:
    """Whether there is an address in it that somebody could drive to, or the part of one that was wrong."""
    return _STREET.search(text) is not None


def is_place(text: str) -> bool:
    """`my office`, `the locker`: a place that a dispatcher can ask about."""
    return _PLACE.search(text) is not None
