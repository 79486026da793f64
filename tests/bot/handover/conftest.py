"""A world whose clients may have their systems on this machine, and one such system."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.client_webhooks.emulator import ClientSystemEmulator
from connectors.emulation import Server
from tests.bot.handover.shippers import Shippers
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

LOCAL = """hand_over: {private_addresses: true, retry_minutes: [0, 1, 5, 30]}

root_causes:"""


@pytest.fixture
async def shippers(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Shippers]:
    system = ClientSystemEmulator()
    server = Server(system.app)
    await server.start()
    sop = protocol_with(tmp_path, {"\nroot_causes:": "\n" + LOCAL})
    async with World(bare_setting, sop=sop) as world:
        yield Shippers(world, system, server.url)
    await server.stop()
