"""A stand-in for the Rasa server at the wire: the same HTTP API, replies that a test can tell apart and hold back.

What is tested with it is our side of the line. Stories that depend on understanding use the real server.
"""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class PretendedRasa:
    """Answers every text with `You said: …` and keeps trackers, as Rasa would after a real turn."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        """Every text that was posted, in order."""
        self.down = False
        self.silent = False
        """Turns are taken, and nothing is said."""
        self.begun: list[str] = []
        """Keys of what we began ourselves, in order."""
        self._trackers: dict[str, list[dict[str, Any]]] = {}
        self._may_answer = asyncio.Event()
        self._may_answer.set()
        self.app = Starlette(
            routes=[
                Route("/status", self._status),
                Route("/model/parse", self._parse, methods=["POST"]),
                Route("/webhooks/rest/webhook", self._turn, methods=["POST"]),
                Route("/conversations/{sender}/tracker", self._tracker),
                Route("/conversations/{sender}/trigger_intent", self._begin, methods=["POST"]),
            ]
        )

    def hold(self) -> None:
        """Turns begin and do not end until `release`."""
        self._may_answer.clear()

    def release(self) -> None:
        self._may_answer.set()

    async def _status(self, _request: Request) -> Response:
        return Response(status_code=503) if self.down else JSONResponse({"model_file": "pretended.tar.gz"})

    async def _turn(self, request: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        turn = await request.json()
        self.turns.append(turn["message"])
        tracker = self._trackers.setdefault(turn["sender"], [])
        user = {"event": "user", "text": turn["message"], "metadata": turn["metadata"]}
        await self._may_answer.wait()
        replies = [] if self.silent else [f"You said: {turn['message']}"]
        tracker += [user, *({"event": "bot", "text": reply} for reply in replies)]
        return JSONResponse([{"recipient_id": turn["sender"], "text": reply} for reply in replies])

    async def _begin(self, request: Request) -> Response:
        """Says `We begin: …` where nobody has written, as Rasa does with `trigger_intent`."""
        if self.down:
            return Response(status_code=503)
        wanted = await request.json()
        self.begun += [fact["value"] for fact in wanted["entities"] if fact["entity"] == "key"]
        reply = {"event": "bot", "text": f"We begin: {wanted['name']}"}
        user = {
            "event": "user",
            "metadata": {"is_external": True},
            "parse_data": {"entities": wanted["entities"]},
        }
        self._trackers.setdefault(request.path_params["sender"], []).extend([user, reply])
        return JSONResponse({"tracker": {}, "messages": [{"text": reply["text"]}]})

    async def _parse(self, request: Request) -> Response:
        """Understands nothing: no text asks for two things."""
        text = (await request.json())["text"]
        return JSONResponse({"text": text, "intent": {"name": "nlu_fallback", "confidence": 1.0}})

    async def _tracker(self, request: Request) -> Response:
        if self.down:
            return Response(status_code=503)
        return JSONResponse({"events": self._trackers.get(request.path_params["sender"], [])})
