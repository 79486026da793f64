"""Somebody waits for a person: how tests get there, and what they look at."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.escalations.models import Escalation, EscalationNote
from bot.stops.answers import Turn
from connectors.escalation import EscalationState, Happening
from tests.harness.people import Recipient
from tests.harness.waiting import eventually
from tests.harness.world import World

DANA, SAM = "U0DANA", "U0SAM"
RAISED, HELD, RESOLVED = EscalationState.RAISED, EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED


async def asks_for_a_person(
    world: World, recipient: Recipient, body: str = "i want a human"
) -> dict[str, Any]:
    """One text to which the bot has no answer, so that dispatchers are asked; the message in the channel."""
    world.rasa.silent = True
    await recipient.texts(body)
    await world.settled()
    world.rasa.silent = False
    # What comes next comes later: texts of one instant have no order.
    world.clock.move(timedelta(seconds=1))
    return await world.channel_shows("Recipient waiting")


async def taken_by(world: World, message: dict[str, Any], dispatcher: str = DANA) -> None:
    await world.dispatcher(dispatcher).reacts(message, "eyes")
    await becomes(world, HELD)


async def becomes(world: World, state: EscalationState) -> Escalation:
    return await eventually(lambda: handoff(world), lambda row: row.state is state, state.value)


async def handoff(world: World) -> Escalation:
    (row,) = await world.rows(Escalation, col(Escalation.cause_key).like("waiting:%"))
    return row


async def texts_of(world: World) -> list[InboundText]:
    rows = await world.rows(InboundText)
    return sorted(rows, key=lambda row: row.received_at)


async def notes(world: World, kind: Happening) -> list[EscalationNote]:
    rows = await world.rows(EscalationNote, col(EscalationNote.kind) == kind)
    return sorted(rows, key=lambda row: row.number or 0)


async def turn_of(world: World, recipient: Recipient, text: str, language: str = "en") -> Turn:
    """The newest text of this person as Rasa would hand it to an action."""
    (conversation,) = await world.rows(Conversation, col(Conversation.address) == recipient.phone)
    rows = await world.rows(InboundText, col(InboundText.conversation_id) == conversation.id)
    newest: UUID = max(rows, key=lambda row: row.received_at).id
    return Turn(conversation_id=str(conversation.id), inbound_id=str(newest), text=text, language=language)
