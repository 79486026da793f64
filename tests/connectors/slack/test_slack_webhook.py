"""Slack's edge over loopback: what is stored, what is refused, what Slack is asked to deliver again."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from connectors.errors import StorageUnavailableError
from connectors.escalation import DispatcherVerb
from tests.connectors.slack.slack_world import SECRET, SlackWorld, reaction_body, sign

VIEW = {"type": "modal", "callback_id": "x", "team_id": "T0DOORLINE", "app_installed_team_id": "T0DOORLINE"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def deliver(
    world: SlackWorld, body: str | bytes, headers: dict[str, str] | None = None, **signed_with: Any
) -> httpx.Response:
    signature = sign(body, **signed_with) if isinstance(body, str) else {}
    async with httpx.AsyncClient(trust_env=False) as http:
        all_headers = {"content-type": "application/json", **signature, **(headers or {})}
        return await http.post(world.events_url, content=body, headers=all_headers)


def press_body(**changes: Any) -> str:
    """Shape: block_actions payload reference."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U0DANA0001", "username": "dana", "team_id": "T0DOORLINE"},
        "team": {"id": "T0DOORLINE"},
        "container": {"type": "message", "message_ts": "1718048000.000100", "channel_id": "C0NORTH001"},
        "channel": {"id": "C0NORTH001", "name": "dispatch-north"},
        "response_url": "https://hooks.slack.com/actions/T/1/x",
        "trigger_id": "1.2.abc",
        "actions": [
            {"type": "button", "action_id": "acknowledge", "value": "E-1", "action_ts": "1718048100.5"}
        ],
    }
    return urlencode({"payload": json.dumps(payload | changes)})


async def test_eyes_are_stored_as_an_acknowledgement(listening: SlackWorld) -> None:
    answer = await deliver(listening, reaction_body())
    assert answer.status_code == 200
    (action,) = listening.receiver.actions
    assert (action.vendor_id, action.verb) == ("Ev0000000001", DispatcherVerb.ACKNOWLEDGE)
    assert (action.dispatcher, action.channel) == ("U0DANA0001", "C0NORTH001")
    assert (action.message_ts, action.gesture) == ("1718048000.000100", "reaction:eyes")


async def test_the_same_event_delivered_three_times_is_one_action(listening: SlackWorld) -> None:
    for _ in range(3):
        assert (await deliver(listening, reaction_body())).status_code == 200
    assert listening.receiver.arrivals == 3
    assert len(listening.receiver.actions) == 1


async def test_a_pressed_button_is_stored_and_answered(listening: SlackWorld) -> None:
    for _ in range(2):
        answer = await deliver(listening, press_body(), FORM)
        assert answer.status_code == 200
    (action,) = listening.receiver.actions
    assert (action.verb, action.escalation_id) == (DispatcherVerb.ACKNOWLEDGE, "E-1")
    assert action.response_url == "https://hooks.slack.com/actions/T/1/x"
    assert action.gesture == "button:acknowledge"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"x-slack-signature": "v0=" + "0" * 64}, "forged"),
        ({"x-slack-signature": ""}, "missing"),
        ({"x-slack-request-timestamp": ""}, "no timestamp"),
        ({"x-slack-request-timestamp": "soon"}, "not a number"),
        ({"x-slack-request-timestamp": "1e9"}, "not a plain number"),
        ({"x-slack-request-timestamp": "9" * 5000}, "absurdly long"),
        ({"x-slack-signature": "v0=\u00e9"}, "not ASCII"),
    ],
)
async def test_a_forged_request_is_refused_and_nothing_is_stored(
    listening: SlackWorld, headers: dict[str, str], why: str
) -> None:
    body = reaction_body()
    raw = {name.encode("ascii"): value.encode("latin-1") for name, value in {**sign(body), **headers}.items()}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(listening.events_url, content=body, headers=raw)
    assert answer.status_code == 403, why
    assert listening.receiver.arrivals == 0


@pytest.mark.parametrize("age", [301 + 5, -301 - 5])
async def test_a_replayed_request_is_refused(listening: SlackWorld, age: int) -> None:
    answer = await deliver(listening, reaction_body(), at=time.time() - age)
    assert answer.status_code == 403
    assert listening.receiver.arrivals == 0


async def test_a_signature_with_another_secret_is_refused(listening: SlackWorld) -> None:
    assert (await deliver(listening, reaction_body(), secret=SECRET + "x")).status_code == 403
    assert listening.receiver.arrivals == 0


async def test_freshness_is_judged_on_real_time_whatever_day_is_pretended(listening: SlackWorld) -> None:
    listening.clock.pass_by(days=400)
    assert (await deliver(listening, reaction_body())).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"type": "event_callback", ', "application/json"),
        ("[1, 2]", "application/json"),
        (' {"type": "event_callback"}', "text/json"),
        ('"text"', "application/json"),
        ("{}", "application/json"),
        ('{"type": "event_callback", "event_id": "Ev1"}', "application/json"),
        ('{"type": "event_callback", "event_id": "Ev1", "event": 5}', "application/json"),
        ('{"type": "event_callback", "event": {"type": "reaction_added"}}', "application/json"),
        ('{"type": "event_callback", "event_id": "Ev1", "event": {"type": "reaction_added"}}', "text/plain"),
        ("[" * 100_000, "application/json"),
        ("payload=%7B", "application/x-www-form-urlencoded"),
        ("payload=[]", "application/x-www-form-urlencoded"),
        (urlencode({"payload": '{"type": "block_actions"}'}), "application/x-www-form-urlencoded"),
        (
            urlencode({"payload": '{"type": "view_submission", "view": {"callback_id": "x"}}'}),
            FORM["content-type"],
        ),
        (
            urlencode({"payload": '{"type": "block_actions", "actions": [{"value": "x"}]}'}),
            FORM["content-type"],
        ),
        (urlencode({"payload": '{"type": "view_submission", "view": {}}'}), FORM["content-type"]),
        ("nothing=here", "application/x-www-form-urlencoded"),
        ("", "application/json"),
    ],
)
async def test_a_signed_body_that_makes_no_sense_is_a_400(
    listening: SlackWorld, body: str, content_type: str
) -> None:
    answer = await deliver(listening, body, {"content-type": content_type})
    assert answer.status_code == 400
    assert answer.text
    assert listening.receiver.arrivals == 0


async def test_a_button_without_its_message_is_a_400(listening: SlackWorld) -> None:
    body = press_body(container={"type": "view"}, channel=None)
    assert (await deliver(listening, body, FORM)).status_code == 400
    assert listening.receiver.arrivals == 0


async def test_bytes_that_are_no_text_are_refused(listening: SlackWorld) -> None:
    headers = {"x-slack-request-timestamp": str(int(time.time())), "x-slack-signature": "v0=ab"}
    assert (await deliver(listening, b"\xff\xfe{", headers)).status_code == 400


async def test_an_endless_body_is_cut_off(listening: SlackWorld) -> None:
    assert (await deliver(listening, "x" * (1024 * 1024 + 1))).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        reaction_body(type="member_joined_channel"),
        reaction_body(type="message", subtype="channel_join"),
        reaction_body(type="app_uninstalled"),
        reaction_body(reaction="tada"),
        reaction_body(type="reaction_removed", reaction="white_check_mark"),
        reaction_body(type="message", subtype="message_changed", hidden=True, message={"text": "&gt;&gt; x"}),
        reaction_body(type="message", blocks=None, text=None, files=None),
        reaction_body(item={"type": "file", "file": "F1"}),
        reaction_body(user="U0DOORLINE"),
    ],
)
async def test_events_that_mean_nothing_to_us_are_answered_200(listening: SlackWorld, body: str) -> None:
    answer = await deliver(listening, body)
    assert answer.status_code == 200
    assert listening.receiver.arrivals == 0


@pytest.mark.parametrize(
    "payload",
    [
        press_body(actions=[{"type": "button", "action_id": "unknown", "action_ts": "1.0"}]),
        press_body(actions=[{"type": "button", "action_id": "open_link", "value": "{}"}]),
        urlencode({"payload": json.dumps({"type": "view_submission", "view": VIEW})}),
        urlencode({"payload": json.dumps({"type": "view_closed", "view": VIEW | {"callback_id": "reply"}})}),
        urlencode({"payload": json.dumps({"type": "shortcut", "callback_id": "x"})}),
        "command=%2Fsla&text=list&user_id=U0DANA0001&channel_id=C0NORTH001&team_id=T0DOORLINE",
    ],
)
async def test_unknown_gestures_and_commands_are_answered_200(listening: SlackWorld, payload: str) -> None:
    assert (await deliver(listening, payload, FORM)).status_code == 200
    assert listening.receiver.arrivals == 0


async def test_the_url_is_verified_with_slacks_challenge(listening: SlackWorld) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB", "token": "x"})
    answer = await deliver(listening, body)
    assert answer.status_code == 200
    assert "3eZbrw1aB" in answer.text


@pytest.mark.parametrize("body", [reaction_body(), press_body()])
async def test_without_a_database_slack_is_asked_to_come_back(listening: SlackWorld, body: str) -> None:
    listening.receiver.refusals = [StorageUnavailableError("down")]
    headers = {} if body.startswith("{") else FORM
    assert (await deliver(listening, body, headers)).status_code == 503
    assert (await deliver(listening, body, headers)).status_code == 200
    assert len(listening.receiver.actions) == 1


async def test_a_fault_of_ours_is_a_500_and_never_a_lost_event(listening: SlackWorld) -> None:
    listening.receiver.refusals = [RuntimeError("a bug")]
    assert (await deliver(listening, reaction_body())).status_code == 500


async def test_the_edge_calls_nobody(listening: SlackWorld) -> None:
    listening.emulator.faults.down = True
    assert (await deliver(listening, reaction_body())).status_code == 200
    assert not listening.emulator.api.calls
