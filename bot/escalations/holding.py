"""The states of one escalation: who has it, who gave it back, when it is over. Decided by `transitions`.

Every change is a compare-and-set on the row, with its line in the thread, its audit line, and its steps stopped or
begun anew, in the caller's transaction. A function that gives `bool` says whether the change was made: False is
somebody else's having been faster, or a state that does not allow it. `policy` is section `escalations` of sop.yml.
Merging and handing over are in `moving`.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.conversations import held
from bot.escalations import rules, transitions
from bot.escalations.changing import make, standing_of
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.rounds import begin_round
from bot.escalations.thread import show
from bot.escalations.transitions import Change
from bot.escalations.view import stops_of
from bot.sop_escalations import Escalations as Policy
from bot.sop_escalations import TierKind
from connectors.base import FailureReason
from connectors.escalation import Happening

# --- taken, and given back ------------------------------------------------------------------------


async def take(
    session: AsyncSession,
    escalation: Escalation,
    dispatcher: str,
    gesture: str,
    policy: Policy,
    now: datetime,
) -> bool:
    """A dispatcher has it: all pending steps stop, calls in progress too."""
    until = await _until(session, escalation, policy, now)
    change = transitions.acknowledge(standing_of(escalation), dispatcher, until, now)
    if not await make(session, escalation, change, now, until=until, gesture=gesture):
        return False
    escalation.reminded_at = None
    await show(session, escalation)
    return True


async def prolong(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> None:
    """Who works on it keeps it."""
    escalation.acknowledged_until = await _until(session, escalation, policy, now)


async def _until(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> datetime:
    after_the_window = timedelta(minutes=policy.acknowledgement_holds_minutes)
    if escalation.conversation_id is not None:
        # Somebody who talks with a person is not done because a window ends meanwhile.
        return now + after_the_window
    ends = [stop.window_end_at for stop in await stops_of(session, escalation.id) if stop.window_end_at]
    return rules.holds_until(now, ends, after_the_window)


async def give_back(
    session: AsyncSession, escalation: Escalation, dispatcher: str, policy: Policy, now: datetime
) -> bool:
    """Who had it, or had snoozed it, has it no more."""
    change = transitions.give_back(standing_of(escalation), dispatcher)
    return await _open_again(session, escalation, change, policy, now)


async def rearm(
    session: AsyncSession, escalation: Escalation, why: Happening, who: str, policy: Policy, now: datetime
) -> bool:
    """Nobody has it any more: the steps begin anew. A held conversation is the bot's again."""
    change = transitions.open_again(standing_of(escalation), why, who or None)
    return await _open_again(session, escalation, change, policy, now)


async def run_out(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> bool:
    """The time of its acknowledgement, or of its snooze, is over."""
    change = transitions.run_out(standing_of(escalation), now)
    return await _open_again(session, escalation, change, policy, now)


async def wake(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> bool:
    """It got worse while it was snoozed."""
    change = transitions.wake(standing_of(escalation))
    return await _open_again(session, escalation, change, policy, now)


async def snooze(
    session: AsyncSession,
    escalation: Escalation,
    by: str,
    until: datetime,
    policy: Policy,
    now: datetime,
    gesture: str = "",
) -> bool:
    """Quiet until then, at most `longest_snooze_minutes`; then its steps begin anew.

    False when `until` has passed, or when somebody else has it.
    """
    until = min(until, now + timedelta(minutes=policy.longest_snooze_minutes))
    change = transitions.snooze(standing_of(escalation), by, until, now)
    if not await make(session, escalation, change, now, until=until, gesture=gesture):
        return False
    await show(session, escalation)
    return True


async def _open_again(
    session: AsyncSession, escalation: Escalation, change: Change | None, policy: Policy, now: datetime
) -> bool:
    held_until = escalation.acknowledged_until or escalation.snoozed_until
    if not await make(session, escalation, change, now, until=held_until):
        return False
    await begin_round(session, escalation, policy, now)
    await show(session, escalation)
    return True


# --- over -----------------------------------------------------------------------------------------


async def resolve(
    session: AsyncSession,
    escalation: Escalation,
    by: str | None,
    outcome: str,
    now: datetime,
    *,
    root_cause: FailureReason | None = None,
    exclusion: str = "",
    words: str = "",
    how: Happening = Happening.RESOLVED,
) -> bool:
    """It is over, and stays over. `words` is what who resolved it noted; `exclusion` a code of sop.yml."""
    change = transitions.end(standing_of(escalation), by, now, how)
    if not await make(session, escalation, change, now, words=outcome, outcome=outcome):
        return False
    escalation.outcome = outcome
    escalation.root_cause = root_cause or escalation.root_cause
    escalation.exclusion = exclusion or escalation.exclusion
    escalation.resolution_note = words or escalation.resolution_note
    if root_cause is not None or exclusion:
        _record_cause(session, escalation, root_cause, exclusion, by, now)
    if rules.is_handoff(escalation) and escalation.conversation_id is not None:
        await held.stop_clock(session, escalation.conversation_id)
    await show(session, escalation)
    return True


async def mark_noise(session: AsyncSession, escalation: Escalation, by: str, now: datetime) -> bool:
    """It should not have been raised: over, and counted."""
    if not await resolve(session, escalation, by, "", now, how=Happening.NOISE):
        return False
    escalation.is_noise = True
    return True


async def set_root_cause(
    session: AsyncSession, escalation: Escalation, root_cause: FailureReason, by: str | None, now: datetime
) -> None:
    """Why it was late, also after the end; the newest word counts. `by` None: a driver's answer says so."""
    if escalation.root_cause is root_cause:
        return
    escalation.root_cause = root_cause
    _record_cause(session, escalation, root_cause, "", by, now)
    await show(session, escalation)


def _record_cause(
    session: AsyncSession,
    escalation: Escalation,
    root_cause: FailureReason | None,
    exclusion: str,
    by: str | None,
    now: datetime,
) -> None:
    told = {"root_cause": root_cause.value if root_cause else "", "exclusion": exclusion}
    audit.record(
        session, now, "escalation", str(escalation.id), "cause_set", actor=by or audit.SYSTEM, **told
    )


# --- promises ---------------------------------------------------------------------------------


async def promise(session: AsyncSession, escalation: Escalation, answer_by: datetime) -> None:
    """Keeps by when somebody was promised an answer, and calls dispatchers then if nobody has it."""
    if escalation.answer_by == answer_by:
        return
    escalation.answer_by, escalation.told_waiting_at = answer_by, None
    if escalation.state is transitions.RAISED:
        await _call_at(session, escalation, answer_by)


async def _call_at(session: AsyncSession, escalation: Escalation, due_at: datetime) -> None:
    newest = (
        await session.execute(
            select(EscalationStep.round, EscalationStep.position)  # type: ignore[call-overload]
            .where(col(EscalationStep.escalation_id) == escalation.id)
            .order_by(col(EscalationStep.round).desc(), col(EscalationStep.position).desc())
            .limit(1)
        )
    ).one_or_none()
    round_number, position = newest or (0, -1)
    session.add(
        EscalationStep(
            escalation_id=escalation.id,
            round=round_number,
            position=position + 1,
            kind=TierKind.MENTION,
            due_at=due_at,
            # A promise is due whatever the hours of a tier are.
            out_of_hours=True,
        )
    )
