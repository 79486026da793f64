"""Slash commands, windows, shortcuts and a task's buttons over the real bolt app: stored once, or said why not."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from connectors.desk import Choice, CommandKind, Suggestion, TaskFacts, TaskKind
from connectors.emulation import Fault
from connectors.errors import ChannelMisconfiguredError, StorageUnavailableError
from connectors.slack.command_modals import (
    FIELDS,
    MISSING,
    NO_DATE,
    NO_TIME,
    NOT_STORED,
    OPTIONAL,
    command_modal,
    form_errors,
    modal_command,
)
from connectors.slack.desk_gestures import DID_NOT_OPEN, NOT_KEPT, ON_IT
from connectors.slack.emulator_blocks import VIEW_BLOCKS, block_problems, view_problems
from connectors.slack.payloads import ViewSubmission
from connectors.slack.slash import HELP, NEEDS_DATE, NEEDS_MINUTES, Commands, Meaning, Opens, Says, read_slash
from tests.connectors.slack.desk_views import TASK_ID, make_manifest, make_task
from tests.connectors.slack.slack_world import Clock, SlackWorld
from tests.connectors.slack.test_slack_webhook import FORM, deliver, press_body

NORTH, NOT_JOINED = "C0NORTH001", "C0EMPTY001"
DANA = "U0DANA0001"
MOVE = {"stop": "T17", "date": "2024-06-11", "start": "14:00", "end": "16:00"}


async def types(world: SlackWorld, text: str, **order: Any) -> dict[str, Any]:
    return await world.control("command", {"user": DANA, "channel": NORTH, "text": text} | order)


async def enters(world: SlackWorld, view: dict[str, Any], **fields: str) -> dict[str, Any]:
    values = {name: {name: text} for name, text in fields.items()}
    return await world.control("submit", {"user": DANA, "view_id": view["id"], "values": values})


# --- what is typed ------------------------------------------------------------------------------------


def shift(place: str, minutes: str, day: str = "", *, is_route: bool = False) -> Commands:
    where = {"route": place, "zone": ""} if is_route else {"route": "", "zone": place}
    return Commands(CommandKind.MOVE_WINDOWS, {**where, "client": "", "date": day, "minutes": minutes})


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", Says(HELP)),
        ("help", Says(HELP)),
        ("HELP me", Says(HELP)),
        ("new", Opens(CommandKind.NEW_STOP)),
        ("New stop please", Opens(CommandKind.NEW_STOP)),
        ("move", Opens(CommandKind.MOVE_WINDOW)),
        ("move T17", Opens(CommandKind.MOVE_WINDOW, "T17")),
        ("cancel  order 9 ", Opens(CommandKind.CANCEL_STOP, "order 9")),
        ("shift North 30", shift("North", "30")),
        ("shift North 3 -15", shift("North 3", "-15")),
        ("shift North +30 2024-06-11", shift("North", "30", "2024-06-11")),
        ("shift route N1 030", shift("N1", "30", is_route=True)),
        ("shift North", Says(NEEDS_MINUTES)),
        ("shift 30", Says(NEEDS_MINUTES)),
        ("shift route 30", Says(NEEDS_MINUTES)),
        ("shift North 0", Says(NEEDS_MINUTES)),
        ("shift North 1441", Says(NEEDS_MINUTES)),
        ("shift North half", Says(NEEDS_MINUTES)),
        ("shift North ٣٠", Says(NEEDS_MINUTES)),
        ("shift", Says(NEEDS_MINUTES)),
        ("release 2024-06-11", Commands(CommandKind.RELEASE_ROUTES, {"date": "2024-06-11", "platform": ""})),
        (
            "release 2024-06-11 optimo-north",
            Commands(CommandKind.RELEASE_ROUTES, {"date": "2024-06-11", "platform": "optimo-north"}),
        ),
        ("release", Says(NEEDS_DATE)),
        ("release 2024-02-30", Says(NEEDS_DATE)),
        ("release 20240611", Says(NEEDS_DATE)),
        ("manifest", Commands(CommandKind.SHOW_MANIFEST, {"zone": "", "date": ""})),
        ("manifest North 3", Commands(CommandKind.SHOW_MANIFEST, {"zone": "North 3", "date": ""})),
        (
            "manifest North 2024-06-11",
            Commands(CommandKind.SHOW_MANIFEST, {"zone": "North", "date": "2024-06-11"}),
        ),
    ],
)
def test_a_command_opens_a_window_is_carried_out_or_is_explained(text: str, meaning: Meaning) -> None:
    assert read_slash(text) == meaning


def test_what_is_no_command_is_said_back_harmlessly() -> None:
    meaning = read_slash("<!channel>` go")
    assert isinstance(meaning, Says)
    assert meaning.text.startswith("`&lt;!channel&gt;'` is no command.")


# --- the windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize(
    "clients", [(), ("Acme", "Bolt & Co"), tuple(f"C{n}" for n in range(101)), ("x" * 76,)]
)
def test_every_window_is_one_that_slack_opens(kind: CommandKind, clients: tuple[str, ...]) -> None:
    modal = command_modal(kind, NORTH, clients=clients, stop="T" * 500)
    assert view_problems(modal) == []
    assert block_problems(modal["blocks"], VIEW_BLOCKS) == []
    assert {block["block_id"] for block in modal["blocks"] if block.get("optional")} == set(
        FIELDS[kind]
    ) & OPTIONAL


def submission(**fields: dict[str, Any]) -> ViewSubmission:
    values = {name: {name: value} for name, value in fields.items()}
    view = {"id": "V1", "hash": "1.a", "private_metadata": '{"channel": "C1"}', "state": {"values": values}}
    return ViewSubmission.model_validate({"user": {"id": DANA}, "view": view})


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({}, {}),
        ({"stop": {"value": "   "}}, {"stop": MISSING}),
        ({"date": {}}, {"date": MISSING}),
        ({"date": {"selected_date": "2024-02-30"}}, {"date": NO_DATE}),
        ({"start": {"selected_time": "24:00"}}, {"start": NO_TIME}),
        ({"start": {"selected_time": "9:00"}}, {"start": NO_TIME}),
        ({"end": {"selected_time": "14:00"}}, {"end": "It must end after it starts."}),
        ({"end": {"selected_time": "14:01"}}, {}),
    ],
)
def test_a_form_alone_finds_only_what_is_missing_or_out_of_shape(
    changes: dict[str, Any], errors: dict[str, str]
) -> None:
    fields: dict[str, Any] = {
        "stop": {"value": "T17"},
        "date": {"selected_date": "2024-06-11"},
        "start": {"selected_time": "14:00"},
        "end": {"selected_time": "16:00"},
    }
    command = modal_command(CommandKind.MOVE_WINDOW, submission(**fields | changes), Clock().at)
    assert form_errors(command) == errors


async def test_move_opens_with_the_stop_filled_in_and_is_stored(listening: SlackWorld) -> None:
    view = (await types(listening, "move T17"))["view"]
    assert view["title"]["text"] == "Move a window"
    sent = await enters(listening, view, **{name: MOVE[name] for name in ("date", "start", "end")})
    assert (sent["errors"], sent["open"]) == ({}, False)
    (command,) = listening.command_receiver.actions
    assert (command.kind, command.dispatcher, command.channel) == (CommandKind.MOVE_WINDOW, DANA, NORTH)
    assert command.fields == MOVE | {"reason": ""}


async def test_clients_that_are_known_are_offered(listening: SlackWorld) -> None:
    listening.clients = ["Acme", "Bolt & Co"]
    view = (await types(listening, "new"))["view"]
    element = view["blocks"][0]["element"]
    assert [option["value"] for option in element["options"]] == ["Acme", "Bolt & Co"]
    filled = {"address": "14 Elm St", "postcode": "10001", "recipient_name": "Robin"}
    times = {"date": "2024-06-11", "start": "14:00", "end": "16:00"}
    await enters(listening, view, client="Bolt & Co", **filled, **times)
    (command,) = listening.command_receiver.actions
    assert command.fields["client"] == "Bolt & Co"


async def test_a_window_that_is_sent_twice_is_one_command(listening: SlackWorld) -> None:
    view = (await types(listening, "cancel T17"))["view"]
    values = {"stop": {"stop": {"type": "plain_text_input", "value": "T17"}}}
    payload = {
        "type": "view_submission",
        "user": {"id": DANA, "team_id": "T0DOORLINE"},
        "team": {"id": "T0DOORLINE"},
        "view": {**view, "state": {"values": values}},
    }
    body = urlencode({"payload": json.dumps(payload)})
    for _ in range(2):
        assert (await deliver(listening, body, FORM)).status_code == 200
    assert listening.command_receiver.arrivals == 2
    assert len(listening.command_receiver.actions) == 1


async def test_a_window_whose_words_cannot_be_kept_stays_open(listening: SlackWorld) -> None:
    listening.command_receiver.refusals.append(StorageUnavailableError("down"))
    view = (await types(listening, "cancel T17"))["view"]
    sent = await enters(listening, view)
    assert (sent["errors"], sent["open"]) == ({"stop": NOT_STORED}, True)
    assert (await enters(listening, view))["open"] is False
    assert len(listening.command_receiver.actions) == 1


@pytest.mark.parametrize(
    "fault", [Fault("status", status=500), Fault("reset"), Fault("slow", seconds=2.0)], ids=lambda f: f.kind
)
async def test_a_window_that_does_not_open_in_time_is_said(listening: SlackWorld, fault: Fault) -> None:
    listening.emulator.faults.next(fault)
    typed = await types(listening, "new")
    assert (typed["status"], typed["text"], typed["view"]) == (200, DID_NOT_OPEN, None)


# --- the command itself -------------------------------------------------------------------------------


async def test_a_command_is_stored_by_its_trigger_and_answered_at_once(listening: SlackWorld) -> None:
    typed = await types(listening, "manifest North")
    again = await types(listening, "manifest North", trigger_id=typed["trigger_id"])
    assert (typed["text"], again["text"]) == (ON_IT, ON_IT)
    assert listening.command_receiver.arrivals == 2
    (command,) = listening.command_receiver.actions
    assert command.vendor_id == f"command:{typed['trigger_id']}"
    assert command.fields == {"zone": "North", "date": ""}


async def test_a_command_that_cannot_be_kept_says_so(listening: SlackWorld) -> None:
    listening.command_receiver.refusals.append(StorageUnavailableError("down"))
    assert (await types(listening, "manifest"))["text"] == NOT_KEPT


async def test_the_shortcut_opens_a_new_stop_that_comes_from_no_channel(listening: SlackWorld) -> None:
    answer = await listening.control("shortcut", {"user": DANA, "callback_id": "new_stop"})
    assert answer["view"]["title"]["text"] == "New stop"
    assert json.loads(answer["view"]["private_metadata"]) == {"channel": DANA}


async def test_a_shortcut_whose_window_does_not_open_shows_slacks_own_sign(listening: SlackWorld) -> None:
    listening.emulator.faults.next(Fault("status", status=500))
    answer = await listening.control("shortcut", {"user": DANA, "callback_id": "new_stop"})
    assert (answer["status"], answer["view"]) == (503, None)


async def test_slacks_look_at_the_certificate_is_answered_and_does_nothing(listening: SlackWorld) -> None:
    assert (await listening.control("ssl_check", {}))["status"] == 200
    assert listening.command_receiver.arrivals == 0


@pytest.mark.parametrize(
    "body",
    [
        "ssl_check=1&command=/doorline&text=manifest&user_id=U1&channel_id=C1&trigger_id=1",
        "ssl_check=0&token=x",
    ],
)
async def test_nothing_else_gets_in_unsigned(listening: SlackWorld, body: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(listening.events_url, content=body, headers=FORM)
    assert answer.status_code == 403
    assert listening.command_receiver.arrivals == 0


async def test_a_command_without_its_channel_is_unreadable(listening: SlackWorld) -> None:
    body = urlencode({"command": "/doorline", "text": "manifest", "user_id": DANA, "trigger_id": "1.2.a"})
    assert (await deliver(listening, body, FORM)).status_code == 400


# --- a task's buttons ---------------------------------------------------------------------------------


async def test_a_task_is_posted_found_edited_and_pressed(listening: SlackWorld) -> None:
    desk = listening.desk
    posted = await desk.post_view("#dispatch-north", TASK_ID, make_task())
    assert await desk.find_view("#dispatch-north", TASK_ID, listening.clock()) == posted
    assert await desk.find_view("#dispatch-north", "another", listening.clock()) is None
    order = {"channel": NORTH, "ts": posted.ts, "user": DANA, "action_id": "task_decline"}
    assert (await listening.control("press", order))["status"] == 200
    (action,) = listening.task_receiver.actions
    assert (action.task_id, action.choice, action.dispatcher) == (TASK_ID, Choice.DECLINE, DANA)
    assert listening.receiver.arrivals == 0
    await desk.update_view(posted, make_manifest())
    (message,) = await listening.channel()
    assert message["blocks"][0]["type"] == "header"
    assert message["metadata"]["event_payload"] == {"post_id": TASK_ID}


async def test_a_suggested_driver_travels_in_the_button(listening: SlackWorld) -> None:
    drivers = tuple(Suggestion(driver_ref=f'w"{n}', driver_name=f"Driver {n}") for n in range(6))
    task = make_task(
        TaskKind.DRIVER_UNCONFIRMED, choices=(Choice.ASSIGN,), facts=TaskFacts(suggestions=drivers)
    )
    posted = await listening.desk.post_view(NORTH, TASK_ID, task)
    order = {"channel": NORTH, "ts": posted.ts, "user": DANA, "action_id": "task_assign_3"}
    await listening.control("press", order)
    (action,) = listening.task_receiver.actions
    assert (action.choice, action.value) == (Choice.ASSIGN, 'w"3')


@pytest.mark.parametrize(
    ("action_id", "value"),
    [
        ("task_approve", "E-1"),
        ("task_approve", '{"task_id": "E-1"}'),
        ("task_fly", json.dumps({"task_id": TASK_ID})),
    ],
)
async def test_a_button_that_is_not_ours_is_refused(
    listening: SlackWorld, action_id: str, value: str
) -> None:
    action = {"type": "button", "action_id": action_id, "value": value, "action_ts": "1718048100.5"}
    assert (await deliver(listening, press_body(actions=[action]), FORM)).status_code == 400
    assert listening.task_receiver.arrivals == 0


async def test_a_press_that_cannot_be_kept_is_not_taken(listening: SlackWorld) -> None:
    listening.task_receiver.refusals.append(StorageUnavailableError("down"))
    posted = await listening.desk.post_view(NORTH, TASK_ID, make_task())
    order = {"channel": NORTH, "ts": posted.ts, "user": DANA, "action_id": "task_approve"}
    assert (await listening.control("press", order))["status"] == 503


# --- quiet words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [NOT_JOINED, DANA])
async def test_where_the_app_is_not_it_answers_in_the_dispatchers_own_messages(
    world: SlackWorld, channel: str
) -> None:
    await world.desk.tell_quietly(channel, DANA, "Entered.")
    (message,) = await world.channel("D0DANA0001")
    assert (message["text"], message["is_bot"]) == ("Entered.", True)
    assert len(world.emulator.workspace.ephemerals) == 0


async def test_a_quiet_word_that_is_refused_for_another_reason_is_told_to_the_operator(
    world: SlackWorld,
) -> None:
    world.emulator.api.scopes = world.emulator.api.scopes - {"chat:write"}
    with pytest.raises(ChannelMisconfiguredError):
        await world.desk.tell_quietly(NORTH, DANA, "Entered.")
