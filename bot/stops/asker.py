"""Who asks, with what is remembered of their conversation."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import scrambled
from bot.errors import NotFoundError
from bot.stops.access import CHANNELS_WITH_PHONE
from bot.stops.access_models import ProofClaim, StopFocus
from bot.stops.answers import Turn
from bot.stops.guesses import address_of
from bot.stops.rules import REMEMBERED_FOR

_CUT_OFF = " /\t\r\n"
"""What a text loses on its way to the dialogue and back."""


@dataclass(frozen=True)
class Asker:
    conversation: Conversation
    focus: StopFocus | None
    claim: ProofClaim | None
    address: str
    """Whom to slow down after wrong tries."""
    words: str
    """The text as it was written: what looks like an access code may be a number or a postcode after all."""

    @property
    def has_phone(self) -> bool:
        return self.conversation.channel in CHANNELS_WITH_PHONE

    def focus_at(self, now: datetime) -> UUID | None:
        """The stop that was talked about last, unless that is too long ago by the day's time."""
        if self.focus is None or self.focus.talked_at < now - REMEMBERED_FOR:
            return None
        return self.focus.stop_id


async def get_asker(session: AsyncSession, turn: Turn) -> Asker:
    """In one query. Raises `NotFoundError` for a conversation that is none of ours."""
    network = (
        select(col(InboundText.network_address))
        .where(col(InboundText.conversation_id) == col(Conversation.id))
        .order_by(col(InboundText.received_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    written = (
        select(col(InboundText.text))
        .where(
            col(InboundText.id) == _inbound_id(turn),
            col(InboundText.conversation_id) == col(Conversation.id),
        )
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Conversation, StopFocus, ProofClaim, network, written)
        .outerjoin(StopFocus, col(StopFocus.conversation_id) == col(Conversation.id))
        .outerjoin(ProofClaim, col(ProofClaim.conversation_id) == col(Conversation.id))
        .where(col(Conversation.id) == _conversation_id(turn))
    )
    row = rows.one_or_none()
    if row is None:
        raise NotFoundError(f"no conversation {turn.conversation_id}")
    conversation, focus, claim, network_address, text = row
    address = address_of(conversation, network_address)
    return Asker(conversation, focus, claim, address, _as_written(turn, text or ""))


def _as_written(turn: Turn, written: str) -> str:
    """The original where the turn is about the whole of it; an action may ask about another text instead."""
    is_same = scrambled(written).strip(_CUT_OFF) == turn.text.strip(_CUT_OFF)
    return written if is_same else turn.text


def _inbound_id(turn: Turn) -> UUID | None:
    try:
        return UUID(turn.inbound_id or "")
    except ValueError:
        return None


async def get_conversation(session: AsyncSession, turn: Turn) -> Conversation:
    """Raises `NotFoundError` for one that is none of ours."""
    conversation = await session.get(Conversation, _conversation_id(turn))
    if conversation is None:
        raise NotFoundError(f"no conversation {turn.conversation_id}")
    return conversation


def _conversation_id(turn: Turn) -> UUID:
    try:
        return UUID(turn.conversation_id)
    except ValueError as exc:
        raise NotFoundError(f"no conversation {turn.conversation_id}") from exc
