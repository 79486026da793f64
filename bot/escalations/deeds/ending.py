"""How an escalation ends by hand: resolved with its cause, or as noise; and why it was late, said afterwards."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.escalations import holding, rules
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import note, show
from bot.sop import Protocol, ProtocolInForce
from connectors.base import FailureReason
from connectors.escalation import DispatcherAction, Happening

NOTE_LENGTH = 500


class Ending:
    """The cause, the exclusion and the note of a window, as far as sop.yml knows them."""

    def __init__(self, fields: Mapping[str, str], protocol: Protocol) -> None:
        cause, code = fields.get("root_cause", ""), fields.get("exclusion", "")
        self.root_cause = FailureReason(cause) if cause in {*protocol.root_causes} else None
        self.exclusion = code if code in protocol.sla.exclusions else ""
        self.note = fields.get("note", "").strip()[:NOTE_LENGTH]


class Resolve:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        ending, now = Ending(action.fields, self._sop.current), self._clock.now()
        _write_note(session, escalation, ending, action.dispatcher, now)
        was_done = await holding.resolve(
            session,
            escalation,
            action.dispatcher,
            "",
            now,
            root_cause=ending.root_cause,
            exclusion=ending.exclusion,
            words=ending.note,
        )
        return Verdict.APPLIED if was_done else Verdict.ALREADY_RESOLVED


class MarkNoise:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        if rules.is_request(escalation) or escalation.conversation_id is not None:
            return Verdict.NOT_POSSIBLE
        was_done = await holding.mark_noise(session, escalation, action.dispatcher, self._clock.now())
        return Verdict.APPLIED if was_done else Verdict.ALREADY_RESOLVED


class NameCause:
    """Also after the end, and again: the newest word counts. Another exclusion takes the earlier one's place."""

    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        ending, now = Ending(action.fields, self._sop.current), self._clock.now()
        if ending.root_cause is None:
            return Verdict.NOT_POSSIBLE
        is_same = (escalation.root_cause, escalation.exclusion) == (ending.root_cause, ending.exclusion)
        if is_same and not ending.note:
            return Verdict.NOTHING_TO_DO
        await holding.set_root_cause(session, escalation, ending.root_cause, action.dispatcher, now)
        escalation.exclusion = ending.exclusion
        escalation.resolution_note = ending.note or escalation.resolution_note
        self._tell(session, escalation, ending, action.dispatcher, now)
        await show(session, escalation)
        return Verdict.APPLIED

    def _tell(
        self, session: AsyncSession, escalation: Escalation, ending: Ending, by: str, now: datetime
    ) -> None:
        cause = ending.root_cause.value if ending.root_cause else ""
        note(
            session,
            escalation,
            Happening.CAUSE_NAMED,
            now,
            dispatcher=by,
            words=ending.exclusion,
            facts={"root_cause": cause},
        )
        _write_note(session, escalation, ending, by, now)
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "cause_named",
            actor=by,
            root_cause=cause,
            exclusion=ending.exclusion,
        )


def _write_note(
    session: AsyncSession, escalation: Escalation, ending: Ending, by: str, now: datetime
) -> None:
    if ending.note:
        note(session, escalation, Happening.NOTED, now, dispatcher=by, words=ending.note)
