"""The emulator against Slack's published specification, and the manifest against the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import PostedMessage
from connectors.slack.client import SCOPES
from connectors.slack.webhook import EVENTS
from tests.connectors.slack.slack_world import BOT_TOKEN, SlackWorld, make_view

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT.parent / "shared" / "reference" / "specs" / "slack-web.compat.openapi.json"
NORTH = "C0NORTH001"


def manifest() -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / "docs" / "slack-manifest.yml").read_text())


def scopes_asked_for() -> set[str]:
    return set(manifest()["oauth_config"]["scopes"]["bot"])


async def everything_the_desk_does(world: SlackWorld, channel: str) -> None:
    posted = await world.desk.post(channel, make_view())
    await world.desk.update(posted, make_view())
    await world.desk.post_in_thread(posted, "<@U0DANA0001> has it.", "N-1")
    await world.desk.find_posted(channel, "E-1", world.clock())
    await world.desk.find_in_thread(posted, "N-1")
    await world.desk.tell_quietly(channel, "U0DANA0001", "x")
    assert (await world.desk.probe()).healthy


async def test_the_manifest_asks_for_enough_and_for_nothing_more(world: SlackWorld) -> None:
    """The emulator refuses what no scope allows, and remembers which scopes were needed."""
    world.emulator.api.scopes = frozenset(scopes_asked_for())
    for channel in ("#dispatch-north", "#dispatch-south"):  # one public, one private
        await everything_the_desk_does(world, channel)
    for_events = {"reactions:read"}  # reaction_added and reaction_removed. Source: their reference pages.
    assert world.emulator.api.scopes_used | for_events == scopes_asked_for() == SCOPES


def test_the_manifest_subscribes_to_what_the_edge_listens_to() -> None:
    settings = manifest()["settings"]
    assert tuple(settings["event_subscriptions"]["bot_events"]) == EVENTS
    urls = {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]}
    assert urls == {"https://HOST/connectors/slack/events"}
    assert settings["interactivity"]["is_enabled"] is True
    assert "slash_commands" not in manifest()["features"]


# --- the specification --------------------------------------------------------------------------------

shared = [
    pytest.mark.shared,
    pytest.mark.skipif(not SPEC.exists(), reason="needs ../shared: Slack's specification is kept there"),
]


def check(method: str, answer: Any) -> None:
    spec = json.loads(SPEC.read_text())
    schema = {
        "$ref": f"#/components/schemas/res_{method.replace('.', '_')}",
        "components": spec["components"],
    }
    jsonschema.Draft202012Validator(schema).validate(answer)
    assert answer["ok"] is True


@pytest.fixture
async def posted(world: SlackWorld) -> PostedMessage:
    """A message with a reply and a reaction."""
    posted = await world.desk.post(NORTH, make_view())
    await world.desk.post_in_thread(posted, "x", "N-1")
    dana = AsyncWebClient(token="xoxp-U0DANA0001", base_url=world.api)
    await dana.reactions_add(channel=NORTH, name="eyes", timestamp=posted.ts)
    return posted


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        pytest.param(method, arguments, marks=shared, id=method)
        for method, arguments in {
            "auth.test": {},
            "chat.postMessage": {"channel": NORTH, "text": "x", "blocks": '[{"type": "divider"}]'},
            "chat.update": {"channel": NORTH, "ts": "POSTED", "text": "x"},
            "chat.postEphemeral": {"channel": NORTH, "user": "U0DANA0001", "text": "x"},
            "chat.getPermalink": {"channel": NORTH, "message_ts": "POSTED"},
            "conversations.list": {},
            "conversations.info": {"channel": NORTH},
            "conversations.join": {"channel": NORTH},
            "conversations.history": {"channel": NORTH, "include_all_metadata": "1"},
            "conversations.replies": {"channel": NORTH, "ts": "POSTED"},
            "reactions.add": {"channel": NORTH, "timestamp": "POSTED", "name": "tada"},
            "reactions.get": {"channel": NORTH, "timestamp": "POSTED"},
            "users.info": {"user": "U0DANA0001"},
            "users.list": {},
            "views.publish": {"user_id": "U0DANA0001", "view": '{"type": "home", "blocks": []}'},
            "chat.delete": {"channel": NORTH, "ts": "POSTED"},
        }.items()
    ],
)
async def test_answers_are_as_slack_specifies(
    world: SlackWorld, posted: PostedMessage, method: str, arguments: dict[str, str]
) -> None:
    filled = {name: posted.ts if value == "POSTED" else value for name, value in arguments.items()}
    client = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    answer = await client.api_call(method, data=filled)
    check(method, answer.data)
