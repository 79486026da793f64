"""Sending to a browser: a message is sent once it can be read there, whether or not a browser is looking."""

from collections.abc import Set
from datetime import datetime

from connectors.base import ChannelName, MediaContent, OutboundMessage, Probe, Receipt, ReceiptStatus
from connectors.errors import ChannelUnavailableError, MediaRefusedError, StorageUnavailableError
from connectors.webchat.feed import Board

CHANNEL = ChannelName.WEBCHAT.value


class WebChatChannel:
    """Puts messages up on the board; sockets in any process, open now or later, read them from there."""

    name = ChannelName.WEBCHAT

    def __init__(self, board: Board) -> None:
        self._board = board

    async def send(self, message: OutboundMessage) -> Receipt:
        """As `Channel.send`. May be repeated: a message is put up once."""
        try:
            await self._board.put_up(message.outbound_id)
        except StorageUnavailableError as exc:
            # Perhaps it is up: putting it up again changes nothing, so there is nothing to reconcile.
            raise ChannelUnavailableError(CHANNEL, "the database is away") from exc
        return _receipt(message.outbound_id)

    async def find_sent(
        self, message: OutboundMessage, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> Receipt | None:
        """As `Channel.find_sent`."""
        try:
            is_up = await self._board.is_up(message.outbound_id)
        except StorageUnavailableError as exc:
            raise ChannelUnavailableError(CHANNEL, "the database is away") from exc
        return _receipt(message.outbound_id) if is_up else None

    async def fetch_media(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """Always raises `MediaRefusedError`: the widget takes no pictures."""
        raise MediaRefusedError(CHANNEL, "web chat carries no media", "foreign_url")

    async def probe(self) -> Probe:
        """For `doorline doctor`: there is nobody else to reach."""
        return Probe(name="webchat", healthy=True, detail="served by Doorline itself, at /chat")

    async def aclose(self) -> None:
        """Nothing is open."""


def _receipt(outbound_id: str) -> Receipt:
    return Receipt(vendor_id=f"webchat:{outbound_id}", status=ReceiptStatus.SENT, outbound_id=outbound_id)
