"""Nobody answers at once: the reminder, the second channel, a dispatcher, the default, and who answers after all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.notifications.models import Notification, NotificationTry
from bot.recovery.models import RecoveryState
from connectors.base import ChannelName
from tests.harness.protocol import protocol_of
from tests.harness.recovering import Failed
from tests.harness.world import Setting, World

pytestmark = pytest.mark.rasa

RECOVERY = {"enabled": True, "clients": {"Globex": {"ending": "return"}}}


@pytest.fixture
async def failed(setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Failed]:
    async with World(setting, sop=protocol_of(tmp_path, {}, recovery=RECOVERY)) as world:
        yield Failed(world)


async def test_an_answer_to_the_reminder_books_and_nothing_more_is_asked(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    (reminder,) = await failed.waits(hours=2)
    assert "try your Acme parcel again" in reminder
    assert await failed.says("2") == "Thanks. Next try tomorrow, Wed Jun 10, 8 am-12 pm."
    await failed.is_booked(failed.window("08:00", "12:00", 1))
    assert await failed.waits(hours=7) == []


async def test_an_answer_on_the_second_channel_counts_and_ends_the_ladder(failed: Failed) -> None:
    elsewhere = Failed(failed.world, "whatsapp:+12125550100")
    await failed.fails("recipient unavailable")
    # Who wrote there lately can be written to there.
    await elsewhere.says("thanks")
    for _ in range(2):
        await failed.waits(hours=2)
    assert [row.channel for row in await _tries(failed)] == [
        ChannelName.SMS,
        ChannelName.SMS,
        ChannelName.WHATSAPP,
    ]
    question = (await elsewhere.unread())[-1]
    assert "nobody was in at 12 pm" in question
    assert "Next try tomorrow" in await elsewhere.says("tomorrow morning is fine")
    await failed.is_booked(failed.window("08:00", "12:00", 1))
    await failed.unread()
    assert await failed.waits(hours=5) == []


async def test_a_dispatcher_decides_where_nobody_answers_and_the_recipient_hears_of_it(
    failed: Failed,
) -> None:
    await failed.fails("recipient unavailable")
    for _ in range(4):
        await failed.waits(hours=2)
    await failed.is_with_dispatch()
    await failed.decides("task_again", "14 Elm St 2B", "Try again")
    assert "second try" in (await failed.world.recipient(failed.phone).reads())[-1]
    await failed.is_booked(failed.window("10:00", "12:00", 1), by="U0DANA")


async def test_by_default_it_is_tried_again_on_the_next_day(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    await _nobody_answers(failed)
    await failed.is_booked(failed.window("10:00", "12:00", 1), by="default")


async def test_by_default_it_goes_back_where_the_client_wants_that(failed: Failed) -> None:
    await failed.fails("recipient unavailable", client="Globex")
    last = await _nobody_answers(failed)
    assert "goes back to the sender" in last
    await failed.has_gone(RecoveryState.SENT_BACK, by="default")


async def test_a_late_answer_moves_the_second_try_before_its_route_is_out(failed: Failed) -> None:
    await failed.fails("no access")
    await _nobody_answers(failed)
    task = await failed.is_booked(failed.window("10:00", "12:00", 1), by="default")
    assert "code" in await failed.says("sorry just saw this. friday after 5?")
    assert "Fri Jun 12, 5-9 pm" in await failed.says("gate code 4471#")
    assert "Fri Jun 12, 5-9 pm, with your code" in await failed.says("yes")
    moved = await failed.is_booked(failed.window("17:00", "21:00", 2))
    assert moved["id"] == task["id"]
    assert "4471#" in str(moved)


async def test_an_answer_after_the_new_route_is_out_promises_nothing(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    await _nobody_answers(failed)
    task = await failed.is_booked(failed.window("10:00", "12:00", 1), by="default")
    worker = failed.world.onfleet.add_worker(
        "van-8",
        name="Kim",
        phone="+12125550998",
        team=failed.world.onfleet.add_team("North"),
        location=(40.7, -74.0),
    )
    failed.world.onfleet.put_on_route(task["id"], worker)
    failed.world.onfleet.start_task(task["id"])
    await failed.world.sync()
    await failed.unread()
    answer = await failed.says("friday morning would be better")
    assert "Next try" not in answer
    await failed.is_booked(failed.window("10:00", "12:00", 1), by="default")


async def test_who_has_left_is_not_asked_a_dispatcher_is(failed: Failed) -> None:
    await failed.world.has_stop(client="Zeta", window=("18:00", "20:00"), phone=failed.phone)
    await failed.texts("STOP")
    await failed.is_given_up("recipient unavailable")
    await failed.is_with_dispatch()
    assert await failed.waits(hours=3) == []


async def test_a_platform_that_is_down_gets_the_second_try_later_and_the_recipient_hears_of_it(
    failed: Failed,
) -> None:
    await failed.fails("recipient unavailable")
    failed.world.onfleet.faults.down = True
    answer = await failed.says("2")
    assert "isn't answering" in answer
    failed.world.onfleet.faults.down = False
    await failed.world.advance(minutes=5)
    await failed.world.retries()
    assert "second try" in (await failed.unread())[-1]
    await failed.is_booked(failed.window("08:00", "12:00", 1))


async def _tries(failed: Failed) -> list[NotificationTry]:
    """The ways by which the recipient was asked, in order."""
    told = sorted(await failed.world.rows(Notification), key=lambda row: row.decided_at)
    tries = {row.notification_id: row for row in await failed.world.rows(NotificationTry)}
    return [tries[row.id] for row in told]


async def _nobody_answers(failed: Failed) -> str:
    """Until the ladder has ended; gives the last text."""
    for hours in (2, 2, 4, 16):
        await failed.waits(hours=hours)
    await failed.world.advance(seconds=30)
    return (await failed.world.recipient(failed.phone).reads())[-1]
