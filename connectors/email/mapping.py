"""A mail turned into our records, and our messages into mails. Pure."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum

from connectors.base import ChannelName, InboundMessage, Media, OutboundMessage
from connectors.email.automation import LOOP_HEADER
from connectors.email.identity import CHANNEL, Identity, is_address
from connectors.email.payloads import EmailAttachment, Mail
from connectors.email.visible import visible_text
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    UndeliverableError,
    UnreadablePayloadError,
)

MAX_SUBJECT_CHARACTERS = 150
MAX_REFERENCES_CHARACTERS = 800
SMALLEST_PHOTO_BYTES = 8 * 1024
"""An inline picture below this is a logo or a tracking pixel."""

# Header lines are not folded: Python turns a long Message-ID that it folds into an encoded word, which no
# mailer recognises. The body goes out as 7 bit, so that no server on the way needs 8BITMIME.
POLICY = SMTP.clone(max_line_length=990, cte_type="7bit")

_PREFIX = re.compile(
    r"^\s*(((re|fwd?|rv|aw|wg|enc|reenv)(\[\d+\])?|respuesta|reenviado)\s*:\s*)+", re.IGNORECASE
)
_SAYS_NOTHING = re.compile(
    r"\W*((re|hi|hello|hey|hola|buen[oa]s( d[ií]as| tardes)?|help|ayuda|question|a question|pregunta|consulta"
    r"|duda|delivery|my delivery|entrega|mi entrega|package|my package|paquete|mi paquete|order|my order|pedido"
    r"|mi pedido|no subject|\(?no subject\)?|sin asunto|urgent|urgente|please read|test|prueba)\W*)?",
    re.IGNORECASE,
)
_ID = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


# --- in ---------------------------------------------------------------------------------------


def inbound_message(mail: Mail, identity: Identity, media: Sequence[Media]) -> InboundMessage:
    """Raises `UnreadablePayloadError` when nobody can be answered."""
    if not mail.sender:
        raise UnreadablePayloadError("From does not name exactly one address")
    return InboundMessage(
        channel=ChannelName.EMAIL,
        vendor_id=vendor_id(mail),
        sender=mail.sender,
        recipient=identity.address,
        text=text_of(mail),
        subject=bare_subject(mail.subject),
        thread_id=mail.message_id,
        references=references_of(mail),
        media=tuple(media),
    )


def vendor_id(mail: Mail) -> str:
    """The Message-ID, else a digest of what one mail keeps through every delivery; a digest has no `@`."""
    if mail.message_id:
        return mail.message_id
    kept = "\0".join((mail.sender, mail.date, mail.subject, mail.text, mail.html))
    return f"digest-{hashlib.sha256(kept.encode('utf-8', 'replace')).hexdigest()}"


def references_of(mail: Mail) -> tuple[str, ...]:
    """The thread so far, oldest first; mailers that keep no References still say what they reply to."""
    replied = (mail.in_reply_to,) if mail.in_reply_to else ()
    return tuple(dict.fromkeys((*mail.references, *replied)))


def text_of(mail: Mail) -> str:
    """The new words. In a new thread the subject comes first where it says something the body does not.

    A reply's subject is ours, or says again what was said: it never counts.
    """
    body = visible_text(mail.text, mail.html)
    if _PREFIX.match(mail.subject) and body:
        return body
    if mail.in_reply_to or mail.references:
        return body
    subject = bare_subject(mail.subject)
    if not body:
        return subject
    adds = not _SAYS_NOTHING.fullmatch(subject) and subject.casefold() not in body.casefold()
    return f"{subject}\n{body}" if adds else body


def bare_subject(subject: str) -> str:
    """Without `Re:`, `Fwd:`, `RV:` and their like."""
    return _PREFIX.sub("", subject).strip()[:MAX_SUBJECT_CHARACTERS]


def pictures(mail: Mail) -> list[EmailAttachment]:
    """What may be a photo of a parcel."""
    return [
        each
        for each in mail.attachments
        if each.content_type.startswith("image/")
        and not (each.is_inline and len(each.content) < SMALLEST_PHOTO_BYTES)
    ]


# --- out --------------------------------------------------------------------------------------


def outgoing(message: OutboundMessage, identity: Identity, now: datetime) -> EmailMessage:
    """The mail as it goes out; the same `message` always carries the same Message-ID.

    Raises `UndeliverableError` for a recipient that is no address.
    """
    mail = EmailMessage(policy=POLICY)
    mail["From"] = identity.header
    mail["To"] = _recipient(message.recipient)
    mail["Subject"] = _subject(message)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{identity.message_id(message.outbound_id)}>"
    for name, value in _thread(message).items():
        mail[name] = value
    mail["Auto-Submitted"] = "auto-replied" if message.in_reply_to else "auto-generated"
    # Exchange minds its own header rather than Auto-Submitted.
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP_HEADER] = identity.address
    # Such a mail comes back with an empty body, so its subject is read: an opt-out like any other.
    mail["List-Unsubscribe"] = f"<mailto:{identity.address}?subject=UNSUBSCRIBE>"
    mail.set_content(message.text, charset="utf-8")
    return mail


def ascii_address(recipient: str) -> str:
    """The address as every server takes it, an international domain in its ASCII form."""
    local, _, domain = recipient.rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        address = ""
    if not address.isascii() or not is_address(address):
        raise UndeliverableError(CHANNEL, "the recipient is not an address that we can write to", "5.1.3")
    return address


def _recipient(recipient: str) -> Address:
    try:
        return Address(addr_spec=ascii_address(recipient))
    except (ValueError, IndexError) as exc:
        raise UndeliverableError(CHANNEL, "the recipient is not an address", "5.1.3") from exc


def _subject(message: OutboundMessage) -> str:
    """The thread's; a mail that begins one without a subject is named by its own first words."""
    subject = _one_line(bare_subject(_one_line(message.subject)))
    if not subject:
        return _first_words(message.text)
    return f"Re: {subject}" if message.in_reply_to else subject


def _first_words(text: str) -> str:
    words = _one_line(text)[:MAX_SUBJECT_CHARACTERS]
    sentence = re.split(r"(?<=[.?!])\s", words, maxsplit=1)[0]
    return sentence if len(sentence) <= 78 else words[:77].rpartition(" ")[0] + "…"


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())


def _thread(message: OutboundMessage) -> dict[str, str]:
    """A digest of ours and anything else that is no Message-ID is left out."""
    parent = message.in_reply_to.strip().strip("<>")
    if not _ID.fullmatch(parent) or len(parent) > MAX_REFERENCES_CHARACTERS:
        return {}
    given = [each.strip().strip("<>") for each in message.references]
    earlier = [each for each in dict.fromkeys(given) if _ID.fullmatch(each) and each != parent]
    return {
        "In-Reply-To": f"<{parent}>",
        "References": " ".join(f"<{each}>" for each in _fitting(earlier, parent)),
    }


def _fitting(earlier: Sequence[str], parent: str) -> list[str]:
    """The first of the thread and the latest, as RFC 5537 advises when there are too many."""
    kept = [parent]
    room = MAX_REFERENCES_CHARACTERS - len(parent)
    for each in (*earlier[:1], *reversed(earlier[1:])):
        room -= len(each) + 3
        if room < 0:
            break
        kept.append(each)
    return [each for each in (*earlier, parent) if each in kept]


class Step(StrEnum):
    """Where in the SMTP dialogue a server said no."""

    CONNECT = "connect"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


_CREDENTIALS = {530, 534, 535, 538}
"""Source: RFC 4954."""


def refusal(step: Step, code: int, words: str) -> ChannelError:
    """The error for an SMTP answer that is not yes. The server's words are left out: they quote addresses."""
    found = _ENHANCED.search(words)
    shown = found.group(1) if found else str(code)
    if 400 <= code < 500:
        return ChannelUnavailableError(CHANNEL, f"the server puts off the {step}", shown)
    if code < 400:
        kind = OutcomeUnknownError if step is Step.CONTENT else ChannelUnavailableError
        return kind(CHANNEL, f"the server's answer to the {step} makes no sense", shown)
    if code in _CREDENTIALS or step in (Step.CONNECT, Step.LOGIN, Step.SENDER):
        return ChannelMisconfiguredError(CHANNEL, f"the server refuses the {step}", shown)
    if step is Step.RECIPIENT and "relay" in words.lower():
        return ChannelMisconfiguredError(CHANNEL, "the server does not relay for us", shown)
    return UndeliverableError(CHANNEL, f"the server refuses the {step}", shown)
