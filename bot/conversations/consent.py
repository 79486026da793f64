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
SPANISH_STOP_WORDS = frozenset({"alto", "parar", "detener", "cancelar", "baja", "salir", "no mas"})
STOP_WORDS = CARRIER_STOP_WORDS | SPANISH_STOP_WORDS | {"opt out", "stop all", "remove"}
CARRIER_START_WORDS = frozenset({"start", "unstop"})
"""`YES` opts in at the carrier too, but it is also how people confirm: it opts in only who is opted out."""
SPANISH_START_WORDS = frozenset({"alta", "iniciar", "comenzar"})
START_WORDS = CARRIER_START_WORDS | SPANISH_START_WORDS
SPANISH_KEYWORDS = SPANISH_STOP_WORDS | SPANISH_START_WORDS
CARRIER_HELP_WORDS = frozenset({"help", "info"})


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


def carrier_answers(text: str) -> bool:
    """Whether the carrier answers this text itself: only its own words, as the whole message."""
    bare = text.strip().casefold()
    return bare in CARRIER_STOP_WORDS | CARRIER_START_WORDS | CARRIER_HELP_WORDS


class ConsentLedger:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def is_opted_out(self, session: AsyncSession, address: str) -> bool:
        newest = await session.scalar(
            select(col(ConsentChange.word))
            .where(col(ConsentChange.address) == address)
            .order_by(col(ConsentChange.id).desc())
            .limit(1)
        )
        return newest is ConsentWord.OPTED_OUT

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
        await self.change(session, address, ConsentWord.OPTED_OUT, f"carrier:{error_code}")
