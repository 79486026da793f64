"""Slack refuses a message or a page that is one block or one character too long, so none of ours ever is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from connectors.desk import CommandKind, ManifestView, StopCard, TaskView
from connectors.digest import DigestView
from connectors.escalation import EscalationView
from connectors.home import HomeView
from connectors.pauses import PauseNotice, PauseReport
from connectors.slack.blocks import escalation_blocks, escalation_text
from connectors.slack.command_modals import FIELDS, command_modal
from connectors.slack.digest_blocks import digest_blocks, digest_text
from connectors.slack.emulator_blocks import (
    MESSAGE_TEXT,
    VIEW_BLOCKS,
    block_problems,
    length_of,
    view_problems,
)
from connectors.slack.home_blocks import home_view
from connectors.slack.manifest_blocks import manifest_blocks, manifest_text
from connectors.slack.pause_blocks import notice_blocks, notice_text, report_blocks, report_text
from connectors.slack.payloads import CommandPlace
from connectors.slack.stop_card import stop_card_text
from connectors.slack.task_blocks import task_blocks, task_text
from tests.connectors.slack.any_record import NOW, TEXTS, any_record

TEXT = 4000
"""Characters that chat.update takes as text. Source: chat.update, msg_too_long."""

Drawn = tuple[str, list[dict[str, Any]]]
Draw = Callable[[Any, datetime], Drawn]

MESSAGES: dict[type[BaseModel], Draw] = {
    EscalationView: lambda view, now: (escalation_text(view, now), escalation_blocks(view, now)),
    TaskView: lambda view, now: (task_text(view, now), task_blocks(view, now)),
    ManifestView: lambda view, now: (manifest_text(view), manifest_blocks(view, now)),
    PauseNotice: lambda view, now: (notice_text(view, now), notice_blocks(view, now)),
    PauseReport: lambda view, now: (report_text(view), report_blocks(view, now)),
    DigestView: lambda view, now: (digest_text(view), digest_blocks(view, now)),
}

often = settings(
    # Shrinking costs minutes where whole lists of records are drawn; a failing one is told as it is.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_message_fits(kind: type[BaseModel]) -> None:
    @often
    @given(any_record(kind))
    def fits(view: BaseModel) -> None:
        # Stops beyond the list are counted only where there is a list.
        text, blocks = MESSAGES[kind](view, NOW)
        assert block_problems(blocks) == []
        assert length_of(blocks) <= MESSAGE_TEXT
        assert 0 < len(text) <= TEXT

    fits()


@often
@given(any_record(HomeView))
def test_every_home_fits(view: HomeView) -> None:
    drawn = home_view(view, NOW)
    assert view_problems(drawn) == []
    assert block_problems(drawn["blocks"], VIEW_BLOCKS) == []


@often
@given(any_record(StopCard))
def test_every_stop_card_fits(card: StopCard) -> None:
    assert 0 < len(stop_card_text(card, NOW)) <= TEXT


@often
@given(
    st.sampled_from(sorted(FIELDS)),
    st.sampled_from(TEXTS),
    st.lists(st.sampled_from(TEXTS), max_size=150),
    st.booleans(),
)
def test_every_command_window_fits(
    kind: CommandKind, stop: str, clients: list[str], is_of_message: bool
) -> None:
    place = CommandPlace(channel="C0NORTH001", message_ts="1718048000.000100") if is_of_message else None
    modal = command_modal(kind, "C0NORTH001", clients=clients, stop=stop, place=place)
    assert view_problems(modal) == []
    assert block_problems(modal["blocks"], VIEW_BLOCKS) == []
