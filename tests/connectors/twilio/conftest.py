"""The pretended Twilio and our edge, each on a port of its own; the tests talk to both with the real SDK."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from twilio.request_validator import RequestValidator

from connectors.base import InboundMessage, Receipt
from connectors.emulation import serving
from connectors.errors import StorageUnavailableError
from connectors.twilio import webhook
from connectors.twilio.client import TwilioChannel
from connectors.twilio.emulator import TwilioEmulator

ACCOUNT = "AC" + "0a" * 16
TOKEN = "the-auth-token"
NUMBER = "+15005550006"
SERVICE = "MG" + "0b" * 16


class Clock:
    """The pretended time; moves only when told."""

    def __init__(self) -> None:
        self.at = datetime(2024, 6, 10, 14, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Edge:
    """Our webhook router in an application that remembers what it was handed."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self.messages: list[InboundMessage] = []
        self.receipts: list[Receipt] = []
        self.is_storing = True
        self.app = FastAPI()
        self.app.include_router(
            webhook.router(self._message, self._receipt, auth_token=TOKEN, public_url=public_url),
            prefix="/connectors/twilio",
        )

    @property
    def sms_url(self) -> str:
        return f"{self.public_url}/connectors/twilio/sms"

    @property
    def status_url(self) -> str:
        return f"{self.public_url}/connectors/twilio/status"

    async def _message(self, message: InboundMessage) -> None:
        self._must_store()
        self.messages.append(message)

    async def _receipt(self, receipt: Receipt) -> None:
        self._must_store()
        self.receipts.append(receipt)

    def _must_store(self) -> None:
        if not self.is_storing:
            raise StorageUnavailableError("the database is gone")


class ServedEmulator:
    def __init__(self, emulator: TwilioEmulator, url: str) -> None:
        self.emulator = emulator
        self.url = url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def edge_at() -> Callable[[str], Edge]:
    """Makes an edge that believes to be public at the given address; the test serves it."""
    return Edge


class Stage:
    """A served port whose application changes with every test: starting a server takes longer than a test."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for moment in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{moment}.complete"})
            return
        assert self.app is not None, "a request between two tests"
        await self.app(scope, receive, send)


async def open_stage() -> AsyncIterator[Stage]:
    stage = Stage()
    async with serving(stage) as stage.url:
        yield stage


edge_stage = pytest.fixture(scope="session", name="edge_stage")(open_stage)
twilio_stage = pytest.fixture(scope="session", name="twilio_stage")(open_stage)


@pytest.fixture
def edge(edge_stage: Stage) -> Edge:
    edge = Edge(edge_stage.url)
    edge_stage.app = edge.app
    return edge


@pytest.fixture
async def twilio(clock: Clock, edge: Edge, twilio_stage: Stage) -> AsyncIterator[ServedEmulator]:
    emulator = TwilioEmulator(
        ACCOUNT,
        TOKEN,
        NUMBER,
        now=clock.now,
        service_sid=SERVICE,
        inbound_url=edge.sms_url,
        pace_seconds=0.01,
    )
    twilio_stage.app = emulator.app
    yield ServedEmulator(emulator, twilio_stage.url)
    await emulator.aclose()


@pytest.fixture
async def open_channel(twilio: ServedEmulator, edge: Edge) -> AsyncIterator[Callable[..., TwilioChannel]]:
    """Opens channels on the emulator; keyword arguments replace the usual ones."""
    opened: list[TwilioChannel] = []

    def open_one(**changes: object) -> TwilioChannel:
        arguments: dict[str, object] = {
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "sender": NUMBER,
            "status_url": edge.status_url,
            "api_base": twilio.url,
        }
        opened.append(TwilioChannel(**{**arguments, **changes}))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for channel in opened:
        await channel.aclose()


@pytest.fixture
def channel(open_channel: Callable[..., TwilioChannel]) -> TwilioChannel:
    return open_channel()


@pytest.fixture
async def post_signed() -> AsyncIterator[Callable[..., Awaitable[httpx.Response]]]:
    """Posts a form as Twilio would, signed over `signed_url` (the real address unless told otherwise)."""
    validator = RequestValidator(TOKEN)
    async with httpx.AsyncClient(trust_env=False) as http:

        async def post(
            url: str, fields: dict[str, str | list[str]], *, signed_url: str | None = None
        ) -> httpx.Response:
            multi = httpx.QueryParams(fields)
            params = {name: multi.get_list(name) for name in multi}
            signature = validator.compute_signature(signed_url or url, _Repeated(params))
            return await http.post(url, data=fields, headers={"X-Twilio-Signature": signature})

        yield post


class _Repeated(dict[str, list[str]]):
    """What the validator wants of a form with repeated names."""

    def getlist(self, name: str) -> list[str]:
        return self[name]
