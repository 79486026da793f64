"""Who may connect and how much they may write. Counted per process: several together allow several times as much."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from connectors.base import Now, Record

FORGET_AFTER_KEYS = 10_000


class Policy(Record):
    origins: tuple[str, ...] = ()
    """Web sites that may embed the widget, as `https://shop.example`; ours is always among them."""
    texts_per_minute: int = 20
    """Of one session; so many at once, then evenly over the minute."""
    texts_per_minute_and_address: int = 60
    connections_per_address: int = 20
    session_days: int = 30
    idle_minutes: float = 60


def is_welcome(origin: str | None, own_origins: tuple[str, ...], policy: Policy) -> bool:
    """Whether a page of this origin may talk to us.

    Only browsers send an origin, and only browsers can be led by somebody else's page; what sends none is let in.
    """
    return origin is None or origin_of(origin) in {origin_of(one) for one in (*own_origins, *policy.origins)}


def origin_of(url: str) -> str:
    """`https://shop.example` of any address there: lower case, default port left out. Empty when there is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    is_default = port is None or (parts.scheme, port) in (("http", 80), ("https", 443))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{port}")


def network_of(host: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one. `unknown` when it is neither."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


class Pace:
    """A leaky bucket per key (GCRA): `per_minute` at once, then one each time a place has become free."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._full_until: dict[str, datetime] = {}

    def wait_for(self, key: str, per_minute: int) -> timedelta:
        """Zero, and the place is taken; or how long until there is one."""
        now = self._now()
        step = timedelta(minutes=1) / per_minute
        until = max(self._full_until.get(key, now), now) + step
        excess = until - now - timedelta(minutes=1)
        if excess > timedelta(0):
            return excess
        if len(self._full_until) >= FORGET_AFTER_KEYS:
            self._full_until = {other: at for other, at in self._full_until.items() if at > now}
        self._full_until[key] = until
        return timedelta(0)


class Doorman:
    """Counts what is open and what was written, for one process."""

    def __init__(self, now: Now) -> None:
        self._pace = Pace(now)
        self._open: Counter[str] = Counter()

    def is_full(self, network: str, policy: Policy) -> bool:
        return self._open[network] >= policy.connections_per_address

    @contextmanager
    def inside(self, network: str) -> Iterator[None]:
        self._open[network] += 1
        try:
            yield
        finally:
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]

    def wait_for_text(self, address: str, network: str, policy: Policy) -> timedelta:
        """Zero when one more text may be taken now."""
        return self._pace.wait_for(address, policy.texts_per_minute) or self._pace.wait_for(
            f"from {network}", policy.texts_per_minute_and_address
        )
