"""How a follow-up stands by its own rows."""

from datetime import timedelta
from uuid import uuid4

from bot.board.rules import counted, follow_up_of, second_try_of
from bot.recovery.models import RecoveryState
from bot.sop_recovery import RungKind
from connectors.base import DeliveryWindow
from connectors.follow_up import FollowUpState, NextStep
from tests.bot.board.failures import recovery_of, step
from tests.bot.manifest.day import NOON, stop

FAILED = stop("T1")
WINDOW = DeliveryWindow(start_at=NOON + timedelta(hours=4), end_at=NOON + timedelta(hours=6))


def test_the_next_step_is_the_soonest_that_was_neither_fired_nor_cancelled() -> None:
    recovery = recovery_of(FAILED, NOON)
    steps = [
        step(recovery, RungKind.ASK, 0, 0, fired_at=NOON),
        step(recovery, RungKind.DEFAULT, 1440, 4),
        step(recovery, RungKind.REMIND, 120, 1, cancelled_at=NOON),
        step(recovery, RungKind.SECOND_CHANNEL, 240, 2),
    ]
    told = follow_up_of(recovery, steps)
    assert (told.next_step, told.next_at) == (NextStep.SECOND_CHANNEL, NOON + timedelta(minutes=240))


def test_nothing_comes_after_its_end() -> None:
    recovery = recovery_of(FAILED, NOON, state=RecoveryState.SENT_BACK)
    assert follow_up_of(recovery, [step(recovery, RungKind.REMIND, 120)]).next_step is None


def test_the_booked_window_goes_before_the_wanted_one() -> None:
    wanted = {"choice": "reattempt", "window": WINDOW.model_dump(mode="json")}
    recovery = recovery_of(FAILED, NOON, state=RecoveryState.BOOKED, preference=wanted)
    later = DeliveryWindow(
        start_at=WINDOW.start_at + timedelta(days=1), end_at=WINDOW.end_at + timedelta(days=1)
    )
    assert follow_up_of(recovery, []).window == WINDOW
    assert follow_up_of(recovery, [], later).window == later


def test_a_preference_that_nobody_can_read_any_more_is_none() -> None:
    recovery = recovery_of(FAILED, NOON, preference={"choice": "by balloon"})
    assert (follow_up_of(recovery, []).window, second_try_of(recovery).choice) == (None, "reattempt")


def test_the_next_driver_sees_no_code_even_where_one_slipped_into_the_words() -> None:
    wanted = {"choice": "safe_place", "place": "shed, gate code 4471#", "has_code": True}
    second = second_try_of(recovery_of(FAILED, NOON, preference=wanted))
    assert (second.attempt, second.has_code, "4471" in second.place) == (2, True, False)


def test_open_ones_are_counted_by_zone() -> None:
    held = {"state": RecoveryState.WITH_DISPATCHER}
    recoveries = [
        recovery_of(FAILED, NOON, zone="South"),
        recovery_of(FAILED, NOON - timedelta(hours=2), **held),
        recovery_of(FAILED, NOON, state=RecoveryState.WRITING),
        recovery_of(FAILED, NOON - timedelta(days=3), state=RecoveryState.BOOKED),
    ]
    found = [
        (each.zone, each.asking, each.with_dispatcher, each.oldest_at) for each in counted(recoveries, ())
    ]
    assert found == [("North", 1, 1, NOON - timedelta(hours=2)), ("South", 1, 0, NOON)]
    assert [each.zone for each in counted(recoveries, ["South"])] == ["South"]


def test_states_are_the_recovery_s_own() -> None:
    for state in RecoveryState:
        recovery = recovery_of(FAILED, NOON, id=uuid4(), state=state)
        assert follow_up_of(recovery, []).state is FollowUpState(state.value)
