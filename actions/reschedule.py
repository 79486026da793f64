"""Another window: asks when, reads back, writes to the platform, says what the platform confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.booking import (
    Verdict,
    Wish,
    Wishing,
    day_of,
    from_slot,
    is_abandoned,
    names_day,
    read_verdict,
    read_wish,
    to_slot,
)
from actions.choice import pick
from actions.handoff import hand_over
from actions.services import ActionServices
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
    UNCLEAR_INTENTS,
    DoorlineAction,
    Events,
    closing_forms,
    intent_of,
    is_resumed,
    understood,
)
from actions.which_stop import (
    ANSWERING_INTENTS,
    ask_which_stop,
    names_of,
    opening_question,
    pick_stops,
    unclear_answer,
)
from bot.stops.answers import RescheduleOutcome, StopAnswer, Turn
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
    | {"closed_day", "too_soon", "too_far"}
)
"""Problems with a time that have a question of their own; any other gets the general one."""

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
        if is_resumed(tracker, FORM) and requested is not None:
            return []
        if requested is None:
            return await self._start(tracker, turn)
        if is_abandoned(turn.text):
            return [SlotSet("booking", "abandoned"), ENDED]
        if requested == "reschedule_stop":
            return await self._take_stop(tracker, turn)
        stop = await self.services.finder.get_answer(tracker.get_slot("reschedule_stop"))
        asked = Asked(tracker, turn, stop)
        return self._take_time(asked) if requested == "new_window" else self._take_verdict(asked)

    async def _start(self, tracker: Tracker, turn: Turn) -> Events:
        question = await self.services.finder.stops_in_question(turn)
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
        chosen = SlotSet("reschedule_stop", stop.stop_id)
        if stop.status.is_closed or not stop.can_change_window:
            return [chosen, SlotSet("booking", "impossible"), ENDED]
        if intent_of(tracker) == "report_unavailable":
            return [chosen, *self._unwanted_day(stop, turn)]
        offers = await self.services.rescheduling.offers(stop.stop_id)
        wish = self._wish(Asked(tracker, turn, stop), offers)
        if wish.problem and not names_day(turn.text):
            # "can you come another day": nothing to ask back, the offers are the answer.
            return [chosen]
        return [chosen, *_keeping(wish)]

    def _unwanted_day(self, stop: StopAnswer, turn: Turn) -> Events:
        """ "Not home tomorrow" names the one day that must not be offered."""
        locale = locale_of(turn.language, stop.timezone)
        reading = self.services.windows.read(turn.text, stop.timezone, locale)
        day = next(iter(reading.exclude), reading.date)
        return [SlotSet("unwanted_day", day.isoformat())] if day else []

    async def _take_stop(self, tracker: Tracker, turn: Turn) -> Events:
        picked = await pick_stops(self.services, turn, tracker.get_slot("stop_options") or [])
        if len(picked.stop_ids) > 1:
            return [SlotSet("stop_question", "one_at_a_time"), SlotSet("reschedule_stop", None)]
        if picked.stop_ids:
            stop = await self.services.finder.get_answer(picked.stop_ids[0])
            # The text chose a stop: a "2" in it is not two o'clock.
            return await self._about(stop, tracker, turn.model_copy(update={"text": _first_wish(tracker)}))
        if picked.wrong_tracking:
            return [SlotSet("stop_question", "no_such_tracking"), SlotSet("reschedule_stop", None)]
        if intent_of(tracker) == "deny":
            return [SlotSet("booking", "abandoned"), ENDED]
        if intent_of(tracker) not in ANSWERING_INTENTS:
            return [ActionExecutionRejected(FORM)]
        return unclear_answer(tracker, "reschedule_stop")

    def _take_time(self, asked: Asked) -> Events:
        offered = [from_slot(value) for value in asked.tracker.get_slot("offered_windows") or []]
        refused = asked.tracker.get_slot("refused_window")
        wish = self._wish(asked, offered, from_slot(refused) if refused else None)
        if _interrupts(asked, wish):
            return [ActionExecutionRejected(FORM)]
        if wish.is_empty and asked.intent == "deny":
            return [SlotSet("booking", "abandoned"), ENDED]
        if wish.is_empty:
            return unclear_answer(asked.tracker, "new_window")
        return [*_keeping(wish), *understood(asked.tracker)]

    def _take_verdict(self, asked: Asked) -> Events:
        pending = from_slot(asked.tracker.get_slot("new_window"))
        wish = self._wish(asked, (), pending)
        if _interrupts(asked, wish):
            return [ActionExecutionRejected(FORM)]
        verdict = read_verdict(asked.turn.text, asked.intent, asked.confidence)
        if wish.is_empty or wish.window == pending:
            if verdict is Verdict.YES:
                return [SlotSet("booking", "yes"), ENDED, *understood(asked.tracker)]
            if verdict is Verdict.NO:
                refused = SlotSet("refused_window", to_slot(pending))
                return [SlotSet("new_window", None), refused, SlotSet("time_problem", "another")]
            return unclear_answer(asked.tracker, "booking")
        return [SlotSet("new_window", None), *_keeping(wish), *understood(asked.tracker)]

    def _wish(
        self, asked: Asked, offers: Sequence[DeliveryWindow], pending: DeliveryWindow | None = None
    ) -> Wish:
        context = Wishing(asked.stop.timezone, asked.turn.language, self.services.now(), offers, pending)
        wish = read_wish(self.services.windows, asked.turn.text, context)
        if wish.window is None:
            return wish
        problem = self.services.rescheduling.why_not_bookable(wish.window, asked.stop.timezone)
        return Wish(problem=problem) if problem else wish


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
            offers = [
                offer
                for offer in await self.services.rescheduling.offers(stop.stop_id)
                if day_of(offer, stop.timezone).isoformat() != unwanted
            ]
        spoken = list_windows(offers, stop.timezone, self.services.now(), turn.language)
        response = _question(problem) if offers else "utter_ask_when_open"
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
            case "impossible":
                await self._cannot_be_moved(dispatcher, turn, await self.services.finder.get_answer(stop_id))
            case "nothing_open":
                dispatcher.utter_message(response="utter_nothing_open")
            case _:
                await self._leave_it(dispatcher, turn, stop_id)
        return closing_forms()

    async def _tell(
        self, dispatcher: CollectingDispatcher, turn: Turn, outcome: RescheduleOutcome, wanted: DeliveryWindow
    ) -> None:
        stop, now = outcome.stop, self.services.now()
        if outcome.result == "stop_closed":
            await self._cannot_be_moved(dispatcher, turn, stop)
            return
        booked = outcome.result == "booked"
        window = (stop.window or wanted) if booked else wanted
        spoken = say_dated_window(window, stop.timezone, now, turn.language)
        slots = {"window": spoken if booked else capitalised(spoken)}
        if outcome.respond_by is not None:
            slots["by"] = say_instant(outcome.respond_by, stop.timezone, now, turn.language)
        responses = {
            "booked": "utter_booked",
            "refused_by_platform": "utter_reschedule_refused",
            "platform_down": "utter_reschedule_undecided",
        }
        dispatcher.utter_message(response=responses[outcome.result], **slots)

    async def _cannot_be_moved(self, dispatcher: CollectingDispatcher, turn: Turn, stop: StopAnswer) -> None:
        """Says how it stands with the stop, and asks a dispatcher: the wish is real even when it is late."""
        if stop.status.is_closed and stop.status is not StopStatus.FAILED:
            saying = describe(stop, self.services.now(), turn.language)
            dispatcher.utter_message(response=saying.response, **saying.slots)
        response = "utter_reschedule_asked"
        if stop.status in ON_THE_VAN:
            response = "utter_reschedule_already_out"
        elif stop.status is StopStatus.DELIVERED:
            response = "utter_reschedule_delivered"
        elif stop.status is StopStatus.FAILED:
            response = "utter_reschedule_second_try"
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


def _keeping(wish: Wish) -> Events:
    """The slots that hold a wish: a window to read back, or what must be asked first."""
    if wish.window is not None:
        return [SlotSet("new_window", to_slot(wish.window)), SlotSet("time_problem", None)]
    if wish.choices:
        offered = [to_slot(window) for window in wish.choices]
        return [
            SlotSet("offered_windows", offered),
            SlotSet("time_problem", "which_hours"),
            SlotSet("new_window", None),
        ]
    return [SlotSet("time_problem", wish.problem), SlotSet("new_window", None)]


def _interrupts(asked: Asked, wish: Wish) -> bool:
    if asked.intent in TIME_INTENTS:
        return False
    return wish.window is None or asked.confidence >= SURE_INTERRUPTION


def _question(problem: str | None) -> str:
    if problem in ASKED_ABOUT or problem in ("another", "which_hours"):
        return f"utter_ask_when_{problem}"
    return "utter_ask_when_again" if problem else "utter_ask_when"


def _first_wish(tracker: Tracker) -> str:
    """The text that opened the form: "can the nova one come tomorrow" names a time already."""
    return str((tracker.active_loop.get("trigger_message") or {}).get("text") or "")
