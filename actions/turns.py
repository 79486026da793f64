"""What every action needs of Rasa's tracker, and the few events that several of them return."""

from collections.abc import Sequence

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
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
)
AND_LISTEN = FollowupAction("action_listen")
"""Ends the turn where no rule says so; without it Rasa would go on to its fallback, again and again."""

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
        return await self.answer(dispatcher, tracker, turn_of(tracker))

    async def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
        raise NotImplementedError


def turn_of(tracker: Tracker) -> Turn:
    message = tracker.latest_message
    metadata = message.get("metadata") or {}
    language = tracker.get_slot("language")
    return Turn(
        conversation_id=tracker.sender_id,
        inbound_id=metadata.get("inbound_id"),
        text=message.get("text") or "",
        language=language if language in LANGUAGES else "en",
    )


def intent_of(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


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
    return [ActiveLoop(None), SlotSet("requested_slot", None), *forgetting(FORM_SLOTS)]


def forgetting(slots: Sequence[str]) -> Events:
    return [SlotSet(slot, None) for slot in slots]


def understood(tracker: Tracker) -> Events:
    """A text that was understood ends a row of misunderstandings."""
    return [SlotSet("misunderstandings", 0)] if tracker.get_slot("misunderstandings") else []
