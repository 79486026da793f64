"""Gestures and instants, as pure tables."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import UnreadablePayloadError
from connectors.escalation import DispatcherVerb
from connectors.slack.mapping import (
    button_actions,
    instant,
    reaction_action,
    to_ts,
    took_back_resolution,
)
from connectors.slack.payloads import ButtonPress, ReactionEnvelope
from tests.connectors.slack.slack_world import Clock, reaction_body

NOW = Clock().at


def envelope(**event: Any) -> ReactionEnvelope:
    return ReactionEnvelope.model_validate(json.loads(reaction_body(**event)))


@pytest.mark.parametrize(
    ("kind", "reaction", "verb"),
    [
        ("reaction_added", "eyes", DispatcherVerb.ACKNOWLEDGE),
        ("reaction_added", "eyes::skin-tone-5", DispatcherVerb.ACKNOWLEDGE),
        ("reaction_removed", "eyes", DispatcherVerb.WITHDRAW),
        ("reaction_removed", "eyes::skin-tone-2", DispatcherVerb.WITHDRAW),
        ("reaction_added", "white_check_mark", DispatcherVerb.RESOLVE),
        ("reaction_removed", "white_check_mark", None),
        ("reaction_added", "heavy_check_mark", None),
        ("reaction_added", "eyesore", None),
    ],
)
def test_what_a_reaction_means(kind: str, reaction: str, verb: DispatcherVerb | None) -> None:
    action = reaction_action(envelope(type=kind, reaction=reaction), NOW)
    assert (action.verb if action else None) is verb


def test_a_reaction_without_its_message_is_unreadable() -> None:
    with pytest.raises(UnreadablePayloadError):
        reaction_action(envelope(item={"type": "message"}), NOW)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "reaction_removed", "item_user": "U0DOORLINE"}, True),
        ({"type": "reaction_removed", "item_user": "U0DANA0001"}, False),
        ({"type": "reaction_removed"}, False),
        ({"type": "reaction_added", "item_user": "U0DOORLINE"}, False),
        ({"type": "reaction_removed", "item_user": "U0DOORLINE", "reaction": "eyes"}, False),
    ],
)
def test_a_check_mark_taken_off_our_own_message_is_noticed(event: dict[str, str], expected: bool) -> None:
    assert took_back_resolution(envelope(**{"reaction": "white_check_mark"} | event)) is expected


def press(**button: str) -> ButtonPress:
    return ButtonPress.model_validate(
        {
            "user": {"id": "U0DANA0001"},
            "container": {"type": "message", "message_ts": "1718048000.000100", "channel_id": "C0NORTH001"},
            "trigger_id": "13.37.abc",
            "actions": [{"action_id": "resolve", "value": "E-1", **button}],
        }
    )


def test_two_presses_are_two_gestures_and_one_press_is_one() -> None:
    first = button_actions(press(action_ts="1718048100.1"), NOW)[0]
    again = button_actions(press(action_ts="1718048100.1"), NOW)[0]
    second = button_actions(press(action_ts="1718048101.1"), NOW)[0]
    assert first.vendor_id == again.vendor_id != second.vendor_id
    assert first.verb is DispatcherVerb.RESOLVE


def test_a_press_without_its_instant_is_told_apart_by_its_trigger() -> None:
    (action,) = button_actions(press(), NOW)
    assert action.vendor_id.endswith(":13.37.abc")
    assert action.occurred_at == NOW


def test_foreign_buttons_are_left_alone() -> None:
    assert button_actions(press(action_id="open_report"), NOW) == []


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        (to_ts(NOW - timedelta(minutes=5)), NOW - timedelta(minutes=5)),
        (to_ts(NOW - timedelta(hours=3)), NOW),
        (to_ts(NOW + timedelta(hours=1)), NOW),
        ("soon", NOW),
        ("9" * 400, NOW),
        ("nan", NOW),
        (None, NOW),
    ],
)
def test_an_instant_that_cannot_be_true_is_the_arrivals(ts: str | None, expected: datetime) -> None:
    assert instant(ts, NOW) == expected


def test_a_ts_keeps_its_microseconds() -> None:
    assert to_ts(datetime(2024, 6, 10, 19, 35, 0, 100, tzinfo=UTC)) == "1718048100.000100"
