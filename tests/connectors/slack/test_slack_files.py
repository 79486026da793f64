"""Files reach a thread all at once or not at all."""

import pytest

from connectors.emulation import Fault
from connectors.errors import ChannelMisconfiguredError, ChannelUnavailableError, OutcomeUnknownError
from connectors.slack.files import DeskFile
from tests.connectors.slack.slack_world import SlackWorld, make_view

NORTH = "C0NORTH001"
CHARTS = [
    DeskFile(name="on-time.png", title="On time by day", content=b"\x89PNG on time"),
    DeskFile(name="causes.png", title="Late by cause", content=b"\x89PNG causes"),
]


async def test_two_charts_stand_in_one_message_of_the_thread(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    ids = await world.desk.share_files("#dispatch-north", posted.ts, CHARTS, "Last week")
    ((message,),) = [each["replies"] for each in await world.channel()]
    assert (message["text"], message["files"]) == ("Last week", ["on-time.png", "causes.png"])
    assert [world.emulator.api.files.contents[each] for each in ids] == [chart.content for chart in CHARTS]


async def test_nothing_is_seen_of_files_that_did_not_all_arrive(world: SlackWorld) -> None:
    world.emulator.faults.next(Fault("status", status=503, path_contains="upload/v1"))
    with pytest.raises(ChannelUnavailableError):
        await world.desk.share_files(NORTH, None, CHARTS)
    assert await world.channel() == []


async def test_a_lost_answer_to_the_sharing_is_unknown_and_not_a_failure(world: SlackWorld) -> None:
    world.emulator.faults.next(Fault("reset", after_work=True, path_contains="completeUploadExternal"))
    with pytest.raises(OutcomeUnknownError):
        await world.desk.share_files(NORTH, None, CHARTS)
    assert len(await world.channel()) == 1


async def test_without_its_scope_it_says_what_to_do(world: SlackWorld) -> None:
    world.emulator.api.scopes -= {"files:write"}
    with pytest.raises(ChannelMisconfiguredError, match="slack-manifest"):
        await world.desk.share_files(NORTH, None, CHARTS)
