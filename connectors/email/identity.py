"""Who we are in the world of mail: our addresses, and the ids that our mails carry. Pure."""

import re
from dataclasses import dataclass
from email.utils import formataddr, getaddresses
from typing import Self
from urllib.parse import quote, unquote

from connectors.errors import ChannelMisconfiguredError

CHANNEL = "email"

ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,255}")
"""As far as we believe an address: quoted local parts and address literals are nobody's home."""


def is_address(text: str) -> bool:
    return ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True)
class Identity:
    """Every address is lower case. A plus-address (`help+anything@…`) of ours is ours too."""

    address: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    """Further addresses whose mail reaches us."""
    bounce_address: str = ""
    """Where bounces shall go, plus-addressed with our id (VERP); empty: to `address`, told apart by content."""

    @classmethod
    def read(cls, email_from: str, *, aliases: tuple[str, ...] = (), bounce_address: str = "") -> Self:
        """`email_from` as in EMAIL_FROM: `help@quickship.example` or `QuickShip <help@quickship.example>`.

        Raises `ChannelMisconfiguredError` for anything that is no address.
        """
        name, address = _only_one(getaddresses([email_from]))
        known = [each.strip().lower() for each in (address, *aliases, bounce_address or address)]
        if not all(is_address(each) for each in known):
            raise ChannelMisconfiguredError(CHANNEL, "EMAIL_FROM or one of its aliases is not an address")
        return cls(known[0], name, tuple(known[1:-1]), known[-1] if bounce_address else "")

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def header(self) -> str:
        return formataddr((self.name, self.address))

    def owns(self, address: str) -> bool:
        return _without_tag(address.lower()) in {self.address, *self.aliases, self.bounce_address} - {""}

    def message_id(self, outbound_id: str) -> str:
        """The same for every attempt, so that a mail which arrives twice is seen to be one. Without brackets."""
        return f"{quote(outbound_id, safe='')}@{self.domain}"

    def outbound_id(self, message_id: str) -> str | None:
        """Ours again, out of a Message-ID that we made."""
        local, _, domain = message_id.strip().strip("<>").rpartition("@")
        return unquote(local) if local and domain.lower() == self.domain else None

    def envelope_sender(self, outbound_id: str) -> str:
        if not self.bounce_address:
            return self.address
        local, _, domain = self.bounce_address.rpartition("@")
        return f"{local}+{quote(outbound_id, safe='')}@{domain}"

    def bounced_id(self, address: str) -> str | None:
        """Ours, out of the address that a bounce was sent back to."""
        local, _, domain = address.rpartition("@")
        name, _, tag = local.partition("+")
        is_bounce = bool(self.bounce_address) and f"{name}@{domain}".lower() == self.bounce_address
        return unquote(tag) if is_bounce and tag else None


def _only_one(found: list[tuple[str, str]]) -> tuple[str, str]:
    return found[0] if len(found) == 1 else ("", "")


def _without_tag(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
