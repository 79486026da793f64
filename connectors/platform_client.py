"""What the clients of all routing platforms do alike, beside their calls (`platform_wire`)."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import httpx

from connectors.base import Capability, MediaContent
from connectors.errors import ChannelUnavailableError, MediaRefusedError, PlatformUnavailableError
from connectors.media import fetch_picture


class PlatformClient(ABC):
    """A base for `connectors.base.RoutingPlatform` on one vendor, opened for one account."""

    name: str
    abilities: Mapping[Capability, str]
    _media: httpx.AsyncClient
    """Where pictures are, no key is known, and ours must not be shown."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(self.abilities)

    async def fetch_picture(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """A photo or a signature of a `ProofOfDelivery` of this account.

        Raises:
            PlatformUnavailableError: not now.
            MediaRefusedError: gone, too big, no picture, or not where the platform keeps them.
        """
        if not self._may_fetch(url):
            raise MediaRefusedError(self.name, "not a picture of this account", "foreign_url")
        try:
            return await fetch_picture(self._media, self.name, url, at_most_bytes=at_most_bytes)
        except ChannelUnavailableError as exc:
            raise PlatformUnavailableError(self.name, str(exc), exc.retry_after) from exc

    @abstractmethod
    def _may_fetch(self, url: str) -> bool:
        """Whether pictures of this account are kept there."""

    def _variable(self, part: str) -> str:
        """Name of the account's variable in the environment, as in `ONFLEET_WEST_API_KEY`."""
        return f"{self.name.upper()}_{part}"
