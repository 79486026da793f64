"""Socket Mode, pretended: the app calls us, and what happens comes through its WebSockets until it says it has it.

Source: docs.slack.dev, Socket Mode (envelopes, acknowledgement by `envelope_id`, `hello`, `disconnect`).
"""

import asyncio
import json
import secrets
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.emulation import running_for
from connectors.slack.emulator_orders import Order, obey
from connectors.slack.emulator_state import APP_ID, SlackError

MOST_CONNECTIONS = 10
"""Source: Socket Mode, using multiple connections."""

Kind = Literal["events_api", "interactive", "slash_commands"]


class SocketOrder(Order):
    """`warn` announces the end of each connection as Slack does, `drop` ends them, `deaf` loses what the app says."""

    do: Literal["warn", "drop", "deaf", "hear"]


class Sockets:
    """Switched on by an app token; then nothing comes over HTTP any more, as with Slack."""

    def __init__(self, app_token: str | None) -> None:
        self._app_token = app_token
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._connections: list[WebSocket] = []
        self._is_deaf = False
        self.opened = 0
        """Connections so far."""
        self.envelopes: list[dict[str, Any]] = []
        """Everything that was sent, again on each retry."""

    @property
    def is_on(self) -> bool:
        return self._app_token is not None

    @property
    def connected(self) -> int:
        return len(self._connections)

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/link/", self._serve),
            Route("/_emulator/sockets", self._order, methods=["POST"]),
        ]

    def open(self, token: str | None, base_url: str) -> str:
        """`apps.connections.open`: the address of one new connection. Raises `SlackError`."""
        if token is None or not token.startswith("xapp-"):
            raise SlackError("not_allowed_token_type")
        if token != self._app_token:
            raise SlackError("invalid_auth")
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"{base_url.replace('http', 'ws', 1)}link/?ticket={ticket}&app_id={APP_ID}"

    async def deliver(
        self, kind: Kind, payload: Any, attempt: int, reason: str, within: float
    ) -> bytes | None:
        """What the app answered, as the body that HTTP would have carried; None when it did not in time."""
        if not self._connections:
            return None
        socket = self._connections[len(self.envelopes) % len(self._connections)]
        envelope_id = secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
            **({"retry_attempt": attempt, "retry_reason": reason} if kind == "events_api" else {}),
        }
        self.envelopes.append(envelope)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        try:
            async with running_for(within):
                await socket.send_text(json.dumps(envelope))
                return await answer
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return None
        finally:
            del self._waiting[envelope_id]

    # --- one connection -----------------------------------------------------------------------------

    async def _serve(self, socket: WebSocket) -> None:
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self._connections) >= MOST_CONNECTIONS:
            await socket.close(4003)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        await socket.send_json(self._hello())
        self._connections.append(socket)
        self.opened += 1
        try:
            while True:
                self._hear(json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            if socket in self._connections:
                self._connections.remove(socket)

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._connections) + 1,
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "applink-pretended", "approximate_connection_time": 18060},
        }

    def _hear(self, said: dict[str, Any]) -> None:
        answer = self._waiting.get(said.get("envelope_id", ""))
        if answer is not None and not answer.done() and not self._is_deaf:
            payload = said.get("payload")
            answer.set_result(json.dumps(payload).encode() if payload is not None else b"")

    # --- its weather --------------------------------------------------------------------------------

    async def _order(self, request: Request) -> Response:
        return await obey(request, SocketOrder, self._do)

    async def _do(self, order: SocketOrder, request: Request) -> dict[str, Any]:
        if order.do in ("deaf", "hear"):
            self._is_deaf = order.do == "deaf"
        for socket in list(self._connections):
            if order.do == "warn":
                await socket.send_json({"type": "disconnect", "reason": "warning", "debug_info": {}})
            elif order.do == "drop":
                self._connections.remove(socket)
                await socket.close(1011)
        return {"connected": self.connected, "opened": self.opened}
