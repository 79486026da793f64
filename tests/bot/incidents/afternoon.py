"""One late delivery with everything that a timeline can hold, on the tables as the parts of Doorline write them."""

from datetime import datetime, timedelta
from typing import Any

from bot.audit import AuditLine
from bot.conversations.models import Conversation, InboundText
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.escalations.models import Escalation, EscalationNote
from bot.stops.models import DriverRecord, StopEvent, StopRecord
from connectors.base import ChannelName, FailureReason, StopStatus
from connectors.escalation import Happening
from tests.bot.incidents.office import END, Office
from tests.harness.codes import DOOR_CODE

PHONE, CODE = "+12125550199", f"{DOOR_CODE}#"


def at(minutes: float) -> datetime:
    """From the window's end."""
    return END + timedelta(minutes=minutes)


async def late_afternoon(office: Office, **facts: Any) -> tuple[StopRecord, Escalation]:
    """At risk half an hour before, taken, the driver in traffic, the recipient told, delivered 25 minutes late."""
    stop = await office.stop(
        StopStatus.DELIVERED, timedelta(minutes=25), driver_ref="w1", order_ref="A-77", **facts
    )
    escalation = await office.escalates(stop)
    talk = Conversation(
        channel=ChannelName.SMS, address=PHONE, our_address="+15005550006", created_at=at(-300)
    )
    await office.holds(talk, DriverRecord(platform="onfleet", platform_ref="w1", name="Ana Ruiz"))
    inbound = InboundText(
        conversation_id=talk.id,
        channel=ChannelName.SMS,
        vendor_id="SM1",
        text=f"where is it? gate code is {CODE}, call me at (212) 555-0142",
        received_at=at(-10),
        waiting_since=at(-10),
    )
    await office.holds(inbound)
    await office.holds(*_events(stop), *_audit(stop, escalation), *_messages(talk, inbound))
    await office.holds(*_notes(escalation, stop))
    return stop, escalation


def _events(stop: StopRecord) -> list[StopEvent]:
    def eta(minutes: float) -> str:
        return at(minutes).isoformat()

    changes: list[tuple[float, dict[str, Any]]] = [
        (-400, {"status": [None, "planned"]}),
        (
            -200,
            {
                "status": ["planned", "out_for_delivery"],
                "driver_ref": [None, "w1"],
                "eta_at": [None, eta(-40)],
            },
        ),
        (-100, {"eta_at": [eta(-40), eta(-38)]}),
        (-35, {"eta_at": [eta(-38), eta(20)]}),
        (25, {"status": ["out_for_delivery", "delivered"], "eta_at": [eta(20), None]}),
    ]
    return [
        StopEvent(stop_id=stop.id, at=at(minutes), source="onfleet:poll", changes=change)
        for minutes, change in changes
    ]


def _audit(stop: StopRecord, escalation: Escalation) -> list[AuditLine]:
    lines: list[tuple[float, str, str, str, str, dict[str, Any]]] = [
        (-30, "stop", str(stop.id), "doorline", "at_risk", {"why": "ETA 4:20 pm, window ends 4:00 pm"}),
        (-30, "escalation", str(escalation.id), "doorline", "raised", {"severity": "at_risk"}),
        (-24, "escalation", str(escalation.id), "U0DANA", "acknowledged", {"gesture": "reaction:eyes"}),
        (0, "stop", str(stop.id), "doorline", "breached", {"why": "Window ended 4:00 pm, ETA 4:20 pm"}),
        (0, "escalation", str(escalation.id), "doorline", "breached", {"stop_id": "another stop"}),
    ]
    return [
        AuditLine(
            at=at(minutes), subject_kind=kind, subject_id=subject, actor=actor, verb=verb, details=details
        )
        for minutes, kind, subject, actor, verb, details in lines
    ]


def _notes(escalation: Escalation, stop: StopRecord) -> list[EscalationNote]:
    told: list[tuple[float, Happening, dict[str, Any]]] = [
        (-24, Happening.ACKNOWLEDGED, {"dispatcher": "U0DANA", "until": END}),
        (
            -22,
            Happening.DRIVER_ASKED,
            {"dispatcher": "U0DANA", "words": "Robin waits at 14 Elm St. Why late?"},
        ),
        (
            -20,
            Happening.DRIVER_ANSWERED,
            {"words": "traffic 20, +1 212 555 0143", "facts": {"root_cause": "traffic", "minutes": 20}},
        ),
        (-15, Happening.TEXTED, {"person": "Noor Haddad"}),
        (26, Happening.RESOLVED, {"dispatcher": "U0DANA", "words": "Delivered 4:25 pm, 25 min late"}),
    ]
    return [
        EscalationNote(escalation_id=escalation.id, kind=kind, created_at=at(minutes), **facts)
        for minutes, kind, facts in told
    ]


def _messages(talk: Conversation, inbound: InboundText) -> list[OutboundText]:
    told: list[tuple[float, Purpose, str, dict[str, Any]]] = [
        (
            -9.8,
            Purpose.ANSWER,
            "Your delivery is running late: now about 4:20 pm.",
            {"in_reply_to": inbound.id},
        ),
        (-5, Purpose.PERSON, "Sorry Robin, Ana is stuck on 5th. Call +12125550111 if you must leave.", {}),
    ]
    return [
        OutboundText(
            conversation_id=talk.id,
            purpose=purpose,
            channel=ChannelName.SMS,
            recipient=PHONE,
            text=text,
            state=OutboxState.DELIVERED,
            created_at=at(minutes),
            sent_at=at(minutes),
            finished_at=at(minutes + 0.1),
            vendor_id=f"SM{minutes}",
            **facts,
        )
        for minutes, purpose, text, facts in told
    ]


async def dealt_with(office: Office) -> tuple[StopRecord, Any]:
    """The afternoon, its incident, a follow-up and the escalation's end."""
    stop, escalation = await late_afternoon(office)
    office.clock.at = at(26)
    await office.watch.run()
    await office.resolves(escalation, root_cause=FailureReason.TRAFFIC, resolved_by="U0DANA")
    incident = await office.incident()
    await office.handling.plan(
        incident.id, "Plan 5th Avenue before noon", "person:noor", at(3 * 24 * 60).date(), "U0DANA"
    )
    await office.later(1)
    return stop, await office.incident()
