"""Opting out in plain language; the keywords and what says nothing else are handled before Rasa."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.errands.engine import Errands
from actions.errands.opting_out import leave, says_so
from actions.services import ActionServices
from actions.turns import DoorlineAction, Events, closing_forms
from bot.stops.answers import Turn

WITHOUT_SECOND = SlotSet("second_request", None)
"""Whoever leaves is offered nothing more."""


class ActionOptOut(DoorlineAction):
    action_name = "action_opt_out"

    def __init__(self, services: ActionServices, errands: Errands) -> None:
        super().__init__(services)
        self._errands = errands

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if not says_so(turn.text):
            return [WITHOUT_SECOND, *await self._errands.open(dispatcher, tracker, "opt_out", turn)]
        saying = await leave(self.services, turn, turn.text)
        dispatcher.utter_message(response=saying.response, **saying.slots)
        return [WITHOUT_SECOND, *closing_forms()]
