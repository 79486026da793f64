"""A client's system on a port of its own, and our client for it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from connectors.client_webhooks.client import ClientWebhooks
from connectors.client_webhooks.emulator import ClientSystemEmulator
from connectors.emulation import Server


@dataclass
class Line:
    system: ClientSystemEmulator
    client: ClientWebhooks
    url: str


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    system = ClientSystemEmulator()
    server = Server(system.app)
    await server.start()
    client = ClientWebhooks(lambda: True, seconds=0.5)
    yield Line(system, client, f"{server.url}/hooks")
    await client.aclose()
    await server.stop()
