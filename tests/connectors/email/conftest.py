"""Our edges and our channel over loopback, against the pretended world of mail."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from connectors.base import InboundMessage, Receipt
from connectors.email import webhook
from connectors.email.client import EmailChannel
from connectors.email.emulator import MailEmulator
from connectors.email.identity import Identity
from connectors.email.inbound import MailListener
from connectors.email.intake import Intake
from connectors.emulation import serving
from connectors.errors import StorageUnavailableError

US = "help@quickship.example"
SIGNING_KEY = "the-signing-key"
LOGIN = ("doorline", "p@ss/word")


class Clock:
    """The pretended time; moves only when told."""

    def __init__(self) -> None:
        self.at = datetime(2024, 6, 10, 14, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Desk:
    """What the application behind the edges was handed."""

    def __init__(self, identity: Identity) -> None:
        self.messages: list[InboundMessage] = []
        self.receipts: list[Receipt] = []
        self.pictures: dict[tuple[str, int], tuple[str, bytes]] = {}
        self.is_storing = True
        self.refusals_left = 0
        self.intake = Intake(
            identity, self._message, self._receipt, self._keep, trusted_authserv="mx.quickship.example"
        )

    async def _message(self, message: InboundMessage) -> None:
        self._must_store()
        self.messages.append(message)

    async def _receipt(self, receipt: Receipt) -> None:
        self._must_store()
        self.receipts.append(receipt)

    async def _keep(self, vendor_id: str, index: int, content_type: str, content: bytes) -> str:
        self._must_store()
        self.pictures[vendor_id, index] = (content_type, content)
        return f"kept:{vendor_id}/{index}"

    def _must_store(self) -> None:
        self.refusals_left -= 1
        if self.refusals_left >= 0 or not self.is_storing:
            raise StorageUnavailableError("the database is gone")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity() -> Identity:
    return Identity.read(
        f"QuickShip <{US}>", aliases=("hola@quickship.example",), bounce_address="bounces@quickship.example"
    )


@pytest.fixture
def desk(identity: Identity) -> Desk:
    return Desk(identity)


@pytest.fixture
async def listener(desk: Desk) -> AsyncIterator[MailListener]:
    listener = MailListener(desk.intake, max_bytes=200_000)
    await listener.start()
    yield listener
    await listener.stop()


@pytest.fixture
async def route_url(desk: Desk, clock: Clock) -> AsyncIterator[str]:
    app = FastAPI()
    routes = webhook.router(desk.intake, signing_key=SIGNING_KEY, now=clock.now)
    app.include_router(routes, prefix="/connectors/email")
    async with serving(app) as url:
        yield f"{url}/connectors/email/inbound"


@pytest.fixture
async def world(clock: Clock, listener: MailListener) -> AsyncIterator[MailEmulator]:
    """People's mails reach us through our SMTP listener."""
    emulator = MailEmulator(
        US,
        now=clock.now,
        username=LOGIN[0],
        password=LOGIN[1],
        inbound_url=f"smtp://127.0.0.1:{listener.port}",
        signing_key=SIGNING_KEY,
        pace_seconds=0.0,
    )
    await emulator.start()
    yield emulator
    await emulator.aclose()


@pytest.fixture
def open_channel(world: MailEmulator, identity: Identity, clock: Clock) -> Callable[..., EmailChannel]:
    """Opens channels on the emulator; keyword arguments replace the usual ones."""

    def open_one(**changes: object) -> EmailChannel:
        port = world.smtp_port
        arguments: dict[str, object] = {
            "smtp_url": f"smtp://doorline:p%40ss%2Fword@127.0.0.1:{port}?starttls=0",
            "identity": identity,
            "now": clock.now,
        }
        return EmailChannel(**{**arguments, **changes})  # type: ignore[arg-type]

    return open_one


@pytest.fixture
def channel(open_channel: Callable[..., EmailChannel]) -> EmailChannel:
    return open_channel()
