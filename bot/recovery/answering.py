"""Pure: what an answer of the recipient leads to."""

from enum import Enum, auto

from bot.recovery.answers import Choice, Preference
from bot.recovery.models import RecoveryState, Why
from bot.recovery.rules import ANSWERABLE
from connectors.base import StopStatus

MOVABLE = frozenset({StopStatus.PLANNED, StopStatus.ASSIGNED})
"""Of a second try: its route is not out yet."""


class Verdict(Enum):
    OVER = auto()
    """It has ended: delivered, sent back, closed, or the second try is out."""
    SAME = auto()
    """That is agreed already."""
    WRITE = auto()
    """To the platform, now."""
    PICK_UP = auto()
    ASK_AGAIN = auto()
    """A dispatcher is asked for the second try."""
    ASK_ADDRESS = auto()
    ASK_HOLD = auto()
    ASK_SEND_BACK = auto()


def verdict_on(
    state: RecoveryState,
    why: str,
    agreed: Preference | None,
    again: StopStatus | None,
    wanted: Preference,
    *,
    may_write: bool,
    has_points: bool,
) -> Verdict:
    """`why` is the follow-up's `detail`; `again` the status of the second try, where there is one.

    `may_write`: the recipient may change the stop, and the platform has second tries. `has_points`: there is a place
    where a parcel can be fetched.
    """
    if not is_answerable(state, again):
        return Verdict.OVER
    if state in (RecoveryState.BOOKED, RecoveryState.PICK_UP) and agreed == wanted:
        return Verdict.SAME
    if wanted.choice is Choice.SEND_BACK:
        return Verdict.ASK_SEND_BACK
    if wanted.choice is Choice.PICK_UP:
        return Verdict.PICK_UP if has_points and again is None else Verdict.ASK_HOLD
    if wanted.address:
        return Verdict.ASK_ADDRESS
    is_a_persons = state is RecoveryState.WITH_DISPATCHER and why not in {each.value for each in ANSWERABLE}
    is_promised = state is RecoveryState.BOOKED and again is None
    return Verdict.WRITE if may_write and not is_a_persons and not is_promised else Verdict.ASK_AGAIN


def is_answerable(state: RecoveryState, again: StopStatus | None) -> bool:
    """Whether an answer can still change what happens."""
    if state in (RecoveryState.CLOSED, RecoveryState.SENT_BACK):
        return False
    return state is not RecoveryState.BOOKED or again is None or again in MOVABLE


def is_a_dispatchers(why: str) -> bool:
    """Whether nothing may be offered: a person decides, whatever the recipient wants."""
    return why in {Why.BY_RULE.value, Why.ATTEMPTS.value}
