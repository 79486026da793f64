"""Every reason for which a delivery fails: what is asked, what one text may answer, and that all are told the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.escalations.models import Escalation
from bot.recovery.models import RecoveryState
from tests.harness.flows import tables_with
from tests.harness.protocol import protocol_of
from tests.harness.recovering import Failed
from tests.harness.world import Setting, World

pytestmark = pytest.mark.rasa

RECOVERY = {
    "enabled": True,
    "pick_up_points": [{"name": "our depot, 8 Dock Rd"}],
    "clients": {"Nova": {"alternatives": ["return"]}},
}


@pytest.fixture
async def failed(setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Failed]:
    async with World(setting, sop=protocol_of(tmp_path, {}, recovery=RECOVERY)) as world:
        yield Failed(world)


# --- no access ----------------------------------------------------------------------------------


async def test_code_and_day_in_one_text_book_the_second_try(failed: Failed) -> None:
    question = await failed.fails("no access", "gate locked")
    assert question.startswith("QuickShip for Acme: we couldn't get in at 12 pm.")
    assert "retry today, 5-9 pm" in question
    answer = await failed.says("4471#. today works")
    assert answer == "Thanks. Next try today, 5-9 pm, with your code."
    task = await failed.is_booked(failed.window("17:00", "21:00"))
    assert "4471#" in str(task)
    # In the text itself for its hour, and nowhere else of ours.
    assert await tables_with(failed.world, "4471") <= {"inbound_message"}


async def test_a_bare_number_is_the_code_and_is_kept_like_one(failed: Failed) -> None:
    await failed.fails("no access")
    assert "with your code" in await failed.says("its 4471")
    task = await failed.is_booked(failed.window("17:00", "21:00"))
    assert "4471" in str(task)
    assert await tables_with(failed.world, "4471") <= {"inbound_message"}


async def test_the_code_comes_after_the_day_and_the_day_changes_once_more(failed: Failed) -> None:
    await failed.fails("no access")
    assert "code" in await failed.says("tomorrow after 5 would be better")
    read_back = await failed.says("gate code is 0912")
    assert "Tomorrow, Wed Jun 10, 5-9 pm" in read_back
    again = await failed.says("hmm no make it thursday after 5")
    assert "Thu Jun 11, 5-9 pm" in again
    assert "Thu Jun 11, 5-9 pm, with your code" in await failed.says("yes")
    await failed.is_booked(failed.window("17:00", "21:00", 2))


async def test_who_is_this_and_where_is_it_are_answered_and_the_question_comes_back(failed: Failed) -> None:
    await failed.fails("no access")
    who = await failed.says("who is this")
    assert "assistant" in who
    assert "send the code" in who
    where = await failed.says("where is my package now")
    assert "couldn't" in where or "access" in where
    assert "send the code" in where
    assert "Next try" in await failed.says("ok the code is 4471, today is fine")
    await failed.is_booked(failed.window("17:00", "21:00"))


# --- nobody home --------------------------------------------------------------------------------


async def test_a_time_by_number_is_booked_at_once(failed: Failed) -> None:
    question = await failed.fails("recipient unavailable")
    assert "nobody was in at 12 pm" in question
    assert "1) Today, 5-9 pm. 2) Tomorrow, Wed Jun 10, 8 am-12 pm. 3) 12-5 pm." in question
    assert await failed.says("2") == "Thanks. Next try tomorrow, Wed Jun 10, 8 am-12 pm."
    await failed.is_booked(failed.window("08:00", "12:00", 1))


async def test_a_neighbor_in_free_words_stands_in_the_next_drivers_notes(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    answer = await failed.says("leave it with the lady next door, today")
    assert "with the lady next door" in answer
    task = await failed.is_booked(failed.window("17:00", "21:00"))
    assert "with the lady next door" in task["notes"]


async def test_pick_up_is_agreed_in_one_text(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    assert "8 Dock Rd" in await failed.says("ill pick it up myself")
    await failed.has_gone(RecoveryState.PICK_UP)


async def test_never_mind_books_nothing_and_the_ladder_goes_on(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    assert "nothing is booked" in await failed.says("never mind")
    assert (await failed.recovery()).state is RecoveryState.ASKING
    (reminder,) = await failed.waits(hours=2)
    assert "try your Acme parcel again" in reminder


async def test_anger_reaches_a_person(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    answer = await failed.says("this is the THIRD time, i was home all day!! i want a human NOW")
    assert "sorry" in answer.lower()
    assert await failed.world.rows(Escalation) != []


# --- the address --------------------------------------------------------------------------------


async def test_a_corrected_address_goes_to_a_dispatcher_and_is_tried_again_there(failed: Failed) -> None:
    question = await failed.fails("wrong address")
    assert "couldn't find the address" in question
    answer = await failed.says("its 41 Elm St apt 3, 10001")
    assert "Nothing is changed yet" in answer
    await failed.is_asked_of_dispatch("change_address")


# --- refused, damaged, our own fault ------------------------------------------------------------


async def test_a_refused_parcel_is_sent_back_once_confirmed(failed: Failed) -> None:
    question = await failed.fails("refused")
    assert "1) Another try. 2) A neighbor. 3) A safe place. 4) Pick it up. 5) Send it back." in question
    assert "send it back" in await failed.says("5")
    assert "asked dispatch to send" in await failed.says("1")
    await failed.is_asked_of_dispatch("send_back")


async def test_only_what_the_clients_protocol_allows_is_offered(failed: Failed) -> None:
    question = await failed.fails("refused", client="Nova")
    assert "1) Another try. 2) Send it back." in question
    assert "isn't possible" in await failed.says("leave it with my neighbor")
    assert "Next try" in await failed.says("1")
    await failed.is_booked(failed.window("17:00", "21:00"))


async def test_a_damaged_parcel_is_a_dispatchers_and_nobody_is_asked(failed: Failed) -> None:
    await failed.is_given_up("damaged")
    await failed.is_with_dispatch()


@pytest.mark.parametrize(
    ("reason", "words"), [("vehicle issue", "our van had a problem"), ("weather", "the weather stopped us")]
)
async def test_what_was_our_own_fault_is_said_and_another_time_offered(
    failed: Failed, reason: str, words: str
) -> None:
    question = await failed.fails(reason)
    assert words in question
    assert "Thu Jun 11, 5-9 pm" in await failed.says("thursday evening please")
    assert "Next try Thu Jun 11" in await failed.says("yep")
    await failed.is_booked(failed.window("17:00", "21:00", 2))


async def test_what_nobody_can_explain_is_a_dispatchers(failed: Failed) -> None:
    await failed.is_given_up("NONE", "??")
    await failed.is_with_dispatch()


# --- by themselves ------------------------------------------------------------------------------


async def test_who_writes_first_about_a_failed_stop_is_in_the_same_follow_up(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    await failed.says("never mind")
    assert "Thu Jun 11, 5-9 pm" in await failed.says("can you bring it thursday after 5 instead")
    await failed.says("yes")
    await failed.is_booked(failed.window("17:00", "21:00", 2))


async def test_an_answer_after_it_is_booked_offers_another_time(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    await failed.says("1")
    assert "Thu Jun 11, 8 am-12 pm" in await failed.says("actually can we do thursday morning")
    await failed.says("yes")
    await failed.is_booked(failed.window("08:00", "12:00", 2))


async def test_a_conversation_under_way_is_not_trampled(failed: Failed) -> None:
    await failed.world.has_stop(
        phone=failed.phone, client="Zeta", address="9 Oak Ave", window=("18:00", "20:00")
    )
    assert "1)" in await failed.says("can u bring the zeta one another day")
    await failed.is_given_up("recipient unavailable")
    assert await failed.unread() == []
    read_back = await failed.says("friday morning")
    assert "Fri Jun 12, 8 am-12 pm" in read_back
    assert "Booked" in await failed.says("yes")
    (question,) = await failed.waits(minutes=11)
    assert "nobody was in" in question
