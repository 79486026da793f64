"""What must never be answered: mails that no person has written, and our own. Pure. Source: RFC 3834."""

import re
from enum import StrEnum

from connectors.email.identity import Identity
from connectors.email.payloads import Mail

LOOP_HEADER = "X-Doorline-Loop"
MAX_HOPS = 50
"""RFC 5321 asks for at least 100 in a relay; a mail to a person takes some 10."""


class Unanswered(StrEnum):
    """Why a mail is not handed on."""

    LOOP = "loop"
    OWN_ADDRESS = "own_address"
    REPORT = "report"
    NULL_SENDER = "null_sender"
    AUTO_SUBMITTED = "auto_submitted"
    AUTO_REPLY = "auto_reply"
    MAILING_LIST = "mailing_list"
    BULK = "bulk"
    SYSTEM_SENDER = "system_sender"


_SYSTEM_SENDER = re.compile(
    r"(mailer-?daemon|postmaster|(do-?not-?|no-?)(reply|respond|responder|contestar)|bounces?)([+._=-].*)?"
)
_AUTO_REPLY_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-ms-exchange-inbox-rules-loop",
)
_LIST_HEADERS = ("list-id", "list-unsubscribe", "list-post")
_BULK = {"bulk", "junk", "list", "auto_reply"}
_AUTO_REPLY_SUBJECT = re.compile(
    r"^(automatic reply|auto(matic)?[- ]?reply|out of (the )?office|respuesta automática|fuera de (la )?oficina)\b\W",
    re.IGNORECASE,
)


def why_unanswered(mail: Mail, identity: Identity) -> Unanswered | None:
    """None for a mail that a person has written to us; loops first, because they are refused."""
    for reason, applies in (
        (Unanswered.LOOP, _loops(mail, identity)),
        (Unanswered.OWN_ADDRESS, identity.owns(mail.sender)),
        (Unanswered.REPORT, mail.content_type == "multipart/report"),
        (Unanswered.NULL_SENDER, mail.return_path == ""),
        (Unanswered.AUTO_SUBMITTED, _word(mail, "auto-submitted") not in ("", "no")),
        (Unanswered.AUTO_REPLY, _is_auto_reply(mail)),
        (Unanswered.MAILING_LIST, any(name in mail.headers for name in _LIST_HEADERS)),
        (Unanswered.BULK, _word(mail, "precedence") in _BULK),
        (Unanswered.SYSTEM_SENDER, _is_system(mail)),
    ):
        if applies:
            return reason
    return None


def _loops(mail: Mail, identity: Identity) -> bool:
    marks = {value.strip().lower() for value in mail.headers.get(LOOP_HEADER.lower(), ())}
    return identity.address in marks or len(mail.headers.get("received", ())) > MAX_HOPS


def _is_auto_reply(mail: Mail) -> bool:
    suppressed = {word.strip() for word in mail.header("x-auto-response-suppress").lower().split(",")}
    return (
        any(name in mail.headers for name in _AUTO_REPLY_HEADERS)
        # The sender itself asks that no machine answers.
        or bool(suppressed & {"all", "autoreply"})
        or _AUTO_REPLY_SUBJECT.match(f"{mail.subject} ") is not None
    )


def _is_system(mail: Mail) -> bool:
    return any(
        _SYSTEM_SENDER.fullmatch(address.partition("@")[0])
        for address in (mail.sender, mail.return_path or "")
    )


def _word(mail: Mail, name: str) -> str:
    """The value of a header without its parameters and comments."""
    return re.split(r"[;(\s]", mail.header(name).strip().lower(), maxsplit=1)[0]
