"""Begins what an intent stands for, where it was not Rasa's rules that found out: an offer that was taken."""

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.errands.engine import Errands
from actions.handoff import hand_over_for
from actions.track import tell_stops
from actions.turns import DoorlineAction, Events, closing_forms
from bot.stops.answers import Turn

HANDED_OVER = frozenset({"talk_to_human", "complaint"})
MOVES = frozenset({"reschedule_delivery", "provide_time"})


class Starter:
    """`can_start` says for which intents."""

    def __init__(self, errands: Errands) -> None:
        self._errands = errands

    def can_start(self, intent: str) -> bool:
        return intent in self._errands.kinds or intent in HANDED_OVER | MOVES | {"track_delivery"}

    async def start(
        self,
        action: DoorlineAction,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        intent: str,
        turn: Turn,
    ) -> Events:
        """As if `turn` had just been understood as `intent`."""
        if intent in self._errands.kinds:
            return await self._errands.open(dispatcher, tracker, intent, turn)
        if intent in MOVES:
            return [*closing_forms(), SlotSet("wish_text", turn.text), FollowupAction("reschedule_form")]
        if intent in HANDED_OVER:
            await hand_over_for(action.services, dispatcher, turn, intent)
            return closing_forms()
        return await tell_stops(action.services, dispatcher, turn)
