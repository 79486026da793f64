"""Takes an escalation, or an alert to operators, for somebody who answered a page; says who was faster."""

from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.paging import matter
from bot.paging.matter import Matter, Standing
from bot.paging.models import OperatorAlert, Outcome, Page
from bot.paging.service import Paging
from bot.paging.words import PageWords
from connectors.escalation import DispatcherAction, DispatcherVerb


class Gestures(Protocol):
    async def act(
        self, session: AsyncSession, action: DispatcherAction
    ) -> tuple[Verdict, Escalation | None]: ...


class Taken(StrEnum):
    TAKEN = "taken"
    YOURS = "yours"
    """They had it already."""
    HELD = "held"
    OVER = "over"
    NOT_ALLOWED = "not_allowed"


class Taking:
    def __init__(self, clock: Clock, gestures: Gestures, paging: Paging, words: PageWords) -> None:
        self._clock = clock
        self._gestures = gestures
        self._paging = paging
        self._words = words

    async def take(self, session: AsyncSession, page: Page, gesture: str, vendor_id: str) -> Taken:
        """`page` is locked, see `matter.lock`. `gesture` is `sms:1` or `call:1`; `vendor_id` unique per gesture."""
        if page.alert_id is not None:
            return await self._take_alert(session, page, gesture)
        action = DispatcherAction(
            vendor_id=vendor_id,
            verb=DispatcherVerb.ACKNOWLEDGE,
            dispatcher=page.dispatcher,
            channel="",
            message_ts="",
            escalation_id=str(page.escalation_id),
            gesture=gesture,
            occurred_at=self._clock.now(),
        )
        verdict, _ = await self._gestures.act(session, action)
        if verdict is Verdict.APPLIED:
            page.outcome = Outcome.ACKNOWLEDGED
            return Taken.TAKEN
        if verdict is Verdict.NOT_ALLOWED:
            return Taken.NOT_ALLOWED
        return self.standing_for(page, await matter.matter_of(session, page))

    def standing_for(self, page: Page, found: Matter) -> Taken:
        """How it stands for the person of the page, where a gesture of theirs changes nothing."""
        if found.standing is Standing.OVER:
            return Taken.OVER
        return Taken.YOURS if found.holder == page.dispatcher else Taken.HELD

    def words(self, taken: Taken, found: Matter, language: str) -> str:
        match taken:
            case Taken.TAKEN:
                return self._words.taken(language)
            case Taken.YOURS:
                return self._words.yours(language)
            case Taken.HELD:
                return self._words.held(found.holder, language)
            case Taken.OVER:
                return self._words.over(language)
            case Taken.NOT_ALLOWED:
                return self._words.not_allowed(language)

    async def _take_alert(self, session: AsyncSession, page: Page, gesture: str) -> Taken:
        alert = await session.get_one(OperatorAlert, page.alert_id)
        if alert.over_at is not None or alert.taken_by is not None:
            return self.standing_for(page, await matter.matter_of(session, page))
        alert.taken_by, page.outcome = page.dispatcher, Outcome.ACKNOWLEDGED
        audit.record(
            session,
            self._clock.now(),
            "operator_alert",
            str(alert.id),
            "acknowledged",
            actor=page.dispatcher,
            gesture=gesture,
        )
        await session.flush()
        await self._paging.stop_alert(session, alert.id)
        return Taken.TAKEN
