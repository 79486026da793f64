"""Mails into our records. Headers and reports are written after RFC 3464, 3834, 5322 and 8601; none was recorded."""

import time
from email.message import EmailMessage, Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import ReceiptStatus
from connectors.email import emulator_letters as letters
from connectors.email.authenticity import is_authentic
from connectors.email.automation import Unanswered, why_unanswered
from connectors.email.bounces import read_receipt
from connectors.email.emulator_letters import Letter, Picture
from connectors.email.identity import Identity
from connectors.email.mapping import inbound_message, pictures, vendor_id
from connectors.email.mime import read_mail
from connectors.email.payloads import Envelope, Mail, MailgunForm
from connectors.errors import ChannelMisconfiguredError, UnreadablePayloadError

US = "help@quickship.example"
OUTBOUND_ID = "0b6c5a52-2d3f-4f5e-9a47-0c9d8e7f6a5b"
HEAD = "From: Ann <Ann@Mail.example>\nMessage-ID: <1@mail.example>\n"


def read(raw: str | bytes, sender: str | None = None, *recipients: str) -> Mail:
    return read_mail(raw.encode() if isinstance(raw, str) else raw, Envelope(sender, recipients))


def text_of(raw: str | bytes, identity: Identity) -> str:
    return inbound_message(read(raw), identity, ()).text


# --- what a person wrote ------------------------------------------------------------------------


def test_a_mail_becomes_a_message(identity: Identity) -> None:
    raw = (
        HEAD
        + "Reply-To: eve@mail.example\nTo: hola+x@quickship.example\nSubject: Re: Fwd: Late\n"
        + ("In-Reply-To: <b@q>\nReferences: <a@q> <b@q>\n\nstill waiting\n")
    )
    message = inbound_message(read(raw), identity, ())
    assert (message.sender, message.recipient) == ("ann@mail.example", US)
    assert (message.vendor_id, message.thread_id) == ("1@mail.example", "1@mail.example")
    assert (message.subject, message.references) == ("Late", ("a@q", "b@q"))
    assert message.text == "still waiting"


def test_a_mail_without_an_id_is_the_same_mail_each_time() -> None:
    raw = "From: ann@mail.example\nDate: Mon, 10 Jun 2024 10:00:00 -0400\n\nhello"
    first, again = read(f"Received: from a\n{raw}"), read(f"Received: from b\nReceived: from a\n{raw}")
    assert vendor_id(first) == vendor_id(again)
    assert vendor_id(read(raw + " again")) != vendor_id(first)
    assert "@" not in vendor_id(first)


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("Where is QS-1042?", "It should be here.", "Where is QS-1042?\nIt should be here."),
        ("Where is QS-1042?", "", "Where is QS-1042?"),
        ("Hello", "where is it", "where is it"),
        ("Mi pedido", "dónde está", "dónde está"),
        ("", "where is it", "where is it"),
        ("where is it", "Hi, where is it please", "Hi, where is it please"),
        ("Re: Your delivery", "STOP", "STOP"),
        ("UNSUBSCRIBE", "", "UNSUBSCRIBE"),
        ("RV: Su entrega", "no estoy", "no estoy"),
    ],
)
def test_a_subject_is_read_where_it_says_something_new(
    subject: str, body: str, expected: str, identity: Identity
) -> None:
    assert text_of(f"{HEAD}Subject: {subject}\n\n{body}\n", identity) == expected


def test_a_reply_is_never_read_by_its_subject(identity: Identity) -> None:
    raw = f"{HEAD}Subject: Cancel everything\nIn-Reply-To: <a@q>\n\nfriday\n"
    assert text_of(raw, identity) == "friday"


CHARSETS = {
    "latin-1": (b'Content-Type: text/plain; charset="iso-8859-1"\n\nma\xf1ana', "mañana"),
    "windows, called latin-1": (
        b"Content-Type: text/plain; charset=windows-1252\n\n\x93ma\xf1ana\x94",
        "“mañana”",
    ),
    "utf-8 unannounced": (b"\n\nma\xc3\xb1ana", "mañana"),
    "8 bit, called ascii": (b"Content-Type: text/plain; charset=us-ascii\n\nma\xf1ana", "mañana"),
    "unknown charset": (b"Content-Type: text/plain; charset=x-klingon\n\nma\xc3\xb1ana", "mañana"),
    "wrong charset": (b"Content-Type: text/plain; charset=utf-8\n\nma\xf1ana", "mañana"),
    "charset that is no text": (b"Content-Type: text/plain; charset=base64\n\nhello", "hello"),
    "quoted-printable": (
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nma=C3=B1ana =\nya",
        "mañana ya",
    ),
    "base64, cut short": (
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nbWHDsWFuYQ=",
        "mañana",
    ),
    "unknown encoding": (b"Content-Transfer-Encoding: x-uue\n\nhello", "hello"),
    "nul": (b"\n\nhel\x00lo", "hello"),
    "flowed": (
        b"Content-Type: text/plain; format=flowed\n\nleave it \nbehind the \nplanter\n-- \nAnn",
        "leave it behind the planter",
    ),
}


@pytest.mark.parametrize("name", CHARSETS)
def test_a_body_is_read_in_whatever_charset_it_came(name: str, identity: Identity) -> None:
    raw, expected = CHARSETS[name]
    assert (
        text_of(
            HEAD.encode() + raw.lstrip(b"\n") if raw.startswith(b"C") else HEAD.encode() + raw[1:], identity
        )
        == expected
    )


@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?Q?D=C3=B3nde_est=C3=A1?=",
        b"=?iso-8859-1?B?RPNuZGUgZXN04Q==?=",
        b"D\xc3\xb3nde est\xc3\xa1",
        b"=?x-klingon?Q?D=C3=B3nde_est=C3=A1?=",
        b"=?utf-8?Q?D=C3=B3nde?=\n =?utf-8?Q?_est=C3=A1?=",
    ],
)
def test_a_subject_is_read_however_it_is_encoded(subject: bytes) -> None:
    assert read(b"From: a@b.example\nSubject: " + subject + b"\n\nx").subject == "Dónde está"


@pytest.mark.parametrize(
    "author",
    ["", "From: \n", "From: Ann\n", "From: <>\n", "From: a@b.example, c@d.example\n", "From: a@b@c\n"],
)
def test_a_mail_that_names_no_one_sender_is_refused(author: str, identity: Identity) -> None:
    with pytest.raises(UnreadablePayloadError):
        inbound_message(read(f"{author}Subject: x\n\nhello"), identity, ())


def test_a_forwarded_mail_is_not_taken_for_its_own_words(identity: Identity) -> None:
    mail = EmailMessage()
    mail["From"], mail["Message-ID"], mail["Subject"] = "ann@mail.example", "<1@x>", "look"
    mail.set_content("see below")
    inner = EmailMessage()
    inner["From"] = "eve@mail.example"
    inner.set_content("STOP")
    mail.add_attachment(inner)
    assert text_of(mail.as_bytes(), identity) == "look\nsee below"


def test_photos_are_found_and_logos_are_not(clock: Any) -> None:
    photo, text = Picture(content=b"\xff\xd8" + b"x" * 20_000), "crushed"
    mail = letters.write(
        Letter(sender="a@b.example", recipient=US, text=text, pictures=(photo,)), clock.now()
    )
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", cid="<logo@x>", disposition="inline")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    found = pictures(read_mail(mail.as_bytes(), Envelope()))
    assert [(each.filename, each.content_type, len(each.content)) for each in found] == [
        ("IMG_0001.jpg", "image/jpeg", 20_002)
    ]


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert_read_or_refused(raw)


HEADERS = st.sampled_from(
    [
        "From",
        "Subject",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Message-ID",
        "References",
        "Date",
        "Auto-Submitted",
        "Received",
        "Return-Path",
        "Authentication-Results",
        "Content-Disposition",
        "MIME-Version",
    ]
)
VALUES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "multipart/mixed; boundary=b",
            "multipart/report; report-type=delivery-status; boundary=b",
            "text/html",
            "message/rfc822",
            "message/delivery-status",
            "text/plain; charset=utf-16",
            'text/plain; charset*0="x',
            "base64",
            "quoted-printable",
            "=?utf-8?B?////?=",
            "=?utf-8?Q?=ZZ?=",
            "<a@b>",
            "a@b.example",
            "[x]@",
            "text/plain; format=flowed",
            "image/png; name*=utf-8''%ff",
            "mx.quickship.example; dmarc=pass",
        ]
    ),
)
PARTS = st.lists(
    st.one_of(
        st.tuples(HEADERS, VALUES).map(": ".join),
        st.sampled_from(["--b", "--b--", "", "> x"]),
        st.text(max_size=60),
    )
)


@given(PARTS)
def test_any_broken_mail_is_read_or_refused(lines: list[str]) -> None:
    assert_read_or_refused("\n".join(lines).encode("utf-8", "surrogatepass"))


def assert_read_or_refused(raw: bytes) -> None:
    us = Identity.read(US)
    try:
        mail = read_mail(raw, Envelope("a@b.example"))
        read_receipt(raw, mail, us)
        why_unanswered(mail, us)
        is_authentic(mail, "mx.quickship.example")
        message = inbound_message(mail, us, ())
    except UnreadablePayloadError:
        return
    assert message.vendor_id
    message.model_dump_json().encode("utf-8")
    assert "\x00" not in message.text + message.subject + message.vendor_id


def test_a_mail_in_a_thousand_boxes_is_read_or_refused() -> None:
    boxes = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000))
    assert_read_or_refused(f"From: a@b.example\n{boxes}".encode())


FLOODS = {
    "headers": b"From: a@b.example\n" + b"A: b\n" * 200_000 + b"\nx",
    "parts": b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
    "parameters": b"From: a@b.example\nContent-Type: text/plain" + b"; a=b" * 100_000 + b"\n\nx",
    "senders": b"From: " + b"a@b.example, " * 50_000 + b"\n\nx",
    "encoded words": b"From: a@b.example\nSubject: " + b"=?utf-8?Q?a?= " * 50_000 + b"\n\nx",
    "comments": b"From: " + b'"(' * 50_000 + b"\n\nx",
    "ids": b"From: a@b.example\nReferences: " + b"<a@b> " * 100_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", FLOODS)
def test_no_flood_keeps_the_reader_busy_for_long(name: str) -> None:
    started = time.process_time()
    assert_read_or_refused(FLOODS[name])
    assert time.process_time() - started < 2.0


@given(
    st.dictionaries(
        st.sampled_from(["sender", "from", "subject", "body-plain", "stripped-text", "message-headers"]),
        st.text(max_size=60),
    )
)
def test_any_form_is_read_or_refused(fields: dict[str, str]) -> None:
    try:
        form = MailgunForm.read(fields)
    except UnreadablePayloadError:
        return
    assert "\x00" not in form.subject + form.body_plain


# --- what is never answered ---------------------------------------------------------------------

AUTOMATIC = [
    ("Auto-Submitted: auto-generated", Unanswered.AUTO_SUBMITTED),
    ("Auto-Submitted: auto-replied (vacation)", Unanswered.AUTO_SUBMITTED),
    ("X-Autoreply: yes", Unanswered.AUTO_REPLY),
    ("X-Auto-Response-Suppress: DR, AutoReply", Unanswered.AUTO_REPLY),
    ("Subject: Automatic reply: Your delivery", Unanswered.AUTO_REPLY),
    ("Subject: Respuesta automática: Su entrega", Unanswered.AUTO_REPLY),
    ("Precedence: bulk", Unanswered.BULK),
    ("List-Id: <news.shop.example>", Unanswered.MAILING_LIST),
    ("List-Unsubscribe: <mailto:x@y>", Unanswered.MAILING_LIST),
    ("Return-Path: <>", Unanswered.NULL_SENDER),
    ("Content-Type: multipart/report; report-type=disposition-notification", Unanswered.REPORT),
    ("X-Doorline-Loop: help@quickship.example", Unanswered.LOOP),
]


@pytest.mark.parametrize(("header", "reason"), AUTOMATIC)
def test_what_a_machine_wrote_is_not_answered(header: str, reason: Unanswered, identity: Identity) -> None:
    assert why_unanswered(read(f"{HEAD}{header}\n\nhello"), identity) is reason


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("mailer-daemon@mail.example", Unanswered.SYSTEM_SENDER),
        ("no-reply@shop.example", Unanswered.SYSTEM_SENDER),
        ("noreply+77@shop.example", Unanswered.SYSTEM_SENDER),
        ("donotreply@shop.example", Unanswered.SYSTEM_SENDER),
        (US, Unanswered.OWN_ADDRESS),
        ("hola+tag@quickship.example", Unanswered.OWN_ADDRESS),
        ("bounces+x@quickship.example", Unanswered.OWN_ADDRESS),
    ],
)
def test_who_is_no_person_is_not_answered(sender: str, reason: Unanswered, identity: Identity) -> None:
    assert why_unanswered(read(f"From: {sender}\n\nhello"), identity) is reason


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Precedence: first-class",
        "Return-Path: <ann@mail.example>",
        "X-Doorline-Loop: other@x",
        "X-Auto-Response-Suppress: DR",
        "Subject: automatic gate, please ring",
        "Content-Type: text/plain",
    ],
)
def test_what_a_person_wrote_is_answered(header: str, identity: Identity) -> None:
    assert why_unanswered(read(f"{HEAD}{header}\n\nhello", "noreen@mail.example"), identity) is None


def test_a_mail_that_went_in_circles_is_refused(identity: Identity) -> None:
    assert why_unanswered(read("Received: from x\n" * 51 + HEAD + "\nx"), identity) is Unanswered.LOOP


# --- bounces ------------------------------------------------------------------------------------


def sent() -> Message:
    mail = Message()
    mail["Message-ID"] = f"<{OUTBOUND_ID}@quickship.example>"
    # An earlier mail of ours in the same thread, which did arrive.
    mail["References"] = "<another@quickship.example> <x@mail.example>"
    mail["From"], mail["Subject"] = US, "Re: Late"
    return mail


def report(action: str, status: str, clock: Any) -> bytes:
    return letters.report(
        sent(), to=US, recipient="gone@mail.example", action=action, status=status, now=clock.now()
    ).as_bytes()


def test_a_failed_report_becomes_a_receipt(identity: Identity, clock: Any) -> None:
    raw = report("failed", "5.1.1", clock)
    receipt = read_receipt(raw, read_mail(raw, Envelope("", (US,))), identity)
    assert receipt is not None
    assert (receipt.status, receipt.error_code) == (ReceiptStatus.UNDELIVERED, "5.1.1")
    assert (receipt.outbound_id, receipt.vendor_id) == (OUTBOUND_ID, f"{OUTBOUND_ID}@quickship.example")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("delayed", None),
        ("relayed", None),
        ("delivered", ReceiptStatus.DELIVERED),
        ("error", ReceiptStatus.UNDELIVERED),
    ],
)
def test_a_report_counts_by_its_action(
    action: str, expected: ReceiptStatus | None, identity: Identity, clock: Any
) -> None:
    raw = report(action, "4.4.1", clock)
    receipt = read_receipt(raw, read_mail(raw, Envelope("")), identity)
    assert (receipt and receipt.status) is expected


def test_a_bounce_is_known_by_the_address_it_came_back_to(identity: Identity, clock: Any) -> None:
    raw = report("failed", "5.2.2", clock).replace(OUTBOUND_ID.encode(), b"lost")
    mail = read_mail(raw, Envelope("", ("bounces+o-77@quickship.example",)))
    receipt = read_receipt(raw, mail, identity)
    assert receipt is not None
    assert (receipt.outbound_id, receipt.error_code) == ("o-77", "5.2.2")


def test_a_bounce_in_prose_becomes_a_receipt(identity: Identity, clock: Any) -> None:
    raw = letters.prose_report(sent(), to=US, recipient="old@mail.example", now=clock.now()).as_bytes()
    receipt = read_receipt(raw, read_mail(raw, Envelope("")), identity)
    assert receipt is not None
    assert (receipt.outbound_id, receipt.status) == (OUTBOUND_ID, ReceiptStatus.UNDELIVERED)


def test_a_person_who_sends_a_report_on_reports_nothing(identity: Identity, clock: Any) -> None:
    raw = report("failed", "5.1.1", clock).replace(b"multipart/report", b"multipart/mixed")
    raw = raw.replace(b"From: Mail Delivery System <MAILER-DAEMON@mail.example>", b"From: ann@mail.example")
    assert b"MAILER-DAEMON" not in raw
    assert read_receipt(raw, read_mail(raw, Envelope("ann@mail.example", (US,))), identity) is None


def test_a_bounce_of_somebody_elses_mail_is_nothing_to_us(identity: Identity, clock: Any) -> None:
    raw = report("failed", "5.1.1", clock).replace(b"@quickship.example>", b"@other.example>")
    assert read_receipt(raw, read_mail(raw, Envelope("")), identity) is None


# --- whether From can be believed ---------------------------------------------------------------

OURS = "mx.quickship.example"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (f"{OURS}; dmarc=pass header.from=mail.example", True),
        (f"{OURS}; spf=pass smtp.mailfrom=x.example; dmarc=fail (p=none) header.from=mail.example", False),
        (f"{OURS}; dkim=pass header.d=mail.example header.s=s1", True),
        (f"{OURS}; dkim=pass header.d=evil.example", None),
        (f"{OURS}; spf=pass smtp.mailfrom=mail.example", None),
        ("mx.evil.example; dmarc=pass header.from=mail.example", None),
        (f"{OURS}; none", None),
        ("not ; a (header", None),
    ],
)
def test_only_a_trusted_server_can_vouch_for_a_sender(results: str, expected: bool | None) -> None:
    assert is_authentic(read(f"Authentication-Results: {results}\n{HEAD}\nx"), OURS) is expected


def test_a_sender_cannot_vouch_for_itself_below_the_trusted_server() -> None:
    raw = f"Authentication-Results: {OURS}; dmarc=fail\nAuthentication-Results: {OURS}; dmarc=pass\n{HEAD}\nx"
    assert is_authentic(read(raw), OURS) is False
    assert is_authentic(read(raw), "") is None


# --- who we are ---------------------------------------------------------------------------------


def test_our_ids_find_their_way_back(identity: Identity) -> None:
    assert identity.outbound_id(f"<{identity.message_id('o 7/ä')}>") == "o 7/ä"
    assert identity.bounced_id(identity.envelope_sender("o 7/ä")) == "o 7/ä"
    assert identity.outbound_id("<x@other.example>") is None
    assert Identity.read(US).envelope_sender("o-1") == US


@pytest.mark.parametrize(
    "address", ["", "QuickShip", "a@b@c", "help@", "help@quickship.example, x@y.example"]
)
def test_a_sender_that_is_no_address_is_a_matter_for_the_operator(address: str) -> None:
    with pytest.raises(ChannelMisconfiguredError):
        Identity.read(address)
