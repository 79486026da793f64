"""The second try at the platform: written once whatever happens, with the code there and nowhere else."""

import asyncio
import json
from typing import Any

from sqlalchemy import text
from sqlmodel import col

from bot.conversations.models import InboundText
from bot.desk.models import DeskTask
from bot.handover.models import ClientEvent
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import RecoveryState, Why
from bot.recovery.writing import own_ref
from bot.requests.models import DispatchRequest, RequestKind
from bot.stops.models import StopRecord
from connectors.base import Reattempt
from connectors.emulation import Fault
from tests.bot.recovery.story import Story
from tests.harness.codes import DOOR_CODE

CODE = f"{DOOR_CODE}#"


async def with_code(story: Story, tracking: str, words: str = f"{CODE}. tomorrow morning works") -> Any:
    turn = await story.turn(words)
    recovery = await story.of(tracking)
    wanted = Preference(window=story.window("08:00", "12:00"), has_code=True, code_inbound_id=turn.inbound_id)
    outcome = await story.world.doorline.services.recovery.answer(turn, str(recovery.id), wanted)
    await story.world.settled()
    return outcome


async def kept_by_us(story: Story) -> str:
    """Everything that stands in any of our tables but the recipient's own text and the queue's."""
    names = text(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'inbound_message' "
        "AND tablename NOT LIKE 'procrastinate%' AND tablename <> 'inbox_event'"
    )
    async with story.world.doorline.services.database.transaction() as session:
        found = []
        for name in await session.scalars(names):
            rows = await session.scalars(text(f'SELECT to_jsonb(t) FROM "{name}" AS t'))
            found += [json.dumps(row) for row in rows]
    return "\n".join(found)


async def test_the_code_stands_at_the_platform_and_nowhere_else(story: Story) -> None:
    tracking = await story.fails("gate locked", client="Acme")
    assert (await with_code(story, tracking)).result == "booked"
    (clone,) = story.clones(tracking)
    assert f"Access code: {CODE}" in clone["notes"].splitlines()
    assert "2nd try" in clone["notes"]
    await story.world.sync()
    assert DOOR_CODE not in await kept_by_us(story)
    assert DOOR_CODE not in json.dumps(await story.world.channel())


async def test_a_code_that_was_forgotten_meanwhile_is_a_dispatchers_to_get(story: Story) -> None:
    tracking = await story.fails("gate locked")
    turn = await story.turn("gate code is ••••")
    wanted = Preference(has_code=True, code_inbound_id=turn.inbound_id)
    recovery = await story.of(tracking)
    outcome = await story.world.doorline.services.recovery.answer(turn, str(recovery.id), wanted)
    assert outcome.result == "booked"
    (task,) = await story.world.rows(DeskTask)
    assert task.told.reasons == (Why.CODE_LOST,)


async def test_a_platform_that_is_down_gets_it_later_and_the_recipient_hears(story: Story) -> None:
    tracking = await story.fails()
    before = len(await story.world.recipient().reads())
    story.world.onfleet.faults.down = True
    outcome = await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    assert outcome.result == "platform_down"
    assert (await story.of(tracking)).state is RecoveryState.WRITING
    assert await story.pending(tracking) == []
    story.world.onfleet.faults.clear()
    await story.world.retries()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert len(story.clones(tracking)) == 1
    told = (await story.world.recipient().reads_next(before + 2))[-1]
    assert "second try" in told
    assert "12-5 pm" in told


async def test_a_second_try_whose_answer_was_lost_is_found_and_not_made_again(story: Story) -> None:
    tracking = await story.fails()
    story.world.onfleet.faults.next(Fault("reset", path_contains="/clone", after_work=True))
    outcome = await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    assert outcome.result == "platform_down"
    assert len(story.clones(tracking)) == 1
    await story.world.retries()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert len(story.clones(tracking)) == 1


async def test_killed_between_the_platforms_answer_and_our_commit(story: Story) -> None:
    """The row says that it is being written, the platform has it: whoever looks next finds it."""
    tracking = await story.fails()
    failed, recovery = await story.world.stop_record(tracking), await story.of(tracking)
    services, window = story.world.doorline.services, story.window("12:00", "17:00")
    async with services.database.transaction() as session:
        row = await session.merge(recovery)
        row.state, row.settled_by = RecoveryState.WRITING, "recipient"
        row.preference = Preference(window=window).model_dump(mode="json")
        row.tried_at = story.now()
        row.lease_until = None
    wanted = Reattempt(own_ref=own_ref(recovery.id), window=story.window("08:00", "12:00"), note="2nd try")
    await services.sync._platforms["onfleet"].reattempt(failed.platform_ref, wanted)
    await story.restarts()
    await story.world.advance(minutes=3)
    await story.world.tick()
    (again,) = await story.second_tries(tracking)
    assert (await story.of(tracking)).reattempt_id == again.id
    # It was made for another window than the one that was agreed last.
    assert again.window == window
    assert len(story.clones(tracking)) == 1


async def test_two_processes_never_write_it_at_once(story: Story) -> None:
    tracking = await story.fails()
    turn, recovery = await story.turn(), await story.of(tracking)
    service = story.world.doorline.services.recovery
    wanted = Preference(window=story.window("12:00", "17:00"))
    outcomes = await asyncio.gather(
        *(service.answer(turn, str(recovery.id), wanted) for _ in range(4)), return_exceptions=True
    )
    assert not [each for each in outcomes if isinstance(each, BaseException)]
    await story.world.retries()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert len(story.clones(tracking)) == 1


async def test_a_late_answer_moves_the_second_try_until_its_route_is_out(story: Story) -> None:
    tracking = await story.fails()
    await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    (again,) = await story.second_tries(tracking)
    evening = Preference(choice=Choice.NEIGHBOUR, window=story.window("17:00", "21:00"), place="Ana in 4C")
    outcome = await story.answers(tracking, evening)
    assert (outcome.result, outcome.window) == ("booked", evening.window)
    (clone,) = story.clones(tracking)
    assert "Leave with: Ana in 4C." in clone["notes"]
    assert (await story.second_tries(tracking))[0].window == evening.window
    # The same by itself: the conversation may ask about the second try as well.
    question = await story.world.doorline.services.recovery.open_for(await story.turn(), str(again.id))
    assert question is not None
    assert question.preference == evening

    worker = next(iter(story.world.onfleet.store.workers))
    story.world.onfleet.put_on_route(clone["id"], worker)
    story.world.onfleet.start_task(clone["id"])
    await story.world.sync()
    assert (await story.answers(tracking, Preference())).result == "over"


async def test_a_window_that_cannot_be_had_is_said_so_and_nothing_is_written(story: Story) -> None:
    tracking = await story.fails()
    for window, problem in (
        (story.window("10:00", "12:00", 0), "too_soon"),
        (story.window("08:00", "12:00", 5), "closed_day"),
        (story.window("08:00", "12:00", 91), "too_far"),
    ):
        outcome = await story.answers(tracking, Preference(window=window))
        assert (outcome.result, outcome.problem) == ("not_bookable", problem)
    assert (await story.of(tracking)).state is RecoveryState.ASKING
    assert story.clones(tracking) == []


async def test_what_the_platform_refuses_a_dispatcher_is_asked_for(story: Story) -> None:
    tracking = await story.fails()
    story.world.onfleet.faults.next(Fault("status", status=400, path_contains="/clone"))
    wanted = Preference(
        choice=Choice.SAFE_PLACE, window=story.window("12:00", "17:00"), place="behind the planter"
    )
    outcome = await story.answers(tracking, wanted)
    assert outcome.result == "asked_dispatcher"
    assert outcome.respond_by is not None
    (request,) = await story.world.rows(DispatchRequest)
    assert request.kind is RequestKind.REDELIVER
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.REQUEST)
    # Approved, it is done after all; the follow-up sees it.
    await story.world.dispatcher().presses(await story.world.channel_shows("Wants another try"), "approve")
    await story.world.settled()
    await story.world.tick()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "U0DANA")
    (clone,) = story.clones(tracking)
    # What else was agreed is not lost on the way, and the approval is told once.
    assert "Safe place: behind the planter." in clone["notes"]
    assert len([each for each in await story.world.recipient().reads() if "12-5 pm" in each]) == 1


async def test_somebody_elses_phone_books_nothing(story: Story) -> None:
    tracking = await story.fails()
    turn, recovery = await story.turn(phone="+12125550177"), await story.of(tracking)
    service = story.world.doorline.services.recovery
    assert await service.question(turn, str(recovery.id)) is None
    outcome = await service.answer(turn, str(recovery.id), Preference())
    assert outcome.result == "asked_dispatcher"
    assert story.clones(tracking) == []


async def test_the_client_hears_each_turn_and_nothing_that_names_the_recipient(story: Story) -> None:
    tracking = await story.fails("gate locked")
    await with_code(story, tracking)
    await story.world.tick()
    events = await story.world.rows(ClientEvent, col(ClientEvent.kind).like("recovery.%"))
    assert [event.kind for event in sorted(events, key=lambda event: event.seq or 0)] == [
        "recovery.opened",
        "recovery.reattempt_booked",
    ]
    told = json.dumps([event.facts for event in events])
    stop = await story.world.stop_record(tracking)
    assert not [secret for secret in (DOOR_CODE, "+12125550100", "Robin", "gate") if secret in told]
    assert stop.tracking in told


async def test_a_second_try_that_fails_is_followed_up_as_the_second(story: Story) -> None:
    tracking = await story.fails()
    await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    (clone,) = story.clones(tracking)
    worker = next(iter(story.world.onfleet.store.workers))
    story.world.onfleet.put_on_route(clone["id"], worker)
    await story.world.advance(hours=25)
    story.world.onfleet.complete_task(clone["id"], success=False, notes="nobody home")
    await story.world.sync()
    await story.world.tick()
    assert (await story.of(clone["shortId"])).attempt == 2
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert len(await story.world.rows(StopRecord)) == 2
    texts = await story.world.rows(InboundText)
    assert len(texts) == 1
