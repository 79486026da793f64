"""Who may see and change a stop that is not their phone's, and what wrong guesses cost."""

import asyncio
from datetime import timedelta

import pytest

from bot.conversations.privacy import scrambled
from bot.stops.access_models import ProofAttempt, StopAccess
from bot.stops.guesses import wait_after
from connectors.base import ChannelName
from tests.bot.stops.town import DAY, HOUR, KIM, ROBIN, Person, Town, stop

SECOND = timedelta(seconds=1)
WAIT_OUT = timedelta(minutes=10)
"""Longer than any address is slowed down."""


async def guesses_wrong(person: Person, times: int) -> list[str]:
    kinds = []
    for number in range(times):
        kinds.append(await person.finds(f"QS00000{number} 10001"))
        person.town.clock.move(WAIT_OUT)
    return kinds


# --- a phone: looking only ------------------------------------------------------------------------


async def test_a_stranger_with_the_right_number_looks_for_a_day_and_changes_nothing(town: Town) -> None:
    record = stop("AB12CD34")
    await town.holds(record)
    kim = await town.texter(KIM)
    assert await kim.finds("where is my parcel") == "unknown_phone"
    assert await kim.finds("tracking number ab12cd34") == "one AB12CD34"
    assert not await kim.may_change(record)
    assert await kim.finds("and when does it come") == "one AB12CD34"
    town.clock.move(DAY)
    assert await kim.finds("and when does it come") == "unknown_phone"


async def test_what_was_only_looked_at_is_not_mixed_with_ones_own(town: Town) -> None:
    robins, kims = stop("AB12CD34"), stop("KI20002", phone=KIM)
    await town.holds(robins, kims)
    kim = await town.texter(KIM)
    assert await kim.finds("where is AB12CD34") == "one AB12CD34"
    assert await kim.finds("where is my parcel") == "one KI20002"
    await kim.talks_about(robins)
    assert await kim.finds("is it late") == "one AB12CD34"
    assert await kim.may_change(kims)
    assert not await kim.may_change(robins)


async def test_a_number_in_letters_only_is_found_too(town: Town) -> None:
    await town.holds(stop("deadbeef"))
    assert await (await town.texter()).finds("so deadbeef is not here") == "one deadbeef"
    assert await (await town.texter(KIM)).finds("deadbeef") == "one deadbeef"


async def test_an_order_number_alone_shows_a_stranger_nothing(town: Town) -> None:
    """Orders are numbered in a row: who has one can guess the next."""
    await town.holds(stop("AB12CD34", order="100443"))
    assert await (await town.texter()).finds("where is order 100443") == "one AB12CD34"
    kim = await town.texter(KIM)
    assert await kim.finds("where is order 100443") == "no_such_tracking"
    assert await kim.finds("where is order 100443, zip 10002") == "no_such_tracking"
    assert await kim.finds("where is order 100443, zip 10001") == "one AB12CD34"


async def test_two_clients_with_one_order_number_are_told_apart_by_the_second_half(town: Town) -> None:
    await town.holds(
        stop("AB12CD34", order="1001", phone=ROBIN),
        stop("KI20002", order="1001", phone=KIM, client="Nova", postcode="10002"),
    )
    visitor = await town.visitor()
    assert await visitor.finds("order 1001, zip 10001") == "one AB12CD34"
    assert await (await town.visitor()).finds("order 1001, last four 0177") == "one KI20002"


async def test_a_phone_that_guesses_too_often_finds_nothing_for_a_day(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    kim = await town.texter(KIM)
    assert await guesses_wrong(kim, 5) == ["no_such_tracking"] * 5
    assert await kim.finds("tracking AB12CD34") == "no_such_tracking"
    town.clock.move(DAY)
    assert await kim.finds("tracking AB12CD34") == "one AB12CD34"


async def test_a_number_that_is_no_guess_costs_nothing(town: Town) -> None:
    kim = await town.texter(KIM)
    for text in ("i will be back on 2026-06-10 at 14:30", "call me at 2125550123 when near", KIM):
        assert await kim.finds(text) == "unknown_phone"
    assert await town.rows(ProofAttempt) == []


# --- web chat and email: both halves --------------------------------------------------------------


@pytest.mark.parametrize("half", ["10001", "zip 10001-4444", "0199", "the last 4 are 0199"])
async def test_both_halves_may_come_in_one_text_or_in_two_in_either_order(town: Town, half: str) -> None:
    record = stop("AB12CD34")
    await town.holds(record)
    for texts in ((f"AB12CD34 {half}",), ("AB12CD34", half), (half, "AB12CD34")):
        visitor = await town.visitor()
        kinds = [await visitor.finds(text) for text in ("where is my parcel", *texts)]
        assert kinds == ["unproved"] * len(texts) + ["one AB12CD34"]
        assert await visitor.may_change(record)
        assert await visitor.finds("can you come tomorrow") == "one AB12CD34"


async def test_email_proves_the_same(town: Town) -> None:
    record = stop("AB12CD34", postcode="SW1A 1AA")
    await town.holds(record)
    mailer = await town.mailer()
    assert await mailer.finds("Where is my parcel AB12CD34? My postcode is sw1a1aa.") == "one AB12CD34"
    assert await mailer.may_change(record)


async def test_a_proof_lasts_a_day(town: Town) -> None:
    record = stop("AB12CD34")
    await town.holds(record)
    visitor = await town.visitor()
    await visitor.finds("AB12CD34 10001")
    town.clock.move(DAY - SECOND)
    assert await visitor.may_change(record)
    town.clock.move(SECOND)
    assert not await visitor.may_change(record)
    assert await visitor.finds("where is it") == "unproved"


async def test_a_half_waits_an_hour_for_the_other(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    await visitor.finds("AB12CD34")
    town.clock.move(HOUR)
    assert await visitor.finds("10001") == "unproved"


async def test_after_a_number_alone_the_question_is_the_same_whether_it_exists_or_not(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    asked = []
    for number in ("AB12CD34", "AB12CD35"):
        visitor = await town.visitor()
        turn = await visitor.writes(number)
        town.queries.clear()
        question = await town.finder.stops_in_question(turn)
        asked.append((question.kind, question.stops, list(town.queries)))
    assert asked[0] == asked[1]


async def test_a_wrong_number_and_a_wrong_postcode_are_told_alike_by_the_same_queries(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    asked: list[tuple[object, ...]] = []
    for text in ("AB12CD34 10002", "AB12CD35 10001", "AB12CD34 0198"):
        visitor = await town.visitor(network=f"192.0.2.{len(asked)}")
        turn = await visitor.writes(text)
        town.queries.clear()
        question = await town.finder.stops_in_question(turn)
        asked.append((question.kind, question.stops, list(town.queries)))
    assert asked[0] == asked[1] == asked[2]
    assert asked[0][0] == "wrong_proof"


async def test_one_half_can_be_corrected(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    assert await visitor.finds("AB12CD34 10002") == "wrong_proof"
    assert await visitor.finds("sorry 10001") == "one AB12CD34"


async def test_a_number_that_was_covered_like_an_access_code_is_read_as_it_was_written(town: Town) -> None:
    await town.holds(stop("88776655", postcode="28013"))
    visitor = await town.visitor()
    kinds = []
    for text in ("#88776655", "mi código es 28013"):
        turn = await visitor.writes(text)
        assert scrambled(text) != text
        covered = turn.model_copy(update={"text": scrambled(text)})
        kinds.append((await town.finder.stops_in_question(covered)).kind)
    assert kinds == ["unproved", "one"]


async def test_an_action_may_ask_about_another_text_than_the_newest(town: Town) -> None:
    await town.holds(stop("AB12CD34"), stop("EF56AB78"))
    robin = await town.texter()
    turn = (await robin.writes("AB12CD34")).model_copy(update={"text": "where is EF56AB78"})
    question = await town.finder.stops_in_question(turn)
    assert [answer.tracking for answer in question.stops] == ["EF56AB78"]


async def test_another_stop_can_be_proved_beside_the_first(town: Town) -> None:
    await town.holds(stop("AB12CD34"), stop("EF56AB78", phone=KIM, postcode="10002", client="Nova"))
    visitor = await town.visitor()
    await visitor.finds("AB12CD34 10001")
    assert await visitor.finds("leave it at unit 4471 by 10001 Main St please ok") == "one AB12CD34"
    assert await visitor.finds("and tracking EF56AB78") == "unproved"
    assert await visitor.finds("10002") == "one EF56AB78"
    assert await visitor.finds("are both coming") == "several AB12CD34 EF56AB78"


# --- wrong tries ----------------------------------------------------------------------------------


async def test_five_wrong_tries_lock_the_session_for_a_day(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    assert await guesses_wrong(visitor, 5) == ["wrong_proof"] * 5
    for text in ("AB12CD34 10001", "AB12CD34", "where is my parcel"):
        assert await visitor.finds(text) == "proof_locked"
    town.clock.move(DAY)
    assert await visitor.finds("AB12CD34 10001") == "one AB12CD34"


async def test_who_is_locked_still_sees_what_was_proved_before(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    await visitor.finds("AB12CD34 10001")
    await guesses_wrong(visitor, 5)
    assert await visitor.finds("where is my parcel") == "one AB12CD34"
    assert await visitor.finds("tracking QS999999 10001") == "proof_locked"


@pytest.mark.parametrize(
    ("tries", "wait"), [(0, 0), (1, 0), (2, 0), (3, 8), (4, 16), (9, 512), (10, 600), (5000, 600)]
)
def test_the_wait_doubles_from_the_third_wrong_try_to_ten_minutes(tries: int, wait: int) -> None:
    assert wait_after(tries) == timedelta(seconds=wait)


async def test_an_address_is_slowed_down_across_its_sessions(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    for number in range(3):
        assert await (await town.visitor()).finds(f"QS00000{number} 10001") == "wrong_proof"
    town.clock.move(8 * SECOND - timedelta(microseconds=1))
    assert await (await town.visitor()).finds("AB12CD34 10001") == "wrong_proof", "it has to wait"
    assert await (await town.visitor("192.0.2.99")).finds("AB12CD34 10001") == "one AB12CD34"
    town.clock.move(timedelta(microseconds=1))
    assert await (await town.visitor()).finds("AB12CD34 10001") == "one AB12CD34"


async def test_while_an_address_waits_nothing_is_looked_up_nor_counted(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    await guesses_wrong(await town.visitor(), 2)
    await (await town.visitor()).finds("QS000009 10001")
    told = []
    for text in ("AB12CD34 10001", "QS000008 10001"):
        turn = await (await town.visitor()).writes(text)
        town.queries.clear()
        told.append((await town.finder.stops_in_question(turn)).kind)
        assert not any("lower(stop.tracking)" in query for query in town.queries), town.queries
    assert told == ["wrong_proof", "wrong_proof"]
    assert [attempt.wrong_tries for attempt in await town.rows(ProofAttempt)] == [3]


async def test_guesses_of_many_sessions_at_once_are_judged_one_after_the_other(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    turns = [await (await town.visitor()).writes(f"QS00000{number} 10001") for number in range(8)]
    await asyncio.gather(*(town.finder.stops_in_question(turn) for turn in turns))
    assert [attempt.wrong_tries for attempt in await town.rows(ProofAttempt)] == [3]


async def test_one_ipv6_household_is_one_address(town: Town) -> None:
    for number in range(3):
        visitor = await town.visitor(f"2001:db8:0:7::{number + 1}")
        await visitor.finds(f"QS00000{number} 10001")
    attempts = await town.rows(ProofAttempt)
    assert [(attempt.address, attempt.wrong_tries) for attempt in attempts] == [
        ("webchat:2001:0db8:0000:0007::/64", 3)
    ]


async def test_an_address_is_forgiven_after_a_day(town: Town) -> None:
    await guesses_wrong(await town.visitor(), 4)
    town.clock.move(DAY)
    await (await town.visitor()).finds("QS000009 10001")
    assert [attempt.wrong_tries for attempt in await town.rows(ProofAttempt)] == [1]


async def test_email_and_phones_are_slowed_down_by_their_own_address(town: Town) -> None:
    await (await town.mailer("Kim@Example.org")).finds("QS000001 10001")
    await (await town.texter(KIM, ChannelName.WHATSAPP)).finds("QS000001")
    addresses = {attempt.address for attempt in await town.rows(ProofAttempt)}
    assert addresses == {"email:kim@example.org", f"whatsapp:{KIM}"}


async def test_a_text_that_is_asked_twice_is_one_try(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    for text, kind in (("QS000001 10001", "wrong_proof"), ("AB12CD34 10001", "one")):
        turn = await visitor.writes(text)
        kinds = [(await town.finder.stops_in_question(turn)).kind for _ in range(3)]
        assert kinds == [kind] * 3
    assert [attempt.wrong_tries for attempt in await town.rows(ProofAttempt)] == [1]


async def test_proving_again_never_lowers_what_was_proved(town: Town) -> None:
    await town.holds(stop("AB12CD34"))
    visitor = await town.visitor()
    await visitor.finds("AB12CD34 10001")
    await visitor.finds("AB12CD34 10001")
    levels = [(access.level, access.stop_id) for access in await town.rows(StopAccess)]
    assert [level for level, _ in levels] == ["change"]
