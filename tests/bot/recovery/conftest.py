"""A world in which failed deliveries are followed up, and nothing else is said unasked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.recovery.story import Story
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

RECOVERY = {
    "enabled": True,
    "words": {"onfleet": {"buzzer broken": "access_issue"}},
    "clients": {"Nova": {"attempts": 1}, "Globex": {"ending": "return"}},
    "pick_up_points": [{"name": "our depot, 8 Dock Rd", "hours": "9-18"}],
}


@pytest.fixture
async def story(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Story]:
    async with World(bare_setting, sop=protocol_of(tmp_path, {}, recovery=RECOVERY)) as world:
        yield Story(world)
