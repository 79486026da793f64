"""A dispatcher's deeds in a world: what a sent window means, stored as the edge stores it."""

from itertools import count
from typing import Any

from sqlmodel import col

from bot.escalations.inbound import ReceiveGesture
from bot.escalations.models import Escalation, EscalationNote
from connectors.escalation import DispatcherAction, DispatcherVerb, Happening
from tests.harness.accounts import CHANNEL
from tests.harness.world import World

DANA, SAM = "U0DANA", "U0SAM"
NUMBERS = count(1)


async def at_risk(world: World, **stop: Any) -> dict[str, Any]:
    """A late stop, told in the channel at about 12:05; its message."""
    await world.has_stop(**{"eta": "16:25", "window": ("14:00", "16:00"), **stop})
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    return await world.channel_shows("At risk")


async def the_one(world: World, *conditions: Any) -> Escalation:
    (row,) = await world.rows(Escalation, *conditions)
    return row


async def does(
    world: World,
    verb: DispatcherVerb,
    dispatcher: str = DANA,
    escalation: Escalation | None = None,
    **fields: str,
) -> Escalation:
    """Sends a window of this verb, and lets what follows from it happen."""
    escalation = escalation or await the_one(world)
    services = world.doorline.services
    action = DispatcherAction(
        vendor_id=f"modal:{next(NUMBERS)}",
        verb=verb,
        dispatcher=dispatcher,
        channel=CHANNEL,
        message_ts=escalation.slack_ts or "1.1",
        escalation_id=str(escalation.id),
        words=fields.get("words", ""),
        fields=fields,
        gesture=f"modal:{verb.value}",
        occurred_at=world.clock.now(),
    )
    await ReceiveGesture(services.database, services.clock)(action)
    await world.settled()
    return await the_one(world, col(Escalation.id) == escalation.id)


async def notes(world: World, kind: Happening) -> list[EscalationNote]:
    rows = await world.rows(EscalationNote, col(EscalationNote.kind) == kind)
    return sorted(rows, key=lambda row: row.number or 0)


async def thread(world: World) -> list[str]:
    """All lines of all threads of the channel."""
    await world.settled()
    return [reply["text"] for message in await world.channel() for reply in message["replies"]]
