"""Mails as other people's software writes them: a person's, a mail server's report, a holiday notice. Pure.

Shapes: RFC 3464 (delivery reports), RFC 3834 (automatic answers), and the quoting of Gmail's web client.
"""

import html
import time
from datetime import datetime
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field


class Picture(BaseModel):
    model_config = ConfigDict(frozen=True)

    filename: str = "IMG_0001.jpg"
    content_type: str = Field(default="image/jpeg", pattern=r"^image/[a-z0-9.+-]+$")
    content: bytes


class Letter(BaseModel):
    """What a person writes."""

    model_config = ConfigDict(frozen=True)

    sender: str
    recipient: str
    text: str
    subject: str = ""
    name: str = ""
    message_id: str = ""
    """Without brackets; empty: a new one."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    quoted: str = ""
    """The text that the person's mailer quotes below the new one."""
    spanish: bool = False
    html_only: bool = False
    pictures: tuple[Picture, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


def write(letter: Letter, now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP.clone(max_line_length=990))
    mail["From"] = formataddr((letter.name, letter.sender))
    mail["To"] = letter.recipient
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{letter.message_id or new_id(letter.sender)}>"
    if letter.in_reply_to:
        mail["In-Reply-To"] = f"<{letter.in_reply_to}>"
        mail["References"] = " ".join(f"<{each}>" for each in (*letter.references, letter.in_reply_to))
    for name, value in letter.headers:
        mail[name] = value
    _fill(mail, letter, now)
    return mail


def new_id(address: str) -> str:
    return f"CA{uuid4().hex}-{time.monotonic_ns():x}@mail.{address.rpartition('@')[2]}"


def _fill(mail: EmailMessage, letter: Letter, now: datetime) -> None:
    intro = _intro(letter, now)
    if letter.html_only:
        mail.set_content(_as_html(letter, intro), subtype="html")
    else:
        mail.set_content(_as_text(letter, intro))
        mail.add_alternative(_as_html(letter, intro), subtype="html")
    for picture in letter.pictures:
        main, _, sub = picture.content_type.partition("/")
        mail.add_attachment(picture.content, maintype=main, subtype=sub, filename=picture.filename)


def _intro(letter: Letter, now: datetime) -> str:
    who = f"<{letter.recipient}>"
    if letter.spanish:
        return f"El {now:%d/%m/%Y} a las {now:%H:%M}, {who} escribió:"
    return f"On {now:%a, %b %d, %Y at %I:%M %p} {who} wrote:"


def _as_text(letter: Letter, intro: str) -> str:
    if not letter.quoted:
        return letter.text
    quoted = "\n".join(f"> {line}" for line in letter.quoted.splitlines())
    return f"{letter.text}\n\n{intro}\n\n{quoted}\n"


def _as_html(letter: Letter, intro: str) -> str:
    new = f'<div dir="ltr">{_lines(letter.text)}</div>'
    if not letter.quoted:
        return new
    attribution = f'<div dir="ltr" class="gmail_attr">{html.escape(intro)}<br></div>'
    old = f'<blockquote class="gmail_quote">{_lines(letter.quoted)}</blockquote>'
    return f'{new}<br><div class="gmail_quote">{attribution}{old}</div>'


def _lines(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())


# --- what machines write ----------------------------------------------------------------------


def report(original: Message, *, to: str, recipient: str, action: str, status: str, now: datetime) -> Message:
    """A delivery report, multipart/report; `action` is `failed` or `delayed`, `status` like `5.1.1`."""
    domain = recipient.rpartition("@")[2]
    mail = MIMEMultipart("report")
    mail.set_param("report-type", "delivery-status")
    mail["From"] = f"Mail Delivery System <MAILER-DAEMON@{domain}>"
    mail["To"] = to
    mail["Subject"] = "Undelivered Mail Returned to Sender"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{new_id(recipient)}>"
    mail["Auto-Submitted"] = "auto-replied"
    mail.attach(MIMEText(f"Your message to {recipient} could not be delivered."))
    mail.attach(_delivery_status(domain, recipient, action, status))
    mail.attach(_headers_of(original))
    return mail


def _delivery_status(domain: str, recipient: str, action: str, status: str) -> Message:
    about_us, about_them, part = Message(), Message(), Message()
    about_us["Reporting-MTA"] = f"dns; mx.{domain}"
    about_them["Final-Recipient"] = f"rfc822; {recipient}"
    about_them["Action"] = action
    about_them["Status"] = status
    about_them["Diagnostic-Code"] = f"smtp; 550 {status} no"
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about_us, about_them])
    return part


def _headers_of(original: Message) -> MIMEText:
    lines = "".join(f"{name}: {value}\n" for name, value in original.items())
    return MIMEText(lines, "rfc822-headers", "us-ascii" if lines.isascii() else "utf-8")


def prose_report(original: Message, *, to: str, recipient: str, now: datetime) -> Message:
    """As qmail writes it: no machine-readable part, the original below a line. Source: qmail's QSBMF."""
    mail = MIMEText(
        f"Hi. This is the qmail-send program at {recipient.rpartition('@')[2]}.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{recipient}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n"
        f"Message-ID: {original['Message-ID']}\nSubject: (left out)\n"
    )
    mail["From"] = f"MAILER-DAEMON@{recipient.rpartition('@')[2]}"
    mail["To"] = to
    mail["Subject"] = "failure notice"
    mail["Date"] = format_datetime(now)
    return mail


def holiday_notice(original: Message, *, sender: str, now: datetime) -> EmailMessage:
    """What a mailbox answers by itself while its owner is away."""
    parent = str(original["Message-ID"]).strip("<>")
    letter = Letter(
        sender=sender,
        recipient=str(original["From"]),
        subject=f"Automatic reply: {original['Subject']}",
        text="I am out of the office until Monday.",
        in_reply_to=parent,
        headers=(("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes"), ("Precedence", "bulk")),
    )
    return write(letter, now)
