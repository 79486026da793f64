"""Pure: Twilio's words turned into ours."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import ChannelName, OutboundMessage, ReceiptStatus
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    RecipientOptedOutError,
    UndeliverableError,
    UnreadablePayloadError,
)
from connectors.twilio import mapping
from connectors.twilio.payloads import InboundForm, MessageResource, StatusForm

SID = "SM" + "1" * 32
OTHER_SID = "SM" + "2" * 32
AT = datetime(2024, 6, 10, 14, 0, tzinfo=UTC)
MESSAGE = OutboundMessage(
    outbound_id="o-1", channel=ChannelName.SMS, recipient="+15550100001", text="About 3:20 pm."
)


def held(sid: str = SID, **changes: Any) -> MessageResource:
    resource = MessageResource(
        sid=sid, status="sent", direction="outbound-api", body=MESSAGE.text, date_created=AT
    )
    return resource.model_copy(update=changes)


@pytest.mark.parametrize(
    ("status", "code", "may_have_worked", "expected"),
    [
        (401, 20003, True, ChannelMisconfiguredError),
        (404, 20404, True, ChannelMisconfiguredError),
        (429, 20429, True, ChannelUnavailableError),
        (429, None, True, ChannelUnavailableError),
        (400, 21211, True, UndeliverableError),
        (400, 21612, True, UndeliverableError),
        (400, 21614, True, UndeliverableError),
        (400, 21635, True, UndeliverableError),
        (400, 21606, True, ChannelMisconfiguredError),
        (400, 21610, True, RecipientOptedOutError),
        (400, 21611, True, ChannelUnavailableError),
        (400, 99999, True, ChannelMisconfiguredError),
        (403, None, True, ChannelMisconfiguredError),
        (500, None, True, OutcomeUnknownError),
        (502, 20500, True, OutcomeUnknownError),
        (504, None, True, OutcomeUnknownError),
        (500, None, False, ChannelUnavailableError),
        (503, None, True, ChannelUnavailableError),
    ],
)
def test_every_refusal_has_a_class(
    status: int, code: int | None, may_have_worked: bool, expected: type[ChannelError]
) -> None:
    error = mapping.refusal(status, code, None, may_have_worked=may_have_worked)
    assert type(error) is expected


def test_an_unknown_code_stands_in_the_text() -> None:
    error = mapping.refusal(400, 99999, None, may_have_worked=True)
    assert "99999" in str(error)
    assert error.code == "99999"


def test_a_busy_answer_says_when_to_come_back() -> None:
    error = mapping.refusal(429, 20429, timedelta(seconds=3), may_have_worked=True)
    assert isinstance(error, ChannelUnavailableError)
    assert error.retry_after == timedelta(seconds=3)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", ReceiptStatus.QUEUED),
        ("sending", ReceiptStatus.SENDING),
        ("read", ReceiptStatus.DELIVERED),
        ("canceled", ReceiptStatus.FAILED),
    ],
)
def test_statuses_become_ours(word: str, status: ReceiptStatus) -> None:
    form = StatusForm.read({"MessageSid": SID, "MessageStatus": word})
    receipt = mapping.receipt_from_form(form, "o-1")
    assert receipt is not None
    assert receipt.status is status


def test_every_status_of_the_interface_is_known_except_inbound_and_deprecated_ones() -> None:
    outbound = {"accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed"}
    assert set(mapping.RECEIPT_STATUSES) == outbound | {"canceled", "read"}


def test_the_status_callback_carries_our_id_and_asks_for_retries() -> None:
    parts = urlsplit(mapping.status_callback("https://x.example/status", "o 1&2"))
    assert parse_qs(parts.query) == {"outbound_id": ["o 1&2"]}
    assert "rc=5" in parts.fragment


def test_a_status_callback_keeps_its_own_query_and_overrides() -> None:
    url = mapping.status_callback("https://x.example/status?tenant=a#rc=1", "o-1")
    assert url == "https://x.example/status?tenant=a&outbound_id=o-1#rc=1"


def test_a_whatsapp_text_has_a_bare_number() -> None:
    form = InboundForm.read(
        {"MessageSid": SID, "From": "whatsapp:+15550100001", "To": "whatsapp:+15005550006", "Body": "hola"}
    )
    message = mapping.inbound_message(form)
    assert (message.channel, message.sender, message.recipient) == (
        ChannelName.WHATSAPP,
        "+15550100001",
        "+15005550006",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageSid": "nonsense"},
        {"MessageSid": SID + "1"},
        {"MessageSid": SID + "\n"},
        {"MessageSid": ""},
        {"From": ""},
        {"From": "messenger:123456"},
        {"From": "+1 555 0100"},
        {"To": ""},
        {"Body": "x" * 6401},
        {"NumMedia": "many"},
        {"NumMedia": "-1"},
        {"NumMedia": "11"},
        {"NumMedia": ""},
        {"NumMedia": "1"},
    ],
)
def test_a_nonsensical_form_is_unreadable_and_the_reason_quotes_nothing(changes: dict[str, str]) -> None:
    fields = {"MessageSid": SID, "From": "+15550100001", "To": "+15005550006", "Body": "hello", **changes}
    with pytest.raises(UnreadablePayloadError) as caught:
        InboundForm.read(fields)
    assert "+1" not in str(caught.value)
    assert str(caught.value)


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
def test_a_form_without_an_essential_field_is_unreadable(missing: str) -> None:
    fields = {"MessageSid": SID, "From": "+15550100001", "To": "+15005550006", "Body": "hello"}
    del fields[missing]
    with pytest.raises(UnreadablePayloadError, match=missing):
        InboundForm.read(fields)


def test_a_nul_never_reaches_the_database() -> None:
    fields = {"MessageSid": SID, "From": "+15550100001", "To": "+15005550006", "Body": "a\x00b"}
    assert InboundForm.read(fields).text == "ab"


def find(*candidates: MessageResource, known: frozenset[str] = frozenset()) -> str | None:
    found = mapping.earlier_attempt(candidates, MESSAGE, AT, known)
    return found and found.sid  # type: ignore[return-value]


def test_an_earlier_attempt_is_found_by_text_and_time() -> None:
    assert find(held()) == SID


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Something else."},
        {"direction": "inbound"},
        {"direction": "outbound-reply"},
        {"date_created": AT - timedelta(minutes=2)},
        {"date_created": None},
    ],
)
def test_another_message_is_no_earlier_attempt(changes: dict[str, Any]) -> None:
    assert find(held(**changes)) is None


def test_messages_that_belong_to_others_are_left_out() -> None:
    later = held(OTHER_SID, date_created=AT + timedelta(seconds=5))
    assert find(held(), later, known=frozenset({SID})) == OTHER_SID


def test_of_two_matches_the_older_one_is_taken() -> None:
    later = held(OTHER_SID, date_created=AT + timedelta(seconds=5))
    assert find(later, held()) == SID


def test_a_clock_a_little_behind_does_not_hide_the_attempt() -> None:
    assert find(held(date_created=AT - timedelta(seconds=30))) == SID


def test_smart_encoding_does_not_hide_the_attempt() -> None:
    message = MESSAGE.model_copy(update={"text": "It’s 4 stops away — about 3:20…"})
    candidate = held(body="It's 4 stops away - about 3:20...")
    assert mapping.earlier_attempt([candidate], message, AT, frozenset()) == candidate


@pytest.mark.parametrize(
    ("useful_for", "seconds"),
    [
        (None, None),
        (timedelta(hours=10), None),  # as long as Twilio waits anyway
        (timedelta(hours=9, minutes=59, seconds=59), 35_999),
        (timedelta(minutes=10), 600),
        (timedelta(seconds=7.9), 7),  # rather too short than too long
        (timedelta(seconds=0.4), 1),  # the least that Twilio takes
    ],
)
def test_a_message_is_valid_for_as_long_as_it_is_useful(
    useful_for: timedelta | None, seconds: int | None
) -> None:
    assert mapping.validity_seconds(useful_for) == seconds
