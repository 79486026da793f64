"""Sending through Twilio, and asking it what it holds.

The real `twilio` client over an HTTP client of our own: Twilio's async one ignores its time-out and can POST
a message twice (messaging-contracts A12).
"""

import logging
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import ValidationError
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from connectors.base import (
    ChannelName,
    InboundMessage,
    Media,
    MediaContent,
    OutboundMessage,
    Probe,
    Receipt,
)
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    MediaRefusedError,
    OutcomeUnknownError,
)
from connectors.http import READ_SECONDS, open_client, retry_after
from connectors.media import fetch_picture
from connectors.twilio import mapping
from connectors.twilio.payloads import MessageResource

API_BASE = "https://api.twilio.com"

NOT_A_PAGE = (TwilioException, ValidationError, TypeError, AttributeError)
"""How the SDK and our model stumble over JSON that is not a page of records."""

RECONCILE_LIMIT = 200
INBOUND_LIMIT = 5000
PAGE_SIZE = 50


class TwilioChannel:
    """Text messages (and WhatsApp messages, by `OutboundMessage.channel`) through one Twilio account."""

    name = ChannelName.SMS

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        status_url: str,
        api_base: str = API_BASE,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """`sender` is an E.164 number or the `MG…` sid of a messaging service; `status_url` is where Twilio
        reports what became of a message."""
        self._account_sid = account_sid
        self._sender = sender
        self._status_url = status_url
        self._api_base = api_base.rstrip("/")
        self._credentials = (account_sid, auth_token)
        self._http = HttpxTwilioClient(self._api_base, read_seconds)
        self._twilio = Client(account_sid, auth_token, http_client=self._http)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Raises as `Channel.send` says; an error carries Twilio's code where there is one."""
        try:
            created = await self._twilio.messages.create_async(
                to=mapping.address(message.channel, message.recipient),
                body=message.text,
                status_callback=mapping.status_callback(self._status_url, message.outbound_id),
                **self._from(message.channel),
                **_validity(message),
            )
            resource = MessageResource.read(created)
        except ValidationError as exc:
            raise OutcomeUnknownError(mapping.CHANNEL, "answered 2xx without a message") from exc
        return mapping.receipt_from_resource(resource, message.outbound_id)

    async def find_sent(
        self, message: OutboundMessage, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> Receipt | None:
        """As `Channel.find_sent`. Ask after the attempt's own time-out: until then it may still arrive."""
        to = mapping.address(message.channel, message.recipient)
        since = attempted_at.astimezone(UTC) - mapping.CLOCK_SKEW
        found = await self._list(RECONCILE_LIMIT, to=to, date_sent_after=since)
        # A message that still waits in Twilio's queue has no DateSent, so that filter hides it.
        found += await self._list(PAGE_SIZE, to=to)
        earlier = mapping.earlier_attempt(found, message, attempted_at, known_vendor_ids)
        return None if earlier is None else mapping.receipt_from_resource(earlier, message.outbound_id)

    async def fetch_media(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """As `Channel.fetch_media`. Asks the configured API for the path only: no other host is ever called."""
        path = mapping.media_path(url, self._account_sid, (API_BASE, self._api_base))
        if path is None:
            raise MediaRefusedError(mapping.CHANNEL, "not media of this account", "foreign_url")
        return await self._http.fetch_picture(
            self._api_base + path, auth=self._credentials, at_most_bytes=at_most_bytes
        )

    async def list_inbound(self, since: datetime) -> list[InboundMessage]:
        """What people sent us since `since`, oldest first: the second chance for a lost webhook.

        Twilio may filter by day, so messages older than `since` can be among them.
        """
        filters = {} if self._uses_service else {"to": self._sender}
        since = since.astimezone(UTC)
        found = await self._list(INBOUND_LIMIT, date_sent_after=since, **filters)
        ours = [message for message in found if message.direction == "inbound" and self._reaches_us(message)]
        return [mapping.recovered_message(message, await self._media(message)) for message in reversed(ours)]

    async def probe(self) -> Probe:
        """Whether the credentials work and the account may send; for `doorline doctor`."""
        try:
            account = await self._twilio.api.v2010.accounts(self._account_sid).fetch_async()
        except ChannelError as exc:
            return Probe(name="twilio", healthy=False, detail=f"{exc}; check TWILIO_* and {self._api_base}")
        if account.status != "active":
            return Probe(name="twilio", healthy=False, detail=f"the account is {account.status}, not active")
        return Probe(name="twilio", healthy=True, detail=f"account {self._account_sid} is active")

    async def aclose(self) -> None:
        await self._http.aclose()

    @property
    def _uses_service(self) -> bool:
        return self._sender.startswith("MG")

    def _from(self, channel: ChannelName) -> dict[str, str]:
        if self._uses_service:
            return {"messaging_service_sid": self._sender}
        return {"from_": mapping.address(channel, self._sender)}

    def _reaches_us(self, message: MessageResource) -> bool:
        return not self._uses_service or message.messaging_service_sid == self._sender

    async def _list(self, limit: int, **filters: object) -> list[MessageResource]:
        """Newest first, at most `limit`, page by page."""
        try:
            found = await self._twilio.messages.list_async(limit=limit, page_size=PAGE_SIZE, **filters)
            return [MessageResource.read(instance) for instance in found]
        except NOT_A_PAGE as exc:
            raise ChannelUnavailableError(
                mapping.CHANNEL, "answered with something else than a list"
            ) from exc

    async def _media(self, message: MessageResource) -> list[Media]:
        if message.num_media == 0:
            return []
        try:
            found = await self._twilio.messages(message.sid).media.list_async(limit=message.num_media)
            return [
                Media(url=self._api_base + item.uri.removesuffix(".json"), content_type=item.content_type)
                for item in found
            ]
        except NOT_A_PAGE as exc:
            raise ChannelUnavailableError(mapping.CHANNEL, "answered with something else than media") from exc


class HttpxTwilioClient(AsyncHttpClient):  # type: ignore[misc]  # twilio ships no types
    """Carries the SDK's requests to `api_base`, once each, and turns every failure into a `ChannelError`."""

    def __init__(self, api_base: str, read_seconds: float = READ_SECONDS) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True, timeout=read_seconds)
        self._http = open_client(api_base, read_seconds=read_seconds)

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the SDK's signature; our client has its own
        allow_redirects: bool = False,
    ) -> Response:
        may_have_worked = method.upper() != "GET"
        # The SDK gives https://api.twilio.com/…; everything behind the host is kept, a page's query too.
        path = httpx.URL(uri).raw_path.decode("ascii")
        try:
            response = await self._http.request(
                method, path, params=params or None, data=data, headers=headers, auth=auth
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise ChannelUnavailableError(mapping.CHANNEL, f"not reached: {type(exc).__name__}") from exc
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as exc:
            raise ChannelMisconfiguredError(mapping.CHANNEL, "the API address is not a URL") from exc
        except httpx.HTTPError as exc:
            kind = OutcomeUnknownError if may_have_worked else ChannelUnavailableError
            raise kind(mapping.CHANNEL, f"no answer: {type(exc).__name__}") from exc
        _refuse_failure(response, may_have_worked)
        return Response(response.status_code, response.text, response.headers)

    async def fetch_picture(self, url: str, *, auth: tuple[str, str], at_most_bytes: int) -> MediaContent:
        return await fetch_picture(self._http, mapping.CHANNEL, url, auth=auth, at_most_bytes=at_most_bytes)

    async def aclose(self) -> None:
        await self._http.aclose()


def _validity(message: OutboundMessage) -> dict[str, int]:
    seconds = mapping.validity_seconds(message.useful_for)
    return {} if seconds is None else {"validity_period": seconds}


def _refuse_failure(response: httpx.Response, may_have_worked: bool) -> None:
    body = _json_object(response)
    if not response.is_success:
        code = body.get("code") if body else None
        raise mapping.refusal(
            response.status_code,
            code if isinstance(code, int) else None,
            retry_after(response),
            may_have_worked=may_have_worked,
        )
    if body is None and response.status_code != httpx.codes.NO_CONTENT:
        kind = OutcomeUnknownError if may_have_worked else ChannelUnavailableError
        raise kind(mapping.CHANNEL, f"answered HTTP {response.status_code} that is not JSON")


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
