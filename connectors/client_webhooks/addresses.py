"""Where events may be posted: public addresses only, and only to the address that was looked at.

A client names the URL. Without this, whoever may subscribe could have us call what only we can reach: a cloud's
metadata service, a neighbour's database. The name is resolved once, every address it has is judged, and the
connection goes to one of those: a name that resolves to something else a moment later changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from connectors.errors import ConnectorError

LONGEST_URL = 2000
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefusedError(ConnectorError):
    """The name leads to an address that no client's system can have."""


def why_not(url: str, *, private: bool) -> str:
    """Empty for a URL that may be posted to; else why not: `not_a_url`, `not_https`, `has_password`,
    `private_address`, `has_fragment`, `too_long`.

    `private`: private networks are allowed, and plain http on this machine.
    """
    if len(url) > LONGEST_URL:
        return "too_long"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        return "not_a_url"
    if not host or port == 0 or any(ord(character) <= 32 for character in url):
        return "not_a_url"
    if parts.scheme != "https" and not (parts.scheme == "http" and private and _is_this_machine(host)):
        return "not_https"
    if parts.username is not None or parts.password is not None:
        return "has_password"
    if parts.fragment:
        return "has_fragment"
    return "" if private or not _is_private_name(host) else "private_address"


def _is_this_machine(host: str) -> bool:
    address = _literal(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_private_name(host: str) -> bool:
    address = _literal(host)
    if address is not None:
        return not is_public(address)
    name = host.rstrip(".")
    # A name without a dot, or of these endings, can only be one of our own network's.
    return "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def _literal(host: str) -> IpAddress | None:
    """Also 127.1, 0x7f.1 and 2130706433, which the system's resolver takes for addresses."""
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_public(address: IpAddress) -> bool:
    """Whether an address belongs to the open internet, looking through the ways to wrap one in another."""
    inner = _wrapped(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: IpAddress) -> IpAddress | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, and to one that was judged. TLS still checks the name."""

    def __init__(self, private: Callable[[], bool]) -> None:
        self._private = private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `AddressRefusedError`, `httpcore.ConnectError`, `httpcore.ConnectTimeout`."""
        addresses = await _resolve(host, port)
        if not self._private() and not all(is_public(address) for address in addresses):
            raise AddressRefusedError(f"{host} leads into a private network")
        error: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as exc:
                error = exc
        raise error

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


async def _resolve(host: str, port: int) -> list[IpAddress]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise httpcore.ConnectError("the name cannot be resolved") from exc
    return [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx over `GuardedBackend`; no proxy of the machine's, no redirects."""

    def __init__(self, private: Callable[[], bool], *, max_connections: int) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=30,
            network_backend=GuardedBackend(private),
        )
