"""A zone's manifest in Slack: posted once at its time, kept current in place, closed after the day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bot.manifest.models import ManifestPost
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand
from connectors.emulation import Fault
from tests.harness.accounts import CHANNEL
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

HALF_PAST_TWELVE = {"root_causes:": 'manifest: {post_at: "12:30"}\n\nroot_causes:'}


@pytest.fixture
async def morning(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    """Noon; manifests are posted at half past twelve."""
    async with World(bare_setting, sop=protocol_with(tmp_path, HALF_PAST_TWELVE)) as world:
        yield world


async def manifests(world: World) -> list[str]:
    return [text for message in await world.channel() if "Manifest" in (text := readable(message))]


async def cancel(world: World, tracking: str) -> None:
    record = await world.stop_record(tracking)
    await world.doorline.vendors.platforms["onfleet"].cancel(record.platform_ref)
    await world.sync()


async def commands(world: World, **fields: str) -> CommandAnswer:
    command = DeskCommand(
        vendor_id=uuid4().hex,
        kind=CommandKind.SHOW_MANIFEST,
        dispatcher="U0DANA",
        channel=CHANNEL,
        fields=fields,
        occurred_at=world.clock.now(),
    )
    answer = await world.doorline.services.desk_commands.carry_out(command)
    await world.settled()
    return answer


async def test_it_is_posted_once_at_its_time_and_kept_current_in_place(morning: World) -> None:
    first = await morning.has_stop(address="14 Elm St", on_route=False)
    await morning.tick()
    assert await manifests(morning) == []
    await morning.advance(minutes=30)
    (posted,) = await manifests(morning)
    assert "Manifest · North · Tue, Jun 9 · 1 stop on 1 route" in posted
    assert "changed since" not in posted
    await morning.has_stop(address="2 Oak Ave", phone="+12125550101", on_route=False)
    await morning.advance(seconds=31)
    (edited,) = await manifests(morning)
    assert "2 stops on 1 route" in edited
    assert "1 changed since" in edited
    assert "Added: 2 Oak Ave" in edited
    await cancel(morning, first)
    await morning.advance(seconds=31)
    (edited,) = await manifests(morning)
    assert "Cancelled: ~14 Elm St~" in edited
    assert "1 stop on 1 route" in edited


async def test_nothing_is_edited_while_nothing_changes(morning: World) -> None:
    await morning.has_stop()
    await morning.advance(minutes=30)
    (before,) = await manifests(morning)
    for _ in range(3):
        await morning.advance(minutes=1)
    assert await manifests(morning) == [before]
    assert "As of 12:3" in before


async def test_a_late_start_posts_once(morning: World) -> None:
    await morning.has_stop()
    await morning.stop_app()
    morning.clock.move(timedelta(hours=5))
    await morning.start_app()
    for _ in range(3):
        await morning.advance(seconds=31)
    assert len(await manifests(morning)) == 1


async def test_who_dies_between_slack_and_the_commit_posts_no_second_one(morning: World) -> None:
    await morning.has_stop()
    morning.slack.faults.next(Fault("reset", path_contains="chat.postMessage", after_work=True))
    await morning.advance(minutes=30)
    await morning.restart_app()
    await morning.retries()
    await morning.advance(minutes=1)
    assert len(await manifests(morning)) == 1


async def test_several_replicas_post_one(morning: World) -> None:
    await morning.has_stop()
    keep = morning.doorline.services.manifests.keep
    day = morning.clock.now().date()
    views = await asyncio.gather(*(keep("North", day) for _ in range(4)))
    await morning.settled()
    assert [view.stops for view in views if view is not None] == [1] * 4
    assert len(await manifests(morning)) == 1
    assert len(await morning.rows(ManifestPost)) == 1


async def test_a_day_without_stops_has_no_manifest(morning: World) -> None:
    await morning.has_stop(day=1)
    await morning.advance(minutes=30)
    assert await manifests(morning) == []
    assert (await commands(morning)).code is AnswerCode.NOTHING_FOUND


async def test_without_a_time_it_is_posted_only_when_somebody_asks(bare_world: World) -> None:
    await bare_world.has_stop()
    await bare_world.advance(hours=2)
    assert await manifests(bare_world) == []
    answer = await commands(bare_world, zone="north")
    assert (answer.code, answer.count) == (AnswerCode.MANIFEST_POSTED, 1)
    assert (await bare_world.http.get(answer.page_url)).status_code == 200
    assert len(await manifests(bare_world)) == 1
    await commands(bare_world)
    assert len(await manifests(bare_world)) == 1


async def test_after_the_day_it_is_edited_once_more_and_then_left_alone(morning: World) -> None:
    tracking = await morning.has_stop(address="14 Elm St")
    await morning.advance(minutes=30)
    await morning.has_stop(address="2 Oak Ave", phone="+12125550101")
    await morning.advance(hours=12)
    (post,) = await morning.rows(ManifestPost)
    assert post.closed_at == morning.clock.now()
    (closed,) = await manifests(morning)
    assert "Added: 2 Oak Ave" in closed
    await cancel(morning, tracking)
    await morning.advance(minutes=5)
    assert await manifests(morning) == [closed]


async def test_one_that_was_asked_for_early_is_posted_anew_at_its_time(morning: World) -> None:
    await morning.has_stop(address="14 Elm St")
    assert (await commands(morning)).code is AnswerCode.MANIFEST_POSTED
    await morning.has_stop(address="2 Oak Ave", phone="+12125550101")
    await morning.advance(minutes=1)
    assert ["changed since" in text for text in await manifests(morning)] == [True]
    await morning.advance(minutes=30)
    assert ["changed since" in text for text in await manifests(morning)] == [True, False]
    await morning.advance(minutes=30)
    assert len(await manifests(morning)) == 2


async def test_each_zone_has_its_own(morning: World) -> None:
    await morning.has_stop()
    record = await morning.has_stop(phone="+12125550101", driver="van-9")
    morning.task_of(record)["metadata"] = [
        each | {"value": "South"} if each["name"] == "zone" else each
        for each in morning.task_of(record)["metadata"]
    ]
    morning.task_of(record)["timeLastModified"] += 60_000
    await morning.sync()
    await morning.advance(minutes=30)
    assert sorted(text.split(" · ")[1] for text in await manifests(morning)) == ["North", "South"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"zone": "Nowhere"}, AnswerCode.NOTHING_FOUND),
        ({"date": "tomorrow"}, AnswerCode.NOT_READABLE),
        ({"date": "9999-12-31"}, AnswerCode.NOT_READABLE),
        ({"date": "2026-06-09", "zone": " NORTH "}, AnswerCode.MANIFEST_POSTED),
    ],
)
async def test_what_a_dispatcher_asks_for(
    bare_world: World, fields: dict[str, str], code: AnswerCode
) -> None:
    await bare_world.has_stop()
    assert (await commands(bare_world, **fields)).code is code
