"""The calls that the pretended Twilio remembers, what it refuses, and how it shows them on the wire. Pure but for
the ledger.

Shapes: the SDK's `CallInstance`; list filters as its `list` documents them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.emulation import Ledger
from connectors.twilio.emulator_rules import E164, STATUS_CALLBACK, VALID_MAGIC_FROM, Refusal
from connectors.twilio.emulator_state import (
    API_VERSION,
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    date_admits,
    day_or_instant,
    rfc2822,
)

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MAGIC_TO = {
    "+15005550001": 21217,
    "+15005550002": 21214,
    "+15005550003": 21215,
    "+15005550004": 21216,
}
MAGIC_FROM = {"+15005550001": 21212}
"""Twilio's own, of its test credentials: twilio.com/docs/iam/test-credentials, making calls."""
DEFAULT_TIMEOUT, MOST_TIMEOUT = 60, 600


class StoredCall(BaseModel):
    """One Call resource, with what Twilio keeps to itself and what could be heard."""

    model_config = ConfigDict(frozen=True)

    sid: str
    sender: str
    recipient: str
    url: str = ""
    twiml: str = ""
    status_callback: str = ""
    events: tuple[str, ...] = ("completed",)
    timeout: int = DEFAULT_TIMEOUT
    detects_machines: bool = False
    status: str = "queued"
    created_at: AwareDatetime
    updated_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    answered_by: str | None = None
    seconds: int | None = None
    """Talked, as the pretended person felt it; None unless it was answered and is over."""
    sequence: int = 0
    """Of the next status callback."""
    heard: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    pressed: str = ""

    @property
    def is_over(self) -> bool:
        return self.status in OVER


class Calls:
    """Every call, oldest first; survives a kill when it has a ledger file."""

    def __init__(self, path: Path | None) -> None:
        self._ledger = Ledger(path, "twilio_calls")
        self._by_sid = {sid: StoredCall.model_validate(value) for sid, value in self._ledger.items()}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[StoredCall]:
        return iter(list(self._by_sid.values()))

    def find(self, sid: str) -> StoredCall | None:
        return self._by_sid.get(sid)

    def get(self, sid: str) -> StoredCall:
        return self._by_sid[sid]

    def put(self, call: StoredCall) -> StoredCall:
        self._ledger[call.sid] = call.model_dump(mode="json")
        self._by_sid[call.sid] = call
        return call

    def change(self, sid: str, **changes: object) -> StoredCall:
        return self.put(self._by_sid[sid].model_copy(update=changes))


# --- creating ---------------------------------------------------------------------------------


class CallOrder(BaseModel):
    """The parameters of a create request that we emulate."""

    model_config = ConfigDict(frozen=True)

    to: str
    sender: str
    url: str
    twiml: str
    status_callback: str
    events: tuple[str, ...]
    timeout: str
    machine_detection: str

    @classmethod
    def read(cls, form: Mapping[str, Sequence[str]]) -> Self:
        def one(name: str) -> str:
            return next(iter(form.get(name, ())), "")

        return cls(
            to=one("To"),
            sender=one("From"),
            url=one("Url"),
            twiml=one("Twiml"),
            status_callback=one("StatusCallback"),
            events=tuple(form.get("StatusCallbackEvent", ())) or ("completed",),
            timeout=one("Timeout") or str(DEFAULT_TIMEOUT),
            machine_detection=one("MachineDetection"),
        )


def refusal_for_call(order: CallOrder, number: str) -> Refusal | None:
    """The first thing wrong with `order`, or None."""
    return _bad_recipient(order) or _bad_sender(order, number) or _bad_parameter(order)


def _bad_recipient(order: CallOrder) -> Refusal | None:
    if not order.to:
        return Refusal(21201)
    if order.to in MAGIC_TO:
        return Refusal(MAGIC_TO[order.to], order.to)
    return None if E164.fullmatch(order.to) else Refusal(21211, order.to)


def _bad_sender(order: CallOrder, number: str) -> Refusal | None:
    if not order.sender:
        return Refusal(21213)
    if order.sender in MAGIC_FROM:
        return Refusal(MAGIC_FROM[order.sender], order.sender)
    if not E164.fullmatch(order.sender):
        return Refusal(21212, order.sender)
    return None if order.sender in (number, VALID_MAGIC_FROM) else Refusal(21210, order.sender)


def _bad_parameter(order: CallOrder) -> Refusal | None:
    if not order.twiml and not order.url.startswith(("http://", "https://")):
        return Refusal(21205, order.url)
    if order.status_callback and not STATUS_CALLBACK.fullmatch(order.status_callback):
        return Refusal(21609, order.status_callback)
    if not set(order.events) <= EVENTS:
        return Refusal(20001, "StatusCallbackEvent")
    if not (order.timeout.isdigit() and 0 < int(order.timeout) <= MOST_TIMEOUT):
        return Refusal(20001, "Timeout")
    if order.machine_detection not in ("", "Enable", "DetectMessageEnd"):
        return Refusal(20001, "MachineDetection")
    return None


# --- on the wire ------------------------------------------------------------------------------


def calls_uri(account_sid: str) -> str:
    return f"/{API_VERSION}/Accounts/{account_sid}/Calls"


def call_resource(call: StoredCall, account_sid: str) -> dict[str, object]:
    uri = f"{calls_uri(account_sid)}/{call.sid}"
    return {
        "sid": call.sid,
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.updated_at),
        "parent_call_sid": None,
        "to": call.recipient,
        "to_formatted": call.recipient,
        "from": call.sender,
        "from_formatted": call.sender,
        "phone_number_sid": "PN" + "0e" * 16,
        "status": call.status,
        "start_time": rfc2822(call.started_at),
        "end_time": rfc2822(call.ended_at),
        "duration": None if call.seconds is None else str(call.seconds),
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": call.answered_by,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"notifications": f"{uri}/Notifications.json"},
    }


class CallQuery(BaseModel):
    """A list request: filters, and where the page starts."""

    model_config = ConfigDict(frozen=True)

    filters: dict[str, str]
    page_size: int = DEFAULT_PAGE_SIZE
    page: int = 0
    page_token: str | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Raises `ValueError` for a date or number that cannot be read."""
        names = ("To", "From", "Status", "StartTime", "StartTime<", "StartTime>")
        filters = {name: parameters[name] for name in names if parameters.get(name)}
        for name, value in filters.items():
            if name.startswith("StartTime"):
                day_or_instant(value)
        return cls(
            filters=filters,
            page_size=min(max(int(parameters.get("PageSize", DEFAULT_PAGE_SIZE)), 1), MAX_PAGE_SIZE),
            page=max(int(parameters.get("Page", 0)), 0),
            page_token=parameters.get("PageToken"),
        )

    def admits(self, call: StoredCall) -> bool:
        wanted: list[tuple[str, str]] = [
            ("To", call.recipient),
            ("From", call.sender),
            ("Status", call.status),
        ]
        return all(self.filters.get(name, value) == value for name, value in wanted) and all(
            date_admits(name, value, call.started_at)
            for name, value in self.filters.items()
            if name.startswith("StartTime")
        )

    def uri(self, path: str, page: int, token: str | None = None) -> str:
        parameters = {**self.filters, "PageSize": str(self.page_size), "Page": str(page)}
        return f"{path}?{urlencode(parameters | ({'PageToken': token} if token else {}))}"


def call_page(calls: Iterable[StoredCall], query: CallQuery, account_sid: str) -> dict[str, object]:
    """One page, newest first; the token names the last call of the page before."""
    path = f"{calls_uri(account_sid)}.json"
    admitted = [call for call in reversed(list(calls)) if query.admits(call)]
    after = (query.page_token or "").removeprefix("PA")
    sids = [call.sid for call in admitted]
    start = sids.index(after) + 1 if after in sids else query.page * query.page_size
    shown = admitted[start : start + query.page_size]
    has_more = start + query.page_size < len(admitted)
    first = query.page * query.page_size
    return {
        "calls": [call_resource(call, account_sid) for call in shown],
        "page": query.page,
        "page_size": query.page_size,
        "start": first,
        "end": first + max(len(shown) - 1, 0),
        "uri": query.uri(path, query.page, query.page_token),
        "first_page_uri": query.uri(path, 0),
        "next_page_uri": query.uri(path, query.page + 1, f"PA{shown[-1].sid}") if has_more else None,
        "previous_page_uri": query.uri(path, query.page - 1) if query.page else None,
    }
