"""A person takes over: what the bot cannot do, and what it did not understand, reaches a dispatcher."""

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.services import ActionServices
from actions.speech import say_instant
from actions.turns import DoorlineAction, Events, closing_forms, intent_of, understood
from bot.stops.answers import Turn

RESPONSES = {
    "talk_to_human": "utter_handed_over_person",
    "complaint": "utter_handed_over_sorry",
    "report_missing": "utter_handed_over_sorry",
    "report_damaged_or_wrong": "utter_handed_over_sorry",
    "cancel_delivery": "utter_handed_over_unchanged",
    "change_address": "utter_handed_over_unchanged",
    "delivery_instructions": "utter_handed_over_instructions",
    "running_late": "utter_handed_over_running_late",
    "delivery_info": "utter_handed_over_question",
    "proof_of_delivery": "utter_handed_over_question",
}
"""What is said on handing over, by intent; `utter_handed_over` for any other."""

QUESTIONS = frozenset({"delivery_info", "proof_of_delivery"})
"""Asked in passing: an open form goes on afterwards."""

REASONS = {"talk_to_human": "asked"}
"""Reasons that differ from the intent's own name."""


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
        intent = intent_of(tracker)
        await hand_over(
            self.services,
            dispatcher,
            turn,
            reason=REASONS.get(intent, intent),
            response=RESPONSES.get(intent, "utter_handed_over"),
            stop_id=tracker.get_slot("reschedule_stop"),
        )
        return [*(() if intent in QUESTIONS else closing_forms()), *understood(tracker)]
