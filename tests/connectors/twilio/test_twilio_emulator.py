"""The pretended Twilio, seen with the vendor's own SDK and validator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from connectors.base import ReceiptStatus
from connectors.emulation import free_port, serving
from connectors.twilio.emulator import TwilioEmulator
from connectors.twilio.emulator_rules import Outcome

ACCOUNT = "AC" + "0a" * 16
TOKEN = "the-auth-token"
NUMBER = "+15005550006"
PHONE = "+15550100001"


@pytest.fixture
def sdk(twilio: Any) -> Client:
    """The blocking client as anyone would point it at the emulator; call it through `asyncio.to_thread`."""
    return sdk_for(twilio.url)


def sdk_for(url: str, token: str = TOKEN) -> Client:
    client = Client(ACCOUNT, token, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = url
    return client


async def create(sdk: Client, **arguments: Any) -> Any:
    return await asyncio.to_thread(
        sdk.messages.create, **{"to": PHONE, "from_": NUMBER, "body": "hello", **arguments}
    )


class Recorder:
    """An application that keeps every webhook it gets, and answers as told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], httpx.Headers]] = []
        self.answers: list[int] = []
        self.app = FastAPI()
        self.app.add_api_route("/{path:path}", self._take, methods=["POST"])
        self.url = ""

    async def _take(self, request: Request) -> Response:
        form = await request.form()
        headers = httpx.Headers(request.headers.raw)
        self.seen.append((str(request.url), {k: str(v) for k, v in form.items()}, headers))
        status = self.answers.pop(0) if self.answers else 200
        return Response("<Response/>", status, media_type="text/xml")


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    recorder = Recorder()
    async with serving(recorder.app) as url:
        recorder.url = url
        yield recorder


# --- the Messages API -------------------------------------------------------------------------


async def test_a_created_message_can_be_fetched_and_listed(sdk: Client, twilio: Any, clock: Any) -> None:
    created = await create(sdk, body="hola, está en camino")
    await twilio.emulator.settled()
    fetched = await asyncio.to_thread(sdk.messages(created.sid).fetch)
    (listed,) = await asyncio.to_thread(sdk.messages.list, to=PHONE)
    assert created.status == "queued"
    assert created.date_sent is None
    assert (fetched.status, listed.status) == ("delivered", "delivered")
    assert (fetched.direction, fetched.num_segments, fetched.error_code) == ("outbound-api", "1", None)
    assert (fetched.date_created, fetched.date_sent) == (clock.at, clock.at)


async def test_lists_are_newest_first_and_pages_join_without_gaps(sdk: Client, twilio: Any) -> None:
    sids = [(await create(sdk, body=f"number {index}")).sid for index in range(7)]
    listed = await asyncio.to_thread(sdk.messages.list, page_size=3)
    assert [m.sid for m in listed] == sids[::-1]


async def test_a_message_that_arrives_while_paging_moves_no_page(sdk: Client, twilio: Any) -> None:
    sids = [(await create(sdk, body=f"number {index}")).sid for index in range(4)]
    first = await asyncio.to_thread(sdk.messages.page, page_size=2)
    await create(sdk, body="in between")
    second = await asyncio.to_thread(first.next_page)
    assert [m.sid for m in [*first, *second]] == sids[::-1]
    assert await asyncio.to_thread(second.next_page) is None


async def test_lists_are_filtered_by_number_and_date(sdk: Client, twilio: Any, clock: Any) -> None:
    old = (await create(sdk)).sid
    await twilio.emulator.settled()
    clock.move(days=1)
    new = (await create(sdk)).sid
    other = (await create(sdk, to="+15550100002")).sid
    await twilio.emulator.settled()
    queued = (await create(sdk, to="+15005550122")).sid

    async def sids(**filters: Any) -> set[str]:
        return {m.sid for m in await asyncio.to_thread(sdk.messages.list, **filters)}

    yesterday = datetime(2024, 6, 10, tzinfo=UTC)
    assert await sids(to=PHONE) == {old, new}
    assert await sids(from_=NUMBER) == {old, new, other, queued}
    assert await sids(from_=PHONE) == set()
    assert await sids(date_sent_after=clock.at) == {new, other}
    assert await sids(date_sent_before=clock.at - timedelta(minutes=1)) == {old}
    assert await sids(date_sent="2024-06-10") == {old}
    assert await sids(date_sent_before="2024-06-10") == {old}
    assert await sids(date_sent_after=yesterday.date(), to=PHONE) == {old, new}


async def test_a_message_can_be_redacted_and_deleted(sdk: Client, twilio: Any) -> None:
    sid = (await create(sdk)).sid
    await twilio.emulator.settled()
    redacted = await asyncio.to_thread(sdk.messages(sid).update, body="")
    assert redacted.body == ""
    assert await asyncio.to_thread(sdk.messages(sid).delete)
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(sdk.messages(sid).fetch)
    assert (caught.value.status, caught.value.code) == (404, 20404)


async def test_the_account_can_be_fetched(sdk: Client) -> None:
    account = await asyncio.to_thread(sdk.api.v2010.accounts(ACCOUNT).fetch)
    assert (account.sid, account.status) == (ACCOUNT, "active")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ""}, 21604),
        ({"from_": ""}, 21603),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"to": "12345"}, 21211),
        ({"to": NUMBER}, 21211),
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550009"}, 21614),
        ({"from_": "+15005550001"}, 21212),
        ({"from_": "+15005550007"}, 21606),
        ({"from_": "+15005550008"}, 21611),
        ({"from_": "+15550109999"}, 21606),
        ({"status_callback": "not a url"}, 21609),
        ({"status_callback": "https://under_score.example/status"}, 21609),
        ({"media_url": ["nowhere"]}, 21620),
        ({"content_sid": "HX" + "0" * 32}, 20001),
    ],
)
async def test_a_bad_request_is_refused_with_twilios_code(
    sdk: Client, twilio: Any, changes: dict[str, Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as caught:
        await create(sdk, **changes)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert not twilio.emulator.messages()


async def test_wrong_credentials_and_a_foreign_account_are_refused(twilio: Any) -> None:
    with pytest.raises(TwilioRestException) as caught:
        await create(sdk_for(twilio.url, token="wrong"))
    assert (caught.value.status, caught.value.code) == (401, 20003)
    async with httpx.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as http:
        foreign = await http.get(f"{twilio.url}/2010-04-01/Accounts/AC{'9' * 32}/Messages.json")
        bare = await http.get(f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", auth=None)
    assert (foreign.status_code, foreign.json()["code"]) == (404, 20404)
    assert (bare.status_code, bare.json()["code"]) == (401, 20003)


async def test_a_route_that_nobody_expected_is_refused_and_noted(twilio: Any) -> None:
    async with httpx.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as http:
        answer = await http.get(f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Faxes.json")
    assert answer.json()["code"] == 20404
    assert "Faxes.json" in twilio.emulator.alerts[-1]["text"]


# --- receipts ---------------------------------------------------------------------------------


async def test_receipts_are_signed_and_the_first_status_is_not_told(
    sdk: Client, twilio: Any, recorder: Recorder
) -> None:
    url = f"{recorder.url}/status?outbound_id=7"
    sid = (await create(sdk, status_callback=f"{url}#rc=2")).sid
    await twilio.emulator.settled()
    assert [fields["MessageStatus"] for _, fields, _ in recorder.seen] == ["sent", "delivered"]
    for seen_url, fields, headers in recorder.seen:
        assert seen_url == url
        assert RequestValidator(TOKEN).validate(url, fields, headers["x-twilio-signature"])
        assert fields["MessageSid"] == fields["SmsSid"] == sid
        assert (fields["From"], fields["To"]) == (NUMBER, PHONE)
    assert "RawDlrDoneDate" in recorder.seen[1][1]


async def test_a_create_request_does_not_wait_for_its_receipts(sdk: Client, twilio: Any) -> None:
    is_created = asyncio.Event()
    told: list[str] = []

    async def hold(request: Request) -> Response:
        await is_created.wait()
        told.append(str((await request.form())["MessageStatus"]))
        return Response()

    app = FastAPI()
    app.add_api_route("/status", hold, methods=["POST"])
    async with serving(app) as url:
        created = await create(sdk, status_callback=f"{url}/status")
        assert (created.status, told) == ("queued", [])
        is_created.set()
        await twilio.emulator.settled()
    assert told == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("to", "statuses", "code"),
    [
        ("+15005550101", ["failed"], "30001"),
        ("+15005550103", ["sent", "undelivered"], "30003"),
        ("+15005550120", ["delivered", "sent"], None),
        ("+15005550121", ["sent", "sent", "delivered", "delivered"], None),
        ("+15005550122", [], None),
    ],
)
async def test_magic_numbers_decide_what_becomes_of_a_message(
    sdk: Client, twilio: Any, edge: Any, to: str, statuses: list[str], code: str | None
) -> None:
    await create(sdk, to=to, status_callback=f"{edge.status_url}?outbound_id=o-1")
    await twilio.emulator.settled()
    assert [receipt.status.value for receipt in edge.receipts] == statuses
    assert [receipt.error_code for receipt in edge.receipts][-1:] == ([code] if statuses else [])


async def test_out_of_order_receipts_never_move_the_resource_backwards(sdk: Client, twilio: Any) -> None:
    sid = (await create(sdk, to="+15005550120")).sid
    await twilio.emulator.settled()
    assert (await asyncio.to_thread(sdk.messages(sid).fetch)).status == "delivered"


async def test_a_failed_message_shows_its_error(sdk: Client, twilio: Any) -> None:
    twilio.emulator.outcome_for(PHONE, Outcome(("sent", "undelivered"), 30006))
    sid = (await create(sdk)).sid
    await twilio.emulator.settled()
    fetched = await asyncio.to_thread(sdk.messages(sid).fetch)
    assert (fetched.status, fetched.error_code) == ("undelivered", 30006)
    assert fetched.error_message == "Landline or unreachable carrier"


# --- inbound texts ----------------------------------------------------------------------------


async def test_a_text_reaches_our_edge_through_a_signed_webhook(twilio: Any, edge: Any) -> None:
    result = await twilio.emulator.text(PHONE, "where is my delivery? 📦")
    assert result.webhook_status == 200
    assert [(m.vendor_id, m.sender, m.text) for m in edge.messages] == [
        (result.sid, PHONE, "where is my delivery? 📦")
    ]
    assert not twilio.emulator.alerts


async def test_a_text_with_pictures_and_no_words_reaches_our_edge(twilio: Any, edge: Any) -> None:
    result = await twilio.emulator.text(f"whatsapp:{PHONE}", "", num_media=3)
    (message,) = edge.messages
    assert result.sid.startswith("MM")
    assert (message.text, len(message.media), message.recipient) == ("", 3, NUMBER)


async def test_every_parameter_of_twilio_is_posted_the_empty_ones_too(
    twilio: Any, recorder: Recorder
) -> None:
    twilio.emulator.inbound_url = f"{recorder.url}/sms"
    await twilio.emulator.text(PHONE, "")
    _, fields, _ = recorder.seen[0]
    assert fields["FromCity"] == fields["Body"] == ""
    assert {"MessageSid", "SmsSid", "SmsMessageSid", "AccountSid", "NumSegments", "SmsStatus"} <= set(fields)


async def test_the_same_text_can_be_delivered_again(twilio: Any, edge: Any) -> None:
    first = await twilio.emulator.text(PHONE, "hello")
    await twilio.emulator.text(PHONE, "hello", sid=first.sid)
    assert [m.vendor_id for m in edge.messages] == [first.sid] * 2
    assert len(twilio.emulator.messages(PHONE)) == 1


async def test_without_overrides_an_error_answer_is_not_retried(twilio: Any, recorder: Recorder) -> None:
    recorder.answers = [503]
    twilio.emulator.inbound_url = f"{recorder.url}/sms"
    result = await twilio.emulator.text(PHONE, "hello")
    assert (result.webhook_status, len(recorder.seen)) == (503, 1)
    assert twilio.emulator.alerts[-1]["error_code"] == 11200


async def test_overrides_in_the_fragment_ask_for_retries(twilio: Any, recorder: Recorder) -> None:
    recorder.answers = [503, 500]
    twilio.emulator.inbound_url = f"{recorder.url}/sms#rc=2&rp=ct,rt,5xx"
    result = await twilio.emulator.text(PHONE, "hello")
    assert (result.webhook_status, len(recorder.seen)) == (200, 3)
    tokens = {headers["i-twilio-idempotency-token"] for _, _, headers in recorder.seen}
    assert len(tokens) == 1


async def test_a_webhook_that_cannot_be_reached_is_given_up_after_one_retry(twilio: Any) -> None:
    twilio.emulator.inbound_url = f"http://127.0.0.1:{free_port()}/sms"
    result = await twilio.emulator.text(PHONE, "hello")
    assert result.webhook_status is None
    assert twilio.emulator.alerts[-1]["error_code"] == 11200


async def test_an_answer_that_is_no_twiml_raises_twilios_alert(twilio: Any) -> None:
    app = FastAPI()
    app.add_api_route("/sms", lambda: PlainTextResponse("OK"), methods=["POST"])
    async with serving(app) as url:
        twilio.emulator.inbound_url = f"{url}/sms"
        await twilio.emulator.text(PHONE, "hello")
    assert twilio.emulator.alerts[-1]["error_code"] == 12300


# --- STOP, START, HELP ------------------------------------------------------------------------


def replies(twilio: Any) -> list[str]:
    return [m.body for m in twilio.emulator.messages(PHONE) if m.direction == "outbound-reply"]


@pytest.mark.parametrize("word", ["STOP", "stop", " Cancel ", "QUIT", "optout"])
async def test_stop_blocks_the_number_answers_itself_and_still_reaches_us(
    sdk: Client, twilio: Any, edge: Any, word: str
) -> None:
    await twilio.emulator.text(PHONE, word)
    assert len(edge.messages) == 1
    assert edge.messages[0].opt_out_type is None
    assert "unsubscribed" in replies(twilio)[0]
    with pytest.raises(TwilioRestException) as caught:
        await create(sdk)
    assert caught.value.code == 21610


@pytest.mark.parametrize("text", ["stop please", "opt out", "cancel my delivery", "alto"])
async def test_other_words_block_nobody(sdk: Client, twilio: Any, text: str) -> None:
    await twilio.emulator.text(PHONE, text)
    assert not replies(twilio)
    await create(sdk)


async def test_start_lifts_the_block(sdk: Client, twilio: Any) -> None:
    await twilio.emulator.text(PHONE, "STOP")
    await twilio.emulator.text(PHONE, "start")
    await create(sdk)
    assert "re-subscribed" in replies(twilio)[-1]


async def test_help_is_answered_unless_blocked(twilio: Any) -> None:
    await twilio.emulator.text(PHONE, "HELP")
    assert len(replies(twilio)) == 1
    await twilio.emulator.text(PHONE, "STOP")
    await twilio.emulator.text(PHONE, "HELP")
    assert len(replies(twilio)) == 2
    assert PHONE in twilio.emulator.blocked


async def test_a_plain_yes_is_not_answered_by_the_carrier(twilio: Any) -> None:
    await twilio.emulator.text(PHONE, "yes")
    assert not replies(twilio)


# --- a kill and a new start -------------------------------------------------------------------


async def test_a_killed_emulator_remembers_and_finishes_its_receipts(
    tmp_path: Path, edge: Any, clock: Any
) -> None:
    def start(pace_seconds: float, inbound_url: str | None = None) -> TwilioEmulator:
        return TwilioEmulator(
            ACCOUNT,
            TOKEN,
            NUMBER,
            now=clock.now,
            ledger_path=tmp_path / "twilio.sqlite",
            inbound_url=inbound_url,
            pace_seconds=pace_seconds,
        )

    first = start(pace_seconds=60, inbound_url=edge.sms_url)
    async with serving(first.app) as url:
        await first.text("+15550100002", "STOP")
        sid = (await create(sdk_for(url), status_callback=edge.status_url)).sid
    assert not edge.receipts

    second = start(pace_seconds=0.01)
    async with serving(second.app) as url:
        await second.settled()
        assert (await asyncio.to_thread(sdk_for(url).messages(sid).fetch)).status == "delivered"
    assert [receipt.status for receipt in edge.receipts] == [ReceiptStatus.SENT, ReceiptStatus.DELIVERED]
    assert second.inbound_url == edge.sms_url
    assert "+15550100002" in second.blocked


# --- the emulator's own paths -----------------------------------------------------------------


@pytest.fixture
async def controls(twilio: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{twilio.url}/_emulator", trust_env=False) as http:
        yield http


async def test_one_can_text_and_read_both_directions_over_http(
    controls: httpx.AsyncClient, sdk: Client, edge: Any, clock: Any
) -> None:
    answer = (await controls.post("/inbound", json={"from": PHONE, "body": "hi", "num_media": 1})).json()
    assert answer["webhook_status"] == 200
    assert edge.messages[0].vendor_id == answer["sid"]
    sent = await create(sdk, body="hello")
    await create(sdk, to="+15550100002", body="not for that phone")
    for query in (f"?phone={PHONE}", f"?phone=%2B{PHONE[1:]}"):
        shown = (await controls.get(f"/messages{query}")).json()["messages"]
        assert [(m["sid"], m["direction"], m["body"]) for m in shown] == [
            (answer["sid"], "inbound", "hi"),
            (sent.sid, "outbound-api", "hello"),
        ]
        assert datetime.fromisoformat(shown[0]["at"]) == clock.at
    assert len((await controls.get("/messages")).json()["messages"]) == 3


async def test_faults_are_set_and_cleared_over_http(
    controls: httpx.AsyncClient, sdk: Client, twilio: Any
) -> None:
    await controls.post("/faults", json={"down": True})
    assert (await controls.get("/state")).json()["down"]
    with pytest.raises(TwilioRestException):
        await create(sdk)
    await controls.post("/faults", json={"clear": True, "next": [{"kind": "status", "status": 502}]})
    with pytest.raises(TwilioRestException):
        await create(sdk)
    await create(sdk)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/inbound", {"body": "nobody sent this"}),
        ("/inbound", {"from": PHONE, "sid": "nonsense"}),
        ("/inbound", None),
        ("/faults", {"dwon": True}),
        ("/faults", {"next": [{"kind": "flood"}]}),
    ],
)
async def test_a_nonsensical_control_is_refused(controls: httpx.AsyncClient, path: str, body: Any) -> None:
    assert (await controls.post(path, json=body)).status_code == 422


async def test_the_state_is_told(
    controls: httpx.AsyncClient, twilio: Any, open_channel: Callable[..., Any]
) -> None:
    await twilio.emulator.text(PHONE, "STOP")
    await twilio.emulator.settled()
    state = (await controls.get("/state")).json()
    assert (state["number"], state["messages"], state["pending"]) == (NUMBER, 2, 0)
    assert state["blocked"] == [PHONE]
