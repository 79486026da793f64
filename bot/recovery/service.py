"""What the conversation asks of a followed-up failure, and what drivers say about it."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.db import Database
from bot.recovery import queries, rules
from bot.recovery.agreeing import Agreements, AnswersAboutStops
from bot.recovery.answering import is_a_dispatchers, is_answerable
from bot.recovery.answers import Choice, FollowUpOutcome, FollowUpQuestion, Preference
from bot.recovery.models import ReasonSource, Recovery, RecoveryState, Why
from bot.recovery.opening import Opening, add_words
from bot.recovery.transitions import Transitions
from bot.recovery.windows import BookableWindows
from bot.sop import ProtocolInForce
from bot.sop_recovery import Flow
from bot.stops.answers import Turn
from bot.stops.models import StopRecord
from connectors.base import FailureReason

EXPLAINABLE = frozenset({"", Why.UNKNOWN_REASON.value, Why.BY_RULE.value})
"""What a follow-up may be with a dispatcher for while the driver's word still changes what is asked."""


class RecoveryService:
    def __init__(
        self,
        database: Database,
        sop: ProtocolInForce,
        stops: AnswersAboutStops,
        windows: BookableWindows,
        opening: Opening,
        transitions: Transitions,
        agreements: Agreements,
    ) -> None:
        self._database = database
        self._sop = sop
        self._stops = stops
        self._windows = windows
        self._opening = opening
        self._transitions = transitions
        self._agreements = agreements

    # --- asking ---------------------------------------------------------------------------------

    async def question(self, turn: Turn, recovery_id: str) -> FollowUpQuestion | None:
        """What to ask; None where it is over, or not this person's to decide."""
        async with self._database.transaction() as session:
            recovery = await session.get(Recovery, UUID(recovery_id))
            again = await queries.again_of(session, recovery) if recovery is not None else None
            reminded = recovery is not None and await queries.was_reminded(session, recovery.id)
        if recovery is None or not is_answerable(recovery.state, again.status if again else None):
            return None
        if not await self._stops.may_change(turn, str(recovery.stop_id)):
            return None
        return await self._question(recovery, again, is_reminder=reminded)

    async def open_for(self, turn: Turn, stop_id: str) -> FollowUpQuestion | None:
        """The follow-up of this failed stop, or the one that led to this second try; None where there is none.

        One that failed just now is opened by it.
        """
        async with self._database.transaction() as session:
            recovery = await self._opening.open_for(session, UUID(stop_id))
        question = await self.question(turn, str(recovery.id)) if recovery is not None else None
        if question is not None:
            await self._asked_there(turn, question)
        return question

    # --- answering ------------------------------------------------------------------------------

    async def answer(self, turn: Turn, recovery_id: str, preference: Preference) -> FollowUpOutcome:
        """Does what the recipient wants, or asks a dispatcher for it. The same answer again changes nothing more.

        `not_bookable`: nothing was kept, another window is to be named. Raises `NotFoundError` for a stop or
        conversation that is none of ours.
        """
        return await self._agreements.agree(turn, UUID(recovery_id), preference)

    async def driver_says(
        self, session: AsyncSession, stop_id: UUID, reason: FailureReason, words: str
    ) -> None:
        """A driver's text about a stop, in the transaction that keeps it.

        Before the stop has failed nothing happens: the opening reads what was kept. Once the recipient was asked only
        the words are added.
        """
        recovery = await self._opening.open_for(session, stop_id)
        if recovery is None or recovery.stop_id != stop_id:
            return
        recovery = await self._transitions.locked(session, recovery.id)
        if recovery is None or recovery.state not in queries.OPEN:
            return
        add_words(recovery, words)
        is_new = reason not in (FailureReason.OTHER, recovery.reason)
        is_free = recovery.asked_at is None and recovery.state is not RecoveryState.WRITING
        if is_new and is_free and recovery.detail in EXPLAINABLE:
            await self._opening.explain(session, recovery, reason, "driver", ReasonSource.DRIVER)

    # --- inside ---------------------------------------------------------------------------------

    async def _asked_there(self, turn: Turn, question: FollowUpQuestion) -> None:
        """Who writes of it first is asked where they write: a bare number there answers for a code."""
        async with self._database.transaction() as session:
            await session.execute(
                update(Recovery)
                .where(
                    col(Recovery.id) == UUID(question.recovery_id), col(Recovery.conversation_id).is_(None)
                )
                .values(conversation_id=UUID(turn.conversation_id))
            )

    async def _question(
        self, recovery: Recovery, again: StopRecord | None, *, is_reminder: bool
    ) -> FollowUpQuestion:
        about = str(again.id if again is not None else recovery.stop_id)
        sop = self._sop.current.recovery
        is_fixed = is_a_dispatchers(recovery.detail)
        alternatives = frozenset() if is_fixed else rules.alternatives_of(sop, recovery.client)
        points = rules.points_of(sop, recovery.zone) if Choice.PICK_UP in alternatives else ()
        return FollowUpQuestion(
            recovery_id=str(recovery.id),
            stop=await self._stops.get_answer(about),
            flow=_flow(recovery),
            reason=recovery.reason,
            failed_at=recovery.failed_at,
            attempt=recovery.attempt,
            offers=() if is_fixed else await self._windows.offers(about),
            alternatives=alternatives,
            pick_up_points=points,
            is_reminder=is_reminder,
            preference=Preference.model_validate(recovery.preference) if recovery.preference else None,
        )


def _flow(recovery: Recovery) -> Flow:
    """Who writes about a failure that nobody has explained is asked when to come again."""
    is_unknown = recovery.detail == Why.UNKNOWN_REASON
    return Flow.WINDOWS if is_unknown else recovery.flow
