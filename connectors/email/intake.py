"""What happens to a mail, by whichever edge it came: a bounce becomes a receipt, a machine's mail is dropped,
a person's is handed on. Parsing runs in a thread: a mail of 25 MB must not stop everybody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from connectors.base import Media, ReceiveMessage, ReceiveReceipt
from connectors.email import mapping
from connectors.email.authenticity import is_authentic
from connectors.email.automation import Unanswered, why_unanswered
from connectors.email.bounces import read_receipt
from connectors.email.identity import Identity
from connectors.email.mime import read_mail
from connectors.email.payloads import Envelope, Mail, MailLoopError

log = structlog.get_logger()

KeepAttachment = Callable[[str, int, str, bytes], Awaitable[str]]
"""Keeps one picture under (vendor id of the mail, its index, content type as claimed); gives `Media.url`.

The same pair again keeps nothing new. The sender chooses the vendor id: it is no file name. Raises
`StorageUnavailableError`.
"""


class Taken(StrEnum):
    """What became of a mail that was taken."""

    STORED = "stored"
    RECEIPT = "receipt"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Intake:
    """Hand one to every edge."""

    identity: Identity
    receive_message: ReceiveMessage
    receive_receipt: ReceiveReceipt
    keep_attachment: KeepAttachment | None = None
    """Without it pictures are left out."""
    trusted_authserv: str = ""
    """The authserv-id whose Authentication-Results are believed; empty: nobody's."""

    async def take(self, raw: bytes, envelope: Envelope) -> Taken:
        """Returns once the mail is stored, or needs not be.

        Raises `UnreadablePayloadError`, `MailLoopError` (both: never again) or `StorageUnavailableError`.
        """
        mail = await asyncio.to_thread(read_mail, raw, envelope)
        receipt = await asyncio.to_thread(read_receipt, raw, mail, self.identity)
        if receipt is None:
            return await self.take_mail(mail)
        log.info("email.bounced", outbound_id=receipt.outbound_id, code=receipt.error_code)
        await self.receive_receipt(receipt)
        return Taken.RECEIPT

    async def take_mail(self, mail: Mail) -> Taken:
        reason = why_unanswered(mail, self.identity)
        if reason is Unanswered.LOOP:
            raise MailLoopError("this mail was here before")
        vendor_id = mapping.vendor_id(mail)
        if reason is not None:
            log.info("email.not_answered", reason=reason, vendor_id=vendor_id)
            return Taken.DROPPED
        message = await asyncio.to_thread(mapping.inbound_message, mail, self.identity, ())
        media = await self._kept_pictures(mail, vendor_id)
        authentic = is_authentic(mail, self.trusted_authserv)
        log.info("email.taken", vendor_id=vendor_id, authentic=authentic)
        known = {"media": media, "is_authentic": authentic}
        await self.receive_message(message.model_copy(update=known))
        return Taken.STORED

    async def _kept_pictures(self, mail: Mail, vendor_id: str) -> tuple[Media, ...]:
        keep = self.keep_attachment
        if keep is None:
            return ()
        media = []
        for index, picture in enumerate(mapping.pictures(mail)):
            url = await keep(vendor_id, index, picture.content_type, picture.content)
            media.append(Media(url=url, content_type=picture.content_type))
        return tuple(media)
