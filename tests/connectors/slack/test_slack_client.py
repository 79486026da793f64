"""The desk in front of the emulator: posting once, finding again, and errors one can act on."""

import asyncio
from datetime import timedelta

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from connectors.emulation import Fault, free_port
from connectors.errors import ChannelMisconfiguredError, ChannelUnavailableError, OutcomeUnknownError
from connectors.escalation import EscalationState, PostedMessage
from connectors.slack.client import SlackDesk
from tests.connectors.slack.slack_world import BOT_TOKEN, SlackWorld, make_view


async def test_an_escalation_is_posted_with_its_words_and_its_mark(world: SlackWorld) -> None:
    posted = await world.desk.post("#dispatch-north", make_view())
    (message,) = await world.channel()
    assert posted == PostedMessage(channel="C0NORTH001", ts=message["ts"])
    assert message["text"].startswith("At risk: North 3")
    assert message["blocks"][0]["text"]["text"].startswith(":red_circle: *At risk*")
    assert message["metadata"] == {
        "event_type": "doorline_escalation",
        "event_payload": {"escalation_id": "E-1"},
    }


async def test_an_update_changes_the_message_in_place_and_keeps_its_mark(world: SlackWorld) -> None:
    posted = await world.desk.post("#dispatch-north", make_view())
    held = make_view(state=EscalationState.ACKNOWLEDGED, acknowledged_by="U0DANA0001")
    await world.desk.update(posted, held)
    (message,) = await world.channel()
    assert message["ts"] == posted.ts
    assert message["edited"] is True
    assert message["blocks"][0]["text"]["text"].startswith(":large_yellow_circle: <@U0DANA0001> has it")
    assert message["metadata"]["event_payload"] == {"escalation_id": "E-1"}


async def test_a_channel_is_named_or_given_by_id(world: SlackWorld) -> None:
    for channel in ("#dispatch-south", "dispatch-south", "C0SOUTH001"):
        assert (await world.desk.post(channel, make_view())).channel == "C0SOUTH001"
    assert world.emulator.api.calls["conversations.list"] == 1


async def test_many_channels_are_read_page_by_page(world: SlackWorld) -> None:
    for n in range(450):
        channel = {"id": f"C0MANY{n:04d}", "name": f"many-{n}", "is_private": False, "is_member": True}
        world.emulator.workspace.channels[channel["id"]] = channel
    posted = await world.desk.find_posted("#many-449", "E-1", world.clock())
    assert posted is None
    assert world.emulator.api.calls["conversations.list"] == 3


async def test_an_unknown_channel_is_the_operators_to_fix(world: SlackWorld) -> None:
    with pytest.raises(ChannelMisconfiguredError, match=r"#nowhere.*sop\.yml"):
        await world.desk.post("#nowhere", make_view())


async def test_history_goes_to_the_thread_with_one_mention(world: SlackWorld) -> None:
    posted = await world.desk.post("#dispatch-north", make_view())
    await world.desk.post_in_thread(posted, "Nobody has taken this yet.", "N-1", mention="<!subteam^S1>")
    (message,) = await world.channel()
    (reply,) = message["replies"]
    assert reply["text"] == "<!subteam^S1> Nobody has taken this yet."
    assert await world.desk.find_in_thread(posted, "N-1")
    assert not await world.desk.find_in_thread(posted, "N-2")


async def test_a_dispatcher_named_in_history_is_not_paged_by_it(world: SlackWorld) -> None:
    posted = await world.desk.post("#dispatch-north", make_view())
    for note in ("N-1", "N-2"):
        await world.desk.post_in_thread(posted, "<@U0DANA0001> has it.", note)
    await world.desk.post_in_thread(posted, "<@U0GONE0001> let go of it.", "N-3")
    (message,) = await world.channel()
    expected = ["@Dana has it.", "@Dana has it.", "a dispatcher let go of it."]
    assert [r["text"] for r in message["replies"]] == expected
    assert world.emulator.api.calls["users.info"] == 2


async def test_the_announced_step_names_the_dispatcher_without_paging(world: SlackWorld) -> None:
    await world.desk.post("#dispatch-north", make_view(next_step="mentions <@U0OMAR0001>"))
    (message,) = await world.channel()
    assert message["blocks"][-1]["elements"][0]["text"] == "Next: mentions @Omar at 3:41 pm"


async def test_a_quiet_word_is_seen_by_one_dispatcher_only(world: SlackWorld) -> None:
    await world.desk.tell_quietly("#dispatch-north", "U0OMAR0001", "This one is resolved.")
    (ephemeral,) = (await world.control("ephemerals"))["ephemerals"]
    assert (ephemeral["user"], ephemeral["text"]) == ("U0OMAR0001", "This one is resolved.")
    assert await world.channel() == []


# --- lost answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", after_work=True, path_contains="chat.postMessage"),
        Fault("status", status=502, after_work=True, path_contains="chat.postMessage"),
        Fault("malformed", after_work=True, path_contains="chat.postMessage"),
        Fault("status", status=200, body={"ok": True}, after_work=True, path_contains="chat.postMessage"),
        Fault(
            "status",
            status=200,
            body={"ok": False, "error": "fatal_error"},
            after_work=True,
            path_contains="chat.postMessage",
        ),
    ],
)
async def test_a_post_whose_answer_was_lost_is_found_again_and_not_repeated(
    world: SlackWorld, fault: Fault
) -> None:
    await world.desk.post("#dispatch-north", make_view(escalation_id="E-0"))
    world.emulator.faults.next(fault)
    before = world.clock()
    with pytest.raises(OutcomeUnknownError):
        await world.desk.post("#dispatch-north", make_view())
    found = await world.desk.find_posted("#dispatch-north", "E-1", before)
    messages = await world.channel()
    assert len(messages) == 2
    assert found == PostedMessage(channel="C0NORTH001", ts=messages[1]["ts"])


async def test_a_connection_that_dies_unanswered_is_not_tried_again(world: SlackWorld) -> None:
    """The SDK's own retry handler would post a second time."""
    requests = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        desk = SlackDesk(BOT_TOKEN, now=world.clock, api_base=f"http://127.0.0.1:{port}/api/")
        with pytest.raises(OutcomeUnknownError):
            await desk.post("C0NORTH001", make_view())
        await desk.aclose()
    assert len(requests) == 1


async def test_a_slow_slack_leaves_the_outcome_open(world: SlackWorld) -> None:
    desk = SlackDesk(BOT_TOKEN, now=world.clock, api_base=world.api, timeout_seconds=0.2)
    world.emulator.faults.next(Fault("slow", seconds=1.0))
    with pytest.raises(OutcomeUnknownError):
        await desk.post("C0NORTH001", make_view())
    await desk.aclose()


async def test_what_never_arrived_is_not_found(world: SlackWorld) -> None:
    before = world.clock()
    world.emulator.faults.next(Fault("reset", path_contains="chat.postMessage"))
    with pytest.raises(OutcomeUnknownError):
        await world.desk.post("C0NORTH001", make_view())
    assert await world.desk.find_posted("C0NORTH001", "E-1", before) is None


async def test_messages_from_before_the_attempt_are_not_taken_for_it(world: SlackWorld) -> None:
    await world.desk.post("C0NORTH001", make_view())
    world.clock.pass_by(hours=1)
    assert await world.desk.find_posted("C0NORTH001", "E-1", world.clock()) is None


async def test_it_is_found_behind_many_younger_messages(world: SlackWorld) -> None:
    before = world.clock() - timedelta(seconds=1)
    posted = await world.desk.post("C0NORTH001", make_view())
    bot = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    for n in range(205):
        await bot.chat_postMessage(channel="C0NORTH001", text=str(n))
    assert await world.desk.find_posted("C0NORTH001", "E-1", before) == posted
    assert world.emulator.api.calls["conversations.history"] == 2


async def test_a_message_with_a_forged_mark_of_another_kind_is_not_ours(world: SlackWorld) -> None:
    bot = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    metadata = {"event_type": "doorline_note", "event_payload": {"escalation_id": "E-1"}}
    await bot.chat_postMessage(channel="C0NORTH001", text="x", metadata=metadata)
    assert await world.desk.find_posted("C0NORTH001", "E-1", world.clock()) is None


# --- errors -----------------------------------------------------------------------------------------


async def test_a_rate_limit_says_when_to_come_back_and_nothing_was_posted(world: SlackWorld) -> None:
    world.emulator.api.rate_limited = True
    await world.desk.post("C0NORTH001", make_view())
    with pytest.raises(ChannelUnavailableError) as raised:
        await world.desk.post("C0NORTH001", make_view())
    assert raised.value.retry_after == timedelta(seconds=1)
    assert len(await world.channel()) == 1
    world.clock.pass_by(seconds=1)
    await asyncio.sleep(1.05)
    await world.desk.post("C0NORTH001", make_view())


async def test_nobody_listening_means_not_sent(world: SlackWorld) -> None:
    desk = SlackDesk(BOT_TOKEN, now=world.clock, api_base=f"http://127.0.0.1:{free_port()}/api/")
    with pytest.raises(ChannelUnavailableError):
        await desk.post("C0NORTH001", make_view())
    await desk.aclose()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ratelimited", ChannelUnavailableError),
        ("service_unavailable", ChannelUnavailableError),
        ("internal_error", OutcomeUnknownError),
        ("invalid_auth", ChannelMisconfiguredError),
        ("missing_scope", ChannelMisconfiguredError),
        ("is_archived", ChannelMisconfiguredError),
        ("a_code_from_next_year", ChannelMisconfiguredError),
    ],
)
async def test_slacks_codes_become_errors_one_can_act_on(
    world: SlackWorld, code: str, error: type[Exception]
) -> None:
    world.emulator.faults.next(Fault("status", status=200, body={"ok": False, "error": code}))
    with pytest.raises(error, match=code):
        await world.desk.post("C0NORTH001", make_view())


async def test_a_read_that_fails_can_simply_be_tried_again(world: SlackWorld) -> None:
    for fault in (Fault("status", status=500), Fault("reset"), Fault("malformed")):
        world.emulator.faults.next(fault)
        with pytest.raises(ChannelUnavailableError):
            await world.desk.find_posted("C0NORTH001", "E-1", world.clock())


async def test_the_bots_absence_from_a_channel_is_told_with_what_to_do(world: SlackWorld) -> None:
    with pytest.raises(ChannelMisconfiguredError, match=r"invite the app.*not_in_channel"):
        await world.desk.post("#not-joined", make_view())


async def test_a_deleted_message_is_told_by_its_code(world: SlackWorld) -> None:
    posted = await world.desk.post("C0NORTH001", make_view())
    bot = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    await bot.chat_delete(channel=posted.channel, ts=posted.ts)
    with pytest.raises(ChannelMisconfiguredError) as raised:
        await world.desk.update(posted, make_view())
    assert raised.value.code == "message_not_found"


# --- the doctor -------------------------------------------------------------------------------------


async def test_the_doctor_hears_who_we_are(world: SlackWorld) -> None:
    probe = await world.desk.probe()
    assert (probe.healthy, probe.detail) == (True, "connected as doorline in Doorline demo")
    assert (await world.desk.identity()).user_id == "U0DOORLINE"


async def test_the_doctor_hears_of_a_wrong_token(world: SlackWorld) -> None:
    desk = SlackDesk("xoxb-wrong", now=world.clock, api_base=world.api)
    probe = await desk.probe()
    assert not probe.healthy
    assert "SLACK_BOT_TOKEN" in probe.detail
    await desk.aclose()


async def test_the_doctor_hears_of_missing_scopes(world: SlackWorld) -> None:
    world.emulator.api.scopes = world.emulator.api.scopes - {"users:read", "groups:history"}
    probe = await world.desk.probe()
    assert not probe.healthy
    assert probe.detail.startswith("scopes missing: groups:history, users:read")


async def test_the_doctor_survives_a_vendor_that_is_down(world: SlackWorld) -> None:
    world.emulator.faults.down = True
    assert not (await world.desk.probe()).healthy
