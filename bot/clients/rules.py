"""Pure decisions about clients: whose mailbox it is, what a token looks like, how often it may call."""

import hashlib
import secrets
from dataclasses import dataclass

from bot.sop import Protocol

PREFIX = "dl_"
OPERATOR = "operator"
"""Stands for all clients where a client is named on the command line."""
LONGEST_TOKEN = 200
MINUTE = 60.0


def new_token() -> str:
    """256 random bits, recognisable as ours by whoever searches a repository for leaked keys."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    # A random token of this length cannot be guessed from its digest: no slow hash is needed.
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    return text.isascii() and text.startswith(PREFIX) and len(text) <= LONGEST_TOKEN


@dataclass(frozen=True)
class Allowance:
    """What is left of a token's calls: it fills up evenly, up to one minute's worth."""

    left: float
    at: float
    """Seconds on a clock that only goes forward."""


def after_a_call(before: Allowance | None, per_minute: int, now: float) -> tuple[Allowance, float]:
    """The allowance after one more call at `now`, and the seconds to wait where it is refused, else 0."""
    if before is None:
        return Allowance(per_minute - 1, now), 0.0
    left = min(before.left + (now - before.at) * per_minute / MINUTE, per_minute)
    if left < 1:
        return Allowance(left, now), (1 - left) * MINUTE / per_minute
    return Allowance(left - 1, now), 0.0


def clients_of(protocol: Protocol, address: str) -> tuple[str, ...]:
    """Under which clients this mailbox stands; by name."""
    wanted = address.lower()
    return tuple(
        sorted(
            name
            for name, client in protocol.clients.items()
            if wanted in {email.lower() for email in client.email}
        )
    )
