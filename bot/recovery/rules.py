"""Pure: why a delivery failed, who decides what follows, and when each rung of the ladder comes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.conversations.quiet import hold_until
from bot.recovery.models import ReasonSource, RecoveryState, RecoveryStep, Why
from bot.recovery.ports import DriverSaid
from bot.sop import QuietHours, local_day
from bot.sop_recovery import ClientRecovery, Ending, Flow, PickUpPoint, Recovery, Rung, RungKind
from connectors.base import FailureReason

FRESH_FOR = timedelta(hours=12)
"""A failure that is older when we first see it is history: nobody is written to about it."""
WRITES = frozenset({RungKind.ASK, RungKind.REMIND, RungKind.SECOND_CHANNEL})
PUNCTUAL = timedelta(minutes=2)
"""A rung that fires later than this was held up; what follows keeps its distance to it."""
BUSY_FOR = timedelta(minutes=10)
"""How long a conversation under way is left alone at a time."""
MOST_PUT_OFFS = 3
ANSWERABLE = frozenset(
    {
        Why.UNKNOWN_REASON,
        Why.NOBODY_TO_ASK,
        Why.NO_ANSWER,
        Why.NO_WINDOW,
        Why.CODE_LOST,
        Why.TRY_CANCELLED,
        Why.ENDING,
        Why.REQUEST,
    }
)
"""What is with a dispatcher for these reasons a recipient may still settle by an answer."""


@dataclass(frozen=True)
class Classified:
    reason: FailureReason
    source: ReasonSource
    words: str


@dataclass(frozen=True)
class Failure:
    """A failed stop, as far as the protocol looks at it."""

    reason: FailureReason
    client: str
    attempt: int
    has_address: bool
    """Of the recipient: a phone or an email."""


@dataclass(frozen=True)
class Plan:
    flow: Flow
    state: RecoveryState
    why: Why | None
    rungs: tuple[Rung, ...]
    """What of the ladder is climbed."""


# --- why it failed ------------------------------------------------------------------------------


def classify(
    reason: FailureReason | None,
    note: str,
    account_words: Mapping[str, FailureReason],
    said: DriverSaid | None,
) -> Classified:
    """The driver's own text to us first, then the account's words in the platform's note, then its reason.

    `note` is what the driver wrote or chose at the platform. `other` where none of them says anything.
    """
    words = " ".join(part for part in (note, said.words if said is not None else "") if part)
    if said is not None and said.reason is not FailureReason.OTHER:
        return Classified(said.reason, ReasonSource.DRIVER, words)
    meant = _meant_by(note, account_words)
    return Classified(meant or reason or FailureReason.OTHER, ReasonSource.PLATFORM, words)


def _meant_by(note: str, account_words: Mapping[str, FailureReason]) -> FailureReason | None:
    """The longest phrase that stands in the note as whole words, in any case."""
    for phrase in sorted(account_words, key=len, reverse=True):
        words = r"\s+".join(re.escape(word) for word in phrase.split())
        if words and re.search(rf"(?<!\w){words}(?!\w)", note, re.IGNORECASE):
            return account_words[phrase]
    return None


# --- what follows -------------------------------------------------------------------------------


def plan_for(failure: Failure, rules: Recovery) -> Plan:
    """Who decides first, and which rungs come.

    Without a known reason or an address the end of the ladder still comes; what a person must decide by rule, and a
    parcel that was tried often enough, are never tried again by themselves.
    """
    flow = rules.flow_for(failure.reason, failure.client)
    if failure.attempt >= attempts_of(rules, failure.client):
        return Plan(Flow.DISPATCHER, RecoveryState.WITH_DISPATCHER, Why.ATTEMPTS, ())
    only_end = tuple(rung for rung in rules.ladder if rung.kind is RungKind.DEFAULT)
    if flow is Flow.DISPATCHER and failure.reason is FailureReason.OTHER:
        return Plan(flow, RecoveryState.WITH_DISPATCHER, Why.UNKNOWN_REASON, only_end)
    if flow is Flow.DISPATCHER:
        return Plan(flow, RecoveryState.WITH_DISPATCHER, Why.BY_RULE, ())
    if not failure.has_address:
        return Plan(flow, RecoveryState.WITH_DISPATCHER, Why.NOBODY_TO_ASK, only_end)
    return Plan(flow, RecoveryState.ASKING, None, rules.ladder)


def attempts_of(rules: Recovery, client: str) -> int:
    return _own(rules, client).attempts or rules.attempts


def ending_of(rules: Recovery, client: str) -> Ending:
    return _own(rules, client).ending or rules.ending


def alternatives_of(rules: Recovery, client: str) -> frozenset[str]:
    own = _own(rules, client).alternatives
    return rules.alternatives if own is None else own


def points_of(rules: Recovery, zone: str) -> tuple[PickUpPoint, ...]:
    """Where a parcel of this zone can be fetched."""
    return tuple(point for point in rules.pick_up_points if not point.zones or zone in point.zones)


def _own(rules: Recovery, client: str) -> ClientRecovery:
    return rules.clients.get(client, ClientRecovery())


# --- when ---------------------------------------------------------------------------------------


def waits_until(
    kind: RungKind, failed_at: datetime, timezone: str, quiet: QuietHours, now: datetime
) -> datetime | None:
    """The end of the quiet hours where this rung would write to somebody in them; None: it may fire.

    On the day of the failure itself the shorter hours count: the parcel may come again that day.
    """
    if kind not in WRITES:
        return None
    is_same_day = local_day(failed_at, timezone) == local_day(now, timezone)
    until = hold_until(now, timezone, quiet, urgent=is_same_day)
    # What waits over midnight is about yesterday: the longer hours count by then.
    return until and (hold_until(until, timezone, quiet, urgent=False) or until)


def follow(later: Sequence[RecoveryStep], by: timedelta) -> None:
    """What follows a step that was put off comes as much later: nobody is reminded before there was time to answer."""
    for each in later:
        if each.fired_at is None and each.cancelled_at is None:
            each.due_at += by


def held_up(step: RecoveryStep, now: datetime) -> timedelta:
    """By how much a step that writes fires late: Doorline was down, or a dialogue in the way."""
    late = now - step.due_at
    return late if step.kind in WRITES and late > PUNCTUAL else timedelta(0)
