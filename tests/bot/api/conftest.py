"""A world whose protocol knows clients and zones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.protocol import QUIET
from tests.harness.world import Setting, World

CLIENTS = """
zones:
  - {name: North, postcodes: ["100*"], capacity_per_day: 4}
  - {name: South, postcodes: ["112*"], service_day: {start: "10:00", end: "18:00"}}
clients:
  Acme: {window_change_limit: 2}
  Nova: {window_changes: ask, stops_per_day: 2}
  Mute: {may_create_stops: false, window_changes: "no"}
intake: {csv_rows: 200}
"""


@pytest.fixture
async def desk_world(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    """Zones North (four stops a day) and South (10 to 18 h); Acme, Nova and Mute with rules of their own."""
    sop = tmp_path / "sop.yml"
    sop.write_text(QUIET.read_text(encoding="utf-8") + CLIENTS, encoding="utf-8")
    async with World(bare_setting, sop=sop) as world:
        yield world
