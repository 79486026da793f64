"""What an answer leads to: every state against every wish that matters."""

import pytest

from bot.recovery.answering import Verdict, verdict_on
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import RecoveryState, Why
from connectors.base import StopStatus

S, V = RecoveryState, Verdict
AGAIN = Preference()
PLACE = Preference(choice=Choice.SAFE_PLACE, place="on the porch")
ADDRESS = Preference(address="41 Elm St")
FETCH = Preference(choice=Choice.PICK_UP)
BACK = Preference(choice=Choice.SEND_BACK)


@pytest.mark.parametrize(
    ("state", "why", "again", "wanted", "verdict"),
    [
        (S.ASKING, "", None, AGAIN, V.WRITE),
        (S.ASKING, "", None, PLACE, V.WRITE),
        (S.ASKING, "", None, ADDRESS, V.ASK_ADDRESS),
        (S.ASKING, "", None, FETCH, V.PICK_UP),
        (S.ASKING, "", None, BACK, V.ASK_SEND_BACK),
        # A newer answer while the first is on its way takes its place.
        (S.WRITING, "", None, PLACE, V.WRITE),
        # A dispatcher was called because nobody answered: an answer still settles it.
        (S.WITH_DISPATCHER, Why.NO_ANSWER, None, AGAIN, V.WRITE),
        (S.WITH_DISPATCHER, Why.UNKNOWN_REASON, None, AGAIN, V.WRITE),
        (S.WITH_DISPATCHER, Why.REQUEST, None, AGAIN, V.WRITE),
        (S.WITH_DISPATCHER, Why.ATTEMPTS, None, AGAIN, V.ASK_AGAIN),
        (S.WITH_DISPATCHER, Why.BY_RULE, None, PLACE, V.ASK_AGAIN),
        (S.WITH_DISPATCHER, Why.REFUSED, None, AGAIN, V.ASK_AGAIN),
        (S.WITH_DISPATCHER, Why.BY_RULE, None, BACK, V.ASK_SEND_BACK),
        # Booked: changed until the route is out.
        (S.BOOKED, "", StopStatus.PLANNED, PLACE, V.WRITE),
        (S.BOOKED, "", StopStatus.ASSIGNED, PLACE, V.WRITE),
        (S.BOOKED, "", StopStatus.ASSIGNED, BACK, V.ASK_SEND_BACK),
        (S.BOOKED, "", StopStatus.ASSIGNED, FETCH, V.ASK_HOLD),
        (S.BOOKED, "", StopStatus.OUT_FOR_DELIVERY, PLACE, V.OVER),
        (S.BOOKED, "", StopStatus.DELIVERED, PLACE, V.OVER),
        # A dispatcher promised it, and no platform shows it yet.
        (S.BOOKED, "", None, PLACE, V.ASK_AGAIN),
        (S.PICK_UP, "", None, PLACE, V.WRITE),
        (S.SENT_BACK, "", None, AGAIN, V.OVER),
        (S.CLOSED, "", None, AGAIN, V.OVER),
    ],
)
def test_what_an_answer_leads_to(
    state: RecoveryState, why: str, again: StopStatus | None, wanted: Preference, verdict: Verdict
) -> None:
    agreed = FETCH if state is S.PICK_UP else AGAIN
    found = verdict_on(state, str(why), agreed, again, wanted, may_write=True, has_points=True)
    assert found is verdict


@pytest.mark.parametrize(
    ("state", "again"), [(S.BOOKED, StopStatus.ASSIGNED), (S.BOOKED, None), (S.PICK_UP, None)]
)
def test_what_is_agreed_already_is_not_done_again(state: RecoveryState, again: StopStatus | None) -> None:
    found = verdict_on(state, "", PLACE, again, PLACE, may_write=True, has_points=True)
    assert found is V.SAME


def test_where_nothing_can_be_written_a_dispatcher_is_asked() -> None:
    assert verdict_on(S.ASKING, "", None, None, AGAIN, may_write=False, has_points=True) is V.ASK_AGAIN
    assert verdict_on(S.ASKING, "", None, None, FETCH, may_write=False, has_points=False) is V.ASK_HOLD
