"""How a follow-up stands, in one short phrase."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.recovery.models import RecoveryState, Why
from bot.sop_recovery import RungKind
from connectors.base import DeliveryWindow, FailureReason
from connectors.follow_up import FollowUp, FollowUpState, NextStep, SecondTry
from connectors.follow_up_words import (
    REASONS,
    STEPS,
    WHY,
    follow_up_words,
    next_words,
    numeral,
    second_try_words,
)

NOON = datetime(2026, 6, 9, 16, tzinfo=UTC)
NEW_YORK = "America/New_York"
TODAY = DeliveryWindow(start_at=NOON + timedelta(hours=4), end_at=NOON + timedelta(hours=6))
TUESDAY = DeliveryWindow(start_at=TODAY.start_at + timedelta(days=7), end_at=TODAY.end_at + timedelta(days=7))
ASKED = NOON - timedelta(minutes=15)
REMINDS = {"next_step": NextStep.REMIND, "next_at": NOON + timedelta(minutes=105)}


def follow_up(state: FollowUpState, **facts: Any) -> FollowUp:
    common = {"reason": FailureReason.ACCESS_ISSUE, "attempt": 1, "failed_at": NOON - timedelta(minutes=20)}
    return FollowUp(**(common | {"state": state} | facts))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            follow_up(FollowUpState.ASKING, asked_at=ASKED, **REMINDS),
            "asked 11:45 am, no answer yet; reminder 1:45 pm",
        ),
        (
            follow_up(FollowUpState.ASKING, next_step=NextStep.ASK, next_at=NOON + timedelta(hours=20)),
            "not asked yet; asks the recipient Wed Jun 10, 8:00 am",
        ),
        (follow_up(FollowUpState.ASKING, asked_at=ASKED), "asked 11:45 am, no answer yet"),
        (
            follow_up(FollowUpState.ASKING, asked_at=ASKED, answered_at=NOON),
            "answered 12:00 pm, not settled yet",
        ),
        (follow_up(FollowUpState.WRITING, window=TODAY), "answered, being booked"),
        (follow_up(FollowUpState.WITH_DISPATCHER, why="unknown_reason"), "with dispatch: reason unknown"),
        (
            follow_up(FollowUpState.WITH_DISPATCHER, why="by_rule", reason=FailureReason.DAMAGED),
            "with dispatch: damaged",
        ),
        (follow_up(FollowUpState.WITH_DISPATCHER, why="some_new_code"), "with dispatch: some new code"),
        (follow_up(FollowUpState.BOOKED, window=TODAY), "second try 4-6 pm"),
        (follow_up(FollowUpState.BOOKED, window=TUESDAY, attempt=2), "third try Tue Jun 16, 4-6 pm"),
        (follow_up(FollowUpState.BOOKED, attempt=3), "4th try booked"),
        (follow_up(FollowUpState.PICK_UP, place="our depot"), "to be picked up at our depot"),
        (follow_up(FollowUpState.PICK_UP), "to be picked up"),
        (follow_up(FollowUpState.SENT_BACK, **REMINDS), "back to the sender"),
        (follow_up(FollowUpState.CLOSED), "follow-up over"),
    ],
)
def test_one_short_phrase(told: FollowUp, words: str) -> None:
    assert follow_up_words(told, NEW_YORK, NOON) == words


def test_what_happens_next_stands_alone_too() -> None:
    assert next_words(follow_up(FollowUpState.ASKING, **REMINDS), NEW_YORK, NOON) == "Reminder 1:45 pm"
    assert next_words(follow_up(FollowUpState.WITH_DISPATCHER), NEW_YORK, NOON) == ""


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (SecondTry(attempt=2), "2nd try"),
        (
            SecondTry(attempt=2, choice="safe_place", place="behind planter.", has_code=True),
            "2nd try. Safe place: behind planter. Code on file",
        ),
        (
            SecondTry(attempt=3, choice="neighbour", place="Kim, 12B", note="ring twice"),
            "3rd try. Neighbour: Kim, 12B. ring twice",
        ),
    ],
)
def test_the_next_driver_reads_what_was_agreed(second: SecondTry, words: str) -> None:
    assert second_try_words(second) == words


@pytest.mark.parametrize(("number", "words"), [(1, "1st"), (11, "11th"), (22, "22nd"), (113, "113th")])
def test_numerals(number: int, words: str) -> None:
    assert numeral(number) == words


def test_whatever_the_follow_up_can_be_has_words() -> None:
    assert {each.value for each in FollowUpState} == {each.value for each in RecoveryState}
    assert {each.value for each in NextStep} == {each.value for each in RungKind}
    assert set(STEPS) == set(NextStep)
    assert set(REASONS) == set(FailureReason)
    assert {each.value for each in Why} - set(WHY) == {"by_rule"}
