"""Who may be written to. The ledger keeps every change, and asks nobody twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.keywords import Keyword, carrier_answers, folded, keyword
from bot.conversations.leaving import Leaving, leaving
from bot.conversations.models import ConsentChange, ConsentWord
from bot.conversations.privacy import masked
from bot.stops.models import StopRecord
from connectors.base import ChannelName

AT_THE_CARRIER = "carrier:"
"""How the source of a change begins that the carrier knows of too."""

WORDS_KEPT = 160
"""Characters of what somebody wrote that stand in the ledger."""

CARRIERS = frozenset({ChannelName.SMS, ChannelName.WHATSAPP})
"""Where somebody between us and the person knows STOP and START too."""


@dataclass(frozen=True)
class ConsentTurn:
    """What a text does to its writer's consent, before any model."""

    change: ConsentWord | None = None
    source: str = ""
    is_silent: bool = False
    """The carrier has answered it, or nobody may: nothing is said."""


def read_consent(
    text: str, channel: ChannelName, newest: ConsentChange | None, opt_out_type: str | None = None
) -> ConsentTurn | None:
    """None where the text says nothing of consent, and is the dialogue's.

    `newest` is the address's newest line of the ledger; `opt_out_type` is what the carrier says it has answered.
    """
    was_out = newest is not None and newest.word is ConsentWord.OPTED_OUT
    is_blocked = was_out and newest is not None and newest.source.startswith(AT_THE_CARRIER)
    word = Keyword(opt_out_type.lower()) if opt_out_type else keyword(text)
    in_plain_words = word is None and leaving(text) is Leaving.WHOLLY
    is_answered = opt_out_type is not None or (
        channel in CARRIERS and carrier_answers(text, is_blocked=is_blocked)
    )
    source = AT_THE_CARRIER + "keyword" if is_answered else "plain_language" if in_plain_words else "keyword"
    if not was_out and (word is Keyword.STOP or in_plain_words):
        return ConsentTurn(ConsentWord.OPTED_OUT, source, is_answered)
    if was_out and (word is Keyword.START or folded(text) == "yes"):
        return ConsentTurn(ConsentWord.OPTED_IN, source, is_answered)
    return ConsentTurn(is_silent=True) if was_out or opt_out_type is not None else None


class ConsentLedger:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def newest(self, session: AsyncSession, address: str) -> ConsentChange | None:
        return await session.scalar(
            select(ConsentChange)
            .where(col(ConsentChange.address) == address)
            .order_by(col(ConsentChange.id).desc())
            .limit(1)
        )

    async def ledger_of(self, session: AsyncSession, address: str) -> Sequence[ConsentChange]:
        """Every change of one address, oldest first."""
        found = await session.scalars(
            select(ConsentChange).where(col(ConsentChange.address) == address).order_by(col(ConsentChange.id))
        )
        return found.all()

    async def is_opted_out(self, session: AsyncSession, address: str) -> bool:
        newest = await self.newest(session, address)
        return newest is not None and newest.word is ConsentWord.OPTED_OUT

    async def change(
        self,
        session: AsyncSession,
        address: str,
        word: ConsentWord,
        source: str,
        inbound_id: UUID | None = None,
        words: str = "",
    ) -> bool:
        """Adds a line unless the address already stands so; true when something changed.

        `words` are what the person wrote; they are kept without access codes, and cut short.
        """
        if await self.is_opted_out(session, address) is (word is ConsentWord.OPTED_OUT):
            return False
        now = self._clock.now()
        session.add(
            ConsentChange(
                address=address,
                word=word,
                at=now,
                source=source,
                inbound_id=inbound_id,
                words=masked(words)[:WORDS_KEPT] or None,
            )
        )
        if word is ConsentWord.OPTED_IN:
            await _look_again(session, address)
        audit.record(session, now, "consent", str(inbound_id or "carrier"), word.value, source=source)
        return True

    async def carrier_refused(self, session: AsyncSession, address: str, error_code: str) -> None:
        """The carrier will not deliver to this address because its owner told it so.

        For codes that say nothing else (21610). Others may come of a full mailbox or a filter, and are no
        word of consent.
        """
        await self.change(session, address, ConsentWord.OPTED_OUT, AT_THE_CARRIER + error_code)


async def _look_again(session: AsyncSession, address: str) -> None:
    """What there was nobody to tell may be told from now on."""
    of_address = col(StopRecord.recipient_phone) == address
    await session.execute(update(StopRecord).where(of_address).values(notice_at=None))
