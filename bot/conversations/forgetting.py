"""Access codes are for the platform's notes: our own copy of a text loses them once it has been dealt with."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import InboundState, InboundText
from bot.conversations.privacy import masked
from bot.db import Database

KEPT_FOR = timedelta(hours=1)
"""Long enough for a form that is still open to write the code to the platform."""


class Forgetting:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def forget_codes(self, *, at_most: int = 500) -> int:
        """Masks the texts that were settled more than an hour ago; gives how many. Again: changes nothing."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            settled = await session.scalars(
                select(InboundText)
                .where(
                    col(InboundText.codes_forgotten_at).is_(None),
                    col(InboundText.state) != InboundState.RECEIVED,
                    col(InboundText.received_at) <= now - KEPT_FOR,
                    func.coalesce(col(InboundText.answered_at), col(InboundText.received_at))
                    <= now - KEPT_FOR,
                )
                .limit(at_most)
                .with_for_update(skip_locked=True)
            )
            rows = list(settled)
            for row in rows:
                row.text, row.codes_forgotten_at = masked(row.text), now
        return len(rows)
