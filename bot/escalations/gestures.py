"""What dispatchers do: a reaction, a button, a window, a text, a key. Two at once are decided by the row's lock.

Who may, and whether it is possible now, is judged first (`rules.judge`); taking and giving back is done here, what goes
beyond it is a deed (`deeds/`), a reply or a decision.
"""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.escalations import holding, queries, rules
from bot.escalations.deeds.ending import Resolve
from bot.escalations.deeds.merging import id_in
from bot.escalations.deeds.working import Deeds
from bot.escalations.models import Escalation
from bot.escalations.replies import Replies
from bot.escalations.rules import Verdict
from bot.oncall.people import OnCall
from bot.sop import ProtocolInForce
from connectors.escalation import DispatcherAction, DispatcherVerb


class Decisions(Protocol):
    """Requests that a dispatcher approves or declines. Called with the request's escalation, locked and open."""

    async def decide(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> Verdict: ...

    async def close_undecided(
        self, session: AsyncSession, escalation: Escalation, dispatcher: str
    ) -> Verdict:
        """Somebody resolved it without deciding: they dealt with it in another way."""
        ...


class Gestures:
    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        replies: Replies,
        decisions: Decisions,
        deeds: Deeds | None = None,
        on_call: OnCall | None = None,
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._replies = replies
        self._decisions = decisions
        self._deeds = dict(deeds or {DispatcherVerb.RESOLVE: Resolve(clock, sop)})
        self._on_call = on_call

    async def act(self, session: AsyncSession, action: DispatcherAction) -> tuple[Verdict, Escalation | None]:
        """Applies one gesture; what it was applied to, and whether it changed anything."""
        await self._lock_both(session, action)
        escalation = await queries.addressed(session, action)
        if escalation is None:
            return Verdict.NOTHING_TO_DO, None
        verdict = await self._judge(session, escalation, action)
        if verdict is Verdict.REACTION_NOT_ENOUGH and not rules.tell_once(escalation, action.dispatcher):
            return Verdict.NOTHING_TO_DO, escalation
        if verdict is Verdict.APPLIED:
            verdict = await self._apply(session, escalation, action)
        return verdict, escalation

    async def _lock_both(self, session: AsyncSession, action: DispatcherAction) -> None:
        """Of two that are put together the one with the lower id first: whoever wants it the other way round waits."""
        both = [id_in(text) for text in (action.escalation_id or "", action.fields.get("into", ""))]
        found = [each for each in both if each is not None]
        if action.verb is DispatcherVerb.MERGE and len(found) == len(both):
            await queries.locked(session, *found)

    async def _judge(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> Verdict:
        allowed = await self._allowed(session)
        if action.verb is DispatcherVerb.NAME_CAUSE:
            # Why it was late is mostly known once it is over.
            return Verdict.NOT_ALLOWED if allowed and action.dispatcher not in allowed else Verdict.APPLIED
        members = await queries.members(session, escalation.id)
        return rules.judge(
            action.verb,
            escalation,
            action.dispatcher,
            allowed,
            gesture=action.gesture,
            takes=await queries.takes_now(session, escalation, self._sop.current.escalations),
            has_stops=bool(members),
        )

    async def _allowed(self, session: AsyncSession) -> Collection[str]:
        """Empty: everybody in the channel."""
        if self._on_call is None:
            return self._sop.current.escalations.dispatchers
        return await self._on_call.may_acknowledge(session)

    async def _apply(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> Verdict:
        policy, now = self._sop.current.escalations, self._clock.now()
        match action.verb:
            case DispatcherVerb.ACKNOWLEDGE:
                taken = await holding.take(
                    session, escalation, action.dispatcher, action.gesture, policy, now
                )
                return Verdict.APPLIED if taken else Verdict.ALREADY_HELD
            case DispatcherVerb.WITHDRAW:
                given = await holding.give_back(session, escalation, action.dispatcher, policy, now)
                return Verdict.APPLIED if given else Verdict.NOT_YOURS
            case DispatcherVerb.REPLY:
                return await self._replies.reply(session, escalation, action)
            case DispatcherVerb.APPROVE | DispatcherVerb.DECLINE:
                return await self._decisions.decide(session, escalation, action)
        return await self._do(session, escalation, action)

    async def _do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        if action.verb is DispatcherVerb.RESOLVE and rules.is_request(escalation):
            return await self._decisions.close_undecided(session, escalation, action.dispatcher)
        deed = self._deeds.get(action.verb)
        return await deed.do(session, escalation, action) if deed is not None else Verdict.NOT_POSSIBLE
