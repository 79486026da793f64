"""The account behind the pretended Twilio: texts taken in, messages carried to an end, webhooks posted."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from datetime import UTC, timedelta
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict

from connectors.base import ChannelName, Now
from connectors.emulation import Ledger
from connectors.twilio.emulator_delivery import Delivery, WebhookSender
from connectors.twilio.emulator_media import MediaFiles, SentPicture, painted
from connectors.twilio.emulator_queue import EXPIRED, SenderQueue, Turn
from connectors.twilio.emulator_rules import (
    FAILURES,
    MAGIC_OUTCOMES,
    OUTSIDE_WINDOW,
    Order,
    Outcome,
    keyword,
    num_segments,
    rises,
)
from connectors.twilio.emulator_state import (
    API_VERSION,
    Messages,
    StoredMessage,
    media_uri,
    new_sid,
)
from connectors.twilio.mapping import channel_of, number_of

log = structlog.get_logger()

EMPTY_TWIML = re.compile(r"(<\?xml[^>]*\?>)?\s*<Response\s*(/>|>\s*</Response>)\s*")


class InboundResult(BaseModel):
    """What became of a text that the emulator posted to us."""

    model_config = ConfigDict(frozen=True)

    sid: str
    webhook_status: int | None
    """The HTTP status of the webhook; None when it was not delivered or there is no inbound URL."""


class PretendedAccount:
    """One account with one number and, if wanted, one messaging service that holds it."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        number: str,
        *,
        now: Now,
        ledger_path: Path | None = None,
        service_sid: str | None = None,
        inbound_url: str | None = None,
        pace_seconds: float = 0.1,
        segments_per_second: float | None = None,
    ) -> None:
        """`pace_seconds` of real time pass before each status, whatever the pretended clock does.

        With `segments_per_second` what comes faster waits in the number's queue, in real time too.
        """
        self.queue = SenderQueue(segments_per_second)
        self._turns: dict[str, Turn] = {}
        self.account_sid = account_sid
        self.number = number
        self.service_sid = service_sid
        self.alerts: deque[dict[str, object]] = deque(maxlen=200)
        """What Twilio's debugger would show: webhooks that failed, requests that nobody expected."""
        self.auth_token = auth_token
        self.now = now
        self.pace_seconds = pace_seconds
        self.store = Messages(ledger_path)
        self.media_files = MediaFiles(ledger_path)
        self.blocked = Ledger(ledger_path, "twilio_blocked")
        self._settings = Ledger(ledger_path, "twilio_settings")
        self._outcomes: dict[str, Outcome] = {}
        self.sender = WebhookSender(auth_token)
        self._tasks: set[asyncio.Task[None]] = set()
        if inbound_url is not None:
            self.inbound_url = inbound_url

    # --- in-process controls ------------------------------------------------------------------

    @property
    def inbound_url(self) -> str | None:
        """Where inbound texts are posted; a fragment may ask for retries. Kept in the ledger."""
        url: str | None = self._settings.get("inbound_url")
        return url

    @inbound_url.setter
    def inbound_url(self, url: str | None) -> None:
        self._settings["inbound_url"] = url

    def outcome_for(self, phone: str, outcome: Outcome) -> None:
        """What becomes of the messages that are sent to `phone` from now on."""
        self._outcomes[phone] = outcome

    def messages(self, phone: str | None = None) -> list[StoredMessage]:
        """Both directions, oldest first."""
        return list(self.store) if phone is None else self.store.with_number(phone)

    async def text(
        self,
        sender: str,
        body: str,
        *,
        sid: str | None = None,
        num_media: int = 0,
        pictures: Sequence[SentPicture] = (),
    ) -> InboundResult:
        """A person texts us, with `num_media` pictures that are painted here, and those in `pictures`.

        The same `sid` again is the same text delivered again.
        """
        message = self.store.find(sid) if sid else None
        if message is None:
            message = self._take_inbound(sender, body, sid, [*painted(num_media), *pictures])
            self._handle_keyword(message)
        delivery = await self._post_inbound(message)
        return InboundResult(sid=message.sid, webhook_status=delivery.status)

    @property
    def is_busy(self) -> bool:
        """Whether some callback is under way."""
        return bool(self._tasks)

    async def settled(self) -> None:
        """Returns once every callback under way was delivered or given up."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    # --- messages -----------------------------------------------------------------------------

    def _take_inbound(
        self, sender: str, body: str, sid: str | None, pictures: Sequence[SentPicture]
    ) -> StoredMessage:
        now = self.now()
        prefix = "whatsapp:" if sender.startswith("whatsapp:") else ""
        return self.store.put(
            StoredMessage(
                sid=sid or new_sid("MM" if pictures else "SM"),
                direction="inbound",
                sender=sender,
                recipient=prefix + self.number,
                body=body,
                status="received",
                num_segments=num_segments(body),
                created_at=now,
                updated_at=now,
                sent_at=now,
                messaging_service_sid=self.service_sid,
                media=tuple(self.media_files.put(picture) for picture in pictures),
            )
        )

    def _handle_keyword(self, message: StoredMessage) -> None:
        sender = number_of(message.sender or "")
        handling = keyword(message.body, is_blocked=sender in self.blocked)
        if handling is None:
            return
        if handling.blocks:
            self.blocked[sender] = True
        else:
            self.blocked.pop(sender, None)
        if handling.reply is not None:
            self.take_order(
                Order(to=message.sender or "", sender=message.recipient, service="", body=handling.reply),
                "outbound-reply",
            )

    def take_order(self, order: Order, direction: str = "outbound-api") -> StoredMessage:
        turn = self.queue.turn(num_segments(order.body), order.validity_seconds, time.monotonic())
        outcome = Outcome(("failed",), EXPIRED) if turn.is_given_up else self._outcome(order.to)
        now = self.now()
        by_service = bool(order.service)
        message = StoredMessage.model_validate(
            {
                "sid": new_sid("MM" if order.media_urls else "SM"),
                "direction": direction,
                "sender": order.sender or None,
                "recipient": order.to,
                "body": order.body,
                # A service has still to choose its sender: no segments yet, and one status more (A4, A5).
                "status": "accepted" if by_service else "queued",
                "num_segments": 0 if by_service else num_segments(order.body),
                "created_at": now,
                "updated_at": now,
                "messaging_service_sid": order.service or None,
                "media": [{"sid": new_sid("ME")} for _ in order.media_urls],
                "status_callback": order.status_callback or None,
                "pending": (("queued",) if by_service else ()) + outcome.callbacks,
                "pending_error": outcome.error_code,
            }
        )
        self.store.put(message)
        self._turns[message.sid] = turn
        self.start(self._carry(message.sid))
        return message

    def _outcome(self, to: str) -> Outcome:
        phone = number_of(to)
        if channel_of(to) is ChannelName.WHATSAPP and not self._wrote_lately(to):
            return OUTSIDE_WINDOW
        return self._outcomes.get(phone) or MAGIC_OUTCOMES.get(phone) or Outcome()

    def _wrote_lately(self, address: str) -> bool:
        """WhatsApp takes free words only within a day of the person's own (63016)."""
        since = self.now() - timedelta(days=1)
        theirs = (message for message in self.store.with_number(address) if message.sender == address)
        return any(message.created_at > since for message in theirs)

    async def _carry(self, sid: str) -> None:
        """Takes one message through the statuses that it has still before it, telling each.

        A status is struck off only after its callback, so a killed emulator tells the last one again.
        """
        while (message := self.store.find(sid)) is not None and message.pending:
            await asyncio.sleep(self.pace_seconds)
            status = message.pending[0]
            if status != "queued" and (turn := self._turns.pop(sid, None)) is not None:
                await asyncio.sleep(turn.seconds)
            message = self._advance(sid, status)
            if message is None:
                return
            if message.status_callback:
                await self._post_status(message, status)
            still = self.store.find(sid)
            if still is not None:
                self.store.change(still, pending=still.pending[1:])

    def _advance(self, sid: str, status: str) -> StoredMessage | None:
        """The message as it is now, moved on to `status` unless it is past that; None if it was deleted."""
        message = self.store.find(sid)
        if message is None or not rises(message.status, status):
            return message
        now = self.now()
        changes: dict[str, object] = {"status": status, "updated_at": now}
        if status == "queued":
            changes["sender"] = message.sender or self.number
            changes["num_segments"] = num_segments(message.body)
        if status != "queued" and message.sent_at is None:
            changes["sent_at"] = now
        if status in ("failed", "undelivered"):
            changes["error_code"] = message.pending_error
            changes["error_message"] = FAILURES.get(message.pending_error or 0)
        return self.store.change(message, **changes)

    # --- webhooks -----------------------------------------------------------------------------

    async def _post_status(self, message: StoredMessage, status: str) -> None:
        fields = {
            "SmsSid": message.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.recipient,
            "MessageSid": message.sid,
            "AccountSid": self.account_sid,
            "From": message.sender or self.number,
            "ApiVersion": API_VERSION,
        }
        if message.messaging_service_sid:
            fields["MessagingServiceSid"] = message.messaging_service_sid
        if status in ("failed", "undelivered") and message.pending_error is not None:
            fields["ErrorCode"] = str(message.pending_error)
        if status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = self.now().astimezone(UTC).strftime("%y%m%d%H%M")
        delivery = await self.sender.post(message.status_callback or "", fields)
        self._judge(message.sid, "status", delivery)

    async def _post_inbound(self, message: StoredMessage) -> Delivery:
        if self.inbound_url is None:
            self.alert(message.sid, "there is no inbound URL: the text was dropped", 11200)
            return Delivery(status=None)
        delivery = await self.sender.post(self.inbound_url, self._inbound_fields(message))
        self._judge(message.sid, "inbound", delivery)
        return delivery

    def _inbound_fields(self, message: StoredMessage) -> dict[str, str]:
        """Everything that Twilio sends, the empty geography too: dropping it breaks the signature."""
        fields = {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": message.sid,
            "NumMedia": str(len(message.media)),
            "ToCity": "",
            "FromZip": "",
            "SmsSid": message.sid,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": message.body,
            "FromCountry": "US",
            "To": message.recipient,
            "ToZip": "",
            "NumSegments": str(message.num_segments),
            "ReferralNumMedia": "0",
            "MessageSid": message.sid,
            "AccountSid": self.account_sid,
            "From": message.sender or "",
            "ApiVersion": API_VERSION,
        }
        if message.messaging_service_sid:
            fields["MessagingServiceSid"] = message.messaging_service_sid
        for index, media in enumerate(message.media):
            fields[f"MediaContentType{index}"] = media.content_type
            fields[f"MediaUrl{index}"] = "https://api.twilio.com" + media_uri(
                message, media, self.account_sid
            )
        return fields

    def _judge(self, sid: str, webhook: str, delivery: Delivery) -> None:
        """What Twilio's debugger would say of the answer. Codes: messaging-contracts A1."""
        if delivery.status is None or delivery.failure is not None:
            self.alert(sid, f"{webhook} webhook: {delivery.status or 'no answer'}", 11200)
        elif webhook == "inbound" and "xml" not in delivery.content_type:
            self.alert(sid, f"inbound webhook: Content-Type {delivery.content_type or 'missing'}", 12300)
        elif webhook == "inbound" and not EMPTY_TWIML.fullmatch(delivery.body):
            self.alert(sid, "inbound webhook: this emulator runs no TwiML verbs", 12200)

    def alert(self, sid: str, text: str, code: int) -> None:
        self.alerts.append({"error_code": code, "resource_sid": sid, "text": text})
        log.warning("twilio_emulator.alert", error_code=code, resource_sid=sid, text=text)

    # --- life ---------------------------------------------------------------------------------

    def resume(self) -> None:
        """Goes on with the messages that a killed emulator left half way."""
        for message in self.store:
            if message.pending:
                self.start(self._carry(message.sid))

    async def aclose(self) -> None:
        """Stops where it is; `resume` on the same ledger goes on."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sender.aclose()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
