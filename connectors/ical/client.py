"""Fetches calendar feeds: only what has changed, never more than a calendar can sensibly be."""

import asyncio
from datetime import datetime, tzinfo

import httpx

from connectors.duty import CalendarAnswer, CalendarAsked, FeedShift
from connectors.http import open_client
from connectors.ical.mapping import UnreadableCalendarError, read_calendar, shifts_of

SECONDS = 20.0
MOST_BYTES = 8 * 1024 * 1024


class TooLargeError(Exception):
    """The feed goes on beyond what we read."""


class CalendarFeeds:
    """Fulfils `connectors.duty.Calendars`. The address is often a secret by itself: it is never logged or told."""

    def __init__(self, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes

    async def fetch(self, asked: CalendarAsked) -> CalendarAnswer:
        # A client per round, every few minutes: nothing to keep open, nothing to close at the end.
        try:
            async with asyncio.timeout(self._seconds), open_client("") as http:
                return await self._fetch(http, asked)
        except (TimeoutError, httpx.TimeoutException):
            return CalendarAnswer(why="timeout")
        except TooLargeError:
            return CalendarAnswer(why="too_large")
        except UnreadableCalendarError:
            return CalendarAnswer(why="unreadable")
        except (httpx.HTTPError, httpx.InvalidURL):
            return CalendarAnswer(why="connection")

    async def _fetch(self, http: httpx.AsyncClient, asked: CalendarAsked) -> CalendarAnswer:
        headers = {"If-None-Match": asked.etag, "If-Modified-Since": asked.last_modified}
        sent = {"Accept": "text/calendar", **{name: value for name, value in headers.items() if value}}
        async with http.stream("GET", _address(asked.url), headers=sent) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED and (asked.etag or asked.last_modified):
                return CalendarAnswer(etag=asked.etag, last_modified=asked.last_modified)
            if response.status_code != httpx.codes.OK:
                return CalendarAnswer(why=f"status:{response.status_code}")
            text = (await self._read(response)).decode(response.charset_encoding or "utf-8", "replace")
        await asyncio.to_thread(read_calendar, text)
        return CalendarAnswer(
            text=text,
            etag=response.headers.get("etag", ""),
            last_modified=response.headers.get("last-modified", ""),
        )

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._most_bytes:
                raise TooLargeError
        return bytes(body)

    def shifts(self, text: str, start: datetime, end: datetime, zone: tzinfo) -> tuple[FeedShift, ...]:
        try:
            return shifts_of(read_calendar(text), start, end, zone)
        except UnreadableCalendarError:
            return ()


def _address(url: str) -> str:
    """`webcal://` is what calendars show to people; it is fetched over https."""
    return f"https{url.removeprefix('webcal')}" if url.startswith("webcal:") else url
