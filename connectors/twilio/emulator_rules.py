"""What Twilio refuses, which words it answers itself, and the numbers that steer the emulator. Pure."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from connectors.emulation import Fault
from connectors.twilio.mapping import number_of
from connectors.twilio.segments import segment

MAX_BODY = 1600
MAX_MEDIA = 10
MAX_VALIDITY_SECONDS = 36_000
QUEUE_HOURS = 10
"""What a sender's queue holds: ten hours of segments at its rate (messaging-contracts A10)."""

HTTP_STATUS = {20003: 401, 20404: 404, 20429: 429}
"""Everything else is a 400."""

TEXTS = {
    20001: "Invalid parameter {value}",
    20003: "Authenticate",
    20404: "The requested resource {value} was not found",
    20429: "Too Many Requests",
    21201: "No 'To' number is specified",
    21205: "Url is not a valid URL: {value}",
    21210: "The source phone number provided, {value}, is not yet verified for your account.",
    21211: "Invalid 'To' Phone Number: {value}",
    21212: "Invalid 'From' Phone Number: {value}",
    21213: "No 'From' number is specified",
    21214: "'To' phone number cannot be reached: {value}",
    21215: "Account not authorized to call {value}. Perhaps you need to enable some international permissions",
    21216: "Account not allowed to call {value}",
    21217: "Phone number does not appear to be valid: {value}",
    21220: "Call is not in-progress. Cannot redirect.",
    21408: "Permission to send an SMS has not been enabled for the region of the 'To' number: {value}",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number {value} is not a valid, message-capable Twilio phone number.",
    21609: "The 'StatusCallback' URL {value} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number {value} has exceeded the maximum number of queued messages",
    21612: "Message cannot be sent with the current combination of 'To' ({value}) and 'From' parameters",
    21614: "'To' number is not a valid mobile number: {value}",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21620: "Invalid media URL(s)",
    21705: "The Messaging Service Sid {value} is invalid.",
    90007: "Invalid validity period value {value}",
}

FAILURES = {
    21610: "Attempt to send to unsubscribed recipient",
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30034: "Message from an Unregistered Number",
    30036: "Validity Period Expired",
    63016: "Failed to send freeform message because you are outside the allowed window",
}

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
STATUS_CALLBACK = re.compile(r"https?://[^/\s_]+(/\S*)?")


def error_body(code: int, value: str = "") -> dict[str, object]:
    """An error in Twilio's shape."""
    return {
        "code": code,
        "message": TEXTS.get(code, "Error").format(value=value),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": HTTP_STATUS.get(code, 400),
    }


def twilio_fault(code: int, *, retry_after_seconds: int | None = None, path_contains: str = "") -> Fault:
    """Makes one request fail with a Twilio code: `emulator.faults.next(twilio_fault(20429))`."""
    headers = () if retry_after_seconds is None else (("Retry-After", str(retry_after_seconds)),)
    return Fault(
        "status",
        status=HTTP_STATUS.get(code, 400),
        body=error_body(code),
        headers=headers,
        path_contains=path_contains,
    )


# --- magic numbers ----------------------------------------------------------------------------

MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
VALID_MAGIC_FROM = "+15005550006"
"""The three above are Twilio's own, of its test credentials (messaging-contracts A6)."""


@dataclass(frozen=True)
class Outcome:
    """What becomes of a message: the callbacks in the order in which they are posted."""

    callbacks: tuple[str, ...] = ("sent", "delivered")
    error_code: int | None = None
    """Goes with `undelivered` and `failed`."""


OUTSIDE_WINDOW = Outcome(("failed",), 63016)
"""Source: messaging-contracts A6."""

MAGIC_OUTCOMES = {
    "+15005550101": Outcome(("failed",), 30001),
    "+15005550102": Outcome(("failed",), 21610),
    "+15005550103": Outcome(("sent", "undelivered"), 30003),
    "+15005550104": Outcome(("sent", "undelivered"), 30004),
    "+15005550105": Outcome(("sent", "undelivered"), 30005),
    "+15005550106": Outcome(("sent", "undelivered"), 30006),
    "+15005550107": Outcome(("sent", "undelivered"), 30007),
    "+15005550108": Outcome(("sent", "undelivered"), 30008),
    "+15005550120": Outcome(("delivered", "sent")),
    "+15005550121": Outcome(("sent", "sent", "delivered", "delivered")),
    "+15005550122": Outcome(()),
    "+15005550123": Outcome(("sent",)),
}
"""Ours. 0101 to 0108 fail with 30001 to 30008 (0102 with the late 21610 of Advanced Opt-Out); 0120 tells the
news out of order, 0121 tells it twice, 0122 never tells any, 0123 stops at `sent` as some carriers do."""

_RANKS = {"accepted": 0, "queued": 1, "sending": 2, "sent": 3, "undelivered": 4, "failed": 4, "delivered": 4}


def rises(old: str, new: str) -> bool:
    """Whether the resource itself moves on: callbacks come in any order, the resource never goes back."""
    return _RANKS[new] > _RANKS[old]


# --- creating a message -----------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """The parameters of a create request that we emulate."""

    to: str
    sender: str
    service: str
    body: str
    media_urls: tuple[str, ...] = ()
    status_callback: str = ""
    validity_seconds: int | None = None
    """`ValidityPeriod`; None: not given, which is ten hours."""

    @classmethod
    def read(cls, form: Mapping[str, Sequence[str]]) -> "Order":
        def one(name: str) -> str:
            return next(iter(form.get(name, ())), "")

        return cls(
            to=one("To"),
            sender=one("From"),
            service=one("MessagingServiceSid"),
            body=one("Body"),
            media_urls=tuple(form.get("MediaUrl", ())),
            status_callback=one("StatusCallback"),
            validity_seconds=_whole_number(one("ValidityPeriod")),
        )


def _whole_number(value: str) -> int | None:
    """0, which is out of range, for what is no number."""
    if not value:
        return None
    return int(value) if value.isdecimal() else 0


@dataclass(frozen=True)
class Refusal:
    code: int
    value: str = ""


def refusal_for(order: Order, number: str, service: str | None, blocked: AbstractSet[str]) -> Refusal | None:
    """The first thing wrong with `order`, or None. `blocked` holds the numbers that sent STOP."""
    return (
        _missing(order)
        or _bad_recipient(order)
        or _bad_sender(order, number, service)
        or _bad_content(order)
        or (Refusal(21610) if number_of(order.to) in blocked else None)
    )


def _missing(order: Order) -> Refusal | None:
    if not order.to:
        return Refusal(21604)
    if not order.sender and not order.service:
        return Refusal(21603)
    if not order.body and not order.media_urls:
        return Refusal(21602)
    return None


def _bad_recipient(order: Order) -> Refusal | None:
    to = number_of(order.to)
    if not E164.fullmatch(to) or order.to == order.sender:
        return Refusal(21211, order.to)
    if to in MAGIC_TO:
        return Refusal(MAGIC_TO[to], order.to)
    return None


def _bad_sender(order: Order, number: str, service: str | None) -> Refusal | None:
    if order.service and order.service != service:
        return Refusal(21705, order.service)
    if not order.sender:
        return None
    sender = number_of(order.sender)
    if sender in MAGIC_FROM:
        return Refusal(MAGIC_FROM[sender], order.sender)
    if not E164.fullmatch(sender):
        return Refusal(21212, order.sender)
    if sender not in (number, VALID_MAGIC_FROM):
        return Refusal(21606, order.sender)
    return None


def _bad_content(order: Order) -> Refusal | None:
    if len(order.body) > MAX_BODY:
        return Refusal(21617)
    if len(order.media_urls) > MAX_MEDIA or not all(url.startswith("http") for url in order.media_urls):
        return Refusal(21620)
    if order.status_callback and not STATUS_CALLBACK.fullmatch(order.status_callback):
        return Refusal(21609, order.status_callback)
    if order.validity_seconds is not None and not 1 <= order.validity_seconds <= MAX_VALIDITY_SECONDS:
        return Refusal(90007, str(order.validity_seconds))
    return None


def num_segments(body: str) -> int:
    return max(segment(body).segments, 1)


# --- keywords ---------------------------------------------------------------------------------

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

STOP_REPLY = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
START_REPLY = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP_REPLY = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


@dataclass(frozen=True)
class Keyword:
    """What Twilio's default handling does with a word: nothing here keeps the webhook from being posted."""

    blocks: bool
    reply: str | None


def keyword(body: str, is_blocked: bool) -> Keyword | None:
    """None unless the whole text is one of the words. Source: messaging-contracts A8.

    A START from someone who never stopped changes nothing and is not answered here; what Twilio answers to
    that is not documented.
    """
    word = body.strip().upper()
    if word in STOP_WORDS:
        return Keyword(blocks=True, reply=None if is_blocked else STOP_REPLY)
    if word in START_WORDS and is_blocked:
        return Keyword(blocks=False, reply=START_REPLY)
    if word in HELP_WORDS:
        return Keyword(blocks=is_blocked, reply=None if is_blocked else HELP_REPLY)
    return None
