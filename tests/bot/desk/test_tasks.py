"""Dispatcher tasks: posted once, decided once, by two people where it takes two. The real Slack SDKs over loopback."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.audit import AuditLine
from bot.desk.inbound import ReceiveTaskActions
from bot.desk.models import DeskTask
from bot.durable.models import InboxEvent
from bot.errors import ConfigurationError
from connectors.desk import Choice, Suggestion, TaskAction, TaskFacts, TaskKind, TaskState
from connectors.emulation import Fault
from connectors.slack.emulator_state import BOT
from tests.harness.accounts import CHANNEL
from tests.harness.desk import asks, hand, the_task, wanted
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World

DANA, SAM = "U0DANA", "U0SAM"


class Decider:
    """What a domain does about decisions: here it remembers them."""

    def __init__(self, world: World, kind: TaskKind, state: TaskState = TaskState.APPROVED) -> None:
        self.actions: list[TaskAction] = []
        self.state = state
        world.doorline.services.desk_tasks.on_decided(kind, self.decided)

    async def decided(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        self.actions.append(action)
        return TaskState.DECLINED if action.choice is Choice.DECLINE else self.state


@pytest.fixture
def decider(bare_world: World) -> Decider:
    return Decider(bare_world, TaskKind.CHANGE_WINDOW)


async def verbs(world: World) -> list[str]:
    lines = await world.rows(AuditLine, col(AuditLine.subject_kind) == "desk_task")
    return [line.verb for line in sorted(lines, key=lambda line: line.id or 0)]


async def message_of(world: World) -> dict[str, Any]:
    (message,) = await world.channel()
    return message


# --- posting ----------------------------------------------------------------------------------------


async def test_a_task_is_posted_once_and_fed_in_place(bare_world: World, decider: Decider) -> None:
    first = await asks(bare_world, wanted())
    assert "14 Elm St 2B" in readable(await message_of(bare_world))
    again = await asks(bare_world, wanted(facts=TaskFacts(address_line="18 Oak Ave")))
    assert again == first
    message = await message_of(bare_world)
    assert "18 Oak Ave" in readable(message)
    assert message["edited"]
    assert message["metadata"]["event_payload"] == {"post_id": str(first)}


async def test_the_same_again_edits_nothing(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted())
    await asks(bare_world, wanted())
    assert bare_world.slack.api.calls["chat.update"] == 0
    assert (await the_task(bare_world)).revision == 1


async def test_two_openings_at_once_are_one_task(bare_world: World, decider: Decider) -> None:
    ids = await asyncio.gather(*(asks(bare_world, wanted()) for _ in range(8)))
    assert len(set(ids)) == 1
    assert len(await bare_world.channel()) == 1


async def test_once_settled_the_key_is_free_again(bare_world: World, decider: Decider) -> None:
    first = await asks(bare_world, wanted())
    services = bare_world.doorline.services
    async with services.database.transaction() as session:
        await services.desk_tasks.close(session, "change:1")
    await bare_world.settled()
    assert "It settled itself" in readable(await message_of(bare_world))
    assert await asks(bare_world, wanted()) != first
    assert len(await bare_world.channel()) == 2


async def test_a_choice_that_nobody_carries_out_is_refused_at_once(bare_world: World) -> None:
    undecided = wanted(kind=TaskKind.OVER_CAPACITY, choices=(Choice.APPROVE,))
    with pytest.raises(ConfigurationError):
        await asks(bare_world, undecided)
    assert await bare_world.rows(DeskTask) == []


# --- who dies -----------------------------------------------------------------------------------------


async def test_a_post_whose_answer_was_lost_is_found_again(bare_world: World, decider: Decider) -> None:
    bare_world.slack.faults.next(Fault("reset", after_work=True, path_contains="chat.postMessage"))
    await asks(bare_world, wanted())
    await bare_world.retries()
    assert len(await bare_world.channel()) == 1
    row = await the_task(bare_world)
    assert (row.slack_channel, row.posted_revision) == (CHANNEL, row.revision)


async def test_a_process_that_dies_between_post_and_commit_posts_it_once(
    bare_world: World, decider: Decider
) -> None:
    slow = Fault("slow", seconds=5, after_work=True, path_contains="chat.postMessage")
    bare_world.slack.faults.next(slow)
    services = bare_world.doorline.services
    async with services.database.transaction() as session:
        await services.desk_tasks.open_once(session, wanted())
    await eventually(bare_world.channel, bool, "the post whose answer is still on its way")
    await bare_world.restart_app()
    await bare_world.retries()
    assert len(await bare_world.channel()) == 1
    assert (await the_task(bare_world)).slack_ts == (await message_of(bare_world))["ts"]


async def test_a_change_while_it_is_being_posted_is_shown(bare_world: World, decider: Decider) -> None:
    slow = Fault("slow", seconds=0.5, after_work=True, path_contains="chat.postMessage")
    bare_world.slack.faults.next(slow)
    services = bare_world.doorline.services
    async with services.database.transaction() as session:
        await services.desk_tasks.open_once(session, wanted())
    await eventually(bare_world.channel, bool, "the post")
    await asks(bare_world, wanted(facts=TaskFacts(address_line="18 Oak Ave")))
    await bare_world.channel_shows("18 Oak Ave")
    assert len(await bare_world.channel()) == 1


async def test_an_edit_whose_answer_was_lost_is_made_again(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted())
    bare_world.slack.faults.next(Fault("status", status=500, path_contains="chat.update"))
    await asks(bare_world, wanted(facts=TaskFacts(address_line="18 Oak Ave")))
    await bare_world.retries()
    assert "18 Oak Ave" in readable(await message_of(bare_world))


async def test_a_task_whose_message_was_deleted_is_posted_anew(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted())
    bare_world.slack.workspace.delete(BOT, CHANNEL, (await message_of(bare_world))["ts"])
    await asks(bare_world, wanted(facts=TaskFacts(address_line="18 Oak Ave")))
    await bare_world.retries()
    assert "18 Oak Ave" in readable(await message_of(bare_world))


async def test_an_edit_whose_job_is_gone_is_asked_for_again(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted())
    async with bare_world.doorline.services.database.transaction() as session:
        row = await session.get_one(DeskTask, (await the_task(bare_world)).id)
        row.facts, row.revision = TaskFacts(address_line="18 Oak Ave").model_dump(mode="json"), 2
    await bare_world.advance(minutes=4)
    assert bare_world.slack.api.calls["chat.update"] == 0
    await bare_world.advance(minutes=2)
    assert "18 Oak Ave" in readable(await message_of(bare_world))


# --- deciding -----------------------------------------------------------------------------------------


async def test_the_first_of_two_presses_wins_and_the_other_is_told_quietly(
    bare_world: World, decider: Decider
) -> None:
    await asks(bare_world, wanted())
    message = await message_of(bare_world)
    await asyncio.gather(*(hand(bare_world, who).presses(message, "task_approve") for who in (DANA, SAM)))
    await bare_world.settled()
    assert len(decider.actions) == 1
    row = await the_task(bare_world)
    assert (row.state, row.settled_by) == (TaskState.APPROVED, decider.actions[0].dispatcher)
    loser = SAM if row.settled_by == DANA else DANA
    await hand(bare_world, loser).is_told_of("settled this already", f"<@{row.settled_by}>")
    shown = readable(await message_of(bare_world))
    assert "Approved by" in shown
    assert "Decline" not in shown
    assert await verbs(bare_world) == ["opened", "approved"]


async def test_the_same_press_delivered_twice_counts_once(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted(approvals_needed=2))
    message = await message_of(bare_world)
    dana = hand(bare_world, DANA)
    await dana.presses(message, "task_approve")
    await bare_world.settled()
    action = TaskAction.model_validate((await inbox_payloads(bare_world))[0])
    edge = bare_world.doorline.services.database
    await ReceiveTaskActions(edge, bare_world.clock)(action)
    await bare_world.settled()
    assert (await the_task(bare_world)).approved_by == [DANA]
    assert await dana.is_told() == []


async def inbox_payloads(world: World) -> list[dict[str, Any]]:
    return [event.payload for event in await world.rows(InboxEvent, col(InboxEvent.source) == "slack.task")]


async def test_it_takes_two_different_people(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted(approvals_needed=2))
    dana, sam = hand(bare_world, DANA), hand(bare_world, SAM)
    await dana.presses(await message_of(bare_world), "task_approve")
    message = await bare_world.channel_shows("1 of 2 approvals")
    await dana.presses(message, "task_approve")
    await dana.is_told_of("somebody else")
    assert decider.actions == []
    await sam.presses(message, "task_approve")
    await bare_world.channel_shows("Approved by", f"<@{DANA}> and <@{SAM}>")
    assert [action.dispatcher for action in decider.actions] == [SAM]
    assert await verbs(bare_world) == ["opened", "approved", "approved"]


async def test_who_asked_for_it_has_approved_it_and_cannot_be_the_second(
    bare_world: World, decider: Decider
) -> None:
    await asks(bare_world, wanted(approvals_needed=2, approved_by=(DANA,)))
    message = await bare_world.channel_shows("1 of 2 approvals", "@Dana")
    # Named, not paged: only an edit may carry a mention.
    assert f"<@{DANA}>" not in readable(message)
    await hand(bare_world, DANA).presses(message, "task_approve")
    await hand(bare_world, DANA).is_told_of("somebody else")
    await hand(bare_world, SAM).presses(message, "task_approve")
    await bare_world.channel_shows("Approved by")


async def test_one_person_is_enough_to_decline(bare_world: World, decider: Decider) -> None:
    await asks(bare_world, wanted(approvals_needed=2))
    await hand(bare_world, SAM).presses(await message_of(bare_world), "task_decline")
    await bare_world.channel_shows("Declined by", f"<@{SAM}>")
    assert (await the_task(bare_world)).state is TaskState.DECLINED


async def test_only_dispatchers_decide(bare_setting: Setting, empty_database: None, tmp_path: Path) -> None:
    sop = protocol_with(tmp_path, {"dispatchers: [] ": f"dispatchers: [{DANA}] "})
    async with World(bare_setting, sop=sop) as world:
        decider = Decider(world, TaskKind.CHANGE_WINDOW)
        await asks(world, wanted())
        await hand(world, SAM).presses(await message_of(world), "task_approve")
        await hand(world, SAM).is_told_of("not on the list of dispatchers")
        assert decider.actions == []
        await hand(world, DANA).presses(await message_of(world), "task_approve")
        await world.channel_shows("Approved by")


async def test_a_suggested_driver_is_chosen_by_name(bare_world: World) -> None:
    decider = Decider(bare_world, TaskKind.DRIVER_UNCONFIRMED, TaskState.DONE)
    drivers = tuple(Suggestion(driver_ref=f"w-{n}", driver_name=f"Driver {n}") for n in (1, 2))
    task = wanted(
        kind=TaskKind.DRIVER_UNCONFIRMED,
        choices=(Choice.ASSIGN, Choice.DONE),
        facts=TaskFacts(driver_name="Ben", suggestions=drivers),
    )
    await asks(bare_world, task)
    await hand(bare_world).presses(await message_of(bare_world), "task_assign_1")
    await bare_world.channel_shows("Done by")
    assert [(action.choice, action.value) for action in decider.actions] == [(Choice.ASSIGN, "w-2")]


async def test_what_is_being_carried_out_is_settled_by_its_job(bare_world: World) -> None:
    Decider(bare_world, TaskKind.CHANGE_WINDOW, TaskState.CARRYING_OUT)
    task_id = await asks(bare_world, wanted())
    await hand(bare_world).presses(await message_of(bare_world), "task_approve")
    await bare_world.channel_shows("being carried out")
    services = bare_world.doorline.services
    for state, outcome in ((TaskState.APPROVED, ""), (TaskState.DECLINED, "platform_refused")):
        # A job may run twice: the second ending changes nothing.
        async with services.database.transaction() as session:
            await services.desk_tasks.settle(session, task_id, state, outcome)
    await bare_world.channel_shows("Approved by")
    assert (await the_task(bare_world)).outcome == ""


async def test_a_decision_that_cannot_be_made_leaves_it_open(bare_world: World) -> None:
    Decider(bare_world, TaskKind.CHANGE_WINDOW, TaskState.OPEN)
    await asks(bare_world, wanted(approvals_needed=2, approved_by=(SAM,)))
    await hand(bare_world).presses(await message_of(bare_world), "task_approve")
    await bare_world.channel_shows("Takes 2 people")
    row = await the_task(bare_world)
    assert (row.state, row.settled_by, row.approved_by) == (TaskState.OPEN, None, [])


# --- time ---------------------------------------------------------------------------------------------


async def test_what_nobody_decides_in_time_ends_and_its_domain_hears_of_it(
    bare_world: World, decider: Decider
) -> None:
    heard: list[str] = []

    async def expired(session: AsyncSession, task: DeskTask) -> None:
        heard.append(task.key)

    bare_world.doorline.services.desk_tasks.on_expired(TaskKind.CHANGE_WINDOW, expired)
    await asks(bare_world, wanted(expires_at=bare_world.local("12:30")))
    await bare_world.advance(minutes=29)
    assert heard == []
    message = await message_of(bare_world)
    await bare_world.advance(minutes=1)
    assert heard == ["change:1"]
    await bare_world.channel_shows("Nobody decided it in time")
    assert await verbs(bare_world) == ["opened", "expired"]
    assert "task_approve" not in str((await message_of(bare_world))["blocks"])
    assert message["ts"] == (await message_of(bare_world))["ts"]


async def test_what_opens_a_door_is_neither_kept_nor_shown(bare_world: World, decider: Decider) -> None:
    facts = TaskFacts(address_line="14 Elm St 2B", words="gate code is 4411", detail="door code 5522 wrong")
    await asks(bare_world, wanted(facts=facts))
    shown, kept = readable(await message_of(bare_world)), str((await the_task(bare_world)).facts)
    assert "gate code is" in shown
    for code in ("4411", "5522"):
        assert code not in shown
        assert code not in kept
