"""A dispatcher's morning, told through Slack alone: typed and filled in there, done on the platform, answered there."""

from datetime import timedelta

from bot.stops.models import StopRecord
from tests.harness.clients import tasks_of_order
from tests.harness.desk import hand
from tests.harness.people import readable
from tests.harness.world import World

DANA, SAM = "U0DANA", "U0SAM"
NEW_STOP = {
    "client": "Acme",
    "address": "14 Elm Street, Apt 2B",
    "city": "New York",
    "postcode": "10001",
    "recipient_name": "Robin Doe",
    "phone": "(212) 555-0100",
    "date": "2026-06-09",
    "start": "17:00",
    "end": "19:00",
    "order_ref": "A-1001",
    "access_code": "4471",
}


async def test_a_stop_is_entered_moved_and_cancelled_from_slack(bare_world: World) -> None:
    dana = hand(bare_world, DANA)
    await dana.enters(await dana.opens("new"), **NEW_STOP)
    told = await dana.is_told_of("Entered into onfleet", "14 Elm St", "5-7 pm")
    assert "4471" not in told
    [task] = tasks_of_order(bare_world, "A-1001")

    window = {"date": "2026-06-09", "start": "18:00", "end": "20:00"}
    await dana.enters(await dana.opens("move A-1001"), **window)
    await dana.is_told_of("Moved to 6-8 pm", "14 Elm St")
    [task] = tasks_of_order(bare_world, "A-1001")
    assert task["completeBefore"] == int(bare_world.local("20:00").timestamp() * 1000)

    await dana.enters(await dana.opens("cancel A-1001"), reason="the client called")
    await dana.is_told_of("Cancelled", "14 Elm St")
    assert tasks_of_order(bare_world, "A-1001") == []


async def test_a_zones_windows_move_once_a_second_person_wants_it(bare_world: World) -> None:
    trackings = [
        await bare_world.has_stop(
            address=f"{n} Elm St", driver=f"van-{n}", window=("17:00", "19:00"), eta=None, on_route=False
        )
        for n in (1, 2)
    ]
    before = {t: (await bare_world.stop_record(t)).window_end_at for t in trackings}
    dana, sam = hand(bare_world, DANA), hand(bare_world, SAM)
    assert (await dana.types("shift North 30"))["text"] == "On it."
    message = await bare_world.channel_shows("Move many windows", "30 min later", "1 of 2 approvals")
    await dana.is_told_of("somebody else must approve it too", "2 stops")
    await dana.presses(message, "task_approve")
    await dana.is_told_of("Your approval is counted already")
    await sam.presses(message, "task_approve")
    settled = await bare_world.channel_shows("Approved by", f"<@{DANA}> and <@{SAM}>", "2 of 2 done")
    assert settled["ts"] == message["ts"]
    for tracking, end_at in before.items():
        row: StopRecord = await bare_world.stop_record(tracking)
        assert end_at is not None
        assert row.window_end_at == end_at + timedelta(minutes=30)


async def test_the_manifest_is_posted_when_somebody_asks_and_kept_in_place(bare_world: World) -> None:
    await bare_world.has_stop()
    dana = hand(bare_world, DANA)
    await dana.types("manifest North")
    message = await bare_world.channel_shows("Manifest · North · Tue, Jun 9 · 1 stop")
    await dana.is_told_of("The manifest is posted")
    await dana.types("manifest North")
    await bare_world.settled()
    posts = [each for each in await bare_world.channel() if "Manifest · North" in readable(each)]
    assert [post["ts"] for post in posts] == [message["ts"]]
