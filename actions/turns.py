"""What every action needs of Rasa's tracker, and the few events that several of them return."""

from collections.abc import Sequence

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.services import ActionServices
from bot.stops.answers import Turn

LANGUAGES = ("en", "es")
FORM_SLOTS = (
    "chosen_stops",
    "stop_options",
    "stop_question",
    "reschedule_stop",
    "new_window",
    "refused_window",
    "unwanted_day",
    "offered_windows",
    "time_problem",
    "booking",
    "wish_text",
    "unwanted_text",
)
ERRAND_SLOTS = (
    "errand",
    "errand_text",
    "errand_inbound",
    "errand_stop",
    "errand_step",
    "errand_data",
    "errand_done",
)
AND_LISTEN = FollowupAction("action_listen")
"""Ends the turn where no rule says so; without it Rasa would go on to its fallback, again and again."""

SURE_GOODBYE = 0.6

UNCLEAR_INTENTS = frozenset({"nlu_fallback", "out_of_scope"})

Events = list[EventType]


class DoorlineAction(Action):  # type: ignore[misc]  # rasa_sdk ships no types
    """An action built with the bot's services. Subclasses set `action_name` and write `answer`."""

    action_name: str

    def __init__(self, services: ActionServices) -> None:
        self.services = services

    def name(self) -> str:
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> Events:
        form = self.action_name.removeprefix("validate_")
        if form != self.action_name and is_begun_by_us(tracker) and not is_resumed(tracker, form):
            # Nobody has answered the open question: we have something to say.
            return [ActionExecutionRejected(form)]
        return [*keeping_second(tracker), *await self.answer(dispatcher, tracker, turn_of(tracker))]

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        raise NotImplementedError


def turn_of(tracker: Tracker) -> Turn:
    message = tracker.latest_message
    metadata = message.get("metadata") or {}
    language = tracker.get_slot("language")
    return Turn(
        conversation_id=tracker.sender_id,
        inbound_id=metadata.get("inbound_id"),
        text="" if is_begun_by_us(tracker) else message.get("text") or "",
        language=language if language in LANGUAGES else "en",
        photos=int(metadata.get("photos") or 0),
    )


def is_begun_by_us(tracker: Tracker) -> bool:
    """Whether nobody has written: the newest event is what the bot was told to begin with."""
    return bool((tracker.latest_message.get("metadata") or {}).get("is_external"))


def intent_of(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def confidence_of(tracker: Tracker) -> float:
    return float((tracker.latest_message.get("intent") or {}).get("confidence") or 0.0)


def says_goodbye(tracker: Tracker) -> bool:
    """Whoever takes leave is not asked the open question again."""
    return intent_of(tracker) == "goodbye" and confidence_of(tracker) >= SURE_GOODBYE


def active_form(tracker: Tracker) -> str | None:
    name = (tracker.active_loop or {}).get("name")
    return str(name) if name else None


def keeping_second(tracker: Tracker) -> Events:
    """A text that asked for two things came without its second half: that is kept until the first is done."""
    second = (tracker.latest_message.get("metadata") or {}).get("second_request")
    if not second or tracker.get_slot("second_request") == second:
        return []
    return [SlotSet("second_request", second)]


def is_resumed(tracker: Tracker, form: str) -> bool:
    """Whether the form runs after another action has already answered this very text.

    Then the text must not be taken as an answer to the form's question; the question is only asked again.
    """
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and event.get("name") not in {form, "action_listen"}:
            return True
    return False


def previous_action(tracker: Tracker) -> str:
    """What the bot did last before the latest text; empty at the start."""
    texts_seen = 0
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            texts_seen += 1
        elif event.get("event") == "action" and texts_seen == 1 and event.get("name") != "action_listen":
            return str(event.get("name"))
    return ""


def closing_forms() -> Events:
    """Ends whatever form is open and forgets what it had collected."""
    return [ActiveLoop(None), SlotSet("requested_slot", None), *forgetting(FORM_SLOTS + ERRAND_SLOTS)]


def forgetting(slots: Sequence[str]) -> Events:
    return [SlotSet(slot, None) for slot in slots]


def understood(tracker: Tracker) -> Events:
    """A text that was understood ends a row of misunderstandings."""
    return [SlotSet("misunderstandings", 0)] if tracker.get_slot("misunderstandings") else []
