"""Mails that reach us over real SMTP, LMTP and the signed route."""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable
from typing import Any

import aiosmtplib
import httpx
import pytest
import structlog

from connectors.base import ChannelName, OutboundMessage, ReceiptStatus
from connectors.email import emulator_letters as letters
from connectors.email.client import EmailChannel
from connectors.email.emulator import MailEmulator
from connectors.email.emulator_letters import Letter, Picture
from connectors.email.emulator_routes import RoutePoster
from connectors.email.inbound import MAX_CONNECTIONS, MailListener
from connectors.emulation import Fault

US = "help@quickship.example"
ANN = "ann@mail.example"
SIGNING_KEY = "the-signing-key"
OUTBOUND_ID = "0b6c5a52-2d3f-4f5e-9a47-0c9d8e7f6a5b"
RAW = f"From: {ANN}\r\nTo: {US}\r\nMessage-ID: <1@mail.example>\r\n\r\nwhere is it\r\n".encode()


def outbound(text: str, to: str = ANN, outbound_id: str = OUTBOUND_ID, **more: Any) -> OutboundMessage:
    return OutboundMessage(
        outbound_id=outbound_id, channel=ChannelName.EMAIL, recipient=to, text=text, **more
    )


async def hand_in(
    listener: MailListener, raw: bytes = RAW, sender: str = ANN, *recipients: str
) -> tuple[int, str]:
    """What a mail server hears: the code and words of the first refusal, or of the end."""
    smtp = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=listener.port, start_tls=False, local_hostname="mx.example"
    )
    try:
        async with smtp:
            await smtp.mail(sender)
            for recipient in recipients or (US,):
                await smtp.rcpt(recipient)
            answer = await smtp.data(raw)
            return answer.code, answer.message
    except aiosmtplib.SMTPResponseException as exc:
        return exc.code, exc.message


# --- a conversation -----------------------------------------------------------------------------


async def test_a_conversation_keeps_its_thread_both_ways(
    channel: EmailChannel, world: MailEmulator, desk: Any
) -> None:
    await world.write(Letter(sender=ANN, recipient=US, subject="Where is QS-1042?", text="It is late."))
    first = desk.messages[0]
    assert (first.text, first.subject) == ("Where is QS-1042?\nIt is late.", "Where is QS-1042?")

    answer = outbound(
        "About 3:20 pm.", subject=first.subject, in_reply_to=first.thread_id, references=first.references
    )
    await channel.send(answer)
    await world.reply(ANN, "tomorrow after 5\n\nSent from my iPhone")
    second = desk.messages[1]
    assert (second.text, second.subject) == ("tomorrow after 5", "Where is QS-1042?")
    assert second.references == (first.thread_id, f"{OUTBOUND_ID}@quickship.example")
    assert not world.alerts


@pytest.mark.parametrize("html_only", [False, True])
async def test_a_reply_in_spanish_is_read_without_its_quote(
    channel: EmailChannel, world: MailEmulator, desk: Any, html_only: bool
) -> None:
    await channel.send(outbound("Llega a eso de las 3:20 pm.\n¿Está en casa?", subject="Su entrega"))
    await world.reply(ANN, "mañana después de las 5", spanish=True, html_only=html_only)
    assert [message.text for message in desk.messages] == ["mañana después de las 5"]


async def test_photos_are_kept_under_the_mail_they_came_with(world: MailEmulator, desk: Any) -> None:
    photo = Picture(content=b"\xff\xd8\xff" + b"x" * 9000)
    letter = Letter(
        sender=ANN, recipient=US, text="it is crushed", message_id="7@mail.example", pictures=(photo,)
    )
    await world.write(letter)
    (message,) = desk.messages
    assert [(media.url, media.content_type) for media in message.media] == [
        ("kept:7@mail.example/0", "image/jpeg")
    ]
    assert desk.pictures["7@mail.example", 0] == ("image/jpeg", photo.content)


async def test_a_bounce_comes_back_as_a_receipt(
    channel: EmailChannel, world: MailEmulator, desk: Any
) -> None:
    for name in ("gone", "late", "old"):
        await channel.send(outbound("hello", to=f"{name}@mail.example", outbound_id=f"o-{name}"))
    await world.settled()
    told = {receipt.outbound_id: (receipt.status, receipt.error_code) for receipt in desk.receipts}
    assert told == {
        "o-gone": (ReceiptStatus.UNDELIVERED, "5.1.1"),
        "o-old": (ReceiptStatus.UNDELIVERED, None),
    }
    assert not desk.messages
    assert {mail.answer for mail in world.messages() if mail.direction == "inbound"} == {250}


async def test_a_holiday_notice_is_taken_and_dropped(
    channel: EmailChannel, world: MailEmulator, desk: Any
) -> None:
    with structlog.testing.capture_logs() as logs:
        await channel.send(outbound("hello", to="away@mail.example"))
        await world.settled()
    assert (desk.messages, desk.receipts) == ([], [])
    assert [entry["reason"] for entry in logs if entry["event"] == "email.not_answered"] == ["auto_submitted"]
    assert "away@mail.example" not in repr(logs)


# --- what a mail server hears -------------------------------------------------------------------


async def test_a_mail_is_taken_only_once_it_is_stored(listener: MailListener, desk: Any) -> None:
    desk.is_storing = False
    assert (await hand_in(listener))[0] == 451
    desk.is_storing = True
    assert (await hand_in(listener))[0] == 250
    assert [message.vendor_id for message in desk.messages] == ["1@mail.example"]


async def test_a_mail_that_was_put_off_comes_again(world: MailEmulator, desk: Any) -> None:
    desk.refusals_left = 2
    assert (await world.write(Letter(sender=ANN, recipient=US, text="where is it"))).answer == 250
    assert desk.refusals_left < 0
    assert [message.text for message in desk.messages] == ["where is it"]


async def test_a_bounce_that_could_not_be_stored_is_kept_by_the_sender(
    listener: MailListener, desk: Any, clock: Any
) -> None:
    desk.is_storing = False
    original = letters.write(
        Letter(sender=US, recipient=ANN, text="x", message_id=f"{OUTBOUND_ID}@quickship.example"), clock.now()
    )
    report = letters.report(original, to=US, recipient=ANN, action="failed", status="5.1.1", now=clock.now())
    assert (await hand_in(listener, report.as_bytes(), ""))[0] == 451


async def test_nothing_is_relayed(listener: MailListener, desk: Any) -> None:
    code, words = await hand_in(listener, RAW, ANN, "bob@elsewhere.example")
    assert (code, words[:5]) == (550, "5.1.1")
    assert not desk.messages


@pytest.mark.parametrize(
    "recipient", ["HELP@QuickShip.example", "help+case7@quickship.example", "hola@quickship.example"]
)
async def test_every_address_of_ours_is_taken(listener: MailListener, desk: Any, recipient: str) -> None:
    assert (await hand_in(listener, RAW, ANN, recipient))[0] == 250
    assert [message.recipient for message in desk.messages] == [US]


async def test_a_mail_that_is_too_big_is_refused(listener: MailListener, desk: Any) -> None:
    code, _ = await hand_in(listener, RAW + b"x" * 70 + (b"\r\n" + b"x" * 70) * 4000)
    assert (code, desk.messages) == (552, [])


async def test_lines_longer_than_the_rule_are_read(listener: MailListener, desk: Any) -> None:
    assert (await hand_in(listener, RAW + b"x" * 5000))[0] == 250
    assert len(desk.messages) == 1


async def test_our_own_mail_come_back_is_refused(listener: MailListener, desk: Any) -> None:
    code, words = await hand_in(listener, b"X-Doorline-Loop: help@quickship.example\r\n" + RAW)
    assert (code, words[:5], desk.messages) == (554, "5.4.6", [])


async def test_a_mail_from_nobody_is_refused_for_good(listener: MailListener, desk: Any) -> None:
    code, words = await hand_in(listener, b"Subject: hello\r\n\r\nwhere is it")
    assert (code, words[:5], desk.messages) == (550, "5.6.0", [])


async def test_a_mistake_of_ours_bounces_nobodys_mail(listener: MailListener, desk: Any) -> None:
    async def stumble(*_: object) -> str:
        raise RuntimeError("a bug, with where is it in its text")

    object.__setattr__(desk.intake, "receive_message", stumble)
    with structlog.testing.capture_logs() as logs:
        assert (await hand_in(listener))[0] == 451
    assert "where is it" not in repr(logs)


async def test_lmtp_answers_once_per_recipient(desk: Any) -> None:
    listener = MailListener(desk.intake, lmtp=True)
    await listener.start()

    def talk() -> tuple[int, int]:
        with smtplib.LMTP("127.0.0.1", listener.port, local_hostname="mx.example") as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail(ANN)
            lmtp.rcpt(US)
            lmtp.rcpt("hola@quickship.example")
            return lmtp.data(RAW)[0], lmtp.getreply()[0]

    answers = await asyncio.to_thread(talk)
    await listener.stop()
    assert answers == (250, 250)
    assert len(desk.messages) == 1, "one mail, however many of our addresses it names"


async def test_too_many_connections_are_asked_to_come_later(listener: MailListener) -> None:
    held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(MAX_CONNECTIONS)]
    for reader, _ in held:
        await reader.readline()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    assert (await reader.readline()).startswith(b"421")
    for _, each in (*held, (reader, writer)):
        each.close()


async def test_a_stopped_listener_lets_go_of_its_port(desk: Any) -> None:
    listener = MailListener(desk.intake)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    await reader.readline()
    await asyncio.wait_for(listener.stop(), 5)
    again = MailListener(desk.intake, port=listener.port)
    await again.start()
    await again.stop()
    writer.close()


# --- the signed route ---------------------------------------------------------------------------


@pytest.fixture
async def poster(clock: Any) -> Any:
    poster = RoutePoster(SIGNING_KEY, clock.now)
    yield poster
    await poster.aclose()


Post = Callable[[dict[str, str]], Awaitable[httpx.Response]]


@pytest.fixture
async def post(route_url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False) as http:

        async def once(fields: dict[str, str]) -> httpx.Response:
            return await http.post(route_url, data=fields)

        yield once


def form(**changes: str) -> dict[str, str]:
    return {"sender": ANN, "recipient": US, "body-mime": RAW.decode(), **changes}


@pytest.mark.parametrize("as_mime", [True, False])
async def test_a_route_hands_a_mail_in(
    route_url: str, poster: RoutePoster, desk: Any, clock: Any, as_mime: bool
) -> None:
    letter = Letter(
        sender=ANN,
        recipient=US,
        subject="Re: Su entrega",
        text="mañana",
        quoted="¿Está en casa?",
        spanish=True,
        message_id="9@mail.example",
        in_reply_to="o-1@quickship.example",
        pictures=(Picture(content=b"\xff\xd8" + b"x" * 9000),),
    )
    mail = letters.write(letter, clock.now())
    assert await poster.post(route_url, mail, ANN, US, as_mime=as_mime) == 200
    (message,) = desk.messages
    assert (message.text, message.sender, message.vendor_id) == ("mañana", ANN, "9@mail.example")
    assert (message.subject, message.references) == ("Su entrega", ("o-1@quickship.example",))
    assert [media.content_type for media in message.media] == ["image/jpeg"]


async def test_the_providers_stripped_text_is_preferred(post: Post, poster: RoutePoster, desk: Any) -> None:
    fields = {"sender": ANN, "recipient": US, "from": f"Ann <{ANN}>", "subject": "Re: x"}
    fields |= {"body-plain": "friday\n\nmy strange quote", "stripped-text": "friday"}
    assert (await post(fields | poster.seal())).status_code == 200
    assert [message.text for message in desk.messages] == ["friday"]


async def test_a_bounce_over_the_route_becomes_a_receipt(
    route_url: str, poster: RoutePoster, desk: Any, clock: Any
) -> None:
    original = letters.write(
        Letter(sender=US, recipient=ANN, text="x", message_id=f"{OUTBOUND_ID}@quickship.example"), clock.now()
    )
    report = letters.report(original, to=US, recipient=ANN, action="failed", status="5.1.1", now=clock.now())
    assert await poster.post(route_url, report, "", US, as_mime=True) == 200
    assert [receipt.outbound_id for receipt in desk.receipts] == [OUTBOUND_ID]


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "ñ" * 64},
        {"token": "another"},
        {"timestamp": "1718028001"},
        {"timestamp": "x"},
    ],
)
async def test_a_forged_form_is_refused(
    post: Post, poster: RoutePoster, desk: Any, change: dict[str, str]
) -> None:
    assert (await post(form() | poster.seal() | change)).status_code == 403
    assert not desk.messages


async def test_an_unsigned_form_is_refused(post: Post, desk: Any) -> None:
    assert (await post(form())).status_code == 403
    assert (await post({})).status_code == 403
    assert not desk.messages


@pytest.mark.parametrize(("minutes", "status"), [(4, 200), (-4, 200), (6, 403), (-6, 403)])
async def test_an_old_form_is_refused(
    post: Post, poster: RoutePoster, clock: Any, minutes: int, status: int
) -> None:
    sealed = form() | poster.seal()
    clock.move(minutes=minutes)
    assert (await post(sealed)).status_code == status


async def test_a_captured_signature_brings_no_second_mail_in(
    post: Post, poster: RoutePoster, desk: Any
) -> None:
    seal = poster.seal()
    assert (await post(form() | seal)).status_code == 200
    other = RAW.replace(b"<1@", b"<2@").replace(b"where is it", b"cancel it").decode()
    assert (await post(form(**{"body-mime": other}) | seal)).status_code == 403
    assert [message.text for message in desk.messages] == ["where is it"]


async def test_a_form_that_was_not_stored_may_come_again(post: Post, poster: RoutePoster, desk: Any) -> None:
    sealed = form() | poster.seal()
    desk.is_storing = False
    refused = await post(sealed)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    desk.is_storing = True
    assert (await post(sealed)).status_code == 200
    assert len(desk.messages) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"body-mime": "no mail"},
        {"body-mime": "X-Doorline-Loop: help@quickship.example\n" + RAW.decode()},
        {"message-headers": "{"},
        {"message-headers": '[["a"]]'},
    ],
)
async def test_what_can_never_be_read_is_dropped_for_good(
    post: Post, poster: RoutePoster, desk: Any, change: dict[str, str]
) -> None:
    assert (await post(form(**change) | poster.seal())).status_code == 406
    assert not desk.messages


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data", 406),
        ("multipart/form-data; boundary=b", 406),
        ("application/json", 403),
        ("application/x-www-form-urlencoded", 403),
    ],
)
async def test_a_body_that_is_no_form_is_refused(route_url: str, kind: str, status: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(route_url, content=b"\xff--b\r\n", headers={"content-type": kind})
    assert answer.status_code == status


# --- the pretended world itself -----------------------------------------------------------------


async def test_the_pretended_world_is_told_what_to_do_over_http(world: MailEmulator, desk: Any) -> None:
    transport = httpx.ASGITransport(world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mail.test") as http:
        wrote = await http.post(
            "/_emulator/inbound", json={"from": ANN, "text": "where is it", "subject": "QS-1"}
        )
        assert (wrote.status_code, wrote.json()["answer"]) == (200, 250)
        assert (await http.post("/_emulator/inbound", json={"text": "x"})).status_code == 422
        raw = await http.post("/_emulator/raw", params={"return_path": ANN}, content=RAW)
        assert raw.json()["answer"] == 250
        held = (await http.get("/_emulator/messages", params={"address": ANN})).json()["messages"]
        assert [mail["direction"] for mail in held] == ["inbound", "inbound"]
        assert (await http.post("/_emulator/faults", json={"down": True})).json()["down"] is True
        assert (await http.get("/elsewhere")).status_code == 404
        state = (await http.get("/_emulator/state")).json()
    assert (state["messages"], len(state["alerts"])) == (2, 1)
    assert [message.text for message in desk.messages] == ["QS-1\nwhere is it", "where is it"]


async def test_mailboxes_survive_a_kill(clock: Any, tmp_path: Any, world: MailEmulator) -> None:
    first = MailEmulator(US, now=clock.now, ledger_path=tmp_path / "ledger.db")
    await first.start()
    await aiosmtplib.send(
        RAW, sender=US, recipients=[ANN], hostname="127.0.0.1", port=first.smtp_port, start_tls=False
    )
    again = MailEmulator(US, now=clock.now, ledger_path=tmp_path / "ledger.db")
    assert [mail.text for mail in again.messages(ANN)] == ["where is it"]
    await first.aclose()
    await again.aclose()


async def test_a_fault_hits_the_command_it_names(world: MailEmulator, channel: EmailChannel) -> None:
    world.faults.next(Fault("slow", seconds=0.01, path_contains="RCPT"))
    await channel.send(outbound("hello"))
    assert len(world.messages(ANN)) == 1
