"""A person takes over: what the bot cannot do, and what it did not understand, reaches a dispatcher."""

import re

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import fold
from actions.offers import offering_second
from actions.services import ActionServices
from actions.speech import say_instant
from actions.turns import DoorlineAction, Events, closing_forms, intent_of, understood
from bot.stops.answers import Turn

RESPONSES = {
    "talk_to_human": "utter_handed_over_person",
    "complaint": "utter_handed_over_sorry",
}
"""What is said on handing over, by intent; `utter_handed_over` for any other."""

REASONS = {"talk_to_human": "asked"}
"""Reasons that differ from the intent's own name."""


_ANGRY = re.compile(
    r"!{2,}|\b(?:ridiculous|unacceptable|useless|worst|pathetic|joke|furious|angry|pissed|wtf|damn|hell|sick of"
    r"|fed up|third time|3rd time|again and again|never again|lawyer|complaint|inaceptable|ridiculo|verguenza"
    r"|hart[oa]|pesim[oa]|porqueria|enojad[oa]|furios[oa]|burla|otra vez|tercera vez)\b"
)


def is_angry(text: str) -> bool:
    """Shouting, swearing or counting the times: who asks for a person like this is owed an apology first."""
    letters = [char for char in text if char.isalpha()]
    shouts = len(letters) >= 12 and sum(char.isupper() for char in letters) > 0.6 * len(letters)
    return shouts or _ANGRY.search(fold(text)) is not None


async def hand_over_for(
    services: ActionServices,
    dispatcher: CollectingDispatcher,
    turn: Turn,
    intent: str,
    stop_id: str | None = None,
) -> None:
    """In the words that fit what was asked, and how."""
    response = RESPONSES.get(intent, "utter_handed_over")
    if intent == "talk_to_human" and is_angry(turn.text):
        response = "utter_handed_over_sorry"
    reason = REASONS.get(intent, intent)
    await hand_over(services, dispatcher, turn, reason=reason, response=response, stop_id=stop_id)
    if turn.photos:
        # A picture of what somebody complains about is for the dispatcher's eyes too.
        await services.incidents.add_photos(turn, None)


async def hand_over(
    services: ActionServices,
    dispatcher: CollectingDispatcher,
    turn: Turn,
    *,
    reason: str,
    response: str,
    stop_id: str | None = None,
) -> None:
    """Asks a dispatcher and says by when somebody answers."""
    if stop_id is None:
        stop_id = await _only_stop(services, turn)
    promise = await services.handoff.ask_dispatcher(turn, reason, stop_id)
    by = say_instant(promise.respond_by, promise.timezone, services.now(), turn.language)
    dispatcher.utter_message(response=response, by=by)


async def _only_stop(services: ActionServices, turn: Turn) -> str | None:
    question = await services.finder.stops_in_question(turn)
    return question.stops[0].stop_id if question.kind == "one" else None


class ActionHandToDispatcher(DoorlineAction):
    """For everything that a person has to do: says so, and ends the form that may be open."""

    action_name = "action_hand_to_dispatcher"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        stop_id = tracker.get_slot("reschedule_stop") or tracker.get_slot("errand_stop")
        await hand_over_for(self.services, dispatcher, turn, intent_of(tracker), stop_id)
        return [*closing_forms(), *offering_second(dispatcher, tracker, turn), *understood(tracker)]
