"""Pure: what a gesture does to an escalation, which steps are due, until when an acknowledgement holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.policy import taking_of
from bot.sop_escalations import Taking
from bot.stops.models import SlaState
from connectors.escalation import DispatcherVerb, EscalationState, Severity


class Verdict(StrEnum):
    APPLIED = "applied"
    ALREADY_HELD = "already_held"
    ALREADY_RESOLVED = "already_resolved"
    NOT_ALLOWED = "not_allowed"
    NOT_YOURS = "not_yours"
    NOTHING_TO_DO = "nothing_to_do"
    NOTHING_TO_DECIDE = "nothing_to_decide"
    ALREADY_DECIDED = "already_decided"
    NOBODY_TO_REPLY_TO = "nobody_to_reply_to"
    OPTED_OUT = "opted_out"
    REACTION_NOT_ENOUGH = "reaction_not_enough"
    NOT_POSSIBLE = "not_possible"


WAITING, REQUEST = "waiting:", "request:"
"""How the cause keys of handoffs and of requests begin: the conversation's id or the request's follows."""

MOST_REASONS = 3


def is_handoff(escalation: Escalation) -> bool:
    """Whether acknowledging it takes the conversation over from the bot."""
    return escalation.cause_key.startswith(WAITING)


def is_request(escalation: Escalation) -> bool:
    return escalation.cause_key.startswith(REQUEST)


def with_reason(why: str, reason: str) -> str:
    """The reasons of one cause in one line, the newest first: `Complains; asks for a person`."""
    told = [part for part in why.split("; ") if part.lower() != reason.lower()]
    told = [part[:1].lower() + part[1:] for part in told[: MOST_REASONS - 1]]
    return "; ".join([reason, *told])


ABOUT_STOPS = frozenset(
    {
        DispatcherVerb.REASSIGN,
        DispatcherVerb.CONTACT_DRIVER,
        DispatcherVerb.TELL_RECIPIENTS,
        DispatcherVerb.MOVE_WINDOW,
    }
)
"""What is done to the stops of an escalation."""

NOT_WHILE_SOMEBODY_WAITS = frozenset({DispatcherVerb.SNOOZE, DispatcherVerb.MERGE})
NOT_WHILE_UNDECIDED = NOT_WHILE_SOMEBODY_WAITS | {DispatcherVerb.MARK_NOISE}

ALL_GESTURES = frozenset(Taking)


def judge(
    verb: DispatcherVerb,
    escalation: Escalation,
    dispatcher: str,
    allowed: Collection[str],
    *,
    gesture: str = "",
    takes: Collection[Taking] = ALL_GESTURES,
    has_stops: bool = True,
) -> Verdict:
    """Whether a dispatcher's gesture changes this escalation. What is resolved stays resolved.

    `allowed` empty: everybody may. `takes` are the gestures that are enough at this stage (`queries.takes_now`); a
    reaction that is not neither takes nor resolves. A reply after the end is refused too: the bot talks again, and
    nobody would see the answer to it.
    """
    if allowed and dispatcher not in allowed:
        return Verdict.NOT_ALLOWED
    if verb in (DispatcherVerb.APPROVE, DispatcherVerb.DECLINE):
        return _judge_decision(escalation)
    if verb is DispatcherVerb.NAME_CAUSE:
        return Verdict.APPLIED
    if verb is DispatcherVerb.REPLY and escalation.conversation_id is None:
        return Verdict.NOBODY_TO_REPLY_TO
    if not escalation.is_open:
        return Verdict.NOTHING_TO_DO if verb is DispatcherVerb.WITHDRAW else Verdict.ALREADY_RESOLVED
    if not _is_possible(verb, escalation, has_stops):
        return Verdict.NOT_POSSIBLE
    return _judge_open(verb, escalation, dispatcher, gesture, takes)


def _judge_open(
    verb: DispatcherVerb, escalation: Escalation, dispatcher: str, gesture: str, takes: Collection[Taking]
) -> Verdict:
    held_by = escalation.acknowledged_by if escalation.state is EscalationState.ACKNOWLEDGED else None
    if verb is DispatcherVerb.WITHDRAW:
        had_by = escalation.snoozed_by if escalation.state is EscalationState.SNOOZED else held_by
        if had_by != dispatcher:
            return Verdict.NOTHING_TO_DO if had_by is None else Verdict.NOT_YOURS
        return Verdict.APPLIED
    if verb in (DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.SNOOZE) and held_by not in (None, dispatcher):
        return Verdict.ALREADY_HELD
    if verb is DispatcherVerb.ACKNOWLEDGE and held_by == dispatcher:
        return Verdict.NOTHING_TO_DO
    if verb in (DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.RESOLVE) and taking_of(gesture) not in takes:
        # Only of an emoji somebody may think that it was enough; a button's press means what it says.
        return Verdict.REACTION_NOT_ENOUGH
    return Verdict.APPLIED


def _is_possible(verb: DispatcherVerb, escalation: Escalation, has_stops: bool) -> bool:
    if verb in ABOUT_STOPS:
        return has_stops
    if is_request(escalation):
        return verb not in NOT_WHILE_UNDECIDED
    return escalation.conversation_id is None or verb not in NOT_WHILE_SOMEBODY_WAITS


def tell_once(escalation: Escalation, dispatcher: str) -> bool:
    """Whether this dispatcher is to be told that a reaction is not enough here; remembers that they were."""
    if dispatcher in escalation.told_reaction_not_enough:
        return False
    # Anew, not appended to: a changed list inside a column is not seen.
    escalation.told_reaction_not_enough = [*escalation.told_reaction_not_enough, dispatcher]
    return True


def _judge_decision(escalation: Escalation) -> Verdict:
    if not is_request(escalation):
        return Verdict.NOTHING_TO_DECIDE
    return Verdict.APPLIED if escalation.is_open else Verdict.ALREADY_DECIDED


def holds_until(now: datetime, window_ends: Sequence[datetime], after_the_window: timedelta) -> datetime:
    """Until when an acknowledgement counts: the next promised window's end, or, with all over, a while from now."""
    coming = [end for end in window_ends if end > now]
    return min(coming, default=now + after_the_window)


def next_step(steps: Sequence[EscalationStep]) -> EscalationStep | None:
    """The earliest step that was neither fired nor cancelled."""
    pending = [step for step in steps if step.fired_at is None and step.cancelled_at is None]
    return min(pending, key=lambda step: step.due_at, default=None)


def severity_of(states: Collection[SlaState]) -> Severity:
    return Severity.BREACHED if SlaState.BREACHED in states else Severity.AT_RISK


@dataclass(frozen=True)
class LateStop:
    """One stop of a cause, as the sweep found it."""

    stop_id: str
    state: SlaState
    minutes_late: int
    eta_at: datetime | None

    def digest(self) -> str:
        """Changes when a dispatcher should see something new: the state, or the lateness by five minutes."""
        return f"{self.stop_id}:{self.state.value}:{self.minutes_late // 5}"


def digest_of(stops: Sequence[LateStop]) -> str:
    """Of a whole cause: equal digests look the same to a dispatcher."""
    return "|".join(sorted(stop.digest() for stop in stops))


def with_digests(shown: str, newer: str) -> str:
    """What is shown of a cause, with other stops or with newer findings of the same ones."""
    items = {item.split(":")[0]: item for item in f"{shown}|{newer}".split("|") if item}
    return "|".join(sorted(items.values()))


def newly_breached(stops: Sequence[LateStop], shown: str) -> list[str]:
    """Ids of the stops that are breached now and were not when `shown` was made."""
    before = {item.split(":")[0] for item in shown.split("|") if f":{SlaState.BREACHED.value}:" in item}
    return [stop.stop_id for stop in stops if stop.state is SlaState.BREACHED and stop.stop_id not in before]
