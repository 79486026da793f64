"""Twilio's words turned into ours. Pure."""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors.base import ChannelName, InboundMessage, Media, OutboundMessage, Receipt, ReceiptStatus
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    RecipientOptedOutError,
    UndeliverableError,
)
from connectors.twilio.payloads import InboundForm, MessageResource, StatusForm

CHANNEL = ChannelName.SMS.value
WHATSAPP_PREFIX = "whatsapp:"

CLOCK_SKEW = timedelta(minutes=1)
"""How far Twilio's clock may stand behind ours when we look for a message that we tried to send."""

LONGEST_VALIDITY = timedelta(hours=10)

CONNECTION_OVERRIDES = "rc=5&rp=ct,rt,5xx&rt=3000"
"""Twilio retries a webhook only as the URL's fragment asks, which it neither sends nor signs (A2)."""

_MEDIA_PATH = re.compile(
    r"/2010-04-01/Accounts/(?P<account>AC[0-9a-f]{32})/Messages/(?:SM|MM)[0-9a-f]{32}/Media/ME[0-9a-f]{32}",
    re.IGNORECASE | re.ASCII,
)

RECEIPT_STATUSES = {
    "accepted": ReceiptStatus.QUEUED,
    "scheduled": ReceiptStatus.QUEUED,
    "queued": ReceiptStatus.QUEUED,
    "sending": ReceiptStatus.SENDING,
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}

# Code -> what the caller does about it, and why. Twilio warns that the code for a cause may change, so this
# is data with a default (below). Codes from 30001 on come in receipts, not here. Source: messaging-contracts A6.
CODES: dict[int, tuple[type[ChannelError], str]] = {
    20003: (ChannelMisconfiguredError, "the account SID or the auth token is wrong"),
    20404: (ChannelMisconfiguredError, "the account or the resource does not exist"),
    20429: (ChannelUnavailableError, "too many requests at once"),
    # Calls have codes of their own. Source: twilio.com/docs/api/errors, read in 2026.
    10001: (ChannelMisconfiguredError, "the account is not active"),
    10004: (ChannelUnavailableError, "too many calls at once"),
    13224: (UndeliverableError, "no carrier takes a call to this number"),
    13227: (ChannelMisconfiguredError, "calls to this number's country are not enabled"),
    21201: (UndeliverableError, "the call has no number to go to"),
    21205: (ChannelMisconfiguredError, "the URL of the call's words is not valid"),
    21210: (ChannelMisconfiguredError, "the caller's number is not ours"),
    21211: (UndeliverableError, "the recipient's number is not valid"),
    21212: (ChannelMisconfiguredError, "the sender's number is not valid"),
    21213: (ChannelMisconfiguredError, "the call has no number to come from"),
    21214: (UndeliverableError, "the number cannot be reached"),
    21215: (ChannelMisconfiguredError, "calls to this number's country are not enabled"),
    21216: (ChannelMisconfiguredError, "Twilio blocks calls to this number"),
    21217: (UndeliverableError, "the number is not valid"),
    21219: (ChannelMisconfiguredError, "a trial account calls verified numbers only"),
    21220: (ChannelMisconfiguredError, "the call is not in progress"),
    21408: (ChannelMisconfiguredError, "texts to the recipient's country are not enabled"),
    21602: (ChannelMisconfiguredError, "the message has no text"),
    21603: (ChannelMisconfiguredError, "no sender is configured"),
    21604: (UndeliverableError, "the message has no recipient"),
    21606: (ChannelMisconfiguredError, "the sender's number is not ours or cannot send texts"),
    21609: (ChannelMisconfiguredError, "the status callback URL is not valid"),
    21610: (RecipientOptedOutError, "the recipient sent STOP"),
    21611: (ChannelUnavailableError, "the sender's queue is full"),
    21612: (UndeliverableError, "no route to the recipient"),
    21614: (UndeliverableError, "the recipient's number is not a mobile number"),
    21617: (ChannelMisconfiguredError, "the text is too long"),
    21620: (ChannelMisconfiguredError, "a media URL is not valid"),
    21635: (UndeliverableError, "the recipient's number is a landline"),
    21703: (ChannelMisconfiguredError, "the messaging service has no suitable sender"),
    21704: (ChannelMisconfiguredError, "the messaging service has no sender"),
    21705: (ChannelMisconfiguredError, "the messaging service is not valid"),
}
UNKNOWN_CODE = (ChannelMisconfiguredError, "refused for a reason that is not in our table")
"""The default: a person has to look."""


def refusal(
    status: int, code: int | None, retry_after: timedelta | None, *, may_have_worked: bool
) -> ChannelError:
    """The error for an answer that is not 2xx.

    Twilio's own words are left out: they quote phone numbers, and errors end up in logs.
    `may_have_worked` is true for a POST, which a 5xx may have carried out before it broke.
    """
    shown = str(code) if code is not None else f"HTTP {status}"
    if code in CODES:
        kind, why = CODES[code]
        return _error(kind, why, shown, retry_after)
    if status in (429, 503):
        return ChannelUnavailableError(CHANNEL, "busy or down", shown, retry_after)
    if status >= 500 or status == 408:
        kind = OutcomeUnknownError if may_have_worked else ChannelUnavailableError
        return kind(CHANNEL, f"answered HTTP {status}", shown)
    kind, why = UNKNOWN_CODE
    return kind(CHANNEL, why, shown)


def _error(kind: type[ChannelError], why: str, code: str, retry_after: timedelta | None) -> ChannelError:
    if issubclass(kind, ChannelUnavailableError):
        return kind(CHANNEL, why, code, retry_after)
    return kind(CHANNEL, why, code)


def address(channel: ChannelName, number: str) -> str:
    return f"{WHATSAPP_PREFIX}{number}" if channel is ChannelName.WHATSAPP else number


def validity_seconds(useful_for: timedelta | None) -> int | None:
    """`ValidityPeriod`: how long a message may wait in Twilio's queue; it fails with 30001 afterwards.

    None where Twilio's own ten hours are not too long. Whole seconds, rather too few than too many.
    Source: specs/twilio-messages.openapi.json (1 to 36000).
    """
    if useful_for is None or useful_for >= LONGEST_VALIDITY:
        return None
    return max(1, int(useful_for.total_seconds()))


def channel_of(address: str) -> ChannelName:
    return ChannelName.WHATSAPP if address.startswith(WHATSAPP_PREFIX) else ChannelName.SMS


def number_of(address: str) -> str:
    """The bare E.164 number of an SMS or a WhatsApp address."""
    return address.removeprefix(WHATSAPP_PREFIX)


def media_path(url: str, account_sid: str, hosts: Sequence[str]) -> str | None:
    """The path of a media URL of this account on one of these API addresses; None for any other URL."""
    for host in hosts:
        match = _MEDIA_PATH.fullmatch(url.removeprefix(host)) if url.startswith(host) else None
        if match is not None and match.group("account") == account_sid:
            return match.group()
    return None


def inbound_message(form: InboundForm) -> InboundMessage:
    return InboundMessage(
        channel=channel_of(form.sender),
        vendor_id=form.message_sid,
        sender=number_of(form.sender),
        recipient=number_of(form.recipient),
        text=form.text,
        media=form.media,
        opt_out_type=form.opt_out_type or None,
    )


def recovered_message(resource: MessageResource, media: Sequence[Media]) -> InboundMessage:
    """An inbound message whose webhook was lost, as the webhook would have told it."""
    sender = resource.sender or ""
    return InboundMessage(
        channel=channel_of(sender),
        vendor_id=resource.sid,
        sender=number_of(sender),
        recipient=number_of(resource.recipient or ""),
        text=resource.body or "",
        media=tuple(media),
    )


def receipt_from_form(form: StatusForm, outbound_id: str | None) -> Receipt | None:
    """None for a status that we do not know."""
    status = RECEIPT_STATUSES.get(form.status)
    if status is None:
        return None
    return Receipt(
        vendor_id=form.message_sid,
        status=status,
        error_code=form.error_code or None,
        outbound_id=outbound_id or None,
    )


def receipt_from_resource(resource: MessageResource, outbound_id: str) -> Receipt:
    """Twilio holds the message, so a status that we do not know means no more than that."""
    return Receipt(
        vendor_id=resource.sid,
        status=RECEIPT_STATUSES.get(resource.status, ReceiptStatus.QUEUED),
        error_code=None if resource.error_code is None else str(resource.error_code),
        outbound_id=outbound_id,
    )


def status_callback(status_url: str, outbound_id: str) -> str:
    """`status_url` with our id in its query; asks for retries unless the URL has overrides of its own."""
    parts = urlsplit(status_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("outbound_id", outbound_id)])
    return urlunsplit(parts._replace(query=query, fragment=parts.fragment or CONNECTION_OVERRIDES))


def earlier_attempt(
    candidates: Sequence[MessageResource],
    message: OutboundMessage,
    attempted_at: datetime,
    known_vendor_ids: AbstractSet[str],
) -> MessageResource | None:
    """The oldest of `candidates` that can only be `message`, or None."""
    wanted = _comparable(message.text)
    matches = [
        candidate
        for candidate in candidates
        if candidate.direction == "outbound-api"
        and candidate.sid not in known_vendor_ids
        and candidate.date_created is not None
        and candidate.date_created >= attempted_at - CLOCK_SKEW
        and _comparable(candidate.body or "") == wanted
    ]
    return min(matches, key=lambda match: match.date_created or attempted_at, default=None)


# A messaging service with Smart Encoding stores the text with these replaced (A7).
_SMART_ENCODED = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


def _comparable(text: str) -> str:
    """The text without what Twilio may change in it: look-alike punctuation and white space."""
    return " ".join(text.translate(_SMART_ENCODED).replace("…", "...").split())
