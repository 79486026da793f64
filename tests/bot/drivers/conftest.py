"""A town with vans, its drivers with phones, and a protocol in which drivers are asked before they start."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.drivers.vans import Vans
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

ASKING = """shifts: {enabled: true, ask_before_minutes: 90, answer_within_minutes: 45, not_before: "05:30"}

root_causes:"""


@pytest.fixture
async def vans(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Vans]:
    async with World(bare_setting, sop=protocol_with(tmp_path, {"\nroot_causes:": "\n" + ASKING})) as world:
        yield Vans(world)
