"""What Slack tells the app of its people: event envelopes, pressed buttons, submitted windows. Shapes only.

Source: docs.slack.dev, Events API envelope, `message` and `reaction_added` events, interaction payloads.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from connectors.slack.emulator_events import event_id
from connectors.slack.emulator_state import (
    APP_ID,
    BOT_USER_ID,
    TEAM_ID,
    Actor,
    Message,
    SlackError,
    outward,
)

Payload = dict[str, Any]

_WRAPPED = {"changed": "message_changed", "deleted": "message_deleted"}


def envelope(event: Payload) -> Payload:
    return {
        "token": "deprecated",
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id(),
        "event_time": int(float(event["event_ts"])),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_hex(12)}",
    }


def reaction_event(kind: str, actor: Actor, message: Message, name: str, event_ts: str) -> Payload:
    return {
        "type": kind,
        "user": actor.user_id,
        "reaction": name,
        "item": {"type": "message", "channel": message["channel"], "ts": message["ts"]},
        "item_user": message["user"],
        "event_ts": event_ts,
    }


def message_event(
    kind: str, message: Message, before: Message | None, event_ts: str, *, is_private: bool
) -> Payload:
    """A new message as it stands; an edit or a deletion wrapped around the message it is about."""
    place = {"channel": message["channel"], "channel_type": "group" if is_private else "channel"}
    if kind == "posted":
        # Events carry the metadata's payload only to apps that subscribe to it by its type.
        return {**outward(message, whole_metadata=False), **place, "event_ts": message["ts"]}
    about: Payload = {"deleted_ts": message["ts"]} if kind == "deleted" else {"message": outward(message)}
    return {
        "type": "message",
        "subtype": _WRAPPED[kind],
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
        "previous_message": outward(before or message),
        **about,
        **place,
    }


def pressed(
    person: Actor,
    channel: Mapping[str, Any],
    message: Message,
    action_id: str,
    *,
    trigger_id: str,
    response_url: str,
    action_ts: str,
) -> Payload:
    """The block_actions payload of one press."""
    place = {"message_ts": message["ts"], "channel_id": channel["id"]}
    return {
        **_interaction("block_actions", person, trigger_id),
        "container": {"type": "message", **place, "is_ephemeral": False},
        "channel": {"id": channel["id"], "name": channel["name"]},
        "message": outward(message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [{**find_button(message, action_id), "action_ts": action_ts}],
    }


def submitted(person: Actor, view: Mapping[str, Any], *, trigger_id: str) -> Payload:
    """The view_submission payload of one Send."""
    return {
        **_interaction("view_submission", person, trigger_id),
        "view": dict(view),
        "response_urls": [],
    }


def shortcut(person: Actor, callback_id: str, *, trigger_id: str) -> Payload:
    """The payload of a global shortcut: it names no channel."""
    moment = trigger_id.split(".")[0]
    action_ts = f"{moment[:10]}.{moment[10:16]}"
    return {
        **_interaction("shortcut", person, trigger_id),
        "callback_id": callback_id,
        "action_ts": action_ts,
    }


def pressed_in_view(
    person: Actor, view: Mapping[str, Any], action: Payload, *, trigger_id: str, action_ts: str
) -> Payload:
    """The block_actions payload of one press in the home or in a window: no channel, no message."""
    return {
        **_interaction("block_actions", person, trigger_id),
        "container": {"type": "view", "view_id": view["id"]},
        "view": dict(view),
        "actions": [{**action, "action_ts": action_ts}],
    }


def message_shortcut(
    person: Actor,
    channel: Mapping[str, Any],
    message: Message,
    callback_id: str,
    *,
    trigger_id: str,
    response_url: str,
) -> Payload:
    """The payload of a shortcut on a message."""
    return {
        **_interaction("message_action", person, trigger_id),
        "callback_id": callback_id,
        "channel": {"id": channel["id"], "name": channel["name"]},
        "message_ts": message["ts"],
        "message": message,
        "response_url": response_url,
        "action_ts": message["ts"],
    }


def _interaction(kind: str, person: Actor, trigger_id: str) -> Payload:
    return {
        "type": kind,
        "user": {"id": person.user_id, "username": person.name, "name": person.name, "team_id": TEAM_ID},
        "api_app_id": APP_ID,
        "token": "deprecated",
        "trigger_id": trigger_id,
        "team": {"id": TEAM_ID, "domain": "doorline-demo"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def find_button(message: Message, action_id: str) -> Payload:
    """The button as it stands in the message now, the way `actions[]` carries it."""
    for block in message.get("blocks", []):
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return {**element, "block_id": block["block_id"]}
    raise SlackError("no_such_button")


def as_composed(text: str) -> tuple[str, list[Payload]]:
    """What Slack's composer makes of typed text: escaped markup, and the same as rich text."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return escaped, [{"type": "rich_text", "elements": [section]}]
