"""Which stop a text is about, asked of the real tables: the sender, the text, and what was talked about."""

from datetime import timedelta
from uuid import uuid4

import pytest

from bot.errors import NotFoundError
from bot.stops.answers import Scope, Turn
from connectors.base import ChannelName
from tests.bot.stops.town import DAY, HOUR, KIM, NOW, Town, delivered, stop


async def test_the_stops_of_a_phone_are_its_own_on_sms_and_whatsapp(town: Town) -> None:
    await town.holds(stop("AC10001"), stop("ZZ99999", phone=KIM))
    for channel in (ChannelName.SMS, ChannelName.WHATSAPP):
        robin = await town.texter(channel=channel)
        assert await robin.finds("where is my parcel") == "one AC10001"


async def test_a_household_sees_every_stop_of_its_phone(town: Town) -> None:
    await town.holds(stop("AC10001"), stop("NO20002", client="Nova", starts=5 * HOUR))
    robin = await town.texter()
    assert await robin.finds("where is it") == "several AC10001 NO20002"
    assert await robin.finds("the nova one") == "one NO20002"


async def test_a_web_session_that_calls_itself_a_phone_owns_nothing(town: Town) -> None:
    record = stop("AC10001")
    await town.holds(record)
    for person in (
        await town.visitor(session=record.recipient_phone or ""),
        await town.mailer("+12125550199"),
    ):
        assert await person.finds("where is my parcel") == "unproved"
        assert not await person.may_change(record)


async def test_a_stop_without_a_phone_belongs_to_nobody(town: Town) -> None:
    await town.holds(stop("AC10001", phone=None))
    assert await (await town.visitor()).finds("where is my parcel") == "unproved"
    assert await (await town.mailer()).finds("where is my parcel") == "unproved"
    assert await (await town.texter()).finds("where is my parcel") == "unknown_phone"


async def test_an_unknown_phone_and_one_with_nothing_left(town: Town) -> None:
    await town.holds(delivered("OL50005", 15 * DAY))
    assert await (await town.texter(KIM)).finds("where is it") == "unknown_phone"
    assert await (await town.texter()).finds("where is it") == "nothing_open"
    assert await (await town.texter(KIM, ChannelName.WHATSAPP)).finds("hola") == "unknown_phone"


async def test_what_was_talked_about_is_meant_for_an_hour(town: Town) -> None:
    nova = stop("NO20002", client="Nova", starts=5 * HOUR)
    await town.holds(stop("AC10001"), nova)
    robin = await town.texter()
    await robin.talks_about(nova)
    assert await robin.finds("move it to friday", Scope.COMING) == "one NO20002"
    assert await robin.finds("and the other one?") == "one AC10001"
    town.clock.move(timedelta(minutes=60))
    assert await robin.finds("when") == "one NO20002"
    town.clock.move(timedelta(seconds=1))
    assert await robin.finds("when") == "several AC10001 NO20002"


async def test_two_that_were_told_in_one_answer_leave_none_to_remember(town: Town) -> None:
    acme, nova = stop("AC10001"), stop("NO20002", client="Nova", starts=5 * HOUR)
    await town.holds(acme, nova)
    robin = await town.texter()
    turn = await robin.writes("both")
    for record in (acme, nova, nova):
        await town.finder.remember(turn, str(record.id))
    assert await robin.finds("move it", Scope.COMING) == "several AC10001 NO20002"
    await robin.talks_about(acme)
    assert await robin.finds("move it", Scope.COMING) == "one AC10001"


async def test_remembering_gives_nobody_a_stop(town: Town) -> None:
    foreign = stop("ZZ99999", phone=KIM)
    await town.holds(foreign, stop("AC10001"))
    robin = await town.texter()
    await robin.talks_about(foreign)
    assert await robin.finds("where is it") == "one AC10001"
    assert not await robin.may_change(foreign)


async def test_the_open_stops_of_a_busy_phone_are_not_lost_among_its_old_ones(town: Town) -> None:
    old = [delivered(f"OL{number:05}", timedelta(hours=number)) for number in range(1, 80)]
    await town.holds(*old, stop("FA70007", starts=6 * DAY))
    assert await (await town.texter()).finds("move my delivery", Scope.COMING) == "one FA70007"


async def test_a_question_takes_three_queries_at_most(town: Town) -> None:
    await town.holds(stop("AC10001"), stop("NO20002", client="Nova"))
    robin, kim = await town.texter(), await town.texter(KIM)
    for person, text in ((robin, "where is it"), (robin, "AC10001"), (kim, "where is it")):
        turn = await person.writes(text)
        town.queries.clear()
        await town.finder.stops_in_question(turn)
        assert len(town.queries) <= 3, town.queries


@pytest.mark.parametrize("conversation_id", ["nobody", "6f1c2a34-0b7e-4c55-9a61-5d2f8e3b7a10"])
async def test_a_conversation_that_is_not_ours_is_an_error(town: Town, conversation_id: str) -> None:
    with pytest.raises(NotFoundError):
        await town.finder.stops_in_question(Turn(conversation_id=conversation_id, inbound_id=None, text="hi"))


async def test_an_answer_tells_what_is_known(town: Town) -> None:
    record = stop("AC10001", eta=3 * HOUR)
    await town.holds(record)
    answer = await town.finder.get_answer(str(record.id))
    assert (answer.tracking, answer.eta_at, answer.data_at) == ("AC10001", NOW + 3 * HOUR, NOW)
    assert not answer.can_change_window, "no platform is switched on here"
    with pytest.raises(NotFoundError):
        await town.finder.get_answer(str(uuid4()))
