"""Whom a step that fires calls: by a mention in the thread, a text, or a phone call."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.escalations.models import Escalation, EscalationNote, EscalationStep
from bot.escalations.ports import Pager
from bot.oncall.people import OnCall, OnCallPerson
from bot.sop import Protocol, ProtocolInForce
from bot.sop_escalations import TierKind
from connectors.escalation import Happening

NOBODY = "nobody_on_call:"
"""How the cause keys of what is raised for want of anybody begin; zone and local day follow."""

LINES = "on_call_lines"


class Calling:
    def __init__(self, sop: ProtocolInForce, on_call: OnCall, pager: Pager) -> None:
        self._sop = sop
        self._on_call = on_call
        self._pager = pager

    async def call(
        self, session: AsyncSession, step: EscalationStep, escalation: Escalation, now: datetime
    ) -> bool:
        """Calls somebody, whatever happens: where no person can be reached, everybody that `mention` names.

        False: nobody is on call for this zone, though somebody should be.
        """
        candidates = await self._candidates(session, step, escalation, now)
        if not candidates and self._on_call.is_set_up(escalation.zone) and not step.person:
            self._tell(session, escalation, Happening.NOBODY_ON_CALL, now, words=escalation.zone)
            return escalation.cause_key.startswith(NOBODY)
        if step.kind is TierKind.MENTION:
            self._mention(session, escalation, step, candidates, now)
        else:
            await self._page(session, escalation, step, candidates, now)
        return True

    async def _candidates(
        self, session: AsyncSession, step: EscalationStep, escalation: Escalation, now: datetime
    ) -> list[OnCallPerson]:
        """Whom to try, in order. A line that is too short for the step's place gives its last one."""
        line = await self._line(session, escalation.zone, now)
        named = find_person(self._sop.current, step.person)
        return ([named] if named is not None else []) + list(line[step.place :] or line[-1:])

    async def _line(self, session: AsyncSession, zone: str, now: datetime) -> tuple[OnCallPerson, ...]:
        """Asked once per transaction: a storm has hundreds of steps of one zone."""
        lines: dict[tuple[str, datetime], tuple[OnCallPerson, ...]] = session.info.setdefault(LINES, {})
        if (zone, now) not in lines:
            lines[zone, now] = await self._on_call.line(session, zone, now)
        return lines[zone, now]

    def _mention(
        self,
        session: AsyncSession,
        escalation: Escalation,
        step: EscalationStep,
        candidates: Sequence[OnCallPerson],
        now: datetime,
    ) -> None:
        person = next((each for each in candidates if each.mention), None)
        self._tell(session, escalation, Happening.STEP_FIRED, now, person=person)
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "mentioned",
            position=step.position,
            person=person.key if person is not None else "",
        )

    async def _page(
        self,
        session: AsyncSession,
        escalation: Escalation,
        step: EscalationStep,
        candidates: Sequence[OnCallPerson],
        now: datetime,
    ) -> None:
        for person in candidates:
            if await self._pager.page(session, escalation, step, person):
                verb, told = "paged", {"kind": step.kind.value, "person": person.key}
                audit.record(
                    session, now, "escalation", str(escalation.id), verb, position=step.position, **told
                )
                return
        # Nobody has a number: the channel hears of it, so that the step was not for nothing.
        self._mention(session, escalation, step, (), now)

    def _tell(
        self,
        session: AsyncSession,
        escalation: Escalation,
        kind: Happening,
        now: datetime,
        *,
        words: str = "",
        person: OnCallPerson | None = None,
    ) -> None:
        session.add(
            EscalationNote(
                escalation_id=escalation.id,
                kind=kind,
                words=words,
                person=person.name if person is not None else "",
                mention=person.mention if person is not None else self._sop.current.escalations.mention,
                created_at=now,
            )
        )


def find_person(protocol: Protocol, key: str) -> OnCallPerson | None:
    """Somebody of `people` by their key."""
    person = protocol.people.get(key)
    if person is None:
        return None
    return OnCallPerson(
        key=key, name=person.name, slack=person.slack, phone=person.phone, language=person.language
    )
