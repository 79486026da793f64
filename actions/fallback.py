"""What was not understood: asks once, then offers a person, then hands over."""

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.handoff import hand_over
from actions.turns import AND_LISTEN, DoorlineAction, Events, closing_forms, intent_of, previous_action
from bot.stops.answers import Turn

OFFERED_AFTER = 2
"""Misunderstandings in a row after which a person is offered."""


class ActionDefaultFallback(DoorlineAction):
    """Replaces Rasa's own action of this name, also for what no rule covers."""

    action_name = "action_default_fallback"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        misses = int(tracker.get_slot("misunderstandings") or 0) + 1
        if misses > OFFERED_AFTER:
            return await give_up(self, dispatcher, turn)
        offered = misses == OFFERED_AFTER
        dispatcher.utter_message(response="utter_offer_person" if offered else "utter_ask_rephrase")
        return [SlotSet("misunderstandings", misses), AND_LISTEN]


class ActionGiveUp(DoorlineAction):
    """A form's question was answered twice with something that could not be understood."""

    action_name = "action_give_up"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        return await give_up(self, dispatcher, turn)


class ActionAnswerOffer(DoorlineAction):
    """A yes or no outside any form: it answers the offer of a person, or nothing at all."""

    action_name = "action_answer_offer"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        misses = tracker.get_slot("misunderstandings") or 0
        offered = misses == OFFERED_AFTER and previous_action(tracker) == "action_default_fallback"
        agreed = intent_of(tracker) == "confirm"
        if offered and agreed:
            return await give_up(self, dispatcher, turn)
        if offered:
            dispatcher.utter_message(response="utter_offer_declined")
        else:
            dispatcher.utter_message(response="utter_noted" if agreed else "utter_nothing_changed")
        return [SlotSet("misunderstandings", 0)] if misses else []


async def give_up(action: DoorlineAction, dispatcher: CollectingDispatcher, turn: Turn) -> Events:
    await hand_over(
        action.services, dispatcher, turn, reason="misunderstood", response="utter_handed_over_misunderstood"
    )
    return [*closing_forms(), SlotSet("misunderstandings", 0), AND_LISTEN]
