"""Where is it: the status of the stop that a text is about, with its ETA and the age of the news."""

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import pick
from actions.speech import say_instant
from actions.status import describe
from actions.turns import DoorlineAction, Events, forgetting, understood
from actions.which_stop import names_of, opening_question
from bot.stops.answers import StopAnswer, Turn


class ActionTrack(DoorlineAction):
    """Answers for the one stop in question, or opens `which_stop_form`."""

    action_name = "action_track"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        chosen: list[str] = tracker.get_slot("chosen_stops") or []
        if chosen:
            for stop_id in chosen:
                await self._tell(dispatcher, turn, await self.services.finder.get_answer(stop_id))
            return forgetting(("chosen_stops", "stop_options", "stop_question"))
        return [*await self._find(dispatcher, tracker, turn), *understood(tracker)]

    async def _find(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        in_reschedule = tracker.get_slot("reschedule_stop")
        if in_reschedule:
            await self._tell(dispatcher, turn, await self.services.finder.get_answer(in_reschedule))
            return []
        question = await self.services.finder.stops_in_question(turn)
        if question.kind == "nothing_open":
            dispatcher.utter_message(response="utter_nothing_open")
            return []
        stops = question.stops
        if question.kind == "several":
            named = pick(turn.text, [names_of(stop) for stop in stops])
            stops = tuple(stops[index] for index in named) if len(named) == 1 else ()
        if not stops:
            return [*opening_question(question), FollowupAction("which_stop_form")]
        await self._tell(dispatcher, turn, stops[0])
        return []

    async def _tell(self, dispatcher: CollectingDispatcher, turn: Turn, stop: StopAnswer) -> None:
        now = self.services.now()
        saying = describe(stop, now, turn.language)
        slots = dict(saying.slots)
        if saying.needs_person:
            promise = await self.services.handoff.ask_dispatcher(turn, saying.needs_person, stop.stop_id)
            slots["by"] = say_instant(promise.respond_by, promise.timezone, now, turn.language)
        dispatcher.utter_message(response=saying.response, **slots)
