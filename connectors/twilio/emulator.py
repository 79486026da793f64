"""Twilio, pretended: its Messages API over the account in `emulator_account`, its Calls API in `emulator_calls_api`.

Under `/_emulator/` (not Twilio's): `GET messages?phone=`, `POST inbound`, `POST faults`, `GET state`, and phones.
Under `/media/`: what stands in for Twilio's media host, to which the API redirects.
With `segments_per_second` the number has a queue, in real time.
Not emulated: scheduled messages, TwiML verbs in a webhook's answer, media that we send.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.base import Now
from connectors.emulation import Fault, FaultMiddleware, Faults, Ledger, read_json
from connectors.twilio.emulator_account import PretendedAccount
from connectors.twilio.emulator_call_state import Calls
from connectors.twilio.emulator_calls import PretendedCalls
from connectors.twilio.emulator_calls_api import CallsApi
from connectors.twilio.emulator_media import MediaHost, SentPicture
from connectors.twilio.emulator_rules import Order, refusal_for
from connectors.twilio.emulator_state import (
    API_VERSION,
    Query,
    StoredMessage,
    media_resource,
    messages_uri,
    page,
    resource,
    rfc2822,
)
from connectors.twilio.emulator_wire import credentials, form_of, not_found, refused

Handler = Callable[[Request], Awaitable[Response]]

UNSUPPORTED = ("ScheduleType", "SendAt", "ContentSid", "ApplicationSid")
"""Parameters of a create request that change what happens and that we do not pretend to know."""


class _InboundOrder(BaseModel):
    """Body of `POST /_emulator/inbound`."""

    sender: str = Field(alias="from", pattern=r"^(whatsapp:)?\+?[0-9]{3,15}$")
    body: str = ""
    sid: str | None = Field(default=None, pattern=r"^(SM|MM)[0-9a-fA-F]{32}$")
    num_media: int = Field(default=0, ge=0, le=10)
    """So many pictures, painted here."""
    media: tuple[SentPicture, ...] = Field(default=(), max_length=10)
    """These pictures, in base64, beside those."""


class _FaultOrder(BaseModel):
    """Body of `POST /_emulator/faults`; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    clear: bool = False
    down: bool | None = None
    error_share: float | None = None
    slow_share: float | None = None
    slow_seconds: float | None = None
    next: tuple[Fault, ...] = ()

    def apply(self, faults: Faults) -> None:
        if self.clear:
            faults.clear()
        for name in self.model_fields_set - {"clear", "next"}:
            setattr(faults, name, getattr(self, name))
        faults.next(*self.next)


class TwilioEmulator(PretendedAccount):
    """Serve `app` on a port of its own. With `ledger_path` it survives a kill, callbacks included."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        number: str,
        *,
        now: Now,
        ledger_path: Path | None = None,
        service_sid: str | None = None,
        inbound_url: str | None = None,
        pace_seconds: float = 0.1,
        segments_per_second: float | None = None,
    ) -> None:
        """As `PretendedAccount` says."""
        super().__init__(
            account_sid,
            auth_token,
            number,
            now=now,
            ledger_path=ledger_path,
            service_sid=service_sid,
            inbound_url=inbound_url,
            pace_seconds=pace_seconds,
            segments_per_second=segments_per_second,
        )
        self.faults = Faults()
        self.media_host = MediaHost(self.media_files, auth_token)
        self.phones = PretendedCalls(self, Calls(ledger_path), Ledger(ledger_path, "twilio_habits"))
        self._calls_api = CallsApi(self.phones)
        routes = Starlette(routes=self._routes(), lifespan=self._lifespan)
        self.app: ASGIApp = FaultMiddleware(routes, self.faults)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.resume()
        self.phones.resume()
        try:
            yield
        finally:
            await self.aclose()

    def _routes(self) -> list[Route]:
        account = f"/{API_VERSION}/Accounts/{{account_sid}}"
        vendor: list[tuple[str, str, Handler]] = [
            ("GET", f"{account}.json", self._fetch_account),
            ("POST", f"{account}/Messages.json", self._create),
            ("GET", f"{account}/Messages.json", self._list),
            ("GET", f"{account}/Messages/{{sid}}.json", self._fetch),
            ("POST", f"{account}/Messages/{{sid}}.json", self._redact),
            ("DELETE", f"{account}/Messages/{{sid}}.json", self._delete),
            ("GET", f"{account}/Messages/{{sid}}/Media.json", self._list_media),
            ("GET", f"{account}/Messages/{{sid}}/Media/{{media_sid}}", self._redirect_to_media),
            *self._calls_api.vendor_routes(),
        ]
        return [
            Route("/_emulator/messages", self._show_messages, methods=["GET"]),
            Route("/_emulator/inbound", self._text_us, methods=["POST"]),
            Route("/_emulator/faults", self._set_faults, methods=["POST"]),
            Route("/_emulator/state", self._show_state, methods=["GET"]),
            self.media_host.route(),
            *self._calls_api.own_routes(),
            *[
                Route(path, self._authenticated(handler), methods=[method])
                for method, path, handler in vendor
            ],
            Route("/{path:path}", self._unexpected, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    # --- Twilio's own paths -------------------------------------------------------------------

    def _authenticated(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if credentials(request) != (self.account_sid, self.auth_token):
                return refused(20003)
            if request.path_params["account_sid"] != self.account_sid:
                return not_found(request)
            return await handler(request)

        return answer

    async def _fetch_account(self, request: Request) -> Response:
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}"
        return JSONResponse(
            {
                "sid": self.account_sid,
                "owner_account_sid": self.account_sid,
                "friendly_name": "Doorline emulator",
                "status": "active",
                "type": "Full",
                "date_created": rfc2822(self.now()),
                "date_updated": rfc2822(self.now()),
                "uri": f"{uri}.json",
                "subresource_uris": {"messages": f"{uri}/Messages.json"},
            }
        )

    async def _create(self, request: Request) -> Response:
        form = await form_of(request)
        for name in UNSUPPORTED:
            if name in form:
                return self._not_emulated(request, name)
        order = Order.read(form)
        refusal = refusal_for(order, self.number, self.service_sid, set(self.blocked))
        if refusal is not None:
            return refused(refusal.code, refusal.value)
        if self.queue.is_full(time.monotonic()):
            return refused(21611, self.number)
        return JSONResponse(resource(self.take_order(order), self.account_sid), 201)

    async def _list(self, request: Request) -> Response:
        try:
            query = Query.read(request.query_params)
        except ValueError:
            return refused(20001, request.url.query)
        messages = self.messages(query.filters.get("To") or query.filters.get("From"))
        return JSONResponse(page(messages, query, self.account_sid))

    async def _fetch(self, request: Request) -> Response:
        message = self._named(request)
        if message is None:
            return not_found(request)
        return JSONResponse(resource(message, self.account_sid))

    async def _redact(self, request: Request) -> Response:
        """An empty `Body` erases the text; nothing else of a message can be changed."""
        message = self._named(request)
        if message is None:
            return not_found(request)
        form = await form_of(request)
        if form != {"Body": [""]}:
            return self._not_emulated(request, ", ".join(form))
        redacted = self.store.change(message, body="", updated_at=self.now())
        return JSONResponse(resource(redacted, self.account_sid))

    async def _delete(self, request: Request) -> Response:
        message = self._named(request)
        if message is None:
            return not_found(request)
        self.store.remove(message.sid)
        return Response(status_code=204)

    async def _list_media(self, request: Request) -> Response:
        message = self._named(request)
        if message is None:
            return not_found(request)
        uri = f"{messages_uri(self.account_sid)}/{message.sid}/Media.json?PageSize=50&Page=0"
        media = [media_resource(message, item, self.account_sid) for item in message.media]
        return JSONResponse(
            {
                "media_list": media,
                "page": 0,
                "page_size": 50,
                "start": 0,
                "end": max(len(media) - 1, 0),
                "uri": uri,
                "first_page_uri": uri,
                "next_page_uri": None,
                "previous_page_uri": None,
            }
        )

    async def _redirect_to_media(self, request: Request) -> Response:
        message, sid = self._named(request), request.path_params["media_sid"]
        media = next((item for item in message.media if item.sid == sid), None) if message else None
        if media is None:
            return not_found(request)
        return RedirectResponse(self.media_host.address_of(request, media), 307)

    def _named(self, request: Request) -> StoredMessage | None:
        return self.store.find(request.path_params["sid"])

    async def _unexpected(self, request: Request) -> Response:
        self.alert("", f"nobody expected {request.method} {request.scope['path']}", 20404)
        return not_found(request)

    def _not_emulated(self, request: Request, what: str) -> Response:
        self.alert("", f"{request.method} {request.scope['path']}: {what} is not emulated", 20001)
        return refused(20001, what)

    # --- the emulator's own paths -------------------------------------------------------------

    async def _show_messages(self, request: Request) -> Response:
        phone = request.query_params.get("phone")
        # A bare + in a query means a space.
        messages = self.messages(phone.replace(" ", "+") if phone else None)
        return JSONResponse({"messages": [_shown(message) for message in messages]})

    async def _text_us(self, request: Request) -> Response:
        try:
            order = _InboundOrder.model_validate(await read_json(request))
        except ValidationError as exc:
            return JSONResponse({"detail": str(exc)}, 422)
        result = await self.text(
            order.sender, order.body, sid=order.sid, num_media=order.num_media, pictures=order.media
        )
        return JSONResponse(result.model_dump(mode="json"))

    async def _set_faults(self, request: Request) -> Response:
        try:
            order = _FaultOrder.model_validate(await read_json(request))
        except ValidationError as exc:
            return JSONResponse({"detail": str(exc)}, 422)
        order.apply(self.faults)
        return await self._show_state(request)

    async def _show_state(self, request: Request) -> Response:
        return JSONResponse(
            {
                "account_sid": self.account_sid,
                "number": self.number,
                "inbound_url": self.inbound_url,
                "messages": len(self.store),
                "pending": sum(1 for message in self.store if message.pending),
                "blocked": list(self.blocked),
                "down": self.faults.down,
                "alerts": list(self.alerts),
            }
        )


def _shown(message: StoredMessage) -> dict[str, object]:
    return {
        "sid": message.sid,
        "direction": message.direction,
        "from": message.sender,
        "to": message.recipient,
        "body": message.body,
        "status": message.status,
        "error_code": message.error_code,
        "num_media": len(message.media),
        "at": message.created_at.astimezone(UTC).isoformat(),
    }
