"""The emulator against Slack's published specification, and the manifest against the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from connectors.escalation import PostedMessage
from connectors.home import HomeView
from connectors.slack.client import SCOPES
from connectors.slack.files import DeskFile
from connectors.slack.modal import reply_modal
from connectors.slack.payloads import ReplyAbout
from connectors.slack.slash import COMMAND
from connectors.slack.webhook import EVENTS, SHORTCUTS
from tests.connectors.slack.slack_world import BOT_TOKEN, SlackWorld, make_view, wait_until

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT.parent / "shared" / "reference" / "specs" / "slack-web.compat.openapi.json"
NORTH, DANA = "C0NORTH001", "U0DANA0001"
MODAL = reply_modal(ReplyAbout(escalation_id="E-1", about="Acme", words="hello?"), NORTH, "1718048000.000100")


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load((ROOT / "docs" / "slack-manifest.yml").read_text())
    return found


def scopes_asked_for() -> set[str]:
    return set(manifest()["oauth_config"]["scopes"]["bot"])


async def everything_the_desk_does(world: SlackWorld, channel: str) -> None:
    posted = await world.desk.post(channel, make_view())
    await world.desk.update(posted, make_view())
    await world.desk.post_in_thread(posted, "<@U0DANA0001> has it.", "N-1")
    await world.desk.find_posted(channel, "E-1", world.clock())
    await world.desk.find_in_thread(posted, "N-1")
    await world.desk.tell_quietly(channel, "U0DANA0001", "x")
    await world.desk.publish_home("U0DANA0001", HomeView(timezone="UTC", as_of=world.clock()), None)
    await world.desk.share_files(channel, posted.ts, [DeskFile(name="a.png", title="A", content=b"png")])
    await world.desk.groups.members("S0NORTH001")
    assert (await world.desk.probe()).healthy


async def test_the_manifest_asks_for_enough_and_for_nothing_more(world: SlackWorld) -> None:
    """The emulator refuses what no scope allows, and remembers which scopes were needed."""
    world.emulator.api.scopes = frozenset(scopes_asked_for())
    for channel in ("#dispatch-north", "#dispatch-south"):  # one public, one private
        await everything_the_desk_does(world, channel)
    # reaction_added and reaction_removed; message.channels and message.groups need what is used already.
    # Source: their reference pages.
    for_events = {"reactions:read"}
    for_commands = {"commands"}
    assert world.emulator.api.scopes_used | for_events | for_commands == scopes_asked_for() == SCOPES


def test_the_manifest_subscribes_to_what_the_edge_listens_to() -> None:
    settings = manifest()["settings"]
    assert tuple(settings["event_subscriptions"]["bot_events"]) == EVENTS
    urls = {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]}
    assert urls == {"https://HOST/connectors/slack/events"}
    assert settings["interactivity"]["is_enabled"] is True
    (command,) = manifest()["features"]["slash_commands"]
    assert (command["command"], command["url"]) == (COMMAND, "https://HOST/connectors/slack/events")
    shortcuts = {each["callback_id"]: each["type"] for each in manifest()["features"]["shortcuts"]}
    assert shortcuts == SHORTCUTS
    assert manifest()["features"]["app_home"]["home_tab_enabled"] is True


async def test_what_the_manifest_names_is_listened_to_and_nothing_else(listening: SlackWorld) -> None:
    """Whatever the manifest lets Slack send reaches a listener of ours; what it does not name reaches none."""
    features, events = manifest()["features"], manifest()["settings"]["event_subscriptions"]["bot_events"]
    with capture_logs() as logs:
        posted = await listening.desk.post(NORTH, make_view())
        for event in events:
            await happens(listening, event, posted)
        for shortcut in features["shortcuts"]:
            order = {"user": DANA, "callback_id": shortcut["callback_id"]}
            path = "shortcut" if shortcut["type"] == "global" else "message_shortcut"
            about = {} if path == "shortcut" else {"channel": NORTH, "ts": posted.ts}
            assert (await listening.control(path, order | about))["view"] is not None
        for command in features["slash_commands"]:
            order = {"user": DANA, "channel": NORTH, "command": command["command"], "text": "help"}
            assert (await listening.control("command", order))["text"]
        await wait_until(lambda: not listening.emulator.events.undelivered)
    assert [line for line in logs if line["event"] == "slack.ignored"] == []
    with capture_logs() as logs:
        order = {"user": DANA, "callback_id": "somebody_elses"}
        await listening.control("shortcut", order)
        await listening.control("command", {"user": DANA, "channel": NORTH, "command": "/other"})
        listening.emulator.subscriptions |= {"channel_created"}
        listening.emulator._tell("channel_created", {"type": "channel_created", "event_ts": posted.ts})
        await wait_until(lambda: not listening.emulator.events.undelivered)
    ignored = [line["type"] for line in logs if line["event"] == "slack.ignored"]
    assert sorted(ignored) == ["/other", "channel_created", "shortcut"]


async def happens(world: SlackWorld, event: str, posted: PostedMessage) -> None:
    place = {"channel": NORTH, "ts": posted.ts, "user": DANA, "name": "eyes"}
    match event:
        case "reaction_added":
            await world.control("react", place)
        case "reaction_removed":
            await world.control("react", place | {"remove": True})
        case "app_home_opened":
            await world.control("home/open", {"user": DANA})
        case "message.channels":
            await world.control("say", {"channel": NORTH, "user": DANA, "text": "on it"})
        case "message.groups":
            await world.control("say", {"channel": "C0SOUTH001", "user": DANA, "text": "on it"})
        case _:
            raise AssertionError(f"nobody knows how {event} comes about")


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
            "views.open": {"trigger_id": "TRIGGER", "view": json.dumps(MODAL)},
            "views.publish": {"user_id": "U0DANA0001", "view": '{"type": "home", "blocks": []}'},
            "chat.delete": {"channel": NORTH, "ts": "POSTED"},
        }.items()
    ],
)
async def test_answers_are_as_slack_specifies(
    world: SlackWorld, posted: PostedMessage, method: str, arguments: dict[str, str]
) -> None:
    stands_for = {"POSTED": posted.ts, "TRIGGER": world.emulator.api.views.issue_trigger("U0DANA0001")}
    filled = {name: stands_for.get(value, value) for name, value in arguments.items()}
    client = AsyncWebClient(token=BOT_TOKEN, base_url=world.api)
    answer = await client.api_call(method, data=filled)
    check(method, answer.data)
