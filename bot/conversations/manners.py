"""Who writes, and for whom: said in the first message that somebody ever gets from us."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.keywords import folded
from bot.conversations.models import Conversation
from bot.conversations.words import Words
from bot.durable.models import OutboundText, OutboxState
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord

ONE_SEGMENT = 160
"""Characters of the GSM-7 alphabet; in Spanish, with accents, the same length takes three small segments."""


class Introduction:
    def __init__(self, sop: ProtocolInForce, words: Words) -> None:
        self._sop = sop
        self._words = words

    async def before(self, session: AsyncSession, conversation: Conversation, text: str) -> str:
        """`text`, naming operator and client where this person was never written to and one client is known."""
        if await was_written_to(session, conversation):
            return text
        client = await _only_client(session, conversation.address)
        operator = self._sop.current.operator.name
        if client is None or is_introduced(text, operator, client):
            return text
        said = self._words.say(
            "utter_first_contact", conversation.language, operator=operator, client=client, message=text
        )
        return fitting(said, f"{client}: {text}", text)


def is_introduced(text: str, operator: str, client: str) -> bool:
    """Whether the text says by itself whose delivery it is about: "Your Acme parcel…"."""
    return names(text, client) or names(text, operator)


def names(text: str, who: str) -> bool:
    return f" {folded(who)} " in f" {folded(text)} "


def fitting(full: str, short: str, bare: str) -> str:
    """The full introduction, or the short one where only that keeps a text of one segment within it."""
    if len(full) <= ONE_SEGMENT or len(bare) > ONE_SEGMENT or len(short) > ONE_SEGMENT:
        return full
    return short


async def was_written_to(session: AsyncSession, conversation: Conversation) -> bool:
    """What never left, or did not arrive, has told nobody who we are."""
    written = exists().where(
        col(OutboundText.conversation_id) == conversation.id,
        col(OutboundText.state).not_in((OutboxState.FAILED, OutboxState.UNDELIVERED)),
    )
    return bool(await session.scalar(select(written)))


async def _only_client(session: AsyncSession, address: str) -> str | None:
    """The client of the one or more stops of this phone; None where there is none, or several."""
    found = await session.scalars(
        select(col(StopRecord.client)).where(col(StopRecord.recipient_phone) == address).distinct().limit(2)
    )
    clients = [client for client in found if client]
    return clients[0] if len(clients) == 1 else None
