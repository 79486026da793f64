"""Who may be written to. Keywords are read here, before any model; the ledger keeps every change."""

import re
import unicodedata
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import ConsentChange, ConsentWord


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


CARRIER_STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
"""The carrier answers and blocks these itself, so we stay silent. Source: Twilio, default opt-out words."""
CARRIER_START_WORDS = frozenset({"start", "unstop", "yes"})
"""The carrier answers these itself to whom it blocks. `YES` is also how people confirm: it is a word of
consent only from who is opted out."""
SPANISH_STOP_WORDS = frozenset({"alto", "parar", "detener", "cancelar", "baja", "salir", "no mas"})
SPANISH_START_WORDS = frozenset({"alta", "iniciar", "comenzar"})
STOP_WORDS = CARRIER_STOP_WORDS | SPANISH_STOP_WORDS | {"opt out", "stop all", "remove"}
START_WORDS = SPANISH_START_WORDS | {"start", "unstop"}
SPANISH_KEYWORDS = SPANISH_STOP_WORDS | SPANISH_START_WORDS

AT_THE_CARRIER = "carrier:"
"""How the source of a change begins that the carrier knows of too."""


def folded(text: str) -> str:
    """Lower case, no accents, no punctuation at the ends, hyphens and runs of spaces as one space."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[\s\-]+", " ", plain).strip(" \t\r\n.,;:!?¡¿\"'()[]*_")


def keyword(text: str) -> Keyword | None:
    """The keyword that the whole text is, if it is one: "Stop please" is none, "STOP!" is."""
    words = folded(text)
    if words in STOP_WORDS:
        return Keyword.STOP
    if words in START_WORDS:
        return Keyword.START
    return None


def carrier_answers(text: str, *, is_blocked: bool) -> bool:
    """Whether the carrier answers this word of consent itself: only its own words, as the whole message."""
    bare = text.strip().casefold()
    return bare in CARRIER_STOP_WORDS or (is_blocked and bare in CARRIER_START_WORDS)


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
    ) -> bool:
        """Adds a line unless the address already stands so; true when something changed."""
        if await self.is_opted_out(session, address) is (word is ConsentWord.OPTED_OUT):
            return False
        session.add(
            ConsentChange(
                address=address, word=word, at=self._clock.now(), source=source, inbound_id=inbound_id
            )
        )
        audit.record(
            session, self._clock.now(), "consent", str(inbound_id or "carrier"), word.value, source=source
        )
        return True

    async def carrier_refused(self, session: AsyncSession, address: str, error_code: str) -> None:
        await self.change(session, address, ConsentWord.OPTED_OUT, AT_THE_CARRIER + error_code)
