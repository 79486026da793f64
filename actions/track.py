"""Where is it: the status of the stop that a text is about, with its ETA and the age of the news."""

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import pick_named
from actions.services import ActionServices
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
                await tell_status(
                    self.services, dispatcher, turn, await self.services.finder.get_answer(stop_id)
                )
            return forgetting(("chosen_stops", "stop_options", "stop_question"))
        return [*await self._find(dispatcher, tracker, turn), *understood(tracker)]

    async def _find(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        in_reschedule = tracker.get_slot("reschedule_stop")
        if in_reschedule:
            await tell_status(
                self.services, dispatcher, turn, await self.services.finder.get_answer(in_reschedule)
            )
            return []
        question = await self.services.finder.stops_in_question(turn)
        if question.kind == "nothing_open":
            dispatcher.utter_message(response="utter_nothing_open")
            return []
        stops = question.stops
        if question.kind == "several":
            named = pick_named(turn.text, [names_of(stop) for stop in stops])
            stops = tuple(stops[index] for index in named)
        if not stops:
            return [*opening_question(question), FollowupAction("which_stop_form")]
        for stop in stops:
            await tell_status(self.services, dispatcher, turn, stop)
        return []


class ActionChoose(DoorlineAction):
    """A choice where nothing was asked: "and the acme one?" is about a stop all the same."""

    action_name = "action_choose"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        stops = (await self.services.finder.stops_in_question(turn)).stops
        named = pick_named(turn.text, [names_of(stop) for stop in stops])
        for index in named:
            await tell_status(self.services, dispatcher, turn, stops[index])
        if not named:
            dispatcher.utter_message(response="utter_nothing_to_choose")
        return understood(tracker)


async def tell_status(
    services: ActionServices, dispatcher: CollectingDispatcher, turn: Turn, stop: StopAnswer
) -> None:
    now = services.now()
    saying = describe(stop, now, turn.language)
    slots = dict(saying.slots)
    if saying.needs_person:
        promise = await services.handoff.ask_dispatcher(turn, saying.needs_person, stop.stop_id)
        slots["by"] = say_instant(promise.respond_by, promise.timezone, now, turn.language)
    dispatcher.utter_message(response=saying.response, **slots)
