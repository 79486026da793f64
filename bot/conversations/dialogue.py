"""Rasa over its HTTP API: one text in, the replies out. Anything that speaks the same API will do."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.conversations.clauses import Meaning, halves, two_requests
from bot.conversations.tracker import Standing, replies_to, replies_to_key, standing_of
from bot.errors import DialogueUnavailableError
from bot.links import LANGUAGES
from connectors.http import open_client

log = structlog.get_logger()

TURN_SECONDS = 12.0
"""A turn takes some 50 ms; one that takes this long is lost and looked for in the tracker later."""


Metadata = dict[str, Any]
"""What goes with a text to Rasa and comes back to the actions: `inbound_id`, `channel`, `photos`."""

FOLLOW_UP = "follow_up"
"""The errand that follows up a failed delivery, as Rasa's slot names it."""

PHOTO_ONLY = "/send_photo"
"""Rasa's way to be told an intent instead of a text."""


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str | None = None


_REPLIES = TypeAdapter(list[_Reply])


class _Triggered(BaseModel):
    model_config = ConfigDict(extra="ignore")
    messages: list[_Reply]


class Dialogue(Protocol):
    async def answer(
        self, conversation_id: str, text: str, metadata: Metadata, *, was_tried: bool
    ) -> list[str]: ...

    async def language(self, conversation_id: str) -> str | None: ...

    async def is_ready(self) -> bool: ...


class RasaDialogue:
    def __init__(self, base_url: str) -> None:
        self._http = open_client(base_url, read_seconds=TURN_SECONDS, max_connections=40)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def answer(
        self, conversation_id: str, text: str, metadata: Metadata, *, was_tried: bool
    ) -> list[str]:
        """What Rasa replies to one text; empty when it has nothing to say.

        `was_tried`: an earlier attempt may have reached Rasa. Then its tracker is asked first, so that no
        text is understood twice. `metadata` must hold `inbound_id`, and `photos` where pictures came along.

        Raises:
            DialogueUnavailableError: down, loading, slow or talking nonsense; try again later.
        """
        if was_tried:
            events = await self._events(conversation_id)
            replies = replies_to(events, str(metadata["inbound_id"]))
            if replies:
                return replies
        heard = as_heard(text, has_photos=bool(metadata.get("photos")))
        requests = await self._two_requests(heard)
        if requests is not None and not await self._takes_all_at_once(conversation_id):
            first, second = requests
            heard = first.text
            asked_too = {"intent": second.intent, "text": second.text, "inbound_id": metadata["inbound_id"]}
            metadata = metadata | {"second_request": asked_too}
        body = {"sender": conversation_id, "message": heard, "metadata": metadata}
        answer = await self._call("POST", "/webhooks/rest/webhook", json=body)
        try:
            return [reply.text for reply in _REPLIES.validate_json(answer.content) if reply.text]
        except ValidationError as exc:
            raise DialogueUnavailableError("Rasa's replies are unreadable") from exc

    async def begin(
        self, conversation_id: str, intent: str, facts: Mapping[str, str], *, key: str, was_tried: bool
    ) -> list[str]:
        """What Rasa says first, without having been asked: `intent` as if somebody had meant it, with its facts.

        The same `key` says the same again: with `was_tried` the tracker is looked at first, so that no question is
        asked twice. Empty where the actions found that nothing is to be said now.
        Source: Rasa 3.6, HTTP API, `trigger_intent`; its answer has `messages`.

        Raises:
            DialogueUnavailableError: as `answer`.
        """
        if was_tried and (replies := replies_to_key(await self._events(conversation_id), key)):
            return replies
        entities = [{"entity": name, "value": value} for name, value in ({**facts, "key": key}).items()]
        path = f"/conversations/{conversation_id}/trigger_intent"
        body = {"name": intent, "entities": entities}
        answer = await self._call("POST", path, params={"include_events": "NONE"}, json=body)
        try:
            messages = _Triggered.model_validate_json(answer.content).messages
        except ValidationError as exc:
            raise DialogueUnavailableError("Rasa's replies are unreadable") from exc
        return [message.text for message in messages if message.text]

    async def standing(self, conversation_id: str) -> Standing:
        """Which question is open, and when something happened last.

        Raises:
            DialogueUnavailableError: as `answer`.
        """
        return standing_of(await self._tracker(conversation_id, "NONE"))

    async def is_ready(self) -> bool:
        """Whether a model is loaded and texts are understood."""
        try:
            answer = await self._call("GET", "/status")
        except DialogueUnavailableError:
            return False
        return bool(answer.json().get("model_file"))

    async def language(self, conversation_id: str) -> str | None:
        """In which language the newest answer was given; None where that cannot be told."""
        try:
            language = (await self.standing(conversation_id)).slot("language")
        except DialogueUnavailableError:
            return None
        return language if language in LANGUAGES else None

    async def _events(self, conversation_id: str) -> list[dict[str, Any]]:
        tracker = await self._tracker(conversation_id, "ALL")
        try:
            events: list[dict[str, Any]] = tracker["events"]
        except KeyError as exc:
            raise DialogueUnavailableError("Rasa's tracker is unreadable") from exc
        return events

    async def _tracker(self, conversation_id: str, events: str) -> dict[str, Any]:
        path = f"/conversations/{conversation_id}/tracker"
        answer = await self._call("GET", path, params={"include_events": events})
        try:
            tracker = answer.json()
        except ValueError as exc:
            raise DialogueUnavailableError("Rasa's tracker is unreadable") from exc
        if not isinstance(tracker, dict):
            raise DialogueUnavailableError("Rasa's tracker is unreadable")
        return tracker

    async def _two_requests(self, text: str) -> tuple[Meaning, Meaning] | None:
        clauses = halves(text)
        if not clauses:
            return None
        return two_requests([await self._meaning(clause) for clause in clauses])

    async def _takes_all_at_once(self, conversation_id: str) -> bool:
        """Whether the open question wants everything in one text: "4471#. can you come tomorrow"."""
        standing = await self.standing(conversation_id)
        return standing.form is not None and standing.slot("errand") == FOLLOW_UP

    async def _meaning(self, clause: str) -> Meaning:
        answer = await self._call("POST", "/model/parse", json={"text": clause})
        try:
            intent = answer.json()["intent"]
            return Meaning(clause, str(intent["name"]), float(intent["confidence"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise DialogueUnavailableError("Rasa's understanding is unreadable") from exc

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError as exc:
            raise DialogueUnavailableError(f"Rasa cannot be reached: {type(exc).__name__}") from exc
        if answer.status_code != httpx.codes.OK:
            raise DialogueUnavailableError(f"Rasa answered {answer.status_code}")
        return answer


def as_heard(text: str, *, has_photos: bool) -> str:
    """A person's text as Rasa gets it: never a command of Rasa's own, which begins with a slash."""
    if has_photos and not text.strip():
        return PHOTO_ONLY
    return re.sub(r"^[\s/]+", "", text) or "?"
