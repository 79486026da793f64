"""What a driver is asked about a late stop, by a dispatcher or by the rules: one text; see `question_replies`.

Numbers are masked both ways: the driver writes to our number, dispatchers read the words.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.drivers.models import DriverQuestion
from bot.drivers.texts import DriverTexts, place_of
from bot.durable.models import OutboundText
from bot.escalations.models import Escalation
from bot.escalations.thread import note, show
from bot.sop import ProtocolInForce
from bot.stops.models import DriverRecord, StopRecord
from connectors.escalation import DispatcherAction, Happening

ASKED_JUST_NOW = timedelta(minutes=5)
USEFUL_FOR = timedelta(minutes=30)
"""A check-in that leaves later asks about what is over."""


class DriverAsking:
    def __init__(self, clock: Clock, sop: ProtocolInForce, texts: DriverTexts) -> None:
        self._clock = clock
        self._sop = sop
        self._texts = texts

    async def ask(
        self, session: AsyncSession, escalation: Escalation, stop: StopRecord, action: DispatcherAction
    ) -> str:
        """Texts the driver of this stop; empty once that is on its way, else why not.

        `no_phone`, `opted_out`; `asked` when the usual question went out a moment ago and waits for its answer.
        """
        if stop.driver_ref is None:
            return "no_phone"
        if why := await self._texts.why_unreachable(session, stop.platform, stop.driver_ref):
            self._unreachable(session, escalation, why, action.dispatcher)
            return why
        own = masked(action.fields.get("words", "").strip())
        if not own and await self._was_asked(session, escalation.id, stop.driver_ref):
            return "asked"
        outbound_id = await self._send(session, escalation, stop, own)
        row = await session.get(OutboundText, outbound_id) if outbound_id is not None else None
        if row is None:
            return "no_phone"
        await self._keep(session, escalation, stop, row, action.dispatcher)
        return ""

    async def check_in(
        self, session: AsyncSession, escalation: Escalation, stop: StopRecord, number: int | None
    ) -> bool:
        """Asks by the rules, not by a dispatcher; `number` is the stop's on its run. False: no text reaches them."""
        if stop.driver_ref is None:
            return False
        name, slots = self._check_in(stop, number)
        outbound_id = await self._texts.tell(
            session,
            stop.platform,
            stop.driver_ref,
            name,
            escalation_id=escalation.id,
            useful_until=self._clock.now() + USEFUL_FOR,
            **slots,
        )
        row = await session.get(OutboundText, outbound_id) if outbound_id is not None else None
        if row is None:
            return False
        await self._keep(session, escalation, stop, row, "")
        return True

    def _check_in(self, stop: StopRecord, number: int | None) -> tuple[str, dict[str, str]]:
        place = place_of(stop.address_line)
        known = {"place": place} | ({"number": str(number)} if number is not None else {})
        if stop.window_end_at is None or stop.window_end_at <= self._clock.now():
            return ("utter_driver_how_late" if number is None else "utter_driver_stop_how_late"), known
        eta = self._texts.say_clock(stop.window_end_at, stop.timezone)
        return ("utter_driver_on_time" if number is None else "utter_driver_stop_on_time"), known | {
            "eta": eta
        }

    async def _keep(
        self, session: AsyncSession, escalation: Escalation, stop: StopRecord, row: OutboundText, by: str
    ) -> None:
        session.add(await self._question(session, escalation, stop, row, by))
        note(
            session,
            escalation,
            Happening.DRIVER_ASKED,
            self._clock.now(),
            dispatcher=by or None,
            stop_id=stop.id,
            words=row.text,
        )
        self._record(
            session, escalation, "driver_asked", by or audit.SYSTEM, driver_ref=stop.driver_ref or ""
        )
        await show(session, escalation)

    async def _send(
        self, session: AsyncSession, escalation: Escalation, stop: StopRecord, own: str
    ) -> UUID | None:
        driver, escalation_id = (stop.platform, stop.driver_ref or ""), escalation.id
        if own:
            return await self._texts.tell(
                session, *driver, "utter_driver_dispatch_asks", escalation_id=escalation_id, message=own
            )
        place = place_of(stop.address_line)
        if stop.window_end_at is None or stop.window_end_at <= self._clock.now():
            return await self._texts.tell(
                session, *driver, "utter_driver_how_late", escalation_id=escalation_id, place=place
            )
        eta = self._texts.say_clock(stop.window_end_at, stop.timezone)
        return await self._texts.tell(
            session, *driver, "utter_driver_on_time", escalation_id=escalation_id, place=place, eta=eta
        )

    async def _question(
        self,
        session: AsyncSession,
        escalation: Escalation,
        stop: StopRecord,
        row: OutboundText,
        by: str,
    ) -> DriverQuestion:
        name = await session.scalar(
            select(col(DriverRecord.name)).where(
                col(DriverRecord.platform) == stop.platform, col(DriverRecord.platform_ref) == stop.driver_ref
            )
        )
        return DriverQuestion(
            escalation_id=escalation.id,
            stop_id=stop.id,
            platform=stop.platform,
            driver_ref=stop.driver_ref or "",
            driver_name=name or "",
            phone=row.recipient,
            outbound_id=row.id,
            asked_by=by,
            asked_at=self._clock.now(),
        )

    async def _was_asked(self, session: AsyncSession, escalation_id: UUID, driver_ref: str) -> bool:
        asked = exists().where(
            col(DriverQuestion.escalation_id) == escalation_id,
            col(DriverQuestion.driver_ref) == driver_ref,
            col(DriverQuestion.answered_at).is_(None),
            col(DriverQuestion.asked_at) > self._clock.now() - ASKED_JUST_NOW,
        )
        return bool(await session.scalar(select(asked)))

    def _unreachable(self, session: AsyncSession, escalation: Escalation, why: str, by: str) -> None:
        note(session, escalation, Happening.DRIVER_UNREACHABLE, self._clock.now(), dispatcher=by, words=why)
        self._record(session, escalation, "driver_unreachable", by, reason=why)

    def _record(
        self, session: AsyncSession, escalation: Escalation, verb: str, by: str, **details: str
    ) -> None:
        audit.record(session, self._clock.now(), "escalation", str(escalation.id), verb, actor=by, **details)
