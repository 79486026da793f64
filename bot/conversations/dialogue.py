"""Rasa over its HTTP API: one text in, the replies out. Anything that speaks the same API will do."""

from typing import Any, Protocol

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.errors import DialogueUnavailableError
from connectors.http import open_client

log = structlog.get_logger()

TURN_SECONDS = 12.0
"""A turn takes some 50 ms; one that takes this long is lost and looked for in the tracker later."""


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str | None = None


_REPLIES = TypeAdapter(list[_Reply])


class Dialogue(Protocol):
    async def answer(
        self, conversation_id: str, text: str, metadata: dict[str, str], *, was_tried: bool
    ) -> list[str]: ...

    async def is_ready(self) -> bool: ...


class RasaDialogue:
    def __init__(self, base_url: str) -> None:
        self._http = open_client(base_url, read_seconds=TURN_SECONDS, max_connections=40)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def answer(
        self, conversation_id: str, text: str, metadata: dict[str, str], *, was_tried: bool
    ) -> list[str]:
        """What Rasa replies to one text; empty when it has nothing to say.

        `was_tried`: an earlier attempt may have reached Rasa. Then its tracker is asked first, so that no
        text is understood twice. `metadata` must hold `inbound_id`.

        Raises:
            DialogueUnavailableError: down, loading, slow or talking nonsense; try again later.
        """
        if was_tried:
            replies = await self._earlier_replies(conversation_id, metadata["inbound_id"])
            if replies:
                return replies
        body = {"sender": conversation_id, "message": text, "metadata": metadata}
        answer = await self._call("POST", "/webhooks/rest/webhook", json=body)
        try:
            return [reply.text for reply in _REPLIES.validate_json(answer.content) if reply.text]
        except ValidationError as exc:
            raise DialogueUnavailableError("Rasa's replies are unreadable") from exc

    async def is_ready(self) -> bool:
        """Whether a model is loaded and texts are understood."""
        try:
            answer = await self._call("GET", "/status")
        except DialogueUnavailableError:
            return False
        return bool(answer.json().get("model_file"))

    async def _earlier_replies(self, conversation_id: str, inbound_id: str) -> list[str]:
        answer = await self._call(
            "GET", f"/conversations/{conversation_id}/tracker", params={"include_events": "ALL"}
        )
        try:
            events: list[dict[str, Any]] = answer.json()["events"]
        except (ValueError, KeyError, TypeError) as exc:
            raise DialogueUnavailableError("Rasa's tracker is unreadable") from exc
        return replies_to(events, inbound_id)

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.HTTPError as exc:
            raise DialogueUnavailableError(f"Rasa cannot be reached: {type(exc).__name__}") from exc
        if answer.status_code != httpx.codes.OK:
            raise DialogueUnavailableError(f"Rasa answered {answer.status_code}")
        return answer


def replies_to(events: list[dict[str, Any]], inbound_id: str) -> list[str]:
    """The bot's texts between the person's text with this id and the next one, from a tracker's events."""
    replies: list[str] = []
    inside = False
    for event in events:
        if event.get("event") == "user":
            inside = (event.get("metadata") or {}).get("inbound_id") == inbound_id
        elif inside and event.get("event") == "bot" and event.get("text"):
            replies.append(str(event["text"]))
    return replies
