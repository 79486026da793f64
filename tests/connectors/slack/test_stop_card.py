"""What a dispatcher reads of one stop on asking, and the windows that open within Slack's three seconds."""

import time
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import FailureReason, StopStatus
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, PastEscalation, StopCard
from connectors.escalation import EscalationState, Severity
from connectors.slack.desk_words import answer_text
from connectors.slack.slash import NEEDS_REPORT, NEEDS_STOP, Commands, Meaning, Opens, Says, read_slash
from connectors.slack.stop_card import stop_card_text
from connectors.slack.towards import TRIGGER_SECONDS, Towards, _arrived, note_arrival
from tests.connectors.slack.desk_views import NEW_YORK, utc, window
from tests.connectors.slack.slack_world import SlackWorld, make_view

NORTH, DANA = "C0NORTH001", "U0DANA0001"
NOW = utc(19, 35)


def card(**changes: Any) -> StopCard:
    values: dict[str, Any] = {
        "tracking": "T17",
        "client": "Acme",
        "zone": "North 3",
        "address_line": "14 Elm St 2B",
        "timezone": NEW_YORK,
        "status": StopStatus.OUT_FOR_DELIVERY,
        "window": window(14, 16),
        "eta_at": utc(20, 25),
    }
    return StopCard(**values | changes)


def test_a_late_stop_reads_at_a_glance() -> None:
    past = PastEscalation(
        severity=Severity.AT_RISK,
        state=EscalationState.ACKNOWLEDGED,
        raised_at=utc(19, 31),
        acknowledged_by=DANA,
        message_url="https://acme.slack.com/archives/C1/p1",
    )
    lines = stop_card_text(
        card(
            driver_name="Van 7", route_stop=9, recipient_name="Robin Doe", phone_end="00", escalations=(past,)
        ),
        NOW,
    ).splitlines()
    assert lines == [
        "*14 Elm St 2B* · Acme · North 3 · T17",
        "Out for delivery · window 2-4 pm · ETA 4:25 pm, 25 min after it ends",
        "Driver: Van 7 · stop 9 of the route",
        "Recipient: Robin Doe · phone ends in 00",
        "Escalations:",
        f"• 3:31 pm at risk · with <@{DANA}> · <https://acme.slack.com/archives/C1/p1|open>",
    ]


def test_a_card_of_nothing_but_escaped_characters_fits_one_message() -> None:
    signs = "&<>" * 200
    past = PastEscalation(
        severity=Severity.AT_RISK, state=EscalationState.RESOLVED, raised_at=utc(19, 31), outcome=signs
    )
    told = stop_card_text(
        card(
            **dict.fromkeys(("tracking", "client", "zone", "address_line", "order_ref", "platform"), signs),
            driver_name=signs,
            recipient_name=signs,
            escalations=(past,) * 20,
        ),
        NOW,
    )
    assert len(told) <= 4000


@pytest.mark.parametrize(
    ("changes", "second_line"),
    [
        ({"eta_at": None}, "Out for delivery · window 2-4 pm · no ETA"),
        ({"window": None}, "Out for delivery · no window · ETA 4:25 pm"),
        (
            {"eta_age": timedelta(minutes=12), "eta_at": utc(19, 40)},
            "Out for delivery · window 2-4 pm · ETA 3:40 pm · news 12 min old",
        ),
        (
            {"status": StopStatus.DELIVERED, "completed_at": utc(20, 22)},
            "Delivered 4:22 pm, 22 min late · window 2-4 pm",
        ),
        (
            {
                "status": StopStatus.FAILED,
                "completed_at": utc(19, 2),
                "failure_reason": FailureReason.ACCESS_ISSUE,
            },
            "Delivery failed 3:02 pm (access) · window 2-4 pm",
        ),
    ],
)
def test_its_state_is_one_line(changes: dict[str, Any], second_line: str) -> None:
    assert stop_card_text(card(**changes), NOW).splitlines()[1] == second_line


def test_the_answer_to_the_command_is_the_card() -> None:
    answer = CommandAnswer(code=AnswerCode.STOP_SHOWN, stop=card())
    assert answer_text(answer, NOW) == stop_card_text(card(), NOW)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("stop T17", Commands(CommandKind.SHOW_STOP, {"stop": "T17"})),
        ("STOP order 9", Commands(CommandKind.SHOW_STOP, {"stop": "order 9"})),
        ("stop", Says(NEEDS_STOP)),
        ("incident T17", Opens(CommandKind.MAKE_INCIDENT, "T17")),
        ("report incident INC-7", Commands(CommandKind.REPORT_INCIDENT, {"incident": "INC-7"})),
        ("report incident", Says(NEEDS_REPORT)),
        (
            "report sla Big Acme 2026-06-01 2026-06-30",
            Commands(
                CommandKind.REPORT_SLA, {"client": "Big Acme", "start": "2026-06-01", "end": "2026-06-30"}
            ),
        ),
        ("report sla Acme 2026-06-30 2026-06-01", Says(NEEDS_REPORT)),
        ("report sla 2026-06-01 2026-06-30", Says(NEEDS_REPORT)),
        ("report sla Acme 2026-06-01", Says(NEEDS_REPORT)),
        ("report", Says(NEEDS_REPORT)),
    ],
)
def test_what_is_typed(text: str, meaning: Meaning) -> None:
    assert read_slash(text) == meaning


# --- an incident of a message ----------------------------------------------------------------------------


async def test_an_incident_knows_the_escalation_of_its_message(listening: SlackWorld) -> None:
    escalation_id = "6f2c1e7a-4b1d-4c5e-9a51-0d8e2f3a4b5c"
    posted = await listening.desk.post(NORTH, make_view(escalation_id=escalation_id))
    await listening.desk.post_in_thread(posted, "a line of its history", "N-1")
    ((reply,),) = [message["replies"] for message in await listening.channel()]
    for ts in (posted.ts, reply["ts"]):
        order = {"user": DANA, "channel": NORTH, "ts": ts, "callback_id": "make_incident"}
        opened = await listening.control("message_shortcut", order)
        values = {"kind": {"kind": "breach"}, "words": {"words": "an hour late"}}
        await listening.control("submit", {"user": DANA, "view_id": opened["view"]["id"], "values": values})
    of_message, of_reply = listening.command_receiver.actions
    assert of_message.fields["escalation_id"] == escalation_id
    assert of_reply.fields["escalation_id"] == ""
    assert of_message.fields["message_ts"] == of_reply.fields["message_ts"] == posted.ts


async def test_by_command_an_incident_needs_its_stop(listening: SlackWorld) -> None:
    opened = await listening.control("command", {"user": DANA, "channel": NORTH, "text": "incident"})
    values = {"kind": {"kind": "breach"}, "words": {"words": "an hour late"}}
    order = {"user": DANA, "view_id": opened["view"]["id"], "values": values}
    answer = await listening.control("submit", order)
    assert (answer["open"], set(answer["errors"])) == (True, {"stop"})
    assert listening.command_receiver.actions == []


async def test_a_gesture_that_waited_too_long_opens_no_dead_window(world: SlackWorld) -> None:
    towards = Towards(world.desk.web)
    note_arrival()
    assert await towards.opens(world.emulator.api.views.issue_trigger(DANA), MODAL)
    _arrived.set(time.perf_counter() - TRIGGER_SECONDS - 0.01)
    asked = world.emulator.api.calls["views.open"]
    assert not await towards.opens(world.emulator.api.views.issue_trigger(DANA), MODAL)
    assert world.emulator.api.calls["views.open"] == asked


MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "x"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
}
