"""What Rasa's tracker tells of a conversation: what was said to what, and which question is open. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a conversation stands with Rasa."""

    form: str | None = None
    """The form that waits for an answer."""
    slots: Mapping[str, Any] | None = None
    newest_event: float = 0.0
    """By Rasa's own clock, in seconds: compared with other events of Rasa's only."""

    def slot(self, name: str) -> Any:
        return (self.slots or {}).get(name)


def standing_of(tracker: Mapping[str, Any]) -> Standing:
    """Of a tracker as Rasa's HTTP API gives it, with or without its events."""
    form = (tracker.get("active_loop") or {}).get("name")
    newest = float(tracker.get("latest_event_time") or 0.0)
    return Standing(str(form) if form else None, tracker.get("slots") or {}, newest)


def replies_to(events: Iterable[Event], inbound_id: str) -> list[str]:
    """The bot's texts between the person's text with this id and the next one."""
    return _replies(events, lambda event: (event.get("metadata") or {}).get("inbound_id") == inbound_id)


def replies_to_key(events: Iterable[Event], key: str) -> list[str]:
    """The bot's texts after what we began ourselves under this key; empty where it was never begun."""
    return _replies(events, lambda event: entity_of(event, "key") == key)


def entity_of(message: Event, name: str) -> str:
    """The value of an entity of a user event, or of a tracker's latest message; empty where it has none."""
    entities = (message.get("parse_data") or message).get("entities") or []
    return next((str(entity["value"]) for entity in entities if entity.get("entity") == name), "")


def _replies(events: Iterable[Event], is_it: Callable[[Event], bool]) -> list[str]:
    replies: list[str] = []
    inside = False
    for event in events:
        if event.get("event") == "user":
            inside = is_it(event)
        elif inside and event.get("event") == "bot" and event.get("text"):
            replies.append(str(event["text"]))
    return replies
