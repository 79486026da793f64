"""Pure: the one state machine of an escalation. Each function gives the change, or None where there is none to make.

    raised --acknowledge--> acknowledged --withdraw, ran out, grew too much--> raised
    raised, acknowledged --snooze--> snoozed --over, grew, given back--> raised
    snoozed --acknowledge--> acknowledged
    raised, acknowledged, snoozed --resolve, merge, mark noise, last stop settled--> resolved, for good

`holding` writes a change only if the row still stands as `before` says: of two at once one wins. What leaves `raised`
stops all steps, what comes back to it begins a new round of them.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from connectors.escalation import EscalationState, Happening

RAISED = EscalationState.RAISED
HELD = EscalationState.ACKNOWLEDGED
SNOOZED = EscalationState.SNOOZED
RESOLVED = EscalationState.RESOLVED


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has an escalation, and until when. Named as the columns of `Escalation`."""

    state: EscalationState = RAISED
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_until: datetime | None = None
    snoozed_by: str | None = None
    snoozed_until: datetime | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is not RESOLVED

    @property
    def holder(self) -> str | None:
        """Who has it, in the one way or the other."""
        return {HELD: self.acknowledged_by, SNOOZED: self.snoozed_by}.get(self.state)


@dataclass(frozen=True, slots=True)
class Change:
    before: Standing
    after: Standing
    happening: Happening
    actor: str | None = None
    """A dispatcher; None: nobody did it, time or the delivery did."""

    @property
    def begins_round(self) -> bool:
        """Nobody has it now: it goes through its steps from the start."""
        return self.after.state is RAISED

    @property
    def verb(self) -> str:
        """As the audit log names it."""
        return self.happening.value


def acknowledge(standing: Standing, by: str, until: datetime, now: datetime) -> Change | None:
    """Taken, unless somebody has it. Whoever snoozed it is not in the way of somebody who wants to work on it."""
    if standing.state not in (RAISED, SNOOZED):
        return None
    after = Standing(HELD, by, now, max(until, now))
    return Change(standing, after, Happening.ACKNOWLEDGED, by)


def prolong(standing: Standing, until: datetime) -> Standing | None:
    """Held until another instant; the standing itself does not change hands."""
    return replace(standing, acknowledged_until=until) if standing.state is HELD else None


def give_back(standing: Standing, by: str) -> Change | None:
    """Only by who has it."""
    if standing.holder is None or standing.holder != by:
        return None
    return Change(standing, Standing(), Happening.WITHDRAWN, by)


def run_out(standing: Standing, now: datetime) -> Change | None:
    """An acknowledgement or a snooze whose time is over; `actor` is who had it."""
    until = standing.acknowledged_until if standing.state is HELD else standing.snoozed_until
    if standing.state not in (HELD, SNOOZED) or until is None or until > now:
        return None
    why = Happening.RAN_OUT if standing.state is HELD else Happening.SNOOZE_OVER
    return Change(standing, Standing(), why, standing.holder)


def snooze(standing: Standing, by: str, until: datetime, now: datetime) -> Change | None:
    """Quiet until then. Not over somebody else's head, and not into the past; again moves the instant."""
    if not standing.is_open or until <= now:
        return None
    if standing.state is HELD and standing.acknowledged_by != by:
        return None
    after = Standing(SNOOZED, snoozed_by=by, snoozed_until=until)
    return Change(standing, after, Happening.SNOOZED, by)


def wake(standing: Standing) -> Change | None:
    """It got worse than it was when it was snoozed."""
    if standing.state is not SNOOZED:
        return None
    return Change(standing, Standing(), Happening.SNOOZE_OVER, standing.snoozed_by)


def open_again(standing: Standing, why: Happening, who: str | None) -> Change | None:
    """Nobody has it any more, for a reason that the caller knows; what is resolved stays so."""
    return Change(standing, Standing(), why, who) if standing.is_open else None


def end(
    standing: Standing, by: str | None, now: datetime, how: Happening = Happening.RESOLVED
) -> Change | None:
    """Over, and over for good. `how` is RESOLVED, MERGED or NOISE; by None: it ended by itself."""
    if not standing.is_open:
        return None
    after = replace(
        standing, state=RESOLVED, snoozed_by=None, snoozed_until=None, resolved_by=by, resolved_at=now
    )
    return Change(standing, after, how, by)
