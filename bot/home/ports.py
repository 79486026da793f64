"""What a dispatcher's page needs of others. `bot.app` hands them in."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.pauses import PauseNotice


class CurrentPauses(Protocol):
    async def current(self, session: AsyncSession) -> Sequence[PauseNotice]:
        """The maintenance windows that hold now, the first to begin first."""
        ...


class BoardAddress(Protocol):
    def page_url(self, zone: str | None = None) -> str:
        """A link to the board; holds for a while."""
        ...


class ManifestAddress(Protocol):
    def page_url(self, zone: str, day: date) -> str:
        """A link to one zone's manifest of one day; holds for a while."""
        ...
