"""The pretended Slack as its own SDKs see it: every wire shape, every refusal, and what survives."""

import asyncio
import json
import re
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import serving
from connectors.slack.emulator_blocks import block_problems
from tests.connectors.slack.slack_world import BOT_TOKEN, SlackWorld, make_view, wait_until

NORTH = "C0NORTH001"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}


def bot(world: SlackWorld) -> AsyncWebClient:
    return AsyncWebClient(token=BOT_TOKEN, base_url=world.api)


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as raised:
        await call
    return str(raised.value.response["error"])


async def raw(world: SlackWorld, method: str, **request: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        headers = {"authorization": f"Bearer {BOT_TOKEN}"} | request.pop("headers", {})
        answer = await http.post(world.api + method, headers=headers, **request)
        told: dict[str, Any] = answer.json()
        return told


# --- wire shapes ----------------------------------------------------------------------------------


async def test_the_synchronous_sdk_is_understood(world: SlackWorld) -> None:
    def day() -> list[dict[str, Any]]:
        client = WebClient(token=BOT_TOKEN, base_url=world.api)
        ts = client.chat_postMessage(channel=NORTH, text="hello", blocks=[SECTION])["ts"]
        client.reactions_add(channel=NORTH, name="eyes", timestamp=ts)
        client.chat_update(channel=NORTH, ts=ts, text="changed", blocks=[SECTION])
        client.chat_postMessage(channel=NORTH, text="reply", thread_ts=ts)
        assert len(client.conversations_replies(channel=NORTH, ts=ts)["messages"]) == 2
        names = [
            c["name"] for c in client.conversations_list(types="public_channel,private_channel")["channels"]
        ]
        assert names == ["dispatch-north", "dispatch-south", "not-joined"]
        found: list[dict[str, Any]] = client.conversations_history(channel=NORTH)["messages"]
        return found

    (message,) = await asyncio.to_thread(day)
    assert message["text"] == "changed"
    assert message["reactions"][0]["users"] == ["U0DOORLINE"]
    assert message["reply_count"] == 1


async def test_the_asynchronous_sdk_is_understood(world: SlackWorld) -> None:
    client = bot(world)
    ts = (await client.chat_postMessage(channel=NORTH, text="hello"))["ts"]
    assert re.fullmatch(r"\d{10}\.\d{6}", ts)
    await client.reactions_add(channel=NORTH, name="eyes", timestamp=ts)
    reactions = (await client.reactions_get(channel=NORTH, timestamp=ts))["message"]["reactions"]
    assert reactions == [{"name": "eyes", "users": ["U0DOORLINE"], "count": 1}]
    await client.reactions_remove(channel=NORTH, name="eyes", timestamp=ts)
    assert "permalink" in (await client.chat_getPermalink(channel=NORTH, message_ts=ts)).data
    assert (await client.users_info(user="U0DANA0001"))["user"]["profile"]["display_name"] == "Dana"
    assert len((await client.users_list())["members"]) == 3
    assert (await client.usergroups_users_list(usergroup="S0NORTH001"))["users"] == ["U0DANA0001"]
    assert (await client.api_test())["ok"]
    assert (await client.conversations_info(channel=NORTH))["channel"]["is_member"]
    await client.chat_delete(channel=NORTH, ts=ts)
    assert (await client.conversations_history(channel=NORTH))["messages"] == []


async def test_forms_carry_structures_as_json_text(world: SlackWorld) -> None:
    """As Node's web-api sends them."""
    metadata = {"event_type": "x", "event_payload": {"a": "1"}}
    form = {"channel": NORTH, "text": "t", "blocks": json.dumps([SECTION]), "metadata": json.dumps(metadata)}
    answer = await raw(world, "chat.postMessage", data=form)
    assert answer["ok"]
    assert answer["message"]["metadata"] == metadata
    assert answer["message"]["blocks"][0]["block_id"]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, "invalid_json"),
        ({"json": [1]}, "json_not_object"),
        ({"json": {"channel": ["C"]}}, "invalid_arguments"),
        ({"data": {"channel": NORTH, "text": "t", "blocks": "{"}}, "invalid_blocks_format"),
        ({"json": {"channel": NORTH, "text": "t", "metadata": {"event_type": 1}}}, "invalid_metadata_format"),
        (
            {"json": {"channel": NORTH, "text": "t"}, "headers": {"authorization": "Bearer no"}},
            "invalid_auth",
        ),
        ({"json": {"channel": NORTH, "text": "t"}, "headers": {"authorization": ""}}, "not_authed"),
    ],
)
async def test_bad_requests_are_refused_as_slack_does(
    world: SlackWorld, request_: dict[str, Any], error: str
) -> None:
    assert await raw(world, "chat.postMessage", **request_) == {"ok": False, "error": error}


async def test_a_method_nobody_emulated_is_refused_and_remembered(world: SlackWorld) -> None:
    assert await refused(bot(world).api_call("files.upload")) == "unknown_method"
    assert world.emulator.unexpected == ["files.upload"]
    world.emulator.unexpected.clear()


# --- who may do what ------------------------------------------------------------------------------


async def test_a_dispatchers_token_acts_as_that_dispatcher(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    dana = AsyncWebClient(token="xoxp-U0DANA0001", base_url=world.api)
    assert (await dana.auth_test())["user_id"] == "U0DANA0001"
    await dana.reactions_add(channel=NORTH, name="eyes", timestamp=posted.ts)
    await dana.chat_postMessage(channel=NORTH, text="on it", thread_ts=posted.ts)
    (message,) = await world.channel()
    assert message["reactions"] == [{"name": "eyes", "users": ["U0DANA0001"], "count": 1}]
    assert message["replies"][0]["user_name"] == "Dana"
    assert await refused(dana.chat_update(channel=NORTH, ts=posted.ts, text="x")) == "cant_update_message"
    assert await refused(dana.chat_delete(channel=NORTH, ts=posted.ts)) == "cant_delete_message"


@pytest.mark.parametrize("token", ["xoxp-U0NOBODY01", "xoxp-U0DOORLINE", "U0DANA0001", "xoxb-other"])
async def test_other_tokens_are_refused(world: SlackWorld, token: str) -> None:
    assert await refused(AsyncWebClient(token=token, base_url=world.api).auth_test()) == "invalid_auth"


async def test_the_bot_must_be_in_the_channel(world: SlackWorld) -> None:
    client = bot(world)
    assert await refused(client.chat_postMessage(channel="#not-joined", text="x")) == "not_in_channel"
    await client.conversations_join(channel="C0EMPTY001")
    assert (await client.chat_postMessage(channel="#not-joined", text="x"))["ok"]
    assert await refused(client.chat_postMessage(channel="C0NOWHERE1", text="x")) == "channel_not_found"


async def test_a_missing_scope_is_named(world: SlackWorld) -> None:
    world.emulator.api.scopes = frozenset({"chat:write"})
    with pytest.raises(SlackApiError) as raised:
        await bot(world).conversations_history(channel="C0SOUTH001")
    assert raised.value.response["error"] == "missing_scope"
    assert raised.value.response["needed"] == "groups:history"


# --- messages -------------------------------------------------------------------------------------


async def test_slacks_rules_for_messages_are_kept(world: SlackWorld) -> None:
    client = bot(world)
    ts = (await client.chat_postMessage(channel=NORTH, text="parent"))["ts"]
    reply = (await client.chat_postMessage(channel=NORTH, text="reply", thread_ts=ts))["ts"]
    gone = "1700000000.000000"
    assert (await raw(world, "chat.postMessage", json={"channel": NORTH}))["error"] == "no_text"
    assert await refused(client.chat_update(channel=NORTH, ts=gone, text="x")) == "message_not_found"
    assert await refused(client.chat_update(channel=NORTH, ts=ts, text="x" * 4001)) == "msg_too_long"
    assert await refused(client.reactions_add(channel=NORTH, name="eyes", timestamp="no")) == "bad_timestamp"
    assert await refused(client.reactions_add(channel=NORTH, name="a b", timestamp=ts)) == "invalid_name"
    assert await refused(client.reactions_remove(channel=NORTH, name="eyes", timestamp=ts)) == "no_reaction"
    await client.reactions_add(channel=NORTH, name=":eyes:", timestamp=ts)
    assert await refused(client.reactions_add(channel=NORTH, name="eyes", timestamp=ts)) == "already_reacted"
    assert await refused(client.conversations_replies(channel=NORTH, ts=gone)) == "thread_not_found"
    in_reply = client.chat_postMessage(channel=NORTH, text="x", thread_ts=reply)
    assert await refused(in_reply) == "cannot_reply_to_message"
    nobody = client.chat_postEphemeral(channel=NORTH, user="U0NOBODY01", text="x")
    assert await refused(nobody) == "user_not_in_channel"
    assert await refused(client.users_info(user="U0NOBODY01")) == "user_not_found"


async def test_an_update_without_blocks_removes_them_and_keeps_the_metadata(world: SlackWorld) -> None:
    client = bot(world)
    metadata = {"event_type": "x", "event_payload": {"a": "1"}}
    sent = await client.chat_postMessage(channel=NORTH, text="t", blocks=[SECTION], metadata=metadata)
    changed = await client.chat_update(channel=NORTH, ts=sent["ts"], text="only text")
    assert "blocks" not in changed["message"]
    assert changed["message"]["metadata"] == metadata
    assert changed["message"]["edited"]["user"] == "U0DOORLINE"
    cleared = await client.chat_update(channel=NORTH, ts=sent["ts"], text="t", metadata={})
    assert "metadata" not in cleared["message"]


async def test_the_payload_of_metadata_is_shown_only_on_request(world: SlackWorld) -> None:
    await world.desk.post(NORTH, make_view())
    client = bot(world)
    (brief,) = (await client.conversations_history(channel=NORTH))["messages"]
    (whole,) = (await client.conversations_history(channel=NORTH, include_all_metadata=True))["messages"]
    assert brief["metadata"] == {"event_type": "doorline_escalation"}
    assert whole["metadata"]["event_payload"] == {"escalation_id": "E-1"}


async def test_history_is_newest_first_in_pages_and_between_instants(world: SlackWorld) -> None:
    client = bot(world)
    sent = [(await client.chat_postMessage(channel=NORTH, text=str(n)))["ts"] for n in range(5)]
    assert len(set(sent)) == 5
    assert sent == sorted(sent)  # although the clock stands still
    pages = [
        [m["text"] for m in page["messages"]]
        async for page in await client.conversations_history(channel=NORTH, limit=2)
    ]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    after = await client.conversations_history(channel=NORTH, oldest=sent[2])
    assert [m["text"] for m in after["messages"]] == ["4", "3"]
    within = await client.conversations_history(channel=NORTH, oldest=sent[1], latest=sent[2], inclusive=True)
    assert [m["text"] for m in within["messages"]] == ["2", "1"]
    assert await refused(client.conversations_history(channel=NORTH, cursor="???")) == "invalid_cursor"
    assert await refused(client.conversations_history(channel=NORTH, oldest="soon")) == "invalid_ts_oldest"


async def test_a_rate_limit_is_a_429_with_its_pause(world: SlackWorld) -> None:
    await world.control("faults", {"rate_limited": True})
    client = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    await client.chat_postMessage(channel=NORTH, text="one")
    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel=NORTH, text="two")
    assert raised.value.response.status_code == 429
    assert raised.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="C0SOUTH001", text="another channel")


# --- Block Kit ------------------------------------------------------------------------------------


def button(**changes: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Go"}
    return {"type": "actions", "elements": [{"type": "button", "text": text, "action_id": "a"} | changes]}


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


@pytest.mark.parametrize(
    "block",
    [
        section("x" * 3000),
        section("x", kind="plain_text"),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10},
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10},
        button(value="x" * 2000, style="danger", url="https://x.example"),
        {"type": "divider"},
    ],
)
def test_blocks_at_their_limits_are_accepted(block: dict[str, Any]) -> None:
    assert block_problems([block]) == []


@pytest.mark.parametrize(
    "blocks",
    [
        {"type": "divider"},
        [5],
        [{"type": "unheard_of"}],
        [{"type": "divider"}] * 51,
        [{"type": "divider", "block_id": "a"}] * 2,
        [{"type": "divider", "block_id": "a" * 256}],
        [section("x" * 3001)],
        [section("")],
        [section("x", kind="markdown")],
        [{"type": "section"}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "context", "elements": []}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": button()["elements"] * 2}],
        [button(text={"type": "plain_text", "text": "x" * 76})],
        [button(text={"type": "mrkdwn", "text": "x"})],
        [button(value="x" * 2001)],
        [button(action_id="x" * 256)],
        [button(style="blue")],
        [button(confirm={"title": {"type": "plain_text", "text": "x" * 101}})],
        [{"type": "actions", "elements": [{"type": "overflow", "options": []}]}],
        [{"type": "image", "image_url": "https://x.example/a.png"}],
        [{"type": "input", "label": {"type": "plain_text", "text": "x"}}],
    ],
)
async def test_blocks_beyond_their_limits_are_refused(world: SlackWorld, blocks: Any) -> None:
    answer = await raw(world, "chat.postMessage", json={"channel": NORTH, "text": "t", "blocks": blocks})
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"]


# --- views and response URLs ------------------------------------------------------------------------


async def test_a_view_opens_once_with_a_fresh_trigger(world: SlackWorld) -> None:
    client = bot(world)
    window = modal(blocks=[SECTION])
    trigger = world.emulator.api.views.issue_trigger("U0DANA0001")
    assert (await client.views_open(trigger_id=trigger, view=window))["view"]["id"].startswith("V")
    assert await refused(client.views_open(trigger_id=trigger, view=window)) == "exchanged_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2", view=window)) == "invalid_trigger_id"
    home = {"type": "home", "blocks": [SECTION]}
    assert (await client.views_publish(user_id="U0DANA0001", view=home))["ok"]
    too_much = {"type": "home", "blocks": [{"type": "divider"}] * 101}
    assert await refused(client.views_publish(user_id="U0DANA0001", view=too_much)) == "invalid_blocks"


def modal(**changes: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "a", "max_length": 5}
    block = {
        "type": "input",
        "block_id": "b",
        "label": {"type": "plain_text", "text": "L"},
        "element": element,
    }
    texts = {name: {"type": "plain_text", "text": name} for name in ("title", "submit", "close")}
    return {"type": "modal", "callback_id": "c", "blocks": [block], **texts} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"title": None},
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"title": {"type": "mrkdwn", "text": "x"}},
        {"submit": None},  # needed where there is an input
        {"close": {"type": "plain_text", "text": "x" * 25}},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"type": "home"},
        {"blocks": [{"type": "input", "label": {"type": "plain_text", "text": "x"}}]},
        {"blocks": [modal()["blocks"][0] | {"element": {"type": "plain_text_input", "max_length": 3001}}]},
    ],
)
async def test_a_modal_beyond_slacks_limits_is_refused(world: SlackWorld, changes: dict[str, Any]) -> None:
    trigger = world.emulator.api.views.issue_trigger("U0DANA0001")
    error = await refused(bot(world).views_open(trigger_id=trigger, view=modal(**changes)))
    assert error in {"invalid_arguments", "invalid_blocks"}
    assert (await bot(world).views_open(trigger_id=trigger, view=modal()))["ok"]  # it is not used up


async def test_windows_stack_three_deep_and_lose_races_safely(world: SlackWorld) -> None:
    client, views = bot(world), world.emulator.api.views

    def trigger() -> str:
        return views.issue_trigger("U0DANA0001")

    assert await refused(client.views_push(trigger_id=trigger(), view=modal())) == "not_found"
    first = (await client.views_open(trigger_id=trigger(), view=modal()))["view"]
    second = (await client.views_push(trigger_id=trigger(), view=modal()))["view"]
    assert (second["root_view_id"], second["previous_view_id"]) == (first["id"], first["id"])
    await client.views_push(trigger_id=trigger(), view=modal())
    assert await refused(client.views_push(trigger_id=trigger(), view=modal())) == "push_limit_reached"
    changed = (await client.views_update(view_id=first["id"], hash=first["hash"], view=modal()))["view"]
    assert (changed["id"], changed["hash"] != first["hash"]) == (first["id"], True)
    stale = client.views_update(view_id=first["id"], hash=first["hash"], view=modal())
    assert await refused(stale) == "hash_conflict"
    assert await refused(client.views_update(view_id="V0", view=modal())) == "not_found"


async def test_the_form_itself_refuses_what_its_limits_forbid(world: SlackWorld) -> None:
    trigger = world.emulator.api.views.issue_trigger("U0DANA0001")
    view = (await bot(world).views_open(trigger_id=trigger, view=modal()))["view"]
    order = {"user": "U0DANA0001", "view_id": view["id"]}
    empty = await world.control("submit", order)
    assert empty["errors"] == {"b": "Please complete this required field."}
    long = await world.control("submit", order | {"values": {"b": {"a": "too long"}}})
    assert (long["status"], long["open"], list(long["errors"])) == (None, True, ["b"])
    await world.control("close", {"user": "U0DANA0001"})
    assert (await world.control("views/U0DANA0001"))["view"] is None
    assert (await world.control("submit", order))["error"] == "view_not_found"


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        ({}, {"errors": {}, "open": False}),
        ({"response_action": "clear"}, {"errors": {}, "open": False}),
        ({"response_action": "errors", "errors": {"b": "No."}}, {"errors": {"b": "No."}, "open": True}),
        ({"response_action": "update", "view": modal(callback_id="new")}, {"errors": {}, "open": True}),
        ({"response_action": "push", "view": modal()}, {"errors": {}, "open": False}),
        ({"response_action": "errors", "errors": {"elsewhere": "No."}}, {"error": "invalid_errors"}),
        ({"response_action": "dance"}, {"error": "invalid_response_action"}),
    ],
)
async def test_what_an_app_answers_to_a_submission_is_done(
    world: SlackWorld, answer: dict[str, Any], after: dict[str, Any]
) -> None:
    async def app(request: Request) -> Response:
        return JSONResponse(answer)

    async with serving(Starlette(routes=[Route("/", app, methods=["POST"])])) as url:
        world.emulator.events_url = url
        trigger = world.emulator.api.views.issue_trigger("U0DANA0001")
        view = (await bot(world).views_open(trigger_id=trigger, view=modal()))["view"]
        order = {"user": "U0DANA0001", "view_id": view["id"], "values": {"b": {"a": "x"}}}
        sent = await world.control("submit", order)
    assert {name: sent[name] for name in after} == after


async def test_a_response_url_may_replace_the_original(listening: SlackWorld) -> None:
    posted = await listening.desk.post(NORTH, make_view())
    order = {"channel": NORTH, "ts": posted.ts, "user": "U0DANA0001", "action_id": "acknowledge"}
    await listening.control("press", order)
    url = listening.receiver.actions[0].response_url or ""
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(url, json={"replace_original": True, "text": "replaced"})
        await http.post(url, json={"response_type": "in_channel", "text": "for all"})
        assert (await http.post(url, json={})).status_code == 400
    assert [m["text"] for m in await listening.channel()] == ["replaced", "for all"]


# --- the controls -----------------------------------------------------------------------------------


async def test_the_demo_page_sees_what_it_has_to_draw(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    await world.control("react", {"channel": NORTH, "ts": posted.ts, "user": "U0DANA0001", "name": "eyes"})
    channels = (await world.control("channels"))["channels"]
    assert {"id": NORTH, "name": "dispatch-north"} in channels
    (message,) = await world.channel(NORTH)
    assert message["at"] == "2024-06-10T19:35:00+00:00"
    assert message["user_name"] == "doorline"
    assert message["is_bot"] is True
    assert message["edited"] is False
    assert message["blocks"][0]["type"] == "section"


async def test_messages_are_told_as_slack_tells_them(world: SlackWorld) -> None:
    told: list[dict[str, Any]] = []

    async def app(request: Request) -> Response:
        told.append((await request.json())["event"])
        return Response()

    async with serving(Starlette(routes=[Route("/", app, methods=["POST"])])) as url:
        world.emulator.events_url = url
        posted = await world.desk.post(NORTH, make_view())
        order = {"channel": NORTH, "user": "U0DANA0001", "thread_ts": posted.ts, "text": ">> a & b"}
        ts = (await world.control("say", order | {"files": ["a.jpg"]}))["ts"]
        await world.control("edit", {"channel": NORTH, "user": "U0DANA0001", "ts": ts, "text": "c"})
        await world.control("say", {"channel": "C0EMPTY001", "user": "U0DANA0001", "text": "not for us"})
        await wait_until(lambda: not world.emulator.events.undelivered)
    by_kind = {event.get("subtype", "plain"): event for event in told}
    assert set(by_kind) == {"plain", "file_share", "message_changed"}
    assert by_kind["plain"]["bot_id"] == "B0DOORLINE"
    said = by_kind["file_share"]
    assert (said["text"], said["thread_ts"], said["user"]) == ("&gt;&gt; a &amp; b", posted.ts, "U0DANA0001")
    assert (said["channel"], said["channel_type"], said["parent_user_id"]) == (NORTH, "channel", "U0DOORLINE")
    assert said["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": ">> a & b"}]
    changed = by_kind["message_changed"]
    assert (changed["message"]["text"], changed["previous_message"]["ts"]) == ("c", ts)
    assert "user" not in changed


async def test_wrong_orders_are_explained(world: SlackWorld) -> None:
    order = {"channel": NORTH, "ts": "1700000000.000000", "user": "U0DANA0001", "name": "eyes"}
    assert (await world.control("react", order))["error"] == "message_not_found"
    assert (await world.control("react", {"channel": NORTH}))["error"] == "invalid_arguments"
    assert (await world.control("press", {**order}))["error"] == "invalid_arguments"
    assert (await world.control("faults", {"downn": True}))["error"] == "invalid_arguments"
    assert (await world.control("channels/nowhere"))["error"] == "channel_not_found"


async def test_faults_come_and_go_by_order(world: SlackWorld) -> None:
    client = AsyncWebClient(token=BOT_TOKEN, base_url=world.api, retry_handlers=[])
    await world.control("faults", {"down": True})
    with pytest.raises(SlackApiError):
        await client.auth_test()
    await world.control(
        "faults", {"clear": True, "next": [{"kind": "status", "status": 429, "retry_after": 7}]}
    )
    with pytest.raises(SlackApiError) as raised:
        await client.auth_test()
    assert raised.value.response.headers["Retry-After"] == "7"
    assert (await client.auth_test())["ok"]
    assert (await world.control("state"))["calls"] == {"auth.test": 1}
