"""Opting out in plain language; the keywords are handled before Rasa."""

import re

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import fold
from actions.fallback import ActionDefaultFallback
from actions.turns import DoorlineAction, Events, closing_forms
from bot.stops.answers import Turn

_ENOUGH = (
    r"stop|quit|cease|cancel(?:ar|en?)?|dont|do not|never|no more|enough"
    r"|dejen?|deja|dejar|paren?|basta|ya no|no (?:me|nos)"
)
_WRITING = (
    r"(?:text|txt|messag|msg|sms|contact|spam|notif|alert|bother|harass|writ|call"
    r"|mensaj|escrib|mand|envi|molest|llam)\w*"
)
_OFF_THE_LIST = (
    r"(?:remove|take|delete|saquen?|quiten?|borren?|eliminen?)\b.*\b(?:me|my|off|numero|number|list|lista)"
)
_SAID_PLAINLY = re.compile(
    "|".join(
        (
            rf"\b(?:{_ENOUGH})\b.*\b{_WRITING}",
            rf"\b{_WRITING}.*\b(?:stop|basta|no more)\b",
            rf"\b{_OFF_THE_LIST}\b",
            r"\bstop sending\b|\bunsubscrib|\bopt(?:ing|ed)?[ -]?out\b|\bleave (?:me|us) alone\b|\bbaja\b",
            r"\bwrong (?:number|person|phone|guy|lady)\b|\bnumero equivocado\b|\bequivocad",
            r"\b(?:never|didnt|did not) (?:sign|subscri|agree|ask)\w*|\bstop[\s.!]*$",
            r"^\W*(?:(?:please|pls|plz|just|ok) )*stop(?: (?:it|now|this|already|please|pls))*\W*$",
        )
    ),
    re.DOTALL,
)


def says_so(text: str) -> bool:
    """Whether a text itself asks for silence. The model alone is not believed: what it costs cannot be taken back."""
    return _SAID_PLAINLY.search(fold(text).replace("'", "")) is not None


class ActionOptOut(DoorlineAction):
    action_name = "action_opt_out"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if not says_so(turn.text):
            return await ActionDefaultFallback(self.services).answer(dispatcher, tracker, turn)
        await self.services.consent.opt_out(turn)
        dispatcher.utter_message(response="utter_opted_out", operator=self.services.operator)
        return closing_forms()
