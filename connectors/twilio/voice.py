"""Calling through Twilio: the Calls resource, over the same HTTP client as the texts.

Sources: the SDK's `call` module (parameters, statuses), twilio.com/docs/voice/api/call-resource (what `completed`
and `canceled` end), twilio.com/docs/api/errors (codes).
"""

from collections.abc import Set
from datetime import UTC, datetime

from pydantic import ValidationError
from twilio.rest import Client

from connectors.base import Probe
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.http import READ_SECONDS
from connectors.twilio import voice_mapping
from connectors.twilio.client import API_BASE, NOT_A_PAGE, PAGE_SIZE, HttpxTwilioClient
from connectors.twilio.payloads import CallResource
from connectors.voice import CallReport, OutgoingCall

EVENTS = ["initiated", "ringing", "answered", "completed"]
RING_SECONDS = 25
"""Most mailboxes answer at about 30 s; Twilio may add 5 s to what it is asked for."""
LONGEST_SECONDS = 300
"""A call that nobody hangs up, a mailbox that listens for ever, ends after this."""
RECONCILE_LIMIT = 100
NOT_IN_PROGRESS = "21220"
"""Twilio, of a call that is to be ended and is over."""


class TwilioCaller:
    """Calls from one number of one account."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        number: str,
        *,
        voice_url: str,
        api_base: str = API_BASE,
        read_seconds: float = READ_SECONDS,
        detects_machines: bool = True,
    ) -> None:
        """`number` is E.164: a messaging service cannot call. Twilio asks `voice_url` what to say, and tells
        `voice_url` + `/status` what becomes of a call."""
        self._number = number
        self._voice_url = voice_url.rstrip("/")
        self._detects_machines = detects_machines
        self._http = HttpxTwilioClient(api_base.rstrip("/"), read_seconds)
        self._twilio = Client(account_sid, auth_token, http_client=self._http)

    async def place(self, call: OutgoingCall) -> CallReport:
        detection = {"machine_detection": "Enable"} if self._detects_machines else {}
        try:
            created = await self._twilio.calls.create_async(
                to=call.to,
                from_=self._number,
                url=voice_mapping.call_url(self._voice_url, call.call_id),
                status_callback=voice_mapping.call_url(f"{self._voice_url}/status", call.call_id),
                status_callback_event=EVENTS,
                timeout=RING_SECONDS,
                time_limit=LONGEST_SECONDS,
                **detection,
            )
            return voice_mapping.report_from_resource(CallResource.read(created), call.call_id)
        except ValidationError as exc:
            raise OutcomeUnknownError(voice_mapping.CHANNEL, "answered 2xx without a call") from exc

    async def find(
        self, call: OutgoingCall, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> CallReport | None:
        """Ask after the attempt's own time-out: until then it may still arrive.

        By number only: a call that still waits in Twilio's queue has no StartTime, which such a filter would hide.
        """
        found = await self._list(call.to)
        earlier = voice_mapping.earlier_call(
            found, call, self._number, attempted_at.astimezone(UTC), known_vendor_ids
        )
        return None if earlier is None else voice_mapping.report_from_resource(earlier, call.call_id)

    async def look(self, vendor_id: str) -> CallReport:
        try:
            fetched = await self._twilio.calls(vendor_id).fetch_async()
            return voice_mapping.report_from_resource(CallResource.read(fetched))
        except NOT_A_PAGE as exc:
            raise ChannelUnavailableError(
                voice_mapping.CHANNEL, "answered with something else than a call"
            ) from exc

    async def end(self, vendor_id: str) -> None:
        """`completed` ends a call that rings as well as one that is talked on; `canceled` only the former."""
        try:
            await self._twilio.calls(vendor_id).update_async(status="completed")
        except ChannelMisconfiguredError as exc:
            if exc.code != NOT_IN_PROGRESS:
                raise

    async def probe(self) -> Probe:
        """Whether the account has this number for calls; for `doorline doctor`."""
        try:
            numbers = await self._twilio.incoming_phone_numbers.list_async(phone_number=self._number, limit=1)
        except ChannelError as exc:
            return Probe(name="twilio voice", healthy=False, detail=f"{exc}; check TWILIO_*")
        can_call = [bool((number.capabilities or {}).get("voice")) for number in numbers]
        if any(can_call):
            return Probe(name="twilio voice", healthy=True, detail="calls come from a number of the account")
        detail = "the number cannot call" if can_call else "the account does not own the number"
        return Probe(name="twilio voice", healthy=False, detail=f"{detail}: check TWILIO_VOICE_FROM")

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _list(self, to: str) -> list[CallResource]:
        """Newest first."""
        try:
            found = await self._twilio.calls.list_async(to=to, limit=RECONCILE_LIMIT, page_size=PAGE_SIZE)
            return [CallResource.read(instance) for instance in found]
        except NOT_A_PAGE as exc:
            raise ChannelUnavailableError(
                voice_mapping.CHANNEL, "answered with something else than a list"
            ) from exc
