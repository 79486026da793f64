"""A line for the driver: a code, where to leave it, with whom. Written to the platform, or given to a dispatcher."""

import re

from actions.errands.answers import is_something_else, says_nothing
from actions.errands.base import Ask, Done, Errand, ErrandKind, Next, SomethingElse
from actions.speech import say_instant
from actions.status import Saying, describe
from bot.stops.answers import NoteOutcome, Turn


class Instructions(ErrandKind):
    intent = "delivery_instructions"

    async def begin(self, errand: Errand) -> Next:
        return await self._leave(errand, errand.began)

    def ask(self, errand: Errand) -> Saying:
        return Saying("utter_ask_instructions")

    async def take(self, errand: Errand) -> Next:
        if says_nothing(errand.turn.text):
            return Done((Saying("utter_nothing_changed"),))
        if is_something_else(errand, also={self.intent, "provide_reference"}):
            return SomethingElse()
        return await self._leave(errand, errand.turn)

    async def _leave(self, errand: Errand, turn: Turn) -> Next:
        outcome = await self.services.instructions.leave(turn, errand.about.stop_id)
        if outcome.result == "nothing_said":
            return Ask("detail")
        return Done((said_of(outcome, self, errand),))


def said_of(outcome: NoteOutcome, kind: ErrandKind, errand: Errand) -> Saying:
    """What is told of a line for the driver. A code is never repeated."""
    if outcome.result == "stop_closed":
        return describe(outcome.stop, kind.services.now(), errand.turn.language)
    if outcome.result != "noted":
        return Saying("utter_instructions_asked", {"by": _by(outcome, kind, errand)})
    if outcome.has_code and place_of(outcome):
        return Saying("utter_instructions_code_and_place", {"place": place_of(outcome)})
    if outcome.has_code:
        return Saying("utter_instructions_code")
    if place_of(outcome):
        return Saying("utter_instructions_place", {"place": place_of(outcome)})
    return Saying("utter_instructions_noted")


def place_of(outcome: NoteOutcome) -> str:
    """The recipient's words as they are said back: nothing that looks like an open place of ours."""
    return re.sub(r"[{}<>]", "", outcome.place).strip()


def _by(outcome: NoteOutcome, kind: ErrandKind, errand: Errand) -> str:
    now = kind.services.now()
    return say_instant(outcome.respond_by or now, outcome.stop.timezone, now, errand.turn.language)
