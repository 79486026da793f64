"""Opting out in plain language; the keywords are handled before Rasa."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.turns import DoorlineAction, Events, closing_forms
from bot.stops.answers import Turn


class ActionOptOut(DoorlineAction):
    action_name = "action_opt_out"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        await self.services.consent.opt_out(turn)
        dispatcher.utter_message(response="utter_opted_out", operator=self.services.operator)
        return closing_forms()
