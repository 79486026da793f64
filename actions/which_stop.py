"""The question "which one?": asked when a phone has several stops, or is known for none."""

import re
from dataclasses import dataclass

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.booking import is_abandoned
from actions.choice import fold, pick
from actions.services import ActionServices
from actions.speech import list_options, say_hours
from actions.status import brief, street_of
from actions.turns import (
    AND_LISTEN,
    UNCLEAR_INTENTS,
    DoorlineAction,
    Events,
    closing_forms,
    intent_of,
    is_resumed,
    says_goodbye,
)
from bot.stops.answers import Scope, StopAnswer, StopQuestion, Turn

MOST_LISTED = 4

UNKNOWN_STOP = {
    "no_such_tracking": "utter_no_such_tracking",
    "unproved": "utter_ask_proof",
    "wrong_proof": "utter_wrong_proof",
    "proof_locked": "utter_proof_locked_now",
}
"""What is asked where there is no list to choose from; `utter_ask_tracking` for any other."""

ANSWERING_INTENTS = UNCLEAR_INTENTS | {
    "choose_option",
    "confirm",
    "delivery_info",
    "deny",
    "provide_reference",
    "provide_time",
    "reschedule_delivery",
    "track_delivery",
}
"""Intents that may be an answer to "which one?"; every other one is something else that is wanted now."""


_LACKS_NUMBER = re.compile(
    r"\b(?:dont|do not|didnt|never|cant|cannot) (?:\w+ )?(?:have|got|get|find|know|see|remember)\b"
    r"|\bno (?:lo |la |le )?(?:tengo|encuentro|recuerdo|se|veo)\b"
    r"|\b(?:no|sin|lost (?:my|the)) (?:\w+ )?(?:number|numero)\b"
)


@dataclass(frozen=True)
class Picked:
    """What a text says to "which one?": stops, or why there are none."""

    stop_ids: tuple[str, ...] = ()
    asks_again: str = ""
    """Why the question is asked again: a kind of `StopQuestion` that has words of its own."""


ASKED_AGAIN = frozenset({"no_such_tracking", "unproved", "wrong_proof", "proof_locked"})


async def pick_stops(
    services: ActionServices, turn: Turn, stop_options: list[str], scope: Scope = Scope.STATUS
) -> Picked:
    """By a word or number of the list that was shown, else by a tracking number in the text."""
    stops = [await services.finder.get_answer(stop_id) for stop_id in stop_options]
    chosen = pick(turn.text, [names_of(stop) for stop in stops])
    if chosen:
        return Picked(tuple(stop_options[index] for index in chosen))
    question = await services.finder.stops_in_question(turn, scope)
    if question.kind == "one" and not stop_options:
        return Picked((question.stops[0].stop_id,))
    if question.kind == "one" and is_told_by_number(question, turn):
        return Picked((question.stops[0].stop_id,))
    return Picked(asks_again=question.kind if question.kind in ASKED_AGAIN else "")


def lacks_number(text: str) -> bool:
    """`i dont have any number`, `no lo encuentro`: whatever else the model may make of it."""
    return _LACKS_NUMBER.search(fold(text)) is not None


def may_hold_number(tracker: Tracker, turn: Turn) -> bool:
    """Whether a text can be an answer to "what is the number?", so that it is worth asking again.

    Who wants a person instead, or has no number, must not be asked for it forever.
    """
    if any(char.isdigit() for char in turn.text):
        return True
    intent = intent_of(tracker)
    return intent in ANSWERING_INTENTS and intent != "deny" and not lacks_number(turn.text)


def is_told_by_number(question: StopQuestion, turn: Turn) -> bool:
    """Whether the text names this stop, rather than the finder having guessed it."""
    bare = re.sub(r"[\s-]", "", turn.text.casefold())
    return question.stops[0].tracking.casefold().replace("-", "") in bare


def names_of(stop: StopAnswer) -> list[str]:
    """What a recipient may call a stop: client, street, the window's hours with and without am or pm."""
    names = [stop.client, street_of(stop.address_line)]
    if stop.window is not None:
        hours = say_hours(stop.window, stop.timezone)
        names += [hours, hours.rsplit(" ", 1)[0]]
    return [name for name in names if name]


def opening_question(question: StopQuestion) -> Events:
    """The slots with which a form asks which stop is meant."""
    options = [stop.stop_id for stop in question.stops[:MOST_LISTED]] if question.kind == "several" else []
    return [SlotSet("stop_question", question.kind), SlotSet("stop_options", options)]


async def ask_which_stop(
    services: ActionServices,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    turn: Turn,
    *,
    one_only: bool = False,
    to_move: bool = False,
) -> None:
    """`one_only`: "both" is not offered; `to_move`: nor is it where the one is to be moved."""
    options: list[str] = tracker.get_slot("stop_options") or []
    if not options:
        asked = str(tracker.get_slot("stop_question"))
        dispatcher.utter_message(response=UNKNOWN_STOP.get(asked, "utter_ask_tracking"))
        return
    stops = [await services.finder.get_answer(stop_id) for stop_id in options]
    listed = list_options([brief(stop, services.now(), turn.language) for stop in stops])
    response = "utter_ask_which_of_two" if len(stops) == 2 else "utter_ask_which_of_many"
    if to_move or one_only:
        again = tracker.get_slot("stop_question") == "one_at_a_time"
        first = "utter_ask_which_to_move" if to_move else "utter_ask_which_one"
        response = "utter_ask_which_first" if again else first
    dispatcher.utter_message(response=response, count=str(len(stops)), options=listed)


def unclear_answer(tracker: Tracker, slot: str) -> Events:
    """Asks again once; the second time in a row a person takes over."""
    misses = int(tracker.get_slot("misunderstandings") or 0) + 1
    if misses >= 2:
        return [*closing_forms(), SlotSet("misunderstandings", misses), FollowupAction("action_give_up")]
    return [SlotSet("misunderstandings", misses), SlotSet(slot, None)]


class ValidateWhichStopForm(DoorlineAction):
    """Takes the answer to "which one?" while `which_stop_form` is open."""

    action_name = "validate_which_stop_form"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        asked = tracker.get_slot("requested_slot") == "chosen_stops"
        if not asked or is_resumed(tracker, "which_stop_form"):
            return []
        options = tracker.get_slot("stop_options") or []
        intent = intent_of(tracker)
        picked = await pick_stops(self.services, turn, options)
        if picked.stop_ids:
            return [SlotSet("chosen_stops", list(picked.stop_ids)), SlotSet("misunderstandings", 0)]
        if picked.asks_again and may_hold_number(tracker, turn):
            return [SlotSet("stop_question", picked.asks_again), SlotSet("chosen_stops", None)]
        if says_goodbye(tracker):
            dispatcher.utter_message(response="utter_goodbye")
            return [*closing_forms(), AND_LISTEN]
        if intent == "deny" or is_abandoned(turn.text) or (not options and lacks_number(turn.text)):
            dispatcher.utter_message(response="utter_noted" if options else "utter_no_tracking")
            return [*closing_forms(), AND_LISTEN]
        if intent not in ANSWERING_INTENTS:
            return [ActionExecutionRejected("which_stop_form")]
        return [SlotSet("stop_question", "unclear"), *unclear_answer(tracker, "chosen_stops")]


class AskChosenStops(DoorlineAction):
    action_name = "action_ask_which_stop_form_chosen_stops"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        await ask_which_stop(self.services, dispatcher, tracker, turn)
        return []
