"""How a follow-up stands and what the second try has to know, from the recovery's own rows. Pure."""

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from bot.conversations.privacy import masked
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import OVER, Recovery, RecoveryState, RecoveryStep
from connectors.base import DeliveryWindow
from connectors.follow_up import FollowUp, FollowUpState, NextStep, SecondTry, ZoneFollowUps

AT_THE_DOOR = (Choice.REATTEMPT, Choice.NEIGHBOUR, Choice.SAFE_PLACE)


def follow_up_of(
    recovery: Recovery, steps: Iterable[RecoveryStep], booked: DeliveryWindow | None = None
) -> FollowUp:
    """`booked`: the window of the stop that tries again, which goes before what was wanted."""
    wanted = preference_of(recovery)
    step = next_step(recovery, steps)
    return FollowUp(
        state=FollowUpState(recovery.state.value),
        reason=recovery.reason,
        attempt=recovery.attempt,
        failed_at=recovery.failed_at,
        asked_at=recovery.asked_at,
        answered_at=recovery.answered_at,
        settled_at=recovery.settled_at,
        settled_by=recovery.settled_by,
        next_step=NextStep(step.kind.value) if step is not None else None,
        next_at=step.due_at if step is not None else None,
        window=booked or (wanted.window if wanted is not None else None),
        place=wanted.pick_up_point if wanted is not None else "",
        why=recovery.detail,
    )


def preference_of(recovery: Recovery) -> Preference | None:
    """None while nothing is wanted yet. What an older version wrote and nobody reads any more is nothing too."""
    if not recovery.preference:
        return None
    try:
        return Preference.model_validate(recovery.preference)
    except ValidationError:
        return None


def next_step(recovery: Recovery, steps: Iterable[RecoveryStep]) -> RecoveryStep | None:
    """None when nothing happens by itself any more."""
    if recovery.state in OVER:
        return None
    waiting = [step for step in steps if step.fired_at is None and step.cancelled_at is None]
    return min(waiting, key=lambda step: (step.due_at, step.position), default=None)


def second_try_of(recovery: Recovery) -> SecondTry:
    """For the driver who comes again."""
    wanted = preference_of(recovery) or Preference()
    choice = wanted.choice if wanted.choice in AT_THE_DOOR else Choice.REATTEMPT
    return SecondTry(
        attempt=recovery.attempt + 1,
        choice=choice.value,
        place=masked(wanted.place),
        note=masked(wanted.note),
        has_code=wanted.has_code,
    )


def counted(recoveries: Iterable[Recovery], zones: Sequence[str]) -> tuple[ZoneFollowUps, ...]:
    """The open ones by zone, those of `zones` where any is named."""
    found: dict[str, list[Recovery]] = {}
    for each in recoveries:
        if each.state not in OVER and (not zones or each.zone in zones):
            found.setdefault(each.zone, []).append(each)
    return tuple(_zone(zone, found[zone]) for zone in sorted(found))


def _zone(zone: str, recoveries: Sequence[Recovery]) -> ZoneFollowUps:
    held = sum(each.state is RecoveryState.WITH_DISPATCHER for each in recoveries)
    return ZoneFollowUps(
        zone=zone,
        asking=len(recoveries) - held,
        with_dispatcher=held,
        oldest_at=min(each.failed_at for each in recoveries),
    )
