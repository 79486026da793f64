"""What the follow-up of a failure did, and what the recipient was told unasked, as lines of the timeline."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.audit import AuditLine
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.incidents.evidence import Evidence
from bot.incidents.models import PromiseIncident
from bot.incidents.naming import Names
from bot.incidents.timeline import timeline_of
from bot.incidents.told_recovery import KINDS, WHY
from bot.recovery.models import Why
from bot.sop_notifications import NotificationKind
from connectors.base import ChannelName
from tests.bot.manifest.day import NEW_YORK, NOON
from tests.harness.rows import row_with

NAMES = Names({"U0DANA": "Dana Cole"})
STOP = uuid4()


def line(verb: str, *, actor: str = "doorline", minutes: int = 0, **details: Any) -> AuditLine:
    at = NOON + timedelta(minutes=minutes)
    return AuditLine(
        id=minutes, at=at, subject_kind="stop", subject_id=str(STOP), actor=actor, verb=verb, details=details
    )


def message(*, minutes: int = 0, stop_id: Any = STOP, text: str = "Your parcel is late") -> OutboundText:
    return OutboundText(
        conversation_id=uuid4(),
        purpose=Purpose.PROACTIVE,
        channel=ChannelName.SMS,
        recipient="+12125550100",
        text=text,
        stop_id=stop_id,
        state=OutboxState.QUEUED,
        created_at=NOON + timedelta(minutes=minutes),
    )


def told(audit: list[AuditLine], sent: list[OutboundText] | None = None, names: Names = NAMES) -> list[str]:
    incident = row_with(PromiseIncident, stop_id=STOP, timezone=NEW_YORK)
    nothing: dict[str, Any] = {
        name: [] for name in ("escalations", "events", "notes", "received", "follow_ups")
    }
    evidence = Evidence(
        incident=incident,
        stop=None,
        audit=audit,
        sent=sent or [],
        drivers={},
        recipient_is_shared=False,
        **nothing,
    )
    return [f"{each.who}: {each.what}" for each in timeline_of(evidence, names)]


BOOKED: dict[str, Any] = {"window": {"start_at": "2026-06-09T20:00:00Z", "end_at": "2026-06-09T22:00:00Z"}}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            line("recovery_opened", reason="access_issue", attempt=1),
            "Doorline: Follow-up of the failure opened: access issue",
        ),
        (
            line("recovery_opened", reason="refused", attempt=2),
            "Doorline: Follow-up of the failure of try 2 opened: refused",
        ),
        (
            line("recovery_explained", actor="U0DANA", reason="weather"),
            "Dana Cole (dispatcher): Said why it failed: weather",
        ),
        (
            line("recovery_answered", actor="recipient", choice="safe_place"),
            "Recipient: Answered, wants another try, in a safe place",
        ),
        (
            line("recovery_with_dispatcher", why="no_answer"),
            "Doorline: Handed the follow-up to dispatch: the recipient has not answered",
        ),
        (
            line("recovery_booked", actor="recipient", **BOOKED),
            "Recipient: Another try booked: Jun 9, 4:00 pm to 6:00 pm",
        ),
        (line("recovery_booked", window=None), "Doorline: Another try booked"),
        (line("recovery_sent_back"), "Doorline: It goes back to the sender"),
        (line("recovery_closed", why="delivered"), "Doorline: Follow-up over: delivered"),
        (line("recovery_something_new"), "Doorline: Follow-up: something new"),
        (
            line("recipient_notified", kind="running_late", channel="sms"),
            "Doorline: Told the recipient unasked that it is late",
        ),
    ],
)
def test_each_step_is_told_in_words(row: AuditLine, words: str) -> None:
    assert told([row]) == [words]


def test_every_reason_and_every_kind_has_words() -> None:
    assert {each.value for each in Why} == set(WHY)
    assert {each.value for each in NotificationKind} == set(KINDS)


def test_what_the_message_tells_itself_is_told_once() -> None:
    notified = line("recipient_notified", kind="running_late")
    assert told([notified], [message()]) == ["Doorline: Told the recipient unasked by text"]
    assert len(told([notified], [message(minutes=5)])) == 2


def test_what_was_said_of_another_stop_of_theirs_is_not_told() -> None:
    assert told([], [message(stop_id=uuid4())]) == []


def test_a_client_reads_no_names() -> None:
    rows = [line("recovery_explained", actor="U0DANA", reason="weather")]
    assert told(rows, names=Names({"U0DANA": "Dana Cole"}, for_client=True)) == [
        "Dispatcher: Said why it failed: weather"
    ]
