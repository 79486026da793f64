"""What was not understood, and the short answers to what the bot then asks or offers.

Once: one short question built from the two likeliest meanings, or a plea for other words. Twice in a row: a
person. A yes, a no or a number outside every form answers the offer that was made right before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import pick
from actions.handoff import hand_over
from actions.offers import Offer, offer_of, standing
from actions.services import ActionServices
from actions.starting import Starter
from actions.track import tell_named, tell_numbered
from actions.turns import AND_LISTEN, DoorlineAction, Events, closing_forms, intent_of, understood
from bot.stops.answers import Turn

GIVEN_UP_AFTER = 2
"""Misunderstandings in a row after which a person takes over."""

WORTH_ASKING = 0.12
"""A meaning less likely than this is not worth a question."""

ASKABLE = (
    "track_delivery",
    "reschedule_delivery",
    "delivery_instructions",
    "change_address",
    "cancel_delivery",
    "report_missing",
    "report_damaged_or_wrong",
    "proof_of_delivery",
    "delivery_info",
    "talk_to_human",
)
"""Meanings that can be offered; each has a phrase `utter_phrase_…` in the domain."""

SAME_AS = {"report_unavailable": "reschedule_delivery", "provide_time": "reschedule_delivery"}


class ActionDefaultFallback(DoorlineAction):
    """Replaces Rasa's own action of this name, also for what no rule covers."""

    action_name = "action_default_fallback"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if await tell_numbered(self.services, dispatcher, turn):
            return [*understood(tracker), AND_LISTEN]
        misses = int(tracker.get_slot("misunderstandings") or 0) + 1
        if misses >= GIVEN_UP_AFTER:
            return await give_up(self, dispatcher, turn)
        likeliest = likeliest_meanings(tracker)
        counted = SlotSet("misunderstandings", misses)
        if not likeliest:
            dispatcher.utter_message(response="utter_ask_rephrase")
            return [counted, AND_LISTEN]
        offer = Offer(tuple(likeliest), turn.text, turn.inbound_id)
        self._ask(dispatcher, turn, likeliest)
        return [counted, standing(offer, tracker), AND_LISTEN]

    def _ask(self, dispatcher: CollectingDispatcher, turn: Turn, likeliest: Sequence[str]) -> None:
        phrases = [self.services.say(f"utter_phrase_{intent}", turn.language) for intent in likeliest]
        if len(phrases) == 1:
            dispatcher.utter_message(response="utter_ask_meant", first=phrases[0])
        else:
            dispatcher.utter_message(response="utter_ask_either", first=phrases[0], second=phrases[1])


class ActionGiveUp(DoorlineAction):
    """A form's question was answered twice with something that could not be understood."""

    action_name = "action_give_up"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        return await give_up(self, dispatcher, turn)


class ActionAnswerOffer(DoorlineAction):
    """A yes, a no or a choice outside any form: it answers the last offer, or nothing at all."""

    action_name = "action_answer_offer"

    def __init__(self, services: ActionServices, starter: Starter) -> None:
        super().__init__(services)
        self._starter = starter

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        offer = offer_of(tracker)
        if offer is None:
            await self._answer_nothing(dispatcher, tracker, turn)
            return understood(tracker)
        chosen = _chosen(offer, turn, intent_of(tracker))
        forgotten = [SlotSet("offer", None), *understood(tracker)]
        if chosen is None:
            response = "utter_second_left" if offer.is_second else "utter_offer_declined"
            dispatcher.utter_message(response=response)
            return forgotten
        events = await self._starter.start(self, dispatcher, tracker, chosen, offer.turn(turn))
        return [*forgotten, *events]

    async def _answer_nothing(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> None:
        intent = intent_of(tracker)
        if intent == "choose_option":
            if not await tell_named(self.services, dispatcher, turn):
                dispatcher.utter_message(response="utter_nothing_to_choose")
        else:
            response = "utter_noted" if intent == "confirm" else "utter_nothing_changed"
            dispatcher.utter_message(response=response)


def likeliest_meanings(tracker: Tracker) -> list[str]:
    return likeliest(tracker.latest_message.get("intent_ranking") or [])


def likeliest(ranking: Sequence[Mapping[str, Any]]) -> list[str]:
    """The two likeliest things that a text may ask for, the likeliest first; fewer where there are none."""
    meanings: list[str] = []
    for guess in ranking:
        meaning = SAME_AS.get(guess["name"], guess["name"])
        likely = float(guess.get("confidence") or 0.0) >= WORTH_ASKING
        if meaning in ASKABLE and likely and meaning not in meanings:
            meanings.append(meaning)
    return meanings[:2]


def _chosen(offer: Offer, turn: Turn, intent: str) -> str | None:
    """Which of the offered meanings the text takes; None for a no, and for neither."""
    picked = pick(turn.text, [()] * len(offer.intents))
    if len(picked) == 1:
        return offer.intents[picked[0]]
    # A bare yes takes the one that was offered; of two it takes neither.
    return offer.intents[0] if intent == "confirm" and len(offer.intents) == 1 else None


async def give_up(action: DoorlineAction, dispatcher: CollectingDispatcher, turn: Turn) -> Events:
    await hand_over(
        action.services, dispatcher, turn, reason="misunderstood", response="utter_handed_over_misunderstood"
    )
    return [*closing_forms(), SlotSet("misunderstandings", 0), AND_LISTEN]
