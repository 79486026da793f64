"""Another window: asks when, reads back, writes to the platform, says what the platform confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.booking import (
    Verdict,
    Wish,
    from_slot,
    is_abandoned,
    names_day,
    read_verdict,
    to_slot,
)
from actions.choice import pick
from actions.handoff import hand_over
from actions.joining import follow_up_of, joining
from actions.offers import offering_second
from actions.services import ActionServices, RequestKind
from actions.speech import (
    capitalised,
    list_windows,
    locale_of,
    name_parcel,
    say_dated_window,
    say_instant,
    say_window,
)
from actions.status import ON_THE_VAN, describe
from actions.turns import (
    AND_LISTEN,
    UNCLEAR_INTENTS,
    DoorlineAction,
    Events,
    closing_forms,
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
from actions.wishes import Wishes
from bot.stops.answers import RescheduleOutcome, Scope, StopAnswer, Turn
from connectors.base import DeliveryWindow, StopStatus

FORM = "reschedule_form"

TIME_INTENTS = UNCLEAR_INTENTS | {
    "choose_option",
    "confirm",
    "deny",
    "provide_reference",
    "provide_time",
    "report_unavailable",
    "reschedule_delivery",
    "running_late",
}
"""Intents that may be an answer to "when?" or "shall I book it?"; every other one interrupts the form."""

SURE_INTERRUPTION = 0.6
"""A text with a clear time in it interrupts only when the model is at least this sure."""

ASKED_ABOUT = frozenset(
    {"past", "outside_hours", "which_day", "excluded_day", "same_weekday", "invalid_date", "conflict"}
    | {"closed_day", "too_soon", "too_far", "full", "which_time"}
)
"""Problems with a time that have a question of their own; any other gets the general one."""

QUESTIONS = frozenset({"reschedule_stop", "new_window", "booking"})
"""The slots of the form."""

UNSAID = frozenset({"vague", "which_day", "which_time", "no_time"})
"""Problems of a text that only asks for another time, and not yet for which."""

ENDED = SlotSet("requested_slot", None)


@dataclass(frozen=True)
class Asked:
    """A text inside the form, with what the form already knows."""

    tracker: Tracker
    turn: Turn
    stop: StopAnswer

    @property
    def intent(self) -> str:
        return intent_of(self.tracker)

    @property
    def confidence(self) -> float:
        return float((self.tracker.latest_message.get("intent") or {}).get("confidence") or 0.0)


class ValidateRescheduleForm(DoorlineAction):
    """Takes each text while `reschedule_form` is open: which stop, when, and the final yes."""

    action_name = "validate_reschedule_form"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        requested = tracker.get_slot("requested_slot")
        if requested not in QUESTIONS:
            # Nothing yet, or the question of another form that this one interrupts.
            requested = None
        if is_resumed(tracker, FORM) and requested is not None:
            return []
        if requested is None:
            return await self._start(tracker, turn)
        if says_goodbye(tracker):
            dispatcher.utter_message(response="utter_goodbye")
            return [*closing_forms(), AND_LISTEN]
        if is_abandoned(turn.text):
            return [SlotSet("booking", "abandoned"), ENDED]
        if requested == "reschedule_stop":
            return await self._take_stop(tracker, turn)
        stop = await self.services.finder.get_answer(tracker.get_slot("reschedule_stop"))
        asked = Asked(tracker, turn, stop)
        if requested == "new_window":
            return await self._take_time(asked)
        return await self._take_verdict(asked)

    async def _start(self, tracker: Tracker, turn: Turn) -> Events:
        wish_text = tracker.get_slot("wish_text")
        if wish_text is not None:
            turn = turn.model_copy(update={"text": wish_text})
        chosen = tracker.get_slot("reschedule_stop")
        if chosen:
            stop = await self.services.finder.get_answer(chosen)
            return [*await self._about(stop, tracker, turn), *understood(tracker)]
        question = await self.services.finder.stops_in_question(turn, Scope.COMING)
        stops = question.stops
        if question.kind == "nothing_open":
            return [SlotSet("booking", "nothing_open"), ENDED]
        if question.kind == "several":
            named = pick(turn.text, [names_of(stop) for stop in stops])
            stops = tuple(stops[index] for index in named) if len(named) == 1 else ()
        if not stops:
            return [*opening_question(question), *understood(tracker)]
        return [*await self._about(stops[0], tracker, turn), *understood(tracker)]

    async def _about(self, stop: StopAnswer, tracker: Tracker, turn: Turn) -> Events:
        """Opens the question of the time for this stop, with the time that the text already names."""
        await self.services.finder.remember(turn, stop.stop_id)
        chosen: Events = [SlotSet("reschedule_stop", stop.stop_id)]
        if stop.status.is_closed and stop.status is not StopStatus.FAILED:
            return [*chosen, SlotSet("booking", "impossible"), ENDED]
        if await follow_up_of(self.services, turn, stop) is not None:
            return joining(stop.stop_id, turn.text)
        unwanted = tracker.get_slot("unwanted_text")
        if unwanted:
            chosen += self._unwanted_day(stop, turn.model_copy(update={"text": unwanted}))
            if not turn.text:
                return chosen
        offers = await self.services.rescheduling.offers(stop.stop_id)
        wish = await self._wish(Asked(tracker, turn, stop), offers)
        if wish.problem in UNSAID and not names_day(turn.text):
            # "can you come another day": nothing to ask back, the offers are the answer.
            return chosen
        if wish.problem == "excluded_day":
            # "can't do today, what else is there": the offers of the other days are.
            return [*chosen, *self._unwanted_day(stop, turn)]
        return [*chosen, *_keeping(wish, stop)]

    def _unwanted_day(self, stop: StopAnswer, turn: Turn) -> Events:
        """ "Not home tomorrow" names the one day that must not be offered."""
        locale = locale_of(turn.language, stop.timezone)
        reading = self.services.windows.read(turn.text, stop.timezone, locale)
        day = next(iter(reading.exclude), reading.date)
        return [SlotSet("unwanted_day", day.isoformat())] if day else []

    async def _take_stop(self, tracker: Tracker, turn: Turn) -> Events:
        options = tracker.get_slot("stop_options") or []
        picked = await pick_stops(self.services, turn, options, Scope.COMING)
        if len(picked.stop_ids) > 1:
            return [SlotSet("stop_question", "one_at_a_time"), SlotSet("reschedule_stop", None)]
        if picked.stop_ids:
            stop = await self.services.finder.get_answer(picked.stop_ids[0])
            # The text chose a stop: a "2" in it is not two o'clock.
            return await self._about(stop, tracker, turn.model_copy(update={"text": _first_wish(tracker)}))
        if picked.asks_again and may_hold_number(tracker, turn):
            return [SlotSet("stop_question", picked.asks_again), SlotSet("reschedule_stop", None)]
        if intent_of(tracker) == "deny" or (not options and lacks_number(turn.text)):
            return [SlotSet("booking", "abandoned"), ENDED]
        if intent_of(tracker) not in ANSWERING_INTENTS:
            return [ActionExecutionRejected(FORM)]
        return unclear_answer(tracker, "reschedule_stop")

    async def _take_time(self, asked: Asked) -> Events:
        offered = [from_slot(value) for value in asked.tracker.get_slot("offered_windows") or []]
        refused = asked.tracker.get_slot("refused_window")
        wish = await self._wish(asked, offered, from_slot(refused) if refused else None)
        if _interrupts(asked, wish):
            return [ActionExecutionRejected(FORM)]
        if wish.is_empty and asked.intent == "deny":
            return [SlotSet("booking", "abandoned"), ENDED]
        if wish.is_empty:
            return unclear_answer(asked.tracker, "new_window")
        return [*_keeping(wish, asked.stop), *understood(asked.tracker)]

    async def _take_verdict(self, asked: Asked) -> Events:
        pending = from_slot(asked.tracker.get_slot("new_window"))
        wish = await self._wish(asked, (), pending)
        if _interrupts(asked, wish):
            return [ActionExecutionRejected(FORM)]
        verdict = read_verdict(asked.turn.text, asked.intent, asked.confidence)
        # "yes, as soon as you can" names no other time.
        names_none = wish.is_empty or (wish.problem == "vague" and verdict is Verdict.YES)
        if names_none or wish.window == pending:
            if verdict is Verdict.YES:
                return [SlotSet("booking", "yes"), ENDED, *understood(asked.tracker)]
            if verdict is Verdict.NO:
                refused = SlotSet("refused_window", to_slot(pending))
                return [SlotSet("new_window", None), refused, SlotSet("time_problem", "another")]
            return unclear_answer(asked.tracker, "booking")
        return [SlotSet("new_window", None), *_keeping(wish, asked.stop), *understood(asked.tracker)]

    async def _wish(
        self, asked: Asked, offers: Sequence[DeliveryWindow], pending: DeliveryWindow | None = None
    ) -> Wish:
        return await Wishes(self.services).read(asked.turn, asked.stop, offers, pending)


class AskRescheduleStop(DoorlineAction):
    action_name = "action_ask_reschedule_form_reschedule_stop"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        await ask_which_stop(self.services, dispatcher, tracker, turn, to_move=True)
        return []


class AskNewWindow(DoorlineAction):
    """Asks when, with numbered windows where there are any, and says what was wrong with the last wish."""

    action_name = "action_ask_reschedule_form_new_window"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        stop = await self.services.finder.get_answer(tracker.get_slot("reschedule_stop"))
        problem = tracker.get_slot("time_problem")
        offers = [from_slot(value) for value in tracker.get_slot("offered_windows") or []]
        if problem != "which_hours":
            unwanted = tracker.get_slot("unwanted_day")
            without = date.fromisoformat(unwanted) if unwanted else None
            offers = list(await self.services.rescheduling.offers(stop.stop_id, without))
        spoken = list_windows(offers, stop.timezone, self.services.now(), turn.language)
        response = question_about(problem) if offers else "utter_ask_when_open"
        dispatcher.utter_message(response=response, options=spoken)
        return [SlotSet("offered_windows", [to_slot(offer) for offer in offers])]


class AskBooking(DoorlineAction):
    """Reads the window back."""

    action_name = "action_ask_reschedule_form_booking"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        stop = await self.services.finder.get_answer(tracker.get_slot("reschedule_stop"))
        window = from_slot(tracker.get_slot("new_window"))
        spoken = say_dated_window(window, stop.timezone, self.services.now(), turn.language)
        dispatcher.utter_message(response="utter_ask_booking", window=capitalised(spoken))
        return []


class ActionReschedule(DoorlineAction):
    """Ends `reschedule_form`: books, or says honestly why nothing changed."""

    action_name = "action_reschedule"

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        stop_id = tracker.get_slot("reschedule_stop")
        match tracker.get_slot("booking"):
            case "yes":
                window = from_slot(tracker.get_slot("new_window"))
                outcome = await self.services.rescheduling.reschedule(turn, stop_id, window)
                await self._tell(dispatcher, turn, outcome, window)
            case "ask":
                await self._ask_dispatch(dispatcher, turn, stop_id, from_slot(tracker.get_slot("new_window")))
            case "impossible":
                await self._cannot_be_moved(dispatcher, turn, await self.services.finder.get_answer(stop_id))
            case "nothing_open":
                dispatcher.utter_message(response="utter_nothing_open")
            case _:
                await self._leave_it(dispatcher, turn, stop_id)
        return [*closing_forms(), *offering_second(dispatcher, tracker, turn)]

    async def _tell(
        self, dispatcher: CollectingDispatcher, turn: Turn, outcome: RescheduleOutcome, wanted: DeliveryWindow
    ) -> None:
        stop, now = outcome.stop, self.services.now()
        if outcome.result == "stop_closed":
            await self._cannot_be_moved(dispatcher, turn, stop)
            return
        if outcome.result == "booked":
            spoken = say_dated_window(stop.window or wanted, stop.timezone, now, turn.language)
            dispatcher.utter_message(response="utter_booked", window=spoken)
            return
        response = "utter_reschedule_undecided" if outcome.result == "platform_down" else None
        await self._ask_dispatch(dispatcher, turn, stop.stop_id, wanted, response)

    async def _ask_dispatch(
        self,
        dispatcher: CollectingDispatcher,
        turn: Turn,
        stop_id: str,
        wanted: DeliveryWindow,
        response: str | None = None,
    ) -> None:
        """The platform does not move it: a dispatcher approves or declines, and the recipient hears of it."""
        stop, now = await self.services.finder.get_answer(stop_id), self.services.now()
        failed = stop.status is StopStatus.FAILED
        kind: RequestKind = "redeliver" if failed else "reschedule"
        promise = await self.services.requests.ask(turn, kind, stop_id, window=wanted)
        if response is None:
            response = "utter_reschedule_second_try" if failed else "utter_reschedule_refused"
            if stop.status in ON_THE_VAN:
                response = "utter_reschedule_already_out"
        spoken = say_dated_window(wanted, stop.timezone, now, turn.language)
        by = say_instant(promise.respond_by, promise.timezone, now, turn.language)
        dispatcher.utter_message(response=response, window=capitalised(spoken), by=by)

    async def _cannot_be_moved(self, dispatcher: CollectingDispatcher, turn: Turn, stop: StopAnswer) -> None:
        """Says how it stands with the stop, and asks a dispatcher: the wish is real even when it is late."""
        saying = describe(stop, self.services.now(), turn.language)
        dispatcher.utter_message(response=saying.response, **saying.slots)
        delivered = stop.status is StopStatus.DELIVERED
        response = "utter_reschedule_delivered" if delivered else "utter_reschedule_asked"
        await hand_over(
            self.services,
            dispatcher,
            turn,
            reason="reschedule:impossible",
            response=response,
            stop_id=stop.stop_id,
        )

    async def _leave_it(self, dispatcher: CollectingDispatcher, turn: Turn, stop_id: str | None) -> None:
        stop = await self.services.finder.get_answer(stop_id) if stop_id else None
        if stop is None or stop.window is None:
            dispatcher.utter_message(response="utter_nothing_changed")
            return
        spoken = say_window(stop.window, stop.timezone, self.services.now(), turn.language)
        parcel = name_parcel(stop.client, turn.language)
        dispatcher.utter_message(response="utter_reschedule_abandoned", parcel=parcel, window=spoken)


def build(services: ActionServices) -> list[DoorlineAction]:
    kinds = (ValidateRescheduleForm, AskRescheduleStop, AskNewWindow, AskBooking, ActionReschedule)
    return [kind(services) for kind in kinds]


def _keeping(wish: Wish, stop: StopAnswer) -> Events:
    """The slots that hold a wish: a window to read back, or what must be asked first.

    What only a dispatcher can move is not read back: nothing is promised, and the dispatcher's word follows.
    """
    if wish.window is not None:
        kept = [SlotSet("new_window", to_slot(wish.window)), SlotSet("time_problem", None)]
        return kept if stop.can_change_window else [*kept, SlotSet("booking", "ask"), ENDED]
    if wish.choices:
        offered = [to_slot(window) for window in wish.choices]
        return [
            SlotSet("offered_windows", offered),
            SlotSet("time_problem", "which_hours"),
            SlotSet("new_window", None),
        ]
    return [SlotSet("time_problem", wish.problem), SlotSet("new_window", None)]


def _interrupts(asked: Asked, wish: Wish) -> bool:
    if asked.intent == "out_of_scope" and wish.is_empty:
        return asked.confidence >= SURE_INTERRUPTION
    if asked.intent in TIME_INTENTS:
        return False
    return wish.window is None or asked.confidence >= SURE_INTERRUPTION


def question_about(problem: str | None) -> str:
    """The response that asks for another time, by what was wrong with the last one."""
    if problem in ASKED_ABOUT or problem in ("another", "which_hours"):
        return f"utter_ask_when_{problem}"
    return "utter_ask_when_again" if problem else "utter_ask_when"


def _first_wish(tracker: Tracker) -> str:
    """The text that opened the form: "can the nova one come tomorrow" names a time already."""
    return str((tracker.active_loop.get("trigger_message") or {}).get("text") or "")
