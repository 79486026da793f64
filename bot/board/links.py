"""The address of the board, for who has it: it opens all zones, for a while."""

from urllib.parse import urlencode
from uuid import UUID

from bot.links import ForgedLinkError, SignedLinks

PATH = "board"
BOARD = UUID("0c9a3b51-6d2e-4a57-9d57-5a4a2b3b7f10")


class BoardLinks:
    def __init__(self, signed: SignedLinks, public_url: str) -> None:
        self._signed = signed
        self._url = f"{public_url.rstrip('/')}/{PATH}"

    def page_url(self, zone: str | None = None) -> str:
        wanted = {"zone": zone} if zone is not None else {}
        return f"{self._url}?{urlencode(wanted | {'key': self._signed.token(BOARD)})}"

    def check(self, key: str) -> None:
        """Raises `ExpiredLinkError` or `ForgedLinkError`."""
        if self._signed.open(key).thing_id != BOARD:
            raise ForgedLinkError
