"""A pretended driver who is truly late is asked by text, answers, and dispatchers read why: nobody pressed anything."""

from datetime import timedelta
from pathlib import Path

from sqlmodel import col

from bot.drivers.models import DriverQuestion
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.onfleet.stage import OnfleetStage
from connectors.world import PretendedDay
from connectors.world.driver_phones import DriverPhones
from tests.bot.escalations.deeds_world import thread
from tests.harness.accounts import TIMEZONE
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

SEED, STOPS = 20, 24
"""The first route of a pretended day is held up by 55 minutes of traffic after six."""
STEP = timedelta(minutes=3)


async def test_a_check_in_is_answered_from_the_truth_of_the_route(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    rules = {"enabled": True, "check_ins": {"before_window_end_minutes": 300}}
    async with World(bare_setting, sop=protocol_of(tmp_path, {}, drivers=rules)) as world:
        now = world.clock.now
        stages = [OnfleetStage(world.onfleet)]
        day = PretendedDay(SEED, now(), stages=stages, now=now, stops=STOPS, timezone=TIMEZONE)
        day.build()
        phones = DriverPhones(day, SEED, world.twilio, now=now)
        for _ in range(20):
            day.tick()
            await world.advance(minutes=STEP.total_seconds() / 60)
            if await phones.step():
                break
        await world.settled()

        question, *_ = await world.rows(DriverQuestion, col(DriverQuestion.answered_at).is_not(None))
        assert question.asked_by == ""
        assert question.root_cause is FailureReason.TRAFFIC
        stop = (await world.rows(StopRecord, col(StopRecord.id) == question.stop_id))[0]
        visit = day.truth(stop.platform_ref)
        assert visit is not None
        assert visit.arrives_at is not None
        left = visit.arrives_at - now()
        assert timedelta(0) <= timedelta(minutes=question.minutes or 0) - left < timedelta(minutes=5)
        lines = "\n".join(await thread(world))
        assert f"answered: traffic, {question.minutes} min" in lines
        assert day.routes[0].plan.driver_phone[2:] not in lines
        assert await phones.step() == 0
