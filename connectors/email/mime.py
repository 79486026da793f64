"""Raw MIME, or Mailgun's fields, made into a `Mail`. Pure. Mails are written by everybody's software: whatever
can be read of a broken one is read, and what cannot be read at all is refused by one typed error."""

import re
from collections.abc import Iterable, Iterator, Sequence
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from itertools import islice

from connectors.email.identity import is_address
from connectors.email.payloads import (
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    EmailAttachment,
    Envelope,
    Mail,
    MailgunForm,
)
from connectors.errors import UnreadablePayloadError

STUMBLES = (MessageError, LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)
"""How the standard library's parser fails on bytes that only look like a mail."""

MAX_HEADERS = 500
MAX_HEADER_CHARACTERS = 20_000
MAX_BOUNDARIES = 2_000
"""Lines that begin with `--`. Every part costs time, and no mailer makes so many."""
MAX_BODY_CHARACTERS = 200_000
"""Nobody types more; quoted history may."""

MAX_HEAD_BYTES = 500_000

_HEAD_END = re.compile(rb"\n\r?\n")
# The standard library takes the square of the parameters of such a header.
_TANGLED = re.compile(rb"^content-(?:type|disposition):(?:[^\n]|\n[ \t]){4000}", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(r"<([^\s<>@]{1,200}@[^\s<>@]{1,200})>")

Headers = dict[str, tuple[str, ...]]


def parse(raw: bytes) -> Message:
    """Raises `UnreadablePayloadError`."""
    if _is_flood(raw):
        raise UnreadablePayloadError("no readable mail: more parts or headers than any mailer makes")
    try:
        return BytesParser(policy=policy.compat32).parsebytes(raw)
    except STUMBLES as exc:
        raise _unreadable(exc) from None


def _is_flood(raw: bytes) -> bool:
    has_long_head = len(raw) > MAX_HEAD_BYTES and _HEAD_END.search(raw, 0, MAX_HEAD_BYTES) is None
    return has_long_head or raw.count(b"\n--") > MAX_BOUNDARIES or _TANGLED.search(raw) is not None


def read_mail(raw: bytes, envelope: Envelope) -> Mail:
    """Raises `UnreadablePayloadError` for bytes in which no mail can be found."""
    message = parse(raw)
    if not message.keys():
        raise UnreadablePayloadError("no mail: there is no header")
    try:
        parts = list(_leaves(message))
        return _mail(
            # Raw: `items` would already have replaced what is not ASCII.
            _headers(message.raw_items()),
            envelope,
            text=_joined(parts, "text/plain"),
            html=_joined(parts, "text/html"),
            attachments=_attachments(parts),
            content_type=message.get_content_type(),
            report_type=_parameter(message, "report-type"),
        )
    except STUMBLES as exc:
        raise _unreadable(exc) from None


def read_form(form: MailgunForm, attachments: Sequence[EmailAttachment], envelope: Envelope) -> Mail:
    """A mail that Mailgun has taken apart already. Raises `UnreadablePayloadError`."""
    given = [("From", form.author), ("Subject", form.subject)]
    headers = _headers([*form.message_headers, *((name, value) for name, value in given if value)])
    whole = Message()
    whole["Content-Type"] = headers.get("content-type", ("text/plain",))[0]
    try:
        return _mail(
            headers,
            envelope,
            text=(form.stripped_text or form.body_plain)[:MAX_BODY_CHARACTERS],
            html=form.body_html[:MAX_BODY_CHARACTERS],
            attachments=tuple(attachments[:MAX_ATTACHMENTS]),
            content_type=whole.get_content_type(),
            report_type=_parameter(whole, "report-type"),
            is_stripped=bool(form.stripped_text),
        )
    except STUMBLES as exc:
        raise _unreadable(exc) from None


def _unreadable(exc: BaseException) -> UnreadablePayloadError:
    return UnreadablePayloadError(f"no readable mail: {type(exc).__name__}")


def _mail(
    headers: Headers,
    envelope: Envelope,
    *,
    text: str,
    html: str,
    attachments: tuple[EmailAttachment, ...],
    content_type: str,
    report_type: str,
    is_stripped: bool = False,
) -> Mail:
    def first(name: str) -> str:
        return headers.get(name, ("",))[0]

    return Mail(
        sender=_sender(headers.get("from", ())),
        message_id=next(iter(message_ids(first("message-id"))), ""),
        subject=" ".join(first("subject").split()),
        date=first("date"),
        in_reply_to=next(iter(message_ids(first("in-reply-to"))), ""),
        references=message_ids(first("references")),
        text=text,
        html=html,
        content_type=content_type,
        report_type=report_type.lower(),
        attachments=attachments,
        envelope=envelope,
        headers=headers,
        is_stripped=is_stripped,
    )


def message_ids(value: str) -> tuple[str, ...]:
    """Every id in a header, each once, without angle brackets."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(value)))


def _sender(values: Sequence[str]) -> str:
    """Not Reply-To: who can be told to answer somebody else can be told to annoy somebody else."""
    found = {address.lower() for _, address in getaddresses(list(values)) if address}
    only = next(iter(found), "")
    return only if len(found) == 1 and is_address(only) else ""


# --- headers ----------------------------------------------------------------------------------


def _headers(pairs: Iterable[tuple[str, object]]) -> Headers:
    """The first of them, which the last servers wrote."""
    headers: dict[str, list[str]] = {}
    for name, value in islice(pairs, MAX_HEADERS):
        headers.setdefault(name.lower(), []).append(_decoded(str(value)))
    return {name: tuple(values) for name, values in headers.items()}


def _decoded(value: str) -> str:
    value = _clean(" ".join(value[:MAX_HEADER_CHARACTERS].splitlines()))
    try:
        pieces = decode_header(value)
    except STUMBLES:
        return value
    return _clean("".join(_piece(piece, charset) for piece, charset in pieces))


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    # An undecoded piece comes back as raw-unicode-escape bytes beside decoded ones.
    return _text(piece, charset) if charset else piece.decode("raw-unicode-escape", "replace")


def _clean(text: str) -> str:
    """Without what neither PostgreSQL nor UTF-8 can hold: NUL and lone surrogates, which mark 8-bit bytes."""
    raw = text.encode("utf-8", "surrogateescape") if _is_escaped(text) else text.encode("utf-8", "replace")
    return _text(raw, "utf-8")


def _is_escaped(text: str) -> bool:
    surrogates = [character for character in text if "\ud800" <= character <= "\udfff"]
    return all("\udc80" <= character <= "\udcff" for character in surrogates)


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name)
    return value if isinstance(value, str) else ""


# --- bodies -----------------------------------------------------------------------------------


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order. A mail within the mail is somebody else's words."""
    if message.get_content_maintype() == "message":
        return
    if not message.is_multipart():
        yield message
        return
    for part in message.get_payload():
        if isinstance(part, Message):
            yield from _leaves(part)


def _joined(parts: Sequence[Message], content_type: str) -> str:
    """Every shown part of this type: phones put text before and after a photo."""
    shown = [part for part in parts if part.get_content_type() == content_type and not _is_file(part)]
    return "\n".join(_body(part) for part in shown)[:MAX_BODY_CHARACTERS]


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _body(part: Message) -> str:
    text = _text(_content(part), part.get_content_charset()).replace("\r\n", "\n").replace("\r", "\n")
    return _unflowed(text) if _parameter(part, "format").lower() == "flowed" else text


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(content: bytes, charset: str | None) -> str:
    """In the charset that the mail names, else in the one that fits; never fails."""
    for name in (charset, "utf-8", "cp1252"):
        try:
            return content.decode(name or "utf-8").replace("\x00", "").encode("utf-8", "replace").decode()
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1").replace("\x00", "")


def _unflowed(text: str) -> str:
    """Soft line breaks undone. Source: RFC 3676; `-- ` marks a signature and stays a line."""
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        unstuffed = line.removeprefix(" ")
        if open_line and not line.startswith(">"):
            lines[-1] += unstuffed
        else:
            lines.append(unstuffed)
        open_line = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "\n".join(lines)


def _attachments(parts: Sequence[Message]) -> tuple[EmailAttachment, ...]:
    files = [part for part in parts if _is_file(part) or part.get_content_maintype() != "text"]
    found = [_attachment(part) for part in files[:MAX_ATTACHMENTS]]
    return tuple(each for each in found if 0 < len(each.content) <= MAX_ATTACHMENT_BYTES)


def _attachment(part: Message) -> EmailAttachment:
    return EmailAttachment(
        filename=_clean(part.get_filename() or "")[:200],
        content_type=part.get_content_type(),
        content=_content(part),
        is_inline=part.get_content_disposition() != "attachment" and "content-id" in part,
    )
