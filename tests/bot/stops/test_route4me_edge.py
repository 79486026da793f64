"""Route4Me's webhooks name a stop or a route; what happened there is read back, and strangers are not heard."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.durable.models import InboxEvent
from bot.stops.models import StopEvent, StopRecord
from connectors.base import StopStatus
from connectors.route4me.stage import Route4MeStage
from connectors.world.evidence import left_behind
from connectors.world.plan import plan_day
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World


@pytest.fixture
async def world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    async with World(bare_setting, platforms=("route4me",)) as world:
        yield world


async def test_what_a_webhook_claims_is_read_back_and_told_once(world: World) -> None:
    stage = Route4MeStage(world.route4me)
    plan = max(plan_day(5, world.local("09:00"), 12), key=lambda each: len(each.stops))
    driver = stage.add_route(plan)
    created_at = world.clock.now() - timedelta(hours=12)
    refs = [stage.add_stop(stop, plan, driver, created_at).platform_ref for stop in plan.stops]
    stage.set_duty(driver, True, world.clock.now())
    await world.sync()
    world.route4me.feed.faults.duplicate = True
    stage.start(refs[0], world.clock.now())
    stage.complete(refs[0], world.clock.now(), None, left_behind(plan.stops[0], None))

    async def status() -> StopStatus:
        found = [stop for stop in await world.rows(StopRecord) if stop.platform_ref == refs[0]]
        return found[0].status

    await eventually(status, lambda seen: seen is StopStatus.DELIVERED, "the webhook to be read back")
    await world.settled()
    events = [event for event in await world.rows(StopEvent) if "delivered" in str(event.changes)]
    assert [event.source for event in events] == ["route4me:read"]


async def test_a_wrong_secret_is_not_heard(world: World) -> None:
    url = world.route4me.callback_url or ""
    wrong = url[:-1] + ("0" if url[-1] != "0" else "1")
    answer = await world.http.post(
        wrong, json={"activity_id": "1", "activity_type": "mark-destination-visited"}
    )
    assert answer.status_code == 404
    assert await world.rows(InboxEvent) == []
