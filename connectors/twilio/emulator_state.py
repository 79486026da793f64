"""What the pretended Twilio remembers, and how it shows it on the wire.

Shapes: specs/twilio-messages.openapi.json (numbers as strings, RFC 2822 dates, relative URIs).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.emulation import Ledger
from connectors.twilio.mapping import number_of

API_VERSION = "2010-04-01"
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


class StoredMedia(BaseModel):
    model_config = ConfigDict(frozen=True)

    sid: str
    content_type: str = "image/jpeg"


class StoredMessage(BaseModel):
    """One Message resource, with what Twilio keeps to itself: the callback and the statuses still to come."""

    model_config = ConfigDict(frozen=True)

    sid: str
    direction: Literal["inbound", "outbound-api", "outbound-reply"]
    sender: str | None
    recipient: str
    body: str
    status: str
    num_segments: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    error_code: int | None = None
    error_message: str | None = None
    messaging_service_sid: str | None = None
    media: tuple[StoredMedia, ...] = ()
    status_callback: str | None = None
    pending: tuple[str, ...] = ()
    """Statuses whose callback was not yet delivered, in the order in which they will be."""
    pending_error: int | None = None


def new_sid(prefix: str) -> str:
    return f"{prefix}{uuid4().hex}"


class Messages:
    """Every message, in the order of arrival; survives a kill when it has a ledger file."""

    def __init__(self, path: Path | None) -> None:
        self._ledger = Ledger(path, "twilio_messages")
        self._by_sid: dict[str, StoredMessage] = {}
        self._by_number: dict[str, dict[str, None]] = {}
        for value in self._ledger.values():
            self._index(StoredMessage.model_validate(value))

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[StoredMessage]:
        return iter(list(self._by_sid.values()))

    def find(self, sid: str) -> StoredMessage | None:
        return self._by_sid.get(sid)

    def put(self, message: StoredMessage) -> StoredMessage:
        self._ledger[message.sid] = message.model_dump(mode="json")
        self._index(message)
        return message

    def change(self, message: StoredMessage, **changes: object) -> StoredMessage:
        return self.put(message.model_copy(update=changes))

    def remove(self, sid: str) -> None:
        message = self._by_sid.pop(sid)
        del self._ledger[sid]
        for number in _numbers(message):
            self._by_number[number].pop(sid, None)

    def with_number(self, number: str) -> list[StoredMessage]:
        """Both directions, oldest first."""
        return [self._by_sid[sid] for sid in self._by_number.get(number_of(number), ())]

    def _index(self, message: StoredMessage) -> None:
        self._by_sid[message.sid] = message
        for number in _numbers(message):
            self._by_number.setdefault(number, {})[message.sid] = None


def _numbers(message: StoredMessage) -> list[str]:
    return [number_of(address) for address in (message.sender, message.recipient) if address]


# --- on the wire ------------------------------------------------------------------------------


def rfc2822(instant: datetime | None) -> str | None:
    return None if instant is None else format_datetime(instant.astimezone(UTC))


def messages_uri(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}/Messages"


def resource(message: StoredMessage, account_sid: str) -> dict[str, object]:
    uri = f"{messages_uri(account_sid)}/{message.sid}"
    was_sent = message.sent_at is not None
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created_at),
        "date_sent": rfc2822(message.sent_at),
        "date_updated": rfc2822(message.updated_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": message.error_message,
        "from": message.sender,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(len(message.media)),
        "num_segments": str(message.num_segments),
        "price": f"-{0.0079 * message.num_segments:.5f}" if was_sent else None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }


def media_uri(message: StoredMessage, media: StoredMedia, account_sid: str) -> str:
    return f"{messages_uri(account_sid)}/{message.sid}/Media/{media.sid}"


def media_resource(message: StoredMessage, media: StoredMedia, account_sid: str) -> dict[str, object]:
    return {
        "sid": media.sid,
        "account_sid": account_sid,
        "parent_sid": message.sid,
        "content_type": media.content_type,
        "date_created": rfc2822(message.created_at),
        "date_updated": rfc2822(message.updated_at),
        "uri": media_uri(message, media, account_sid) + ".json",
    }


# --- lists ------------------------------------------------------------------------------------


class Query(BaseModel):
    """A list request: filters, and where the page starts."""

    model_config = ConfigDict(frozen=True)

    filters: dict[str, str]
    page_size: int = DEFAULT_PAGE_SIZE
    page: int = 0
    page_token: str | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> "Query":
        """Raises `ValueError` for a date or number that cannot be read."""
        names = ("To", "From", "DateSent", "DateSent<", "DateSent>")
        filters = {name: parameters[name] for name in names if parameters.get(name)}
        for name, value in filters.items():
            if name.startswith("DateSent"):
                day_or_instant(value)
        return cls(
            filters=filters,
            page_size=min(max(int(parameters.get("PageSize", DEFAULT_PAGE_SIZE)), 1), MAX_PAGE_SIZE),
            page=max(int(parameters.get("Page", 0)), 0),
            page_token=parameters.get("PageToken"),
        )

    def admits(self, message: StoredMessage) -> bool:
        if message.recipient != self.filters.get("To", message.recipient):
            return False
        if message.sender != self.filters.get("From", message.sender):
            return False
        return all(
            date_admits(name, value, message.sent_at)
            for name, value in self.filters.items()
            if name.startswith("DateSent")
        )

    def uri(self, path: str, page: int, token: str | None = None) -> str:
        parameters = {**self.filters, "PageSize": str(self.page_size), "Page": str(page)}
        if token is not None:
            parameters["PageToken"] = token
        return f"{path}?{urlencode(parameters)}"


def day_or_instant(value: str) -> tuple[datetime, datetime]:
    """The first and the first-after instant that `value` means; a day is the whole day in GMT."""
    if len(value) == len("YYYY-MM-DD"):
        day = date.fromisoformat(value)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return start, start + timedelta(days=1)
    start = datetime.fromisoformat(value)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    return start, start + timedelta(seconds=1)


def date_admits(name: str, value: str, sent_at: datetime | None) -> bool:
    """What was not yet sent, or dialled, has no such date and so passes no such filter."""
    if sent_at is None:
        return False
    start, end = day_or_instant(value)
    if name.endswith(">"):
        return sent_at >= start
    if name.endswith("<"):
        return sent_at < end
    return start <= sent_at < end


def page(messages: Iterable[StoredMessage], query: Query, account_sid: str) -> dict[str, object]:
    """One page, newest first. The token names the last message of the page before, so that messages which
    arrive while someone reads do not move the pages."""
    path = f"{messages_uri(account_sid)}.json"
    admitted = [message for message in reversed(list(messages)) if query.admits(message)]
    start = _start(admitted, query)
    shown = admitted[start : start + query.page_size]
    has_more = start + query.page_size < len(admitted)
    first = query.page * query.page_size
    return {
        "messages": [resource(message, account_sid) for message in shown],
        "page": query.page,
        "page_size": query.page_size,
        "start": first,
        "end": first + max(len(shown) - 1, 0),
        "uri": query.uri(path, query.page, query.page_token),
        "first_page_uri": query.uri(path, 0),
        "next_page_uri": query.uri(path, query.page + 1, f"PA{shown[-1].sid}") if has_more else None,
        "previous_page_uri": query.uri(path, query.page - 1) if query.page else None,
    }


def _start(admitted: list[StoredMessage], query: Query) -> int:
    if query.page_token is None:
        return query.page * query.page_size
    last_sid = query.page_token.removeprefix("PA")
    for index, message in enumerate(admitted):
        if message.sid == last_sid:
            return index + 1
    return query.page * query.page_size
