"""HTTP clients for the connectors: one place for time-outs, limits and the way an answer is read."""

import ssl
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import httpx

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0


def open_client(
    base_url: str,
    *,
    auth: tuple[str, str] | None = None,
    read_seconds: float = READ_SECONDS,
    max_connections: int = 20,
) -> httpx.AsyncClient:
    """A client that never waits forever and never follows a redirect; the caller closes it."""
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
        # The machine's proxy settings must not send a vendor's traffic, or an emulator's, elsewhere.
        trust_env=False,
        verify=_trusted(),
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the list of authorities takes some 60 ms: once for all clients."""
    return httpx.create_ssl_context(trust_env=False)


def retry_after(response: httpx.Response) -> timedelta | None:
    """The `Retry-After` header as a duration, whether it holds seconds or a date."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    try:
        return timedelta(seconds=float(value))
    except ValueError:
        pass
    try:
        wanted = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return max(wanted - sent, timedelta(0))
