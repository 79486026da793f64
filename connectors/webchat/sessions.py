"""Who is at the other end: a session token that we issue and sign, and the address that stands for it.

The token is a secret of one browser. It is neither stored nor logged: a conversation's address is a digest of
it, from which it cannot be made again.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ADDRESS_PREFIX = "web:"
SIGNATURE_LENGTH = 32
LONGEST_TOKEN = 128


@dataclass(frozen=True)
class Session:
    token: str
    address: str
    """Stands for the person in our tables: `web:` and 32 hex digits."""


class Sessions:
    """Issues and recognises tokens. Stateless: every process with the same key knows them all."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def issue(self, now: datetime) -> Session:
        return self._session(f"{int(now.timestamp())}.{secrets.token_urlsafe(24)}")

    def find(self, token: str, now: datetime, lives_for: timedelta) -> Session | None:
        """The session of a token that we issued less than `lives_for` ago; None for any other."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        body, _, _ = token.rpartition(".")
        session = self._session(body)
        if not hmac.compare_digest(session.token, token):
            return None
        issued_at = datetime.fromtimestamp(int(body.partition(".")[0]), UTC)
        return session if now - issued_at < lives_for else None

    def _session(self, body: str) -> Session:
        signature = hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()[:SIGNATURE_LENGTH]
        digest = hashlib.sha256(body.encode()).hexdigest()[:32]
        return Session(f"{body}.{signature}", ADDRESS_PREFIX + digest)
