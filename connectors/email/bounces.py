"""A mail of ours that did not arrive: read out of the report that its mailer sends back. Pure.

Source: RFC 3464 (the machine-readable report); `flufl.bounce` for mailers that write prose instead.
"""

import re
from collections.abc import Iterator
from email.message import Message

from flufl.bounce import all_failures

from connectors.base import Receipt, ReceiptStatus
from connectors.email.identity import Identity
from connectors.email.mime import STUMBLES, parse
from connectors.email.payloads import Mail

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ORIGINAL_ID = re.compile(rb"^Message-ID:\s*<([^\s<>]{1,400})>", re.IGNORECASE | re.MULTILINE)
_SYSTEM = re.compile(r"(mailer-?daemon|postmaster)@")

ACTIONS = {
    "failed": ReceiptStatus.UNDELIVERED,
    # OpenSMTPD's word for the same.
    "error": ReceiptStatus.UNDELIVERED,
    "delivered": ReceiptStatus.DELIVERED,
}
"""`delayed`, `relayed` and `expanded` change nothing: a later report tells how it ended."""


def read_receipt(raw: bytes, mail: Mail, identity: Identity) -> Receipt | None:
    """What became of one message of ours; None for every mail that does not say so."""
    if not _is_from_a_mailer(mail):
        return None
    outbound_id = _outbound_id(raw, mail, identity)
    verdict = _verdict(raw) if outbound_id else None
    if outbound_id is None or verdict is None:
        return None
    status, code = verdict
    return Receipt(
        vendor_id=identity.message_id(outbound_id), status=status, error_code=code, outbound_id=outbound_id
    )


def _is_from_a_mailer(mail: Mail) -> bool:
    is_report = mail.content_type == "multipart/report" and mail.report_type in ("delivery-status", "")
    return is_report or mail.return_path == "" or bool(_SYSTEM.match(mail.sender))


def _outbound_id(raw: bytes, mail: Mail, identity: Identity) -> str | None:
    """By the address it came back to, else by the Message-ID of the mail that it encloses.

    Not by References: those name earlier mails of the thread, which did arrive.
    """
    by_address = [identity.bounced_id(address) for address in mail.envelope.recipients]
    enclosed = [found.decode("ascii", "replace") for found in _ORIGINAL_ID.findall(raw)]
    by_content = [identity.outbound_id(found) for found in enclosed]
    return next((found for found in (*by_address, *by_content) if found), None)


def _verdict(raw: bytes) -> tuple[ReceiptStatus, str | None] | None:
    message = parse(raw)
    for block in _recipient_blocks(message):
        action = str(block.get("action", "")).strip().lower()
        status = next((status for word, status in ACTIONS.items() if action.startswith(word)), None)
        if status is not None:
            return status, _code(block)
    return _prose_verdict(message) if len(raw) <= MAX_PROSE_BYTES else None


def _recipient_blocks(message: Message) -> Iterator[Message]:
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        yield from (block for block in part.get_payload() if isinstance(block, Message) and "action" in block)


def _code(block: Message) -> str | None:
    for name in ("status", "diagnostic-code"):
        found = _STATUS.search(str(block.get(name, "")))
        if found:
            return found.group(1)
    return None


MAX_PROSE_BYTES = 500_000
"""Detectors try many patterns on every line; a mailer's own words are short."""


def _prose_verdict(message: Message) -> tuple[ReceiptStatus, str | None] | None:
    try:
        _, permanent = all_failures(message)
    except STUMBLES:
        return None
    return (ReceiptStatus.UNDELIVERED, None) if permanent else None
