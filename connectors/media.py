"""Pictures that come from elsewhere: fetched up to a size, and named by what their bytes are."""

import filetype  # type: ignore[import-untyped]  # ships no types
import httpx

from connectors.base import MediaContent
from connectors.errors import ChannelMisconfiguredError, ChannelUnavailableError, MediaRefusedError
from connectors.http import retry_after

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "image/gif"})

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_LOCKED = frozenset({401, 403})
MOST_REDIRECTS = 3


def named_by_bytes(source: str, content: bytes) -> MediaContent:
    """Raises `MediaRefusedError` for anything that is no picture, whatever somebody called it."""
    kind = filetype.guess_mime(content)
    if kind not in PICTURES:
        raise MediaRefusedError(source, "not a picture", "wrong_type")
    return MediaContent(content_type=kind, content=content)


async def fetch_picture(
    http: httpx.AsyncClient,
    source: str,
    url: str,
    *,
    at_most_bytes: int,
    auth: tuple[str, str] | None = None,
) -> MediaContent:
    """One picture, read no further than `at_most_bytes`.

    `auth` is shown to `url` only: a redirect is followed without it, and to https or the same host only.

    Raises:
        ChannelUnavailableError: not now.
        ChannelMisconfiguredError: `auth` is refused.
        MediaRefusedError: never.
    """
    start = target = httpx.URL(url)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            answer = await _read(http, source, target, at_most_bytes, auth if target == start else None)
            if isinstance(answer, bytes):
                return named_by_bytes(source, answer)
            target = _allowed(source, start, answer)
    except httpx.HTTPError as exc:
        raise ChannelUnavailableError(source, f"no picture: {type(exc).__name__}") from exc
    raise MediaRefusedError(source, "redirected without end", "gone")


async def _read(
    http: httpx.AsyncClient, source: str, url: httpx.URL, at_most_bytes: int, auth: tuple[str, str] | None
) -> bytes | httpx.URL:
    """The bytes, or where to look instead."""
    # An explicit None keeps the client's own credentials away from other hosts.
    async with http.stream("GET", url, auth=auth) as response:
        if response.status_code in _REDIRECTS:
            return url.join(response.headers.get("location", ""))
        if not response.is_success:
            raise _refusal(source, response, with_auth=auth is not None)
        return await _bounded(source, response, at_most_bytes)


async def _bounded(source: str, response: httpx.Response, at_most_bytes: int) -> bytes:
    content = bytearray()
    if _told_length(response) > at_most_bytes:
        raise MediaRefusedError(source, f"more than {at_most_bytes} bytes", "too_big")
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > at_most_bytes:
            raise MediaRefusedError(source, f"more than {at_most_bytes} bytes", "too_big")
    return bytes(content)


def _told_length(response: httpx.Response) -> int:
    told = response.headers.get("content-length", "")
    return int(told) if told.isdecimal() else 0


def _allowed(source: str, start: httpx.URL, target: httpx.URL) -> httpx.URL:
    is_same_host = (target.scheme, target.host, target.port) == (start.scheme, start.host, start.port)
    if not is_same_host and target.scheme != "https":
        raise MediaRefusedError(source, "redirected out of https", "foreign_url")
    return target


def _refusal(source: str, response: httpx.Response, *, with_auth: bool) -> Exception:
    status = response.status_code
    if status in _GONE:
        return MediaRefusedError(source, f"HTTP {status}", "gone")
    if status in _LOCKED and with_auth:
        return ChannelMisconfiguredError(source, f"HTTP {status} for media")
    # A signed address may have run out on the way: the next try gets a new one.
    return ChannelUnavailableError(source, f"HTTP {status} for media", retry_after=retry_after(response))
