"""Where is it: the status of the stop that a text is about, with its ETA and the age of the news."""

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.choice import pick_named
from actions.handoff import hand_over
from actions.offers import offering_second
from actions.services import ActionServices
from actions.speech import say_instant
from actions.status import describe
from actions.turns import DoorlineAction, Events, active_form, forgetting, understood
from actions.which_stop import is_told_by_number, names_of, opening_question
from bot.stops.answers import StopAnswer, Turn
from bot.stops.naming import says_other_one


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
            done = forgetting(("chosen_stops", "stop_options", "stop_question"))
            return [*done, *offering_second(dispatcher, tracker, turn)]
        return [*await self._find(dispatcher, tracker, turn), *understood(tracker)]

    async def _find(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        in_question = tracker.get_slot("reschedule_stop") or tracker.get_slot("errand_stop")
        if active_form(tracker) and in_question:
            question = await self.services.finder.stops_in_question(turn)
            # "and where is the nova one": the text may name another one than the form is about.
            is_clear = question.kind == "one"
            stop = question.stops[0] if is_clear else await self.services.finder.get_answer(in_question)
            await tell_status(self.services, dispatcher, turn, stop)
            return []
        events = await tell_stops(self.services, dispatcher, turn)
        if events or active_form(tracker):
            return events
        return offering_second(dispatcher, tracker, turn)


async def tell_named(services: ActionServices, dispatcher: CollectingDispatcher, turn: Turn) -> bool:
    """ "And the acme one?", "the other one?" are about a stop all the same; False where none is named."""
    stops = (await services.finder.stops_in_question(turn)).stops
    named = pick_named(turn.text, [names_of(stop) for stop in stops])
    if not named and says_other_one(turn.text):
        named = tuple(range(len(stops)))
    for index in named:
        await tell_status(services, dispatcher, turn, stops[index])
    return bool(named)


async def tell_numbered(services: ActionServices, dispatcher: CollectingDispatcher, turn: Turn) -> bool:
    """A tracking number says which stop it is about, whatever else stands in the text; False without one."""
    question = await services.finder.stops_in_question(turn)
    if question.kind != "one" or not is_told_by_number(question, turn):
        return False
    await tell_status(services, dispatcher, turn, question.stops[0])
    return True


async def tell_stops(services: ActionServices, dispatcher: CollectingDispatcher, turn: Turn) -> Events:
    """Answers for the stops that the text is about; asks which one, where that cannot be told."""
    question = await services.finder.stops_in_question(turn)
    if question.kind == "nothing_open":
        dispatcher.utter_message(response="utter_nothing_open")
        return []
    if question.kind == "proof_locked":
        await hand_over(services, dispatcher, turn, reason="proof_locked", response="utter_proof_locked")
        return []
    stops = question.stops
    if question.kind == "several":
        named = pick_named(turn.text, [names_of(stop) for stop in stops])
        stops = tuple(stops[index] for index in named)
    if not stops:
        return [*opening_question(question), FollowupAction("which_stop_form")]
    for stop in stops:
        await tell_status(services, dispatcher, turn, stop)
    return []


async def tell_status(
    services: ActionServices, dispatcher: CollectingDispatcher, turn: Turn, stop: StopAnswer
) -> None:
    now = services.now()
    await services.finder.remember(turn, stop.stop_id)
    saying = describe(stop, now, turn.language)
    slots = dict(saying.slots)
    if saying.needs_person:
        promise = await services.handoff.ask_dispatcher(turn, saying.needs_person, stop.stop_id)
        slots["by"] = say_instant(promise.respond_by, promise.timezone, now, turn.language)
    dispatcher.utter_message(response=saying.response, **slots)
