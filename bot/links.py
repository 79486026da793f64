"""Links that anybody who has them can open, for a while: signed, so that none can be made up or prolonged."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from bot.keys import derived

LANGUAGES = ("en", "es")


class ForgedLinkError(Exception):
    """No link of ours."""


class ExpiredLinkError(Exception):
    """A link of ours whose time is over; `language` is that of the person it was made for."""

    def __init__(self, language: str) -> None:
        super().__init__("expired")
        self.language = language


@dataclass(frozen=True)
class Opened:
    """What a link is about."""

    thing_id: UUID
    language: str


class _WallSigner(TimestampSigner):
    """Dates by our own clock: how long a link holds is how long a person waits."""

    wall: Callable[[], datetime]

    def get_timestamp(self) -> int:
        return int(self.wall().timestamp())


class _Signed:
    def __init__(
        self,
        secret_key: str,
        purpose: str,
        url: str,
        wall: Callable[[], datetime],
        holds: Callable[[], timedelta],
    ) -> None:
        """`url` is the address before the token; `holds` how long a token can be opened, asked when it is."""
        self._signer = _WallSigner(derived(secret_key, purpose), salt=purpose)
        self._signer.wall = wall
        self._url = url.rstrip("/")
        self._holds = holds


class SignedTexts(_Signed):
    """Tokens that carry a short text, for one purpose."""

    def link(self, text: str) -> str:
        return f"{self._url}/{self.token(text)}"

    def token(self, text: str) -> str:
        return self._signer.sign(_packed(text.encode())).decode()

    def open(self, token: str) -> str:
        """Raises `ExpiredLinkError` or `ForgedLinkError`."""
        try:
            value = self._signer.unsign(token, max_age=int(self._holds().total_seconds()))
            return base64.urlsafe_b64decode(value + b"==").decode()
        except SignatureExpired as exc:
            raise ExpiredLinkError(LANGUAGES[0]) from exc
        except (BadSignature, binascii.Error, ValueError) as exc:
            raise ForgedLinkError from exc


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class SignedLinks(_Signed):
    """Tokens for one purpose: about 60 characters, as they travel in text messages."""

    def link(self, thing_id: UUID, language: str = "en") -> str:
        return f"{self._url}/{self.token(thing_id, language)}"

    def token(self, thing_id: UUID, language: str = "en") -> str:
        """What `open` takes, for addresses that are built otherwise."""
        told = language if language in LANGUAGES else LANGUAGES[0]
        return self._signer.sign(told + _packed(thing_id.bytes)).decode()

    def open(self, token: str) -> Opened:
        """Raises `ExpiredLinkError` or `ForgedLinkError`."""
        try:
            value = self._signer.unsign(token, max_age=int(self._holds().total_seconds()))
        except SignatureExpired as exc:
            raise ExpiredLinkError(_unpacked(exc.payload or b"").language) from exc
        except (BadSignature, ValueError) as exc:
            raise ForgedLinkError from exc
        return _unpacked(value)


def _unpacked(value: bytes) -> Opened:
    text = value.decode("ascii", "replace")
    try:
        return Opened(UUID(bytes=base64.urlsafe_b64decode(text[2:] + "==")), text[:2])
    except (binascii.Error, ValueError) as exc:
        raise ForgedLinkError from exc
