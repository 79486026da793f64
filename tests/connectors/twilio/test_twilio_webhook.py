"""The edge: what Twilio posts is verified, stored and answered; what anyone else posts is refused."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

from connectors.base import ChannelName, Receipt, ReceiptStatus
from connectors.emulation import serving

SID = "SM" + "1" * 32
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
Post = Callable[..., Awaitable[httpx.Response]]


def inbound(**changes: str | list[str]) -> dict[str, str | list[str]]:
    """A text as Twilio posts it; shape from messaging-contracts A1."""
    return {
        "MessageSid": SID,
        "SmsSid": SID,
        "AccountSid": "AC" + "0a" * 16,
        "From": "+15550100001",
        "To": "+15005550006",
        "Body": "where is my delivery",
        "NumMedia": "0",
        "NumSegments": "1",
        "FromCity": "",
        "FromState": "",
        "FromZip": "",
        "FromCountry": "US",
        **changes,
    }


async def post_raw(url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(url, content=body, headers=headers)


async def test_a_text_is_stored_and_answered_without_a_reply(edge: Any, post_signed: Post) -> None:
    answer = await post_signed(edge.sms_url, inbound())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text.endswith("<Response></Response>")
    (message,) = edge.messages
    assert message.model_dump(exclude_defaults=True) == {
        "channel": ChannelName.SMS,
        "vendor_id": SID,
        "sender": "+15550100001",
        "recipient": "+15005550006",
        "text": "where is my delivery",
    }


@pytest.mark.parametrize("body", ["", "📦🚚", "x" * 1600, "á" * 1600, "a=b&c=d+%zz", " \n "])
async def test_any_text_arrives_as_it_was_written(edge: Any, post_signed: Post, body: str) -> None:
    answer = await post_signed(edge.sms_url, inbound(Body=body))
    assert answer.status_code == 200
    assert edge.messages[0].text == body


async def test_media_and_the_carriers_opt_out_are_read(edge: Any, post_signed: Post) -> None:
    fields = inbound(
        Body="STOP",
        NumMedia="1",
        MediaUrl0="https://api.twilio.com/m/1",
        MediaContentType0="image/png",
        OptOutType="STOP",
    )
    await post_signed(edge.sms_url, fields)
    (message,) = edge.messages
    assert [(m.url, m.content_type) for m in message.media] == [("https://api.twilio.com/m/1", "image/png")]
    assert message.opt_out_type == "STOP"


async def test_repeated_and_unknown_names_are_part_of_the_signature(edge: Any, post_signed: Post) -> None:
    answer = await post_signed(edge.sms_url, inbound(NewThing=["b", "a", "b"], Another=""))
    assert answer.status_code == 200
    assert len(edge.messages) == 1


async def test_a_forged_signature_is_refused_and_nothing_is_stored(edge: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            edge.sms_url, data=inbound(), headers={"X-Twilio-Signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="}
        )
    assert answer.status_code == 403
    assert not edge.messages


async def test_a_missing_signature_is_refused_and_nothing_is_stored(edge: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answers = [await http.post(url, data=inbound()) for url in (edge.sms_url, edge.status_url)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert not edge.messages
    assert not edge.receipts


async def test_a_changed_field_breaks_the_signature(edge: Any) -> None:
    signature = RequestValidator("the-auth-token").compute_signature(edge.sms_url, inbound())
    async with httpx.AsyncClient(trust_env=False) as http:
        for changed in (inbound(Body="something else"), inbound(FromCity="Boston"), inbound(Extra="1")):
            answer = await http.post(edge.sms_url, data=changed, headers={"X-Twilio-Signature": signature})
            assert answer.status_code == 403
    assert not edge.messages


async def test_a_signature_without_the_empty_fields_does_not_match(edge: Any) -> None:
    without = {name: value for name, value in inbound().items() if value}
    signature = RequestValidator("the-auth-token").compute_signature(edge.sms_url, without)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(edge.sms_url, data=inbound(), headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 403


async def test_behind_a_proxy_the_public_address_is_what_counts(
    edge_at: Callable[[str], Any], post_signed: Post
) -> None:
    edge = edge_at("https://doorline.example/")
    public = "https://doorline.example/connectors/twilio/sms"
    async with serving(edge.app) as url:
        inside = f"{url}/connectors/twilio/sms"
        accepted = await post_signed(inside, inbound(), signed_url=public)
        with_port = await post_signed(inside, inbound(), signed_url=public.replace("/conn", ":443/conn", 1))
        refused = await post_signed(inside, inbound(), signed_url=inside)
    assert [answer.status_code for answer in (accepted, with_port, refused)] == [200, 200, 403]


async def test_a_path_prefix_of_the_public_address_is_signed_too(
    edge_at: Callable[[str], Any], post_signed: Post
) -> None:
    edge = edge_at("https://doorline.example/line")
    async with serving(edge.app) as url:
        answer = await post_signed(
            f"{url}/connectors/twilio/sms",
            inbound(),
            signed_url="https://doorline.example/line/connectors/twilio/sms",
        )
    assert answer.status_code == 200


async def test_the_query_is_part_of_the_signature_and_the_fragment_is_not(
    edge: Any, post_signed: Post
) -> None:
    url = f"{edge.sms_url}?tenant=a%20b&x="
    assert (await post_signed(f"{url}#rc=2&rp=5xx", inbound(), signed_url=url)).status_code == 200
    assert (await post_signed(url, inbound(), signed_url=edge.sms_url)).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageSid": "SM123"},
        {"From": ""},
        {"To": "somewhere"},
        {"NumMedia": "lots"},
        {"NumMedia": "2", "MediaUrl0": "https://api.twilio.com/m/1"},
        {"Body": "x" * 6401},
    ],
)
async def test_a_signed_form_that_makes_no_sense_is_refused_with_a_reason(
    edge: Any, post_signed: Post, changes: dict[str, str]
) -> None:
    answer = await post_signed(edge.sms_url, inbound(**changes))
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not edge.messages


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"MessageSid": "x"}', {"Content-Type": "application/json"}),
        (b"MessageSid=x", {}),
        (b"MessageSid=%ff%fe", FORM_HEADERS),
        (b"MessageSid=\xff\xfe", FORM_HEADERS),
        (b"&".join(b"a%d=" % n for n in range(501)), FORM_HEADERS),
    ],
)
async def test_what_is_no_form_is_refused_with_a_reason(
    edge: Any, body: bytes, headers: dict[str, str]
) -> None:
    for url in (edge.sms_url, edge.status_url):
        answer = await post_raw(url, body, {"X-Twilio-Signature": "x", **headers})
        assert answer.status_code == 400
        assert answer.json()["detail"]
    assert not edge.messages


async def test_json_with_a_body_hash_does_not_break_the_edge(edge: Any) -> None:
    body = b'{"MessageSid": "x"}'
    url = f"{edge.sms_url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator("the-auth-token").compute_signature(url, {})
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/json"}
    assert (await post_raw(url, body, headers)).status_code == 400


async def test_a_form_with_a_body_hash_in_its_address_is_still_checked(edge: Any, post_signed: Post) -> None:
    url = f"{edge.sms_url}?bodySHA256=00"
    assert (await post_signed(url, inbound())).status_code == 200
    assert (await post_signed(url, inbound(), signed_url=edge.sms_url)).status_code == 403


async def test_an_oversized_body_is_refused(edge: Any) -> None:
    answer = await post_raw(
        edge.sms_url, b"Body=" + b"x" * 70_000, {"X-Twilio-Signature": "x", **FORM_HEADERS}
    )
    assert answer.status_code == 413
    assert not edge.messages


async def test_nothing_stored_means_deliver_it_again(edge: Any, post_signed: Post) -> None:
    edge.is_storing = False
    status = {"MessageSid": SID, "MessageStatus": "sent"}
    answers = [await post_signed(edge.sms_url, inbound()), await post_signed(edge.status_url, status)]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)


async def test_a_receipt_is_stored_with_our_id_and_the_error(edge: Any, post_signed: Post) -> None:
    fields = {"MessageSid": SID, "MessageStatus": "undelivered", "ErrorCode": "30003", "To": "+15550100001"}
    answer = await post_signed(f"{edge.status_url}?outbound_id=o-1", fields)
    assert answer.status_code == 200
    assert edge.receipts == [
        Receipt(vendor_id=SID, status=ReceiptStatus.UNDELIVERED, error_code="30003", outbound_id="o-1")
    ]


async def test_a_receipt_without_our_id_is_stored_under_the_carriers(edge: Any, post_signed: Post) -> None:
    await post_signed(edge.status_url, {"MessageSid": SID, "MessageStatus": "sent", "ErrorCode": ""})
    assert edge.receipts == [Receipt(vendor_id=SID, status=ReceiptStatus.SENT)]


async def test_a_status_that_we_do_not_know_is_answered_and_changes_nothing(
    edge: Any, post_signed: Post
) -> None:
    answer = await post_signed(edge.status_url, {"MessageSid": SID, "MessageStatus": "teleported"})
    assert answer.status_code == 200
    assert not edge.receipts


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageSid": SID},
        {"MessageStatus": "sent"},
        {"MessageSid": "x", "MessageStatus": "sent"},
        {"MessageSid": SID, "MessageStatus": "sent", "ErrorCode": "oops"},
    ],
)
async def test_a_receipt_that_makes_no_sense_is_refused(
    edge: Any, post_signed: Post, fields: dict[str, str]
) -> None:
    assert (await post_signed(edge.status_url, fields)).status_code == 400
    assert not edge.receipts


async def test_only_posts_are_taken(edge: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(edge.sms_url)).status_code == 405
