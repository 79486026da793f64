"""Tells the recipients of its stops a chosen message, or a dispatcher's own words."""

from collections import Counter

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.escalations.deeds.recipient_texts import Message, Order, RecipientTexts, Told
from bot.escalations.deeds.working import open_stops, work_on
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import note, show
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.escalation import DispatcherAction, Happening

CHOICES = frozenset(Message) - {Message.WINDOW_MOVED}


class TellRecipients:
    def __init__(self, clock: Clock, sop: ProtocolInForce, texts: RecipientTexts) -> None:
        self._clock = clock
        self._sop = sop
        self._texts = texts

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """Once per stop and words: the second press of the same sends nothing and says nothing."""
        fields = action.fields
        stops = await open_stops(session, escalation.id, fields.get("stop_ids", ""))
        if not stops or fields.get("message") not in CHOICES:
            return Verdict.NOT_POSSIBLE
        order = Order(
            escalation.id, Message(fields["message"]), action.dispatcher, fields.get("words", "").strip()
        )
        told = {stop.id: (stop, await self._texts.tell(session, stop, order)) for stop in stops}
        outcomes = Counter(outcome for _, outcome in told.values())
        if outcomes[Told.SENT]:
            await work_on(session, escalation, action, self._sop.current.escalations, self._clock.now())
        self._write_down(session, escalation, order, list(told.values()))
        await show(session, escalation)
        return _verdict(outcomes)

    def _write_down(
        self,
        session: AsyncSession,
        escalation: Escalation,
        order: Order,
        told: list[tuple[StopRecord, Told]],
    ) -> None:
        """One line for all who were told, and one for each whom nothing reaches."""
        now, sent = self._clock.now(), [stop for stop, outcome in told if outcome is Told.SENT]
        if sent:
            note(
                session,
                escalation,
                Happening.RECIPIENT_TOLD,
                now,
                dispatcher=order.by,
                stop_id=sent[0].id if len(sent) == 1 else None,
                words=order.words if order.message is Message.OWN else "",
                facts={"message": order.message.value, "stops": len(sent)},
            )
        for stop, outcome in told:
            if outcome in (Told.OPTED_OUT, Told.NO_PHONE):
                note(
                    session,
                    escalation,
                    Happening.REPLY_NOT_SENT,
                    now,
                    dispatcher=order.by,
                    stop_id=stop.id,
                    words=outcome.value,
                )
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "recipients_told",
            actor=order.by,
            message=order.message.value,
            sent=len(sent),
            asked=len(told),
        )


def _verdict(outcomes: Counter[Told]) -> Verdict:
    if outcomes[Told.SENT]:
        return Verdict.APPLIED
    if outcomes[Told.ALREADY]:
        return Verdict.NOTHING_TO_DO
    return Verdict.OPTED_OUT if outcomes[Told.OPTED_OUT] else Verdict.NOT_POSSIBLE
