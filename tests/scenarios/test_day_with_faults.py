"""A pretended day on which every vendor is ill in turn and Doorline is cut off twice: judged by the emulators' records.

What is checked is what Doorline writes unasked, to whom, when, and how often.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bench.day_faults import CRASHES, Faults
from bench.day_stage import DayStage, Ground
from bench.day_with import DayWithDoorline
from tests.harness.protocol import SHIPPED
from tests.harness.world import Setting

NINE = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
STOPS = 40
SEED = 11


pytestmark = pytest.mark.rasa


@pytest.fixture
async def stage(setting: Setting, empty_database: None) -> AsyncIterator[DayStage]:
    assert setting.rasa_url is not None, "the real server answers here"
    ground = Ground(
        setting.database_url, setting.rasa_url, setting.app_port, setting.secret_key, setting.var, SHIPPED
    )
    async with DayStage(ground, NINE - timedelta(minutes=30)) as stage:
        yield stage


async def test_nobody_is_told_twice_at_night_wrongly_or_after_opting_out_whatever_breaks(
    stage: DayStage,
) -> None:
    faults = Faults()
    day = DayWithDoorline(stage, SEED, NINE, STOPS, faults)
    await stage.start_app()
    await day.live(NINE + timedelta(minutes=170), timedelta(minutes=5))
    await day.live(step=timedelta(minutes=60))

    _, found = day.outcome()
    assert [(each.check, each.why, each.text.body) for each in found] == []
    kinds = Counter(text.kind for text in day.texting.texts() if text.kind)
    assert faults.crashed == len(CRASHES)
    assert {"approaching", "running_late", "delivered"} <= set(kinds), kinds
    assert stage.onfleet.api.unexpected == []
    assert stage.slack.unexpected == []
