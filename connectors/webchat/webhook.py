"""The edge that a browser calls: a WebSocket. Store, acknowledge, and show what is put up; nothing else."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from fastapi import APIRouter
from starlette.websockets import WebSocket

from connectors.base import Now, ReceiveMessage
from connectors.errors import UnreadablePayloadError
from connectors.webchat.feed import Feed
from connectors.webchat.payloads import CloseCode, ErrorCode, Hello, SessionFrame
from connectors.webchat.policy import Doorman, Policy, is_welcome, network_of
from connectors.webchat.sessions import Session, Sessions
from connectors.webchat.talk import GONE, Talk, Wire

HELLO_SECONDS = 10.0

log = structlog.get_logger()


def router(
    receive: ReceiveMessage,
    feed: Feed,
    *,
    key: str,
    public_url: str,
    policy: Callable[[], Policy],
    now: Now,
) -> APIRouter:
    """`/ws`, to be mounted under `/connectors/webchat`.

    `key` signs session tokens; `public_url` is our own site, whose pages may always connect; `now` is wall time.
    The browser's network address is the peer's as the server tells it: behind a proxy the server must be told to
    trust that proxy's X-Forwarded-For, and no other's.
    """
    routes = APIRouter(include_in_schema=False)
    sessions, doorman = Sessions(key), Doorman(now)

    @routes.websocket("/ws")
    async def talk(socket: WebSocket) -> None:
        rules = policy()
        origin = socket.headers.get("origin")
        if not is_welcome(origin, (public_url,), rules):
            log.warning("webchat.foreign_origin", origin=(origin or "")[:100])
            await socket.close(CloseCode.FOREIGN_ORIGIN)
            return
        network = network_of(socket.client.host if socket.client else "")
        await socket.accept()
        wire = Wire(socket)
        with suppress(*GONE):
            if doorman.is_full(network, rules):
                await wire.refuse(ErrorCode.TOO_MANY_CONNECTIONS, CloseCode.TOO_MANY, retry=30)
                return
            with doorman.inside(network):
                await serve(wire, network)

    async def serve(wire: Wire, network: str) -> None:
        hello = await _hello(wire)
        if hello is None:
            return
        session = _session(hello)
        is_new = session.token != hello.session
        talk = Talk(wire, session.address, network, receive, feed, doorman, policy)

        async def greet(*, is_known: bool) -> None:
            await wire.send(SessionFrame(session=session.token, is_new=is_new or not is_known))

        await talk.run(None if is_new else hello.last_seen, greet)

    def _session(hello: Hello) -> Session:
        lives_for = timedelta(days=policy().session_days)
        known = sessions.find(hello.session, now(), lives_for) if hello.session else None
        return known or sessions.issue(now())

    return routes


async def _hello(wire: Wire) -> Hello | None:
    """The first frame; None when the line was closed because it was another one, or none came."""
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            frame = await wire.receive()
    except TimeoutError:
        await wire.close(CloseCode.IDLE)
        return None
    except UnreadablePayloadError:
        await wire.refuse(ErrorCode.UNREADABLE, CloseCode.UNREADABLE)
        return None
    if not isinstance(frame, Hello):
        await wire.refuse(ErrorCode.NO_HELLO, CloseCode.UNREADABLE)
        return None
    return frame
