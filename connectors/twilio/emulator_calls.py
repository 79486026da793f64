"""Calls of the pretended account: placed, rung, answered, talked through, ended, each told as Twilio tells it.

Sources: twilio.com/docs/voice/api/call-resource for statuses and callbacks. That a ringing call ended with
`completed` becomes `canceled` is ours: Twilio does not document it.
"""

import asyncio

from connectors.emulation import Ledger
from connectors.twilio.emulator_account import PretendedAccount
from connectors.twilio.emulator_call_state import CallOrder, Calls, StoredCall
from connectors.twilio.emulator_phones import Habit, HungUpError, Phone
from connectors.twilio.emulator_state import API_VERSION, new_sid, rfc2822

SETUP_SECONDS = 1.0
NOT_IN_SERVICE = "404"


class PretendedCalls:
    """Everybody's phones, and the calls to them."""

    def __init__(self, account: PretendedAccount, calls: Calls, habits: Ledger) -> None:
        self.account = account
        self.calls = calls
        self.default_habit = Habit(kind="no-answer")
        """Of phones nobody said anything of."""
        self.loses_news = False
        """Status callbacks get lost on their way."""
        self._habits = habits
        self._ended: dict[str, asyncio.Event] = {}

    @property
    def second(self) -> float:
        """Real seconds that a pretended one takes."""
        return self.account.pace_seconds

    def habit_for(self, phone: str, habit: Habit) -> None:
        """What the person with this phone does with the calls that come from now on."""
        self._habits[phone] = habit.model_dump(mode="json")

    def habit_of(self, phone: str) -> Habit:
        known = self._habits.get(phone)
        return Habit.model_validate(known) if known is not None else self.default_habit

    def take_order(self, order: CallOrder) -> StoredCall:
        now = self.account.now()
        call = StoredCall(
            sid=new_sid("CA"),
            sender=order.sender,
            recipient=order.to,
            url=order.url,
            twiml=order.twiml,
            status_callback=order.status_callback,
            events=order.events,
            timeout=int(order.timeout),
            detects_machines=bool(order.machine_detection),
            created_at=now,
            updated_at=now,
        )
        self.calls.put(call)
        self._start(call.sid)
        return call

    def end(self, sid: str, ending: str) -> StoredCall:
        """`completed` ends any call, `canceled` one that nobody answered yet."""
        call = self.calls.get(sid)
        if call.status == "in-progress" and ending == "canceled":
            return call
        status = "completed" if call.status == "in-progress" else "canceled"
        call = self._finish(sid, status)
        self._event(sid).set()
        self.account.start(self._tell(sid, "completed"))
        return call

    def resume(self) -> None:
        """Goes on with the calls that a killed emulator left: they ring anew."""
        for call in self.calls:
            if not call.is_over:
                self._start(call.sid)

    # --- the life of a call -------------------------------------------------------------------

    def _start(self, sid: str) -> None:
        self.account.start(self._carry(sid))

    async def _carry(self, sid: str) -> None:
        try:
            await self._live(sid)
        except HungUpError:
            pass
        finally:
            self._ended.pop(sid, None)
        if not self.calls.get(sid).is_over:
            self._finish(sid, "completed")
            await self._tell(sid, "completed")

    async def _live(self, sid: str) -> None:
        habit = self.habit_of(self.calls.get(sid).recipient)
        await self.wait(sid, SETUP_SECONDS)
        await self._tell(sid, "initiated")
        if habit.kind == "failed":
            await self._fall(sid, "failed")
        self._change(sid, status="ringing", started_at=self.account.now())
        await self._tell(sid, "ringing")
        await self._ring(sid, habit)
        if not habit.picks_up:
            await self._fall(sid, habit.kind)
        await self._answer(sid, habit)

    async def _ring(self, sid: str, habit: Habit) -> None:
        patience = self.calls.get(sid).timeout
        if habit.kind == "no-answer" or habit.rings_seconds > patience:
            await self.wait(sid, patience)
            await self._fall(sid, "no-answer")
        await self.wait(sid, habit.rings_seconds)

    async def _fall(self, sid: str, status: str) -> None:
        self._finish(sid, status)
        await self._tell(sid, "completed")
        raise HungUpError(status)

    async def _answer(self, sid: str, habit: Habit) -> None:
        call = self.calls.get(sid)
        who = "machine_start" if habit.kind == "voicemail" else "human"
        self._change(sid, status="in-progress", answered_by=who if call.detects_machines else None)
        await self._tell(sid, "answered")
        line = _PretendedLine(self, sid)
        phone = Phone(habit, line, call.url)
        try:
            await phone.talk(call.twiml or None)
        finally:
            if not self.calls.get(sid).is_over:
                self._change(sid, seconds=round(phone.talked))

    def _finish(self, sid: str, status: str) -> StoredCall:
        changes: dict[str, object] = {"status": status, "ended_at": self.account.now()}
        if status == "completed" and self.calls.get(sid).seconds is None:
            changes["seconds"] = 0
        return self._change(sid, **changes)

    def _change(self, sid: str, **changes: object) -> StoredCall:
        return self.calls.change(sid, updated_at=self.account.now(), **changes)

    async def wait(self, sid: str, seconds: float) -> None:
        """Raises `HungUpError` as soon as the call is over."""
        try:
            async with asyncio.timeout(seconds * self.second):
                await self._event(sid).wait()
        except TimeoutError:
            pass
        if self.calls.get(sid).is_over:
            raise HungUpError("ended by us")

    def _event(self, sid: str) -> asyncio.Event:
        return self._ended.setdefault(sid, asyncio.Event())

    # --- webhooks -----------------------------------------------------------------------------

    async def _tell(self, sid: str, event: str) -> None:
        call = self.calls.get(sid)
        if self.loses_news or not call.status_callback or event not in call.events:
            return
        status = "initiated" if event == "initiated" else call.status
        fields = self.fields(call) | {
            "CallStatus": status,
            "Timestamp": str(rfc2822(self.account.now())),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.sequence),
        }
        if call.seconds is not None:
            fields |= {"CallDuration": str(call.seconds), "Duration": str(-(-call.seconds // 60))}
        if status == "failed":
            fields["SipResponseCode"] = NOT_IN_SERVICE
        self.calls.change(sid, sequence=call.sequence + 1)
        delivery = await self.account.sender.post(call.status_callback, fields)
        if delivery.failure is not None or delivery.status is None:
            self.account.alert(sid, f"call status webhook: {delivery.status or 'no answer'}", 11200)

    def fields(self, call: StoredCall) -> dict[str, str]:
        """What every request about a call carries."""
        fields = {
            "CallSid": call.sid,
            "AccountSid": self.account.account_sid,
            "From": call.sender,
            "To": call.recipient,
            "Caller": call.sender,
            "Called": call.recipient,
            "CallStatus": call.status,
            "Direction": "outbound-api",
            "ApiVersion": API_VERSION,
        }
        return fields | ({"AnsweredBy": call.answered_by} if call.answered_by else {})


class _PretendedLine:
    """One call, as its phone sees it; see `emulator_phones.Line`."""

    def __init__(self, calls: PretendedCalls, sid: str) -> None:
        self._calls = calls
        self._sid = sid

    async def wait(self, seconds: float) -> None:
        await self._calls.wait(self._sid, seconds)

    async def ask(self, url: str, digits: str | None) -> str:
        """A webhook that fails is an application error to Twilio: it says so and hangs up."""
        call = self._calls.calls.get(self._sid)
        fields = self._calls.fields(call)
        if digits is not None:
            fields |= {"Digits": digits, "msg": "Gather End", "FinishedOnKey": ""}
        delivery = await self._calls.account.sender.post(url, fields)
        if self._calls.calls.get(self._sid).is_over:
            raise HungUpError("ended while we were asked")
        if delivery.failure is not None or delivery.status is None:
            self.alert(f"voice webhook: {delivery.status or 'no answer'}", 11200)
            self.hear("We are sorry, an application error has occurred. Goodbye.", "en-US")
            raise HungUpError("application error")
        if "xml" not in delivery.content_type:
            self.alert(f"voice webhook: Content-Type {delivery.content_type or 'missing'}", 12300)
            raise HungUpError("no TwiML")
        return delivery.body

    def hear(self, words: str, language: str) -> None:
        call = self._calls.calls.get(self._sid)
        heard, languages = (*call.heard, words), (*call.languages, language)
        self._calls.calls.change(self._sid, heard=heard, languages=languages)

    def press(self, digits: str) -> None:
        call = self._calls.calls.get(self._sid)
        self._calls.calls.change(self._sid, pressed=call.pressed + digits)

    def alert(self, text: str, code: int) -> None:
        self._calls.account.alert(self._sid, text, code)
