"""How the pretended Route4Me is spoken to: the key, the rate, bodies in every shape that its clients send."""

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.route4me.emulator_fields import Json, VendorError
from connectors.route4me.emulator_store import Store
from connectors.route4me.wire import V5_PATH

Handler = Callable[[Request], Awaitable[Any]]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class RateLimit:
    """Requests per second over a sliding second of real time; None switches it off."""

    def __init__(self, per_second: int | None) -> None:
        self.per_second = per_second
        self.clock = time.monotonic
        self._recent: deque[float] = deque()

    def admit(self) -> None:
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if self.per_second is not None and len(self._recent) >= self.per_second:
            raise VendorError(429, "Too many requests")
        self._recent.append(now)


class Gate:
    """Stands before every handler: counts, checks the key, and turns refusals into the vendor's answers."""

    def __init__(self, store: Store, api_key: str, rate_limit: int | None) -> None:
        self._store = store
        self.rate_limit = RateLimit(rate_limit)
        self.before_request: Callable[[str, str], None] | None = None
        """Called with method and path before each answer: lets a driver act between two calls of a client."""
        self.unexpected: list[str] = []
        """Requests for which Route4Me has no such call."""
        self._api_key = api_key

    def endpoint(self, handlers: dict[str, Handler]) -> Handler:
        """One path; its handlers by method."""

        async def answer(request: Request) -> Response:
            is_v5 = request.url.path.startswith(V5_PATH)
            try:
                self._admit(request)
                self._store.media_base = str(request.base_url).rstrip("/")
                handler = handlers.get(request.method)
                if handler is None:
                    self.unexpected.append(f"{request.method} {request.url.path}")
                    raise VendorError(405, "Method not allowed")
                told = await handler(request)
            except VendorError as refusal:
                return refused(refusal, is_v5=is_v5)
            return told if isinstance(told, Response) else JSONResponse(told)

        return answer

    def _admit(self, request: Request) -> None:
        if self.before_request is not None:
            self.before_request(request.method, request.url.path)
        self.rate_limit.admit()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        if self._api_key not in (request.query_params.get("api_key"), bearer):
            raise VendorError(401, "Wrong API key")

    async def no_such_call(self, request: Request) -> Response:
        self.unexpected.append(f"{request.method} {request.url.path}")
        return Response(status_code=404)


def refused(refusal: VendorError, *, is_v5: bool) -> Response:
    headers = {"Retry-After": "1"} if refusal.status == 429 else {}
    if is_v5:
        return JSONResponse(refusal.v5(), refusal.status, headers=headers)
    body = refusal.v4()
    if body is None:
        return Response(status_code=refusal.status, headers=headers)
    return JSONResponse(body, refusal.status, headers=headers)


async def read_body(request: Request) -> Json:
    """What was sent, as an object: JSON with any or no Content-Type or encoded twice, multipart, or a form.

    The Go client names a form multipart, and gives it no boundary.
    """
    raw = await request.body()
    told = _as_json(raw)
    if isinstance(told, str):
        told = _as_json(told.encode())
    if isinstance(told, list):
        return {"addresses": told}
    if isinstance(told, dict):
        return told
    if b"boundary=" in request.headers.get("content-type", "").encode():
        form = await request.form()
        return {name: value for name, value in form.items() if isinstance(value, str)}
    return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))


def _as_json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


async def read_all(request: Request) -> Json:
    """Query and body together: Route4Me takes most fields from either."""
    return {**dict(request.query_params), **await read_body(request)}


def needed(told: Json, name: str) -> str:
    """Raises `VendorError` where it is missing."""
    value = told.get(name)
    if value in (None, ""):
        raise VendorError(400, f"{name} is required")
    return str(value)
