"""What every service of one process stands on, made first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.app.vendors import Vendors
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.words import Words
from bot.db import Database
from bot.keys import secret_key
from bot.links import SignedLinks, SignedTexts
from bot.settings import Settings
from bot.sop import ProtocolInForce
from connectors.base import RoutingPlatform


@dataclass(frozen=True)
class Ground:
    settings: Settings
    clock: Clock
    sop: ProtocolInForce
    database: Database
    vendors: Vendors
    consent: ConsentLedger
    words: Words

    @property
    def platforms(self) -> dict[str, RoutingPlatform]:
        return self.vendors.platforms

    def links(self, path: str, holds: Callable[[], timedelta]) -> SignedLinks:
        """Addresses below `path` of PUBLIC_URL that can be opened for as long as `holds` says."""
        return SignedLinks(secret_key(self.settings), path, self._url(path), self.clock.wall, holds)

    def texts(self, path: str, holds: Callable[[], timedelta]) -> SignedTexts:
        """The same, for what is told by a few words instead of an id."""
        return SignedTexts(secret_key(self.settings), path, self._url(path), self.clock.wall, holds)

    def _url(self, path: str) -> str:
        return f"{self.settings.public_url.rstrip('/')}/{path}"
