"""A bare number that answers "send the code" is a code: everything that hides codes must see it as one.

The text becomes what it means (`4471` is `code 4471`) before the dialogue, the transcript or the desk read it; the
masks of `bot.conversations.privacy` then know it, and it is forgotten with the others.
"""

import re

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.recovery.models import OVER, Recovery
from bot.sop_recovery import Flow
from bot.stops.access_models import StopFocus

_BARE = re.compile(r"(?<![\w:/.+#*-])\d{3,8}(?![\w:/#*-]|\.\d|\s?[ap]\.?m\b)", re.IGNORECASE)
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:at|by|after|before|around|until|till|apt|apartment|unit|suite|room|floor|number|no|order|tracking|a las?"
    r"|despu[eé]s de las?|antes de las?|piso|depto|pedido|n[uú]mero)\.? ?#?$",
    re.IGNORECASE,
)
"""What a number belongs to when it opens nothing."""
_STREET = re.compile(
    r"^ (?:\w+ ){1,3}(?:st|street|ave|avenue|rd|road|dr|drive|ln|lane|blvd|ct|court)\b", re.IGNORECASE
)


class ExpectedCodes:
    """Takes no text for itself: stands among those who look at a text first."""

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        if _BARE.search(inbound.text) and await self._is_expected(session, conversation):
            inbound.text = as_code(inbound.text)
        return None

    async def _is_expected(self, session: AsyncSession, conversation: Conversation) -> bool:
        # Asked by several channels, it is one on each of them.
        spoken_of = select(col(StopFocus.stop_id)).where(col(StopFocus.conversation_id) == conversation.id)
        is_asked_of = col(Recovery.stop_id).in_(spoken_of) & col(Recovery.asked_at).is_not(None)
        asked = exists().where(
            (col(Recovery.conversation_id) == conversation.id) | is_asked_of,
            col(Recovery.flow) == Flow.ACCESS_CODE,
            col(Recovery.state).not_in(OVER),
        )
        return bool(await session.scalar(select(asked)))


def as_code(text: str) -> str:
    """`code 4471. today works` of `4471. today works`; a text in which a code stands already stays. Pure."""
    if masked(text) != text:
        return text
    for found in _BARE.finditer(text):
        before, after = text[: found.start()], text[found.end() :]
        if not _OF_SOMETHING_ELSE.search(before) and not _STREET.match(after):
            return f"{before}code {found.group()}{after}"
    return text
