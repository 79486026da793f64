"""The channel, aiosmtplib under it, over loopback against a real SMTP server."""

from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest

from connectors.base import ChannelName, MediaContent, OutboundMessage, ReceiptStatus
from connectors.email.client import EmailChannel, Relay
from connectors.email.emulator import MailEmulator
from connectors.email.identity import Identity
from connectors.email.mapping import outgoing
from connectors.emulation import Fault, free_port
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    MediaRefusedError,
    OutcomeUnknownError,
    UndeliverableError,
)

ANN = "ann@mail.example"
OUTBOUND_ID = "0b6c5a52-2d3f-4f5e-9a47-0c9d8e7f6a5b"
OpenChannel = Callable[..., EmailChannel]


def message(text: str = "About 3:20 pm.", to: str = ANN, **more: Any) -> OutboundMessage:
    return OutboundMessage(
        outbound_id=OUTBOUND_ID, channel=ChannelName.EMAIL, recipient=to, text=text, **more
    )


async def test_a_sent_mail_lies_in_the_mailbox(channel: EmailChannel, world: MailEmulator) -> None:
    receipt = await channel.send(message())
    (held,) = world.messages(ANN)
    assert (held.text, held.sender, held.subject) == (
        "About 3:20 pm.",
        "help@quickship.example",
        "About 3:20 pm.",
    )
    assert held.message_id == receipt.vendor_id == f"{OUTBOUND_ID}@quickship.example"
    assert held.return_path == f"bounces+{OUTBOUND_ID}@quickship.example"
    assert (receipt.status, receipt.outbound_id) == (ReceiptStatus.SENT, OUTBOUND_ID)


async def test_a_reply_stays_in_its_thread(channel: EmailChannel, world: MailEmulator) -> None:
    await channel.send(
        message(
            subject="Where is it?", in_reply_to="b@mail.example", references=("a@mail.example", "<root@x>")
        )
    )
    (held,) = world.messages(ANN)
    assert (held.subject, held.in_reply_to) == ("Re: Where is it?", "b@mail.example")
    assert held.references == ("a@mail.example", "root@x", "b@mail.example")


async def test_our_mails_say_that_a_machine_wrote_them(channel: EmailChannel, world: MailEmulator) -> None:
    await channel.send(message())
    await channel.send(message(to="bob@mail.example", in_reply_to="b@mail.example"))
    first, second = (dict(mail.headers) for mail in world.messages())
    assert (first["Auto-Submitted"], second["Auto-Submitted"]) == ("auto-generated", "auto-replied")
    assert first["X-Doorline-Loop"] == "help@quickship.example"


async def test_words_and_names_outside_ascii_arrive_whole(channel: EmailChannel, world: MailEmulator) -> None:
    text = "Mañana de 5 a 9 pm, ¿está bien? 📦\n.\nUna línea con un punto\nFrom here on"
    await channel.send(message(text, subject="¿Dónde está mi paquete?", in_reply_to="b@mail.example"))
    (held,) = world.messages(ANN)
    assert (held.text, held.subject) == (text, "Re: ¿Dónde está mi paquete?")


async def test_a_subject_cannot_smuggle_a_header_in(channel: EmailChannel, world: MailEmulator) -> None:
    await channel.send(
        message(subject="hi\r\nBcc: eve@mail.example", in_reply_to="b@mail.example\r\nBcc: eve@x")
    )
    (held,) = world.messages()
    assert held.subject == "Re: hi Bcc: eve@mail.example"
    assert "Bcc" not in dict(held.headers)
    assert held.in_reply_to == ""


def test_long_message_ids_are_not_folded_into_encoded_words(identity: Identity, clock: Any) -> None:
    long = "x" * 190 + "@" + "mail.example"
    mail = outgoing(message(in_reply_to=long, references=(f"y{long}", f"z{long}") * 9), identity, clock.now())
    read = message_from_bytes(mail.as_bytes())
    assert read["In-Reply-To"] == f"<{long}>"
    assert read["References"] == f"<y{long}> <z{long}> <{long}>"
    assert max(map(len, mail.as_bytes().splitlines())) < 998


@pytest.mark.parametrize(
    ("to", "expected", "code"),
    [
        ("unknown@mail.example", UndeliverableError, "5.1.1"),
        ("full@mail.example", ChannelUnavailableError, "4.2.2"),
        ("greylisted@mail.example", ChannelUnavailableError, "4.7.1"),
        ("elsewhere@mail.example", ChannelMisconfiguredError, "5.7.1"),
        ("strict@mail.example", UndeliverableError, "5.7.1"),
        ("nobody", UndeliverableError, "5.1.3"),
        ("eve@x.example> SIZE=1\r\nRCPT TO:<bob@x.example", UndeliverableError, "5.1.3"),
        ("señora@mail.example", UndeliverableError, "5.1.3"),
    ],
)
async def test_a_refused_recipient_raises_its_class(
    channel: EmailChannel, world: MailEmulator, to: str, expected: type[ChannelError], code: str
) -> None:
    with pytest.raises(expected) as caught:
        await channel.send(message(to=to))
    assert caught.value.code == code
    assert to not in str(caught.value)
    assert not world.messages()


async def test_a_greylisted_mail_is_taken_the_second_time(channel: EmailChannel, world: MailEmulator) -> None:
    to = "greylisted@mail.example"
    with pytest.raises(ChannelUnavailableError):
        await channel.send(message(to=to))
    await channel.send(message(to=to))
    assert [mail.copies for mail in world.messages(to)] == [1]


async def test_an_international_domain_is_written_to(channel: EmailChannel, world: MailEmulator) -> None:
    await channel.send(message(to="ana@correo-español.example"))
    assert [mail.recipient for mail in world.messages()] == ["ana@xn--correo-espaol-skb.example"]


async def test_a_wrong_password_is_a_matter_for_the_operator(
    open_channel: OpenChannel, world: MailEmulator
) -> None:
    wrong = f"smtp://doorline:wrong@127.0.0.1:{world.smtp_port}?starttls=0"
    with pytest.raises(ChannelMisconfiguredError, match="login"):
        await open_channel(smtp_url=wrong).send(message())
    nobody = f"smtp://127.0.0.1:{world.smtp_port}"
    with pytest.raises(ChannelMisconfiguredError, match=r"5\.7\.0"):
        await open_channel(smtp_url=nobody).send(message())


async def test_a_password_is_never_sent_in_the_clear_unless_told(
    open_channel: OpenChannel, world: MailEmulator
) -> None:
    plain = f"smtp://doorline:p%40ss%2Fword@127.0.0.1:{world.smtp_port}"
    with pytest.raises(ChannelMisconfiguredError, match="connect"):
        await open_channel(smtp_url=plain).send(message())
    assert not world.messages()


async def test_a_refused_sender_is_a_matter_for_the_operator(
    channel: EmailChannel, world: MailEmulator
) -> None:
    world.faults.next(Fault("status", status=553, path_contains="MAIL"))
    with pytest.raises(ChannelMisconfiguredError, match="553"):
        await channel.send(message())


async def test_a_relay_that_is_down_is_tried_later(open_channel: OpenChannel, world: MailEmulator) -> None:
    with pytest.raises(ChannelUnavailableError):
        await open_channel(smtp_url=f"smtp://127.0.0.1:{free_port()}").send(message())
    world.faults.down = True
    with pytest.raises(ChannelUnavailableError, match="421"):
        await open_channel().send(message())


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_connection_lost_before_the_content_means_not_sent(
    channel: EmailChannel, world: MailEmulator, command: str
) -> None:
    world.faults.next(Fault("reset", path_contains=command))
    with pytest.raises(ChannelUnavailableError):
        await channel.send(message())
    assert not world.messages()


async def test_a_connection_lost_after_the_content_leaves_the_outcome_unknown(
    channel: EmailChannel, world: MailEmulator, clock: Any
) -> None:
    world.faults.next(Fault("reset", path_contains="DATA", after_work=True))
    with pytest.raises(OutcomeUnknownError):
        await channel.send(message())
    assert await channel.find_sent(message(), clock.now() - timedelta(minutes=1), set()) is None
    await channel.send(message())
    (held,) = world.messages(ANN)
    assert held.copies == 2, "sent twice, under one Message-ID"


async def test_a_silent_relay_is_not_waited_for_longer_than_told(
    open_channel: OpenChannel, world: MailEmulator
) -> None:
    world.faults.next(Fault("slow", seconds=30, path_contains="DATA"))
    with pytest.raises(OutcomeUnknownError, match="Timeout"):
        await open_channel(read_seconds=0.3).send(message())


async def test_content_that_is_put_off_was_not_sent(channel: EmailChannel, world: MailEmulator) -> None:
    world.faults.next(Fault("status", status=451, path_contains="DATA"))
    with pytest.raises(ChannelUnavailableError, match="451"):
        await channel.send(message())
    assert not world.messages()


async def test_the_probe_tells_a_good_relay_from_a_bad_one(
    channel: EmailChannel, open_channel: OpenChannel, world: MailEmulator
) -> None:
    assert (await channel.probe()).healthy
    bad = await open_channel(smtp_url=f"smtp://127.0.0.1:{free_port()}").probe()
    assert (bad.healthy, "SMTP_URL" in bad.detail) == (False, True)
    assert not world.messages()


async def test_pictures_come_from_where_the_application_keeps_them(open_channel: OpenChannel) -> None:
    async def read(url: str, at_most_bytes: int) -> MediaContent:
        return MediaContent(content_type="image/png", content=url.encode())

    kept = open_channel(read_attachment=read)
    assert (await kept.fetch_media("kept:1/0", at_most_bytes=99)).content == b"kept:1/0"
    with pytest.raises(MediaRefusedError) as caught:
        await kept.fetch_media("kept:1/0", at_most_bytes=3)
    assert caught.value.code == "too_big"
    with pytest.raises(MediaRefusedError):
        await open_channel().fetch_media("kept:1/0", at_most_bytes=99)


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls"),
    [
        ("smtp://mail.example", 25, False, None),
        ("smtp://mail.example:587?starttls=1", 587, False, True),
        ("smtp://u:p@mail.example:587", 587, False, True),
        ("smtp://u:p@mail.example:587?starttls=0", 587, False, False),
        ("smtps://u:p@mail.example", 465, True, False),
    ],
)
def test_an_smtp_url_says_how_to_connect(url: str, port: int, use_tls: bool, start_tls: bool | None) -> None:
    relay = Relay.read(url)
    assert (relay.host, relay.port, relay.use_tls, relay.start_tls) == (
        "mail.example",
        port,
        use_tls,
        start_tls,
    )


@pytest.mark.parametrize(
    "url", ["", "http://mail.example", "smtp://", "smtp://mail.example:port", "mail.example"]
)
def test_an_unreadable_smtp_url_is_a_matter_for_the_operator(url: str) -> None:
    with pytest.raises(ChannelMisconfiguredError):
        Relay.read(url)
