"""The address of a manifest's page, for who has it: it opens one zone's one day, for a while."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID, uuid5

from bot.links import ForgedLinkError, SignedLinks

PATH = "board/manifest"
MANIFESTS = UUID("6f6b3c5e-2f4b-4f0e-9c1d-8f3a3f1f7b2a")
"""The namespace in which a zone's day has an id."""


class ManifestLinks:
    def __init__(self, signed: SignedLinks, public_url: str) -> None:
        self._signed = signed
        self._url = f"{public_url.rstrip('/')}/{PATH}"

    def page_url(self, zone: str, day: date) -> str:
        key = self._signed.token(_id_of(zone, day))
        return f"{self._url}?{urlencode({'date': day.isoformat(), 'zone': zone, 'key': key})}"

    def check(self, zone: str, day: date, key: str) -> None:
        """Raises `ExpiredLinkError`, or `ForgedLinkError` for a key of another manifest too."""
        if self._signed.open(key).thing_id != _id_of(zone, day):
            raise ForgedLinkError


def _id_of(zone: str, day: date) -> UUID:
    return uuid5(MANIFESTS, f"{day.isoformat()} {zone}")
