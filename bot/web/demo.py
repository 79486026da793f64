"""The demo page: a phone, the dispatchers' channel and the day, all pretended but Doorline itself."""

import json
from collections.abc import AsyncIterator, Awaitable
from typing import Annotated

from fastapi import APIRouter, Body, FastAPI, Query, Response
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import HTMLResponse, JSONResponse

from bot.errors import DoorlineError
from bot.web.demo_backend import FAIL_WORDS, DemoBackend
from bot.web.demo_feed import changes, snapshot
from bot.web.demo_state import FailReason, Intervention
from bot.web.pages import mount_static, page

SPEEDS = (1, 10, 30, 60, 120)

Phone = Annotated[str, Field(pattern=r"^\+\d{7,15}$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class TextOrder(BaseModel):
    phone: Phone
    body: str = Field(min_length=1, max_length=1600)


class ReactOrder(BaseModel):
    channel: Name
    ts: Name
    name: Name
    user: Name
    remove: bool = False


class PressOrder(BaseModel):
    channel: Name
    ts: Name
    user: Name
    action_id: Name


class SubmitOrder(BaseModel):
    user: Name
    view_id: Name
    values: dict[Name, dict[Name, Annotated[str, Field(max_length=3000)]]]


class CommandOrder(BaseModel):
    channel: Name
    user: Name
    text: str = Field(min_length=1, max_length=500)


class SayOrder(BaseModel):
    channel: Name
    thread_ts: Name
    user: Name
    text: str = Field(min_length=1, max_length=4000)


class InterveneOrder(BaseModel):
    kind: Intervention
    reason: FailReason | None = None


def mount(app: FastAPI, backend: DemoBackend) -> None:
    """The page with its static files, on `app`."""
    mount_static(app)
    app.include_router(router(backend))


def router(backend: DemoBackend) -> APIRouter:
    """`GET /demo`, its feed, and what the page may do. Everything answers JSON but the page itself.

    Refusals are answered as `{"error": ...}`, with words for the person at the page.
    """
    routes = APIRouter(prefix="/demo", include_in_schema=False)

    @routes.get("")
    async def show_demo(phone: str = "") -> HTMLResponse:
        people = [person.model_dump() for person in backend.dispatchers]
        state = await snapshot(backend, phone)
        return page(
            "demo.html",
            state=state,
            dispatchers=people,
            speeds=SPEEDS,
            phone=phone,
            fail_reasons=FAIL_WORDS,
        )

    @routes.get("/feed")
    async def feed(phone: Annotated[str, Query(max_length=20)] = "") -> EventSourceResponse:
        async def events() -> AsyncIterator[ServerSentEvent]:
            async for news in changes(backend, phone):
                yield ServerSentEvent(json.dumps(news), event="state")

        return EventSourceResponse(events(), headers={"X-Accel-Buffering": "no"})

    @routes.post("/text")
    async def text(order: TextOrder) -> Response:
        return await _done(backend.text(order.phone, order.body))

    @routes.post("/react")
    async def react(order: ReactOrder) -> Response:
        return await _done(
            backend.react(order.channel, order.ts, order.name, order.user, remove=order.remove)
        )

    @routes.post("/press")
    async def press(order: PressOrder) -> Response:
        return await _done(backend.press(order.channel, order.ts, order.user, order.action_id))

    @routes.post("/submit")
    async def submit(order: SubmitOrder) -> Response:
        return await _done(backend.submit(order.user, order.view_id, order.values))

    @routes.post("/close")
    async def close(user: Annotated[Name, Body(embed=True)]) -> Response:
        return await _done(backend.close(user))

    @routes.post("/command")
    async def command(order: CommandOrder) -> Response:
        return await _done(backend.command(order.channel, order.user, order.text))

    @routes.post("/say")
    async def say(order: SayOrder) -> Response:
        return await _done(backend.say(order.channel, order.thread_ts, order.user, order.text))

    @routes.post("/speed")
    async def set_speed(speed: Annotated[float, Body(embed=True, ge=1, le=120)]) -> Response:
        return await _done(backend.set_speed(speed))

    @routes.post("/intervene")
    async def intervene(order: InterveneOrder) -> Response:
        return await _done(backend.intervene(order.kind, order.reason))

    return routes


async def _done(work: Awaitable[BaseModel | None]) -> JSONResponse:
    try:
        result = await work
    except DoorlineError as exc:
        return JSONResponse({"error": str(exc)}, exc.status)
    return JSONResponse(result.model_dump(mode="json") if result else {"ok": True})
