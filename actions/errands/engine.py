"""Drives every errand through Rasa: finds the stop, asks, takes the answer, and ends the form.

`action_errand` begins one, for whatever intent; `errand_form` holds it while it waits for an answer. Only
slots are kept between two texts: which errand, its step and data, its stop, and the text that began it.
"""

from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.booking import is_abandoned
from actions.choice import pick_named
from actions.errands.base import (
    Ask,
    Done,
    Errand,
    ErrandKind,
    Next,
    Reschedule,
    Restart,
    SomethingElse,
    Unclear,
)
from actions.errands.recovery import NAME as FOLLOW_UP
from actions.handoff import hand_over
from actions.joining import follow_up_of
from actions.offers import offering_second
from actions.services import ActionServices
from actions.status import Saying
from actions.turns import (
    AND_LISTEN,
    ERRAND_SLOTS,
    DoorlineAction,
    Events,
    active_form,
    closing_forms,
    confidence_of,
    forgetting,
    intent_of,
    is_resumed,
    says_goodbye,
    understood,
)
from actions.which_stop import (
    ANSWERING_INTENTS,
    ask_which_stop,
    lacks_number,
    may_hold_number,
    names_of,
    opening_question,
    pick_stops,
    unclear_answer,
)
from bot.stops.answers import StopAnswer, StopQuestion, Turn

FORM = "errand_form"
WHICH = "which"
"""The step that every errand shares: which stop is meant."""

DONE = "errand_done"

BEGUN_BY = {
    "track_delivery": "action_track",
    "provide_reference": "action_track",
    "reschedule_delivery": "reschedule_form",
    "provide_time": "reschedule_form",
    "complaint": "action_hand_to_dispatcher",
    "talk_to_human": "action_hand_to_dispatcher",
    "opt_out": "action_opt_out",
}
"""What the rules in `nlu/` begin, by intent, outside every form."""

JOINING = frozenset({"report_unavailable", "delivery_instructions", "change_address", "cancel_delivery"})
"""Errands which, about a delivery that failed, answer what its follow-up asks."""

REPORTS = frozenset({"report_missing", "report_damaged_or_wrong"})
SURE_REPORT = 0.65
"""Below this the bot asks whether something is to be reported."""


class ErrandAction(DoorlineAction):
    """What the actions of the engine share: the kinds of errands, by intent, and how one goes on."""

    def __init__(self, services: ActionServices, kinds: Mapping[str, ErrandKind]) -> None:
        super().__init__(services)
        self.kinds = kinds

    async def begin(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, kind: ErrandKind, began: Turn, stop_id: str
    ) -> Events:
        """Begins with a stop that is known; empty where the errand needs none."""
        stop = await self.services.finder.get_answer(stop_id) if stop_id else None
        if stop is not None:
            await self.services.finder.remember(began, stop_id)
            if kind.intent in JOINING and (joined := await follow_up_of(self.services, began, stop)):
                return await self.follow_up(
                    dispatcher, tracker, began, stop, {"recovery": joined.recovery_id}
                )
        errand = Errand(began, kind.intent, 1.0, began, stop)
        following = await kind.begin(errand)
        chosen = [SlotSet("errand_stop", stop_id or None), SlotSet("errand_step", None)]
        return [*chosen, *self.go_on(dispatcher, tracker, kind, errand, following)]

    async def follow_up(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        began: Turn,
        stop: StopAnswer,
        data: Mapping[str, str],
    ) -> Events:
        """Follows up a failed delivery: `began` may answer its question already, or is empty where we ask first."""
        kind = self.kinds[FOLLOW_UP]
        errand = Errand(began, intent_of(tracker), confidence_of(tracker), began, stop, data=data)
        following = await kind.begin(errand)
        chosen = [
            SlotSet("errand", FOLLOW_UP),
            SlotSet("errand_text", began.text),
            SlotSet("errand_inbound", began.inbound_id),
            SlotSet("errand_stop", stop.stop_id),
            SlotSet("errand_step", None),
        ]
        return [*chosen, *self.go_on(dispatcher, tracker, kind, errand, following)]

    def go_on(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        kind: ErrandKind,
        errand: Errand,
        following: Next,
    ) -> Events:
        """Turns what an errand wants next into words and events."""
        match following:
            case Ask(step, data):
                kept = [SlotSet("errand_step", step), SlotSet("errand_data", dict(data)), SlotSet(DONE, None)]
                return [*kept, *understood(tracker)]
            case Done(says, goes_back):
                _say(dispatcher, says)
                return [*self._end(dispatcher, tracker, kind, errand, goes_back), *understood(tracker)]
            case Reschedule(text, unwanted, says):
                _say(dispatcher, says)
                return [
                    *closing_forms(),
                    SlotSet("reschedule_stop", errand.about.stop_id),
                    SlotSet("wish_text", text),
                    SlotSet("unwanted_text", unwanted),
                    FollowupAction("reschedule_form"),
                    *understood(tracker),
                ]
            case SomethingElse():
                return [ActionExecutionRejected(FORM)]
            case Restart():
                return self._restart(dispatcher, tracker)
            case Unclear():
                return unclear_answer(tracker, DONE)

    def _restart(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        intent = intent_of(tracker)
        begun_by = "action_errand" if intent in self.kinds else BEGUN_BY.get(intent)
        if begun_by is None:
            dispatcher.utter_message(response="utter_recovery_over")
        return [*closing_forms(), FollowupAction(begun_by) if begun_by else AND_LISTEN]

    def _end(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        kind: ErrandKind,
        errand: Errand,
        goes_back: bool,
    ) -> Events:
        form = active_form(tracker)
        if goes_back and form not in (None, FORM):
            # Another form waits for its answer: it asks again by itself.
            return forgetting(ERRAND_SLOTS)
        if goes_back and form == FORM and tracker.get_slot("errand") != kind.intent:
            # So does the errand that this one interrupted.
            return [SlotSet(name, tracker.get_slot(name)) for name in ERRAND_SLOTS]
        return [*closing_forms(), *offering_second(dispatcher, tracker, errand.turn), AND_LISTEN]


class Errands(ErrandAction):
    """Opens errands. Also for others that find out later what a text was about."""

    async def open(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, intent: str, began: Turn
    ) -> Events:
        """Begins the errand of `intent` with the text `began`, which need not be the newest one."""
        kind = self.kinds[intent]
        known = [
            *forgetting(ERRAND_SLOTS),
            SlotSet("errand", intent),
            SlotSet("errand_text", began.text),
            SlotSet("errand_inbound", began.inbound_id),
        ]
        events = await self._open(dispatcher, tracker, kind, began)
        waits = any(event.get("name") == "errand_step" and event.get("value") for event in events)
        return [*known, *events, *([FollowupAction(FORM)] if waits else ())]

    async def _open(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, kind: ErrandKind, began: Turn
    ) -> Events:
        if not kind.needs_stop:
            return await self.begin(dispatcher, tracker, kind, began, "")
        question = await self.services.finder.stops_in_question(began, kind.scope)
        stop_id = _one_stop(question, began)
        if stop_id is not None:
            return await self.begin(dispatcher, tracker, kind, began, stop_id)
        if question.kind == "nothing_open":
            dispatcher.utter_message(response="utter_nothing_open")
            return [*closing_forms(), AND_LISTEN]
        if question.kind == "proof_locked":
            await hand_over(
                self.services, dispatcher, began, reason="proof_locked", response="utter_proof_locked"
            )
            return [*closing_forms(), AND_LISTEN]
        return [SlotSet("errand_step", WHICH), *opening_question(question)]


class ActionErrand(Errands):
    """Begins the errand that the intent names, also in the middle of another question."""

    action_name = "action_errand"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        intent = intent_of(tracker)
        if intent in REPORTS and confidence_of(tracker) < SURE_REPORT:
            # A report calls a dispatcher: gibberish must not open one.
            return [FollowupAction("action_default_fallback")]
        return await self.open(dispatcher, tracker, intent, turn)


class ValidateErrandForm(ErrandAction):
    """Takes each text while an errand waits for an answer."""

    action_name = "validate_errand_form"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if tracker.get_slot("requested_slot") != DONE or is_resumed(tracker, FORM):
            return []
        kind = self.kinds[tracker.get_slot("errand")]
        if says_goodbye(tracker):
            dispatcher.utter_message(response="utter_goodbye")
            return [*closing_forms(), AND_LISTEN]
        if kind.can_be_dropped and is_abandoned(turn.text):
            dispatcher.utter_message(response="utter_nothing_changed")
            return [*closing_forms(), AND_LISTEN]
        if tracker.get_slot("errand_step") == WHICH:
            return await self._take_stop(dispatcher, tracker, kind, turn)
        errand = await errand_under_way(self.services, tracker, turn)
        return self.go_on(dispatcher, tracker, kind, errand, await kind.take(errand))

    async def _take_stop(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, kind: ErrandKind, turn: Turn
    ) -> Events:
        picked = await pick_stops(self.services, turn, tracker.get_slot("stop_options") or [], kind.scope)
        if len(picked.stop_ids) == 1:
            return await self.begin(dispatcher, tracker, kind, _began(tracker, turn), picked.stop_ids[0])
        if picked.stop_ids:
            return [SlotSet("stop_question", "one_at_a_time"), SlotSet(DONE, None)]
        if picked.asks_again and may_hold_number(tracker, turn):
            return [SlotSet("stop_question", picked.asks_again), SlotSet(DONE, None)]
        intent = intent_of(tracker)
        options = tracker.get_slot("stop_options")
        if intent == "deny" or (not options and lacks_number(turn.text)):
            dispatcher.utter_message(response="utter_nothing_changed" if options else "utter_no_tracking")
            return [*closing_forms(), AND_LISTEN]
        if intent not in ANSWERING_INTENTS:
            return [ActionExecutionRejected(FORM)]
        return unclear_answer(tracker, DONE)


class AskErrand(ErrandAction):
    """Asks the question of the errand's present step."""

    action_name = "action_ask_errand_form_errand_done"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        if tracker.get_slot("errand_step") == WHICH:
            await ask_which_stop(self.services, dispatcher, tracker, turn, one_only=True)
            return []
        kind = self.kinds[tracker.get_slot("errand")]
        _say(dispatcher, (kind.ask(await errand_under_way(self.services, tracker, turn)),))
        return []


async def errand_under_way(services: ActionServices, tracker: Tracker, turn: Turn) -> Errand:
    stop_id = tracker.get_slot("errand_stop")
    return Errand(
        turn=turn,
        intent=intent_of(tracker),
        confidence=confidence_of(tracker),
        began=_began(tracker, turn),
        stop=await services.finder.get_answer(stop_id) if stop_id else None,
        step=tracker.get_slot("errand_step") or "",
        data=tracker.get_slot("errand_data") or {},
    )


def _one_stop(question: StopQuestion, turn: Turn) -> str | None:
    if question.kind == "one":
        return question.stops[0].stop_id
    named = pick_named(turn.text, [names_of(stop) for stop in question.stops])
    return question.stops[named[0]].stop_id if len(named) == 1 else None


def _began(tracker: Tracker, turn: Turn) -> Turn:
    """The text that began the errand; pictures count for the text that they came with only."""
    began = {"text": tracker.get_slot("errand_text") or "", "inbound_id": tracker.get_slot("errand_inbound")}
    return turn.model_copy(update=began | {"photos": 0})


def _say(dispatcher: CollectingDispatcher, says: tuple[Saying, ...]) -> None:
    for saying in says:
        dispatcher.utter_message(response=saying.response, **saying.slots)
