"""Begins the follow-up of a failed delivery: because we have something to ask, or because the recipient wrote of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.errands.engine import FORM, Errands
from actions.joining import follow_up_of
from actions.turns import AND_LISTEN, Events, closing_forms, is_begun_by_us
from bot.conversations.tracker import entity_of
from bot.stops.answers import Turn


class ActionFollowUp(Errands):
    """Opens the form that takes the answer. Of what was begun by us, the facts stand in its entities."""

    action_name = "action_follow_up"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if is_begun_by_us(tracker):
            return await self._ask_first(dispatcher, tracker, turn)
        text, stop_id = tracker.get_slot("errand_text"), tracker.get_slot("errand_stop")
        turn = turn.model_copy(update={"text": turn.text if text is None else text})
        stop = await self.services.finder.get_answer(stop_id)
        question = await follow_up_of(self.services, turn, stop)
        if question is None:
            # It ended between two looks of the same turn.
            dispatcher.utter_message(response="utter_recovery_over")
            return [*closing_forms(), AND_LISTEN]
        data = {"recovery": question.recovery_id}
        return _waiting(await self.follow_up(dispatcher, tracker, turn, stop, data))

    async def _ask_first(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        facts = tracker.latest_message
        if somebody_wrote(tracker.events, float(entity_of(facts, "seen_until") or 0.0)):
            # A conversation began between the look at it and this: nothing is said into it.
            return [AND_LISTEN]
        recovery_id = entity_of(facts, "recovery")
        question = await self.services.recovery.question(turn, recovery_id)
        if question is None:
            return [AND_LISTEN]
        stop = await self.services.finder.get_answer(question.stop.stop_id)
        is_full = {} if entity_of(facts, "is_reminder") else {"is_full": "yes"}
        data = {"recovery": recovery_id, **is_full}
        events = await self.follow_up(dispatcher, tracker, turn, stop, data)
        return [*closing_forms(), *_waiting(events)]


def somebody_wrote(events: Iterable[Mapping[str, Any]], after: float) -> bool:
    """Whether a person's text came after this moment of Rasa's clock."""
    return any(
        event.get("event") == "user"
        and (event.get("metadata") or {}).get("inbound_id")
        and float(event.get("timestamp") or 0.0) > after
        for event in events
    )


def _waiting(events: Events) -> Events:
    """Opens the form where the follow-up asks something."""
    asks = any(event.get("name") == "errand_step" and event.get("value") for event in events)
    return [*events, *([FollowupAction(FORM)] if asks else ())]
