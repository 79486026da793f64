"""Dispatchers answering recipients: the Reply window and `>>` in the thread, over the real bolt app."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from connectors.emulation import Fault
from connectors.errors import StorageUnavailableError
from connectors.escalation import DispatcherVerb, EscalationState, PostedMessage, Severity
from tests.connectors.slack.slack_world import BOT_TOKEN, SlackWorld, make_line, make_view, wait_until
from tests.connectors.slack.test_slack_webhook import FORM, deliver

NORTH = "C0NORTH001"
SOUTH = "C0SOUTH001"
DANA = "U0DANA0001"


async def handoff(world: SlackWorld, channel: str = NORTH, **changes: Any) -> PostedMessage:
    """A recipient waits for a person; the message stands in the channel."""
    line = make_line(last_words='is <anyone> there? "now"', person_name="Rosa Diaz")
    view = make_view(severity=Severity.RECIPIENT_WAITING, can_reply=True, lines=(line,), **changes)
    return await world.desk.post(channel, view)


async def press(world: SlackWorld, posted: PostedMessage, action_id: str) -> dict[str, Any]:
    order = {"channel": posted.channel, "ts": posted.ts, "user": DANA, "action_id": action_id}
    return await world.control("press", order)


async def send(world: SlackWorld, view: dict[str, Any], words: str) -> dict[str, Any]:
    order = {"user": DANA, "view_id": view["id"], "values": {"words": {"words": words}}}
    return await world.control("submit", order)


async def opened(world: SlackWorld, posted: PostedMessage) -> dict[str, Any]:
    view: dict[str, Any] | None = (await press(world, posted, "reply"))["view"]
    assert view is not None
    return view


async def say(world: SlackWorld, posted: PostedMessage, text: str, **order: Any) -> str:
    where = {"channel": posted.channel, "thread_ts": posted.ts, "user": DANA}
    return str((await world.control("say", where | {"text": text} | order))["ts"])


async def all_delivered(world: SlackWorld) -> None:
    await wait_until(lambda: not world.emulator.events.undelivered)
    assert world.emulator.events.given_up == []


async def told(world: SlackWorld) -> dict[str, Any]:
    """The one note that only Dana sees."""
    await wait_until(lambda: len(world.emulator.workspace.ephemerals) > 0)
    (note,) = world.emulator.workspace.ephemerals.values()
    assert note["user"] == DANA
    return dict(note)


# --- the window -------------------------------------------------------------------------------------


async def test_reply_opens_a_window_with_the_parcel_and_the_last_words(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    view = await opened(listening, posted)
    assert view["title"]["text"] == "Reply to recipient"
    shown = view["blocks"][0]["text"]
    assert shown["text"] == ('*Acme · 14 Elm St 2B · Rosa Diaz*\n> is &lt;anyone&gt; there? "now"')
    assert shown["verbatim"] is True
    element = view["blocks"][1]["element"]
    assert (element["multiline"], element["max_length"]) == (True, 1000)
    assert json.loads(view["private_metadata"]) == {
        "escalation_id": "E-1",
        "channel": NORTH,
        "ts": posted.ts,
    }
    assert listening.receiver.arrivals == 0


async def test_what_is_sent_from_the_window_is_stored_before_it_closes(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    sent = await send(
        listening, await opened(listening, posted), "  He is at the gate.\r\nTwo <minutes> & go "
    )
    assert sent == {"ok": True, "status": 200, "errors": {}, "open": False}
    (action,) = listening.receiver.actions
    assert (action.verb, action.gesture) == (DispatcherVerb.REPLY, "modal:reply")
    assert action.words == "He is at the gate.\nTwo <minutes> & go"
    assert (action.escalation_id, action.dispatcher) == ("E-1", DANA)
    assert (action.channel, action.message_ts) == (NORTH, posted.ts)


async def test_blanks_are_not_sent_and_the_window_says_so(listening: SlackWorld) -> None:
    view = await opened(listening, await handoff(listening))
    sent = await send(listening, view, " \n\u00a0 ")
    assert sent["errors"] == {"words": "Write what the recipient should read."}
    assert sent["open"]
    assert listening.receiver.arrivals == 0


async def test_without_a_database_the_window_keeps_the_words_and_sends_them_once_later(
    listening: SlackWorld,
) -> None:
    listening.receiver.refusals = [StorageUnavailableError("down")]
    view = await opened(listening, await handoff(listening))
    first = await send(listening, view, "Two minutes.")
    assert (first["status"], first["open"]) == (200, True)
    assert first["errors"]["words"].startswith("Not sent:")
    assert (await send(listening, view, "Two minutes."))["open"] is False
    assert [action.words for action in listening.receiver.actions] == ["Two minutes."]


async def test_a_window_sent_twice_is_one_reply_and_two_windows_are_two(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    view = await opened(listening, posted)
    state = {"values": {"words": {"words": {"type": "plain_text_input", "value": "Two minutes."}}}}
    payload = {"type": "view_submission", "user": {"id": DANA}, "view": view | {"state": state}}
    for _ in range(2):  # Slack's answer was lost, Dana pressed Send again
        answer = await deliver(listening, urlencode({"payload": json.dumps(payload)}), FORM)
        assert (answer.status_code, answer.text) == (200, "")
    assert (listening.receiver.arrivals, len(listening.receiver.actions)) == (2, 1)
    await send(listening, await opened(listening, posted), "Two minutes.")
    assert len(listening.receiver.actions) == 2


async def test_a_fault_of_ours_leaves_the_window_open(listening: SlackWorld) -> None:
    listening.receiver.refusals = [RuntimeError("a bug")]
    sent = await send(listening, await opened(listening, await handoff(listening)), "Two minutes.")
    assert (sent["status"], sent["open"]) == (500, True)


@pytest.mark.parametrize("metadata", ["", "{}", '{"escalation_id": "E-1"}', "[]"])
async def test_a_window_that_is_not_ours_is_a_400(listening: SlackWorld, metadata: str) -> None:
    view = await opened(listening, await handoff(listening))
    state = {"values": {"words": {"words": {"value": "x"}}}}
    payload = {
        "type": "view_submission",
        "user": {"id": DANA},
        "view": view | {"private_metadata": metadata, "state": state},
    }
    answer = await deliver(listening, urlencode({"payload": json.dumps(payload)}), FORM)
    assert answer.status_code == 400
    assert listening.receiver.arrivals == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=429, path_contains="views.open"),
        Fault("status", status=500, path_contains="views.open"),
        Fault("malformed", path_contains="views.open"),
        Fault("reset", path_contains="views.open"),
        Fault("slow", seconds=2.5, path_contains="views.open"),
    ],
    ids=lambda fault: f"{fault.kind}{fault.status if fault.kind == 'status' else ''}",
)
async def test_a_window_that_does_not_open_is_explained_within_slacks_deadline(
    listening: SlackWorld, fault: Fault
) -> None:
    posted = await handoff(listening)
    listening.emulator.faults.next(fault)
    pressed = await press(listening, posted, "reply")
    assert pressed["status"] == 200
    note = await told(listening)
    assert note["text"].startswith("The Reply window did not open and nothing was sent.")


async def test_with_slack_wholly_away_the_press_fails_visibly(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    listening.emulator.faults.down = True
    assert (await press(listening, posted, "reply"))["status"] == 503
    assert listening.receiver.arrivals == 0


async def test_a_reply_button_without_its_escalation_is_a_400(listening: SlackWorld) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": DANA},
        "container": {"type": "message", "message_ts": "1718048000.000100", "channel_id": NORTH},
        "trigger_id": "1.2.abc",
        "actions": [{"type": "button", "action_id": "reply", "value": "E-1", "action_ts": "1718048100.5"}],
    }
    answer = await deliver(listening, urlencode({"payload": json.dumps(payload)}), FORM)
    assert answer.status_code == 400


# --- the thread -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [NORTH, SOUTH])
async def test_only_what_begins_with_the_mark_reaches_the_recipient(
    listening: SlackWorld, channel: str
) -> None:
    posted = await handoff(listening, channel)
    await say(listening, posted, "she sounds angry, careful")
    await say(listening, posted, ">> He is at the gate & waits <there>")
    await say(listening, posted, "told her. >> not this")
    await all_delivered(listening)
    (action,) = listening.receiver.actions
    assert (action.verb, action.gesture) == (DispatcherVerb.REPLY, "thread:reply")
    assert action.words == "He is at the gate & waits <there>"
    assert (action.channel, action.message_ts, action.dispatcher) == (channel, posted.ts, DANA)
    assert action.vendor_id.startswith("Ev")
    assert action.escalation_id is None


async def test_replies_typed_through_slacks_own_api_count_too(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    dana = AsyncWebClient(token=f"xoxp-{DANA}", base_url=listening.api)
    await dana.chat_postMessage(channel=NORTH, thread_ts=posted.ts, text="&gt;&gt; Two minutes.")
    await all_delivered(listening)
    assert [action.words for action in listening.receiver.actions] == ["Two minutes."]


async def test_our_own_words_in_the_thread_are_never_a_reply(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    bot = AsyncWebClient(token=BOT_TOKEN, base_url=listening.api)
    await bot.chat_postMessage(channel=NORTH, thread_ts=posted.ts, text="&gt;&gt; an echo")
    await listening.desk.post_in_thread(posted, ">> a line of history", "N-1")
    await listening.desk.update(posted, make_view(state=EscalationState.RESOLVED))
    await all_delivered(listening)
    assert listening.receiver.arrivals == 0


async def test_an_edit_and_a_deletion_send_nothing_more(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    note = await say(listening, posted, "a note")
    sent = await say(listening, posted, ">> Two minutes.")
    for ts in (note, sent):
        await listening.control("edit", {"channel": NORTH, "ts": ts, "user": DANA, "text": ">> Changed."})
    dana = AsyncWebClient(token=f"xoxp-{DANA}", base_url=listening.api)
    await dana.chat_delete(channel=NORTH, ts=sent)
    await all_delivered(listening)
    assert [action.words for action in listening.receiver.actions] == ["Two minutes."]


async def test_a_reply_shown_in_the_channel_too_is_still_a_reply(listening: SlackWorld) -> None:
    await say(listening, await handoff(listening), ">> Two minutes.", also_in_channel=True)
    await all_delivered(listening)
    assert [action.words for action in listening.receiver.actions] == ["Two minutes."]


async def test_outside_a_thread_and_in_other_threads_the_mark_means_nothing(listening: SlackWorld) -> None:
    await listening.control("say", {"channel": NORTH, "user": DANA, "text": ">> hello all"})
    (theirs,) = await listening.channel()
    elsewhere = PostedMessage(channel=NORTH, ts=theirs["ts"])
    await say(listening, elsewhere, ">> hello again")
    await all_delivered(listening)
    assert listening.receiver.arrivals == 0
    assert not listening.emulator.workspace.ephemerals


async def test_files_stay_and_the_words_go(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    await say(listening, posted, ">> Here is the door.", files=["door.jpg"])
    note = await told(listening)
    assert note["text"] == "Files stay in this thread: only words go to the recipient."
    assert note["thread_ts"] == posted.ts
    assert [action.words for action in listening.receiver.actions] == ["Here is the door."]


@pytest.mark.parametrize(
    ("text", "start"),
    [(">>", "Nothing was sent: write the words"), (">> " + "x" * 1001, "Nothing was sent: that is longer")],
)
async def test_what_cannot_be_sent_is_explained(listening: SlackWorld, text: str, start: str) -> None:
    await say(listening, await handoff(listening), text)
    assert (await told(listening))["text"].startswith(start)
    assert listening.receiver.arrivals == 0


async def test_a_thread_reply_waits_for_our_database(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    await all_delivered(listening)
    listening.receiver.refusals = [StorageUnavailableError("down")] * 2
    await say(listening, posted, ">> Two minutes.")
    await all_delivered(listening)
    assert (listening.receiver.arrivals, len(listening.receiver.actions)) == (3, 1)


# --- decisions and the check mark ---------------------------------------------------------------------


@pytest.mark.parametrize("verb", [DispatcherVerb.APPROVE, DispatcherVerb.DECLINE])
async def test_a_decision_is_one_press(listening: SlackWorld, verb: DispatcherVerb) -> None:
    posted = await handoff(listening, decision="Move it to Tue, Jun 11, 5-9 pm?")
    assert (await press(listening, posted, verb.value))["status"] == 200
    (action,) = listening.receiver.actions
    assert (action.verb, action.escalation_id) == (verb, "E-1")
    assert action.gesture == f"button:{verb.value}"


async def test_taking_the_check_mark_off_is_answered_quietly(listening: SlackWorld) -> None:
    posted = await handoff(listening)
    order = {"channel": NORTH, "ts": posted.ts, "user": DANA, "name": "white_check_mark"}
    await listening.control("react", order)
    await listening.control("react", order | {"remove": True})
    assert "stays resolved" in (await told(listening))["text"]
    assert [action.verb for action in listening.receiver.actions] == [DispatcherVerb.RESOLVE]


async def test_other_peoples_check_marks_are_none_of_our_business(listening: SlackWorld) -> None:
    ts = (await listening.control("say", {"channel": NORTH, "user": DANA, "text": "lunch?"}))["ts"]
    order = {"channel": NORTH, "ts": ts, "user": DANA, "name": "white_check_mark", "remove": False}
    await listening.control("react", order)
    await listening.control("react", order | {"remove": True})
    await all_delivered(listening)
    assert not listening.emulator.api.calls["chat.postEphemeral"]
