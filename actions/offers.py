"""What the bot has offered to do next, and may be answered with a plain yes, no or number.

An offer stands for one text only: the one that follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.turns import Events
from bot.stops.answers import Turn


@dataclass(frozen=True)
class Offer:
    """`intents`: one that a yes begins, or two to choose from. `text` is what they were read from."""

    intents: tuple[str, ...]
    text: str
    inbound_id: str | None
    is_second: bool = False
    """The second of two requests, rather than a guess at what a text means."""

    def turn(self, now: Turn) -> Turn:
        return now.model_copy(update={"text": self.text, "inbound_id": self.inbound_id})


def offering_second(dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn) -> Events:
    """The first of two requests is done: offers the second."""
    second = _second_of(tracker)
    if not second:
        return []
    dispatcher.utter_message(response=f"utter_offer_{second['intent']}")
    offer = Offer((second["intent"],), second["text"], second.get("inbound_id"), is_second=True)
    return [SlotSet("second_request", None), standing(offer, tracker)]


def standing(offer: Offer, tracker: Tracker) -> SlotSet:
    """The slot that keeps an offer until the next text."""
    value = {
        "intents": list(offer.intents),
        "text": offer.text,
        "inbound_id": offer.inbound_id,
        "is_second": offer.is_second,
        "after": _inbound_of(tracker.latest_message),
    }
    return SlotSet("offer", value)


def offer_of(tracker: Tracker) -> Offer | None:
    """The offer that the latest text answers, if one was made right before it."""
    kept: Mapping[str, Any] | None = tracker.get_slot("offer")
    if not kept or kept["after"] != _text_before(tracker):
        return None
    return Offer(tuple(kept["intents"]), kept["text"], kept["inbound_id"], kept["is_second"])


def _second_of(tracker: Tracker) -> dict[str, str] | None:
    metadata = tracker.latest_message.get("metadata") or {}
    second: dict[str, str] | None = metadata.get("second_request") or tracker.get_slot("second_request")
    return second


def _text_before(tracker: Tracker) -> str:
    """The id of the text before the latest one; empty at the start."""
    ids = [_inbound_of(event) for event in tracker.events if event.get("event") == "user"]
    return ids[-2] if len(ids) > 1 else ""


def _inbound_of(message: Mapping[str, Any]) -> str:
    return str((message.get("metadata") or {}).get("inbound_id") or "")
