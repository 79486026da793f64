"""Nobody will be there: another time, a neighbour, a safe place, or held for pick-up."""

import re

from actions.choice import fold
from actions.errands.answers import is_something_else, one_of, says_nothing
from actions.errands.base import SURE, Ask, Done, Errand, ErrandKind, Next, Reschedule, SomethingElse, Unclear
from actions.errands.instructions import said_of
from actions.speech import locale_of
from actions.status import ON_THE_VAN, Saying, describe
from bot.stops.answers import Turn
from connectors.base import StopStatus

CHOICES = ("another_time", "neighbour", "safe_place", "pick_up")
"""In the order in which they are offered."""

NAMED_BY = {
    "neighbour": (
        "neighbor",
        "neighbour",
        "vecin",
        "next door",
        "concierge",
        "porter",
        "front desk",
        "doorman",
    ),
    "safe_place": (
        "safe place",
        "porch",
        "behind",
        "shed",
        "garage",
        "leave it",
        "lugar seguro",
        "dejelo",
        "patio",
    ),
    "pick_up": ("pick up", "pickup", "pick it up", "collect", "depot", "recoger", "recojo", "retirar"),
    "another_time": (
        "another time",
        "another day",
        "other day",
        "reschedul",
        "otro dia",
        "otra hora",
        "cambiar",
    ),
}
"""Words that choose without a number; the first kind whose word stands in the text wins."""

WANTS_A_TIME = frozenset({"reschedule_delivery", "provide_time"})

_ONESELF = re.compile(r"\b(?:i|ill|id|im|we|myself|actually|instead|yo|mejor|recojo|recogere)\b")
"""Who comes for it: "my neighbor picks it up" names a neighbor, "i'll pick it up" changes the choice."""


class Unavailable(ErrandKind):
    intent = "report_unavailable"

    async def begin(self, errand: Errand) -> Next:
        stop = errand.about
        if stop.status.is_closed and stop.status is not StopStatus.FAILED:
            return Done((describe(stop, self.services.now(), errand.turn.language),))
        return Ask("choose")

    def ask(self, errand: Errand) -> Saying:
        if errand.step == "choose":
            on_the_way = errand.about.status in ON_THE_VAN
            response = "utter_ask_unavailable_today" if on_the_way else "utter_ask_unavailable"
            return Saying(response, {"parcel": self.parcel(errand)})
        return Saying(f"utter_ask_{errand.step}")

    async def take(self, errand: Errand) -> Next:
        if errand.step == "choose" or _chooses_again(errand.turn.text):
            return await self._take_choice(errand)
        if says_nothing(errand.turn.text):
            return Done((Saying("utter_nothing_changed"),))
        if errand.intent in WANTS_A_TIME and self._names_a_time(errand):
            return Reschedule(errand.turn.text)
        if is_something_else(
            errand, also={"delivery_instructions", "provide_reference", "report_unavailable"}
        ):
            return SomethingElse()
        return await self._leave(errand, errand.turn)

    async def _take_choice(self, errand: Errand) -> Next:
        text = errand.turn.text
        numbered = one_of(errand, len(CHOICES))
        if numbered is None and self._names_a_time(errand):
            return Reschedule(text, unwanted=errand.began.text)
        chosen = CHOICES[numbered] if numbered is not None else way_named(text)
        match chosen:
            case "another_time":
                return Reschedule(text if numbered is None else "", unwanted=errand.began.text)
            case "pick_up":
                return await self._hold(errand)
            case "neighbour" | "safe_place" if errand.intent == "delivery_instructions":
                # "leave it with my neighbor in 4b": said already, nothing left to ask.
                return await self._leave(errand, errand.turn)
            case "neighbour" | "safe_place":
                return Ask(chosen)
        if errand.intent == "delivery_instructions":
            return await self._leave(errand, errand.turn)
        if errand.intent == "deny" or says_nothing(text):
            return Done((Saying("utter_nothing_changed"),))
        return SomethingElse() if is_something_else(errand, also={self.intent}) else Unclear()

    def _names_a_time(self, errand: Errand) -> bool:
        if errand.intent in WANTS_A_TIME and errand.confidence >= SURE:
            return True
        timezone, language = errand.about.timezone, errand.turn.language
        reading = self.services.windows.read(errand.turn.text, timezone, locale_of(language, timezone))
        return reading.date is not None and errand.intent not in ("deny", "delivery_instructions")

    async def _hold(self, errand: Errand) -> Next:
        promise = await self.services.requests.ask(errand.turn, "hold", errand.about.stop_id)
        return Done((Saying("utter_request_hold", {"by": self.by(promise, errand)}),))

    async def _leave(self, errand: Errand, turn: Turn) -> Next:
        label = _LABELS.get(errand.step, "")
        outcome = await self.services.instructions.leave(turn, errand.about.stop_id, label)
        return Done((said_of(outcome, self, errand),))


_LABELS = {"neighbour": "Not home, leave with", "safe_place": "Not home, leave here"}
"""How a line for the driver begins; the recipient's own words follow."""


def _chooses_again(text: str) -> bool:
    """Asked for the neighbor or the place, somebody would rather have it otherwise."""
    return way_named(text) in ("pick_up", "another_time") and _ONESELF.search(fold(text)) is not None


def way_named(text: str) -> str | None:
    """The way out that the words name: one of `CHOICES`."""
    words = fold(text)
    return next((kind for kind, names in NAMED_BY.items() if any(name in words for name in names)), None)
