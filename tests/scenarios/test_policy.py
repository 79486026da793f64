"""What the escalation policy of sop.yml says, sentence by sentence, by moving the clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.escalations.models import Escalation, EscalationStep
from connectors.escalation import EscalationState, Severity
from connectors.twilio.emulator_phones import Habit
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

DANA, SAM = "+12125550701", "+12125550702"
PEOPLE = {
    "dana": {"name": "Dana", "slack": "U0DANA", "phone": DANA},
    "sam": {"name": "Sam", "slack": "U0SAM", "phone": SAM, "language": "es"},
}
ROTA = {"rotation": {"people": ["dana", "sam"], "every_weeks": 1, "starts_on": "2026-06-08"}}
POST = {"kind": "post", "after_minutes": 0}

Opens = Callable[..., Any]


@pytest.fixture
async def opens(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Opens]:
    """Opens a world with these tiers, and with other sections of sop.yml where they are named."""
    async with AsyncExitStack() as stack:

        async def world_with(tiers: list[dict[str, Any]], **more: Any) -> World:
            sections = {"people": PEOPLE, "on_call": {"default": ROTA}} | more.pop("sections", {})
            sop = protocol_of(tmp_path, {"tiers": tiers, **more}, **sections)
            return await stack.enter_async_context(World(bare_setting, sop=sop))

        yield world_with


async def is_late(world: World, **stop: Any) -> dict[str, Any]:
    """A stop that will miss its window; gives its message in the channel."""
    await world.has_stop(**({"window": ("14:00", "16:00"), "eta": "16:25"} | stop))
    await world.advance(minutes=1)
    await world.advance(minutes=3)
    return await world.channel_shows("At risk")


async def the(world: World) -> Escalation:
    (row,) = await world.rows(Escalation)
    return row


def texts_to(world: World, phone: str) -> list[str]:
    return [text.body for text in world.twilio.messages(phone) if text.direction != "inbound"]


async def rings(world: World) -> None:
    """Until every call has ended and was told."""
    for _ in range(3):
        await world.settled()
        await world.twilio.settled()
    await world.settled()


async def test_after_a_call_a_reaction_is_not_enough_and_that_is_said_once_and_quietly(opens: Opens) -> None:
    call = {"kind": "call", "after_minutes": 5, "takes": ["button", "sms", "call"]}
    world = await opens([POST, call])
    message, dana = await is_late(world), world.dispatcher()
    await world.advance(minutes=6)
    await rings(world)
    await dana.reacts(message, "eyes")
    await dana.is_told_of("a reaction is not enough")
    await dana.takes_back(message, "eyes")
    await dana.reacts(message, "eyes")
    await world.settled()
    assert len([note for note in await dana.is_told() if "not enough" in note]) == 1
    assert (await the(world)).state is EscalationState.RAISED
    await dana.presses(message, "acknowledge")
    await world.channel_shows("<@U0DANA> has it")


async def test_before_the_call_a_reaction_takes_it_and_no_phone_rings(opens: Opens) -> None:
    call = {"kind": "call", "after_minutes": 5, "takes": ["button", "sms", "call"]}
    world = await opens([POST, call])
    message = await is_late(world)
    await world.dispatcher().reacts(message, "eyes")
    await world.channel_shows("<@U0DANA> has it")
    await world.advance(minutes=30)
    await rings(world)
    assert list(world.twilio.phones.calls) == []


async def test_only_members_of_the_group_and_people_of_the_rota_may_acknowledge(opens: Opens) -> None:
    people = {"dana": PEOPLE["dana"] | {"slack": "U0OLGA"}}
    rota = {"rotation": {"people": ["dana"], "every_weeks": 1, "starts_on": "2026-06-08"}}
    world = await opens(
        [POST], dispatcher_group="S0NORTH", sections={"people": people, "on_call": {"default": rota}}
    )
    await world.doorline.services.on_call_sources.refresh_due()
    message = await is_late(world)
    await world.dispatcher("U0DANA").reacts(message, "eyes")
    await world.dispatcher("U0DANA").is_told_of("not on the list")
    assert (await the(world)).state is EscalationState.RAISED
    await world.dispatcher("U0SAM").reacts(message, "eyes")
    await world.channel_shows("<@U0SAM> has it")


async def test_nobody_on_call_is_an_escalation_of_its_own(opens: Opens) -> None:
    later = {"rotation": ROTA["rotation"] | {"starts_on": "2026-07-01"}}
    tiers = [POST, {"kind": "mention", "after_minutes": 10}]
    world = await opens(tiers, sections={"on_call": {"default": later}})
    await is_late(world)
    await world.advance(minutes=11)
    rows = await world.rows(Escalation, Escalation.severity == Severity.NOBODY_ON_CALL)
    assert [row.zone for row in rows] == ["North"]
    message = await world.channel_shows("Nobody on call")
    await world.advance(minutes=60)
    assert len(await world.rows(Escalation, Escalation.severity == Severity.NOBODY_ON_CALL)) == 1
    assert any("<!here>" in line for line in await world.thread(message)), "it calls everybody there is"


async def test_a_text_outside_its_hours_waits_for_the_morning(opens: Opens) -> None:
    text = {"kind": "sms", "after_minutes": 5, "hours": {"start": "07:00", "end": "20:00"}}
    world = await opens([POST, text], acknowledgement_holds_minutes=30)
    await world.advance(hours=8)
    await is_late(world, window=("18:00", "21:00"), eta="21:40")
    await world.advance(minutes=30)
    assert texts_to(world, DANA) == [], "it is past 8 pm"
    (step,) = await world.rows(EscalationStep, EscalationStep.fired_at.is_(None))  # type: ignore[union-attr]
    assert step.due_at == world.local("07:00", day=1)
    await world.advance(hours=10, minutes=30)
    await rings(world)
    assert len(texts_to(world, DANA)) == 1, "7 am has come and nobody has it"


async def test_outside_its_hours_another_way_is_taken_at_once_where_the_protocol_says_so(
    opens: Opens,
) -> None:
    mention = {"kind": "mention", "after_minutes": 5, "hours": {"start": "07:00", "end": "20:00"}}
    world = await opens([POST, mention], out_of_hours={"kind": "call", "to": "on_call"})
    await world.advance(hours=8)
    message = await is_late(world, window=("18:00", "21:00"), eta="21:40")
    await world.advance(minutes=6)
    await rings(world)
    assert [call.recipient for call in world.twilio.phones.calls] == [DANA]
    await world.thread_shows(message, "Dana did not answer")


async def test_what_is_costly_is_called_at_once_and_the_rest_is_not(opens: Opens) -> None:
    costly = {
        "name": "costly",
        "when": {"exposure_usd_from": 100, "clients": ["Nova"]},
        "tiers": [POST, {"kind": "call", "after_minutes": 1}],
    }
    world = await opens([POST, {"kind": "mention", "after_minutes": 10}], policies=[costly])
    await is_late(world, client="Acme", driver="van-1")
    await is_late(world, client="Nova", driver="van-2", phone="+12125550101", address="18 Oak Ave")
    await world.advance(minutes=2)
    await rings(world)
    assert [call.recipient for call in world.twilio.phones.calls] == [DANA]
    raised = {row.client: row for row in await world.rows(Escalation)}
    assert {name: row.policy for name, row in raised.items()} == {"Acme": "", "Nova": "costly"}


async def test_steps_are_repeated_from_the_chosen_one_and_then_no_more(opens: Opens) -> None:
    tiers = [POST, {"kind": "mention", "after_minutes": 2}, {"kind": "sms", "after_minutes": 4}]
    world = await opens(tiers, repeat={"from_step": 3, "times": 2, "wait_minutes": 10})
    message = await is_late(world)
    for _ in range(45):
        await world.advance(minutes=1)
    assert len(texts_to(world, DANA)) == 3, "once, and twice again"
    thread = await world.thread(message)
    assert len([line for line in thread if line.startswith("<@U0DANA>")]) == 1, "the mention is not repeated"


async def test_a_key_on_the_phone_takes_it_for_both_channels(opens: Opens) -> None:
    world = await opens([POST, {"kind": "call", "after_minutes": 5}])
    world.twilio.phones.habit_for(DANA, Habit(keys=("1",)))
    message = await is_late(world)
    await world.advance(minutes=6)
    await rings(world)
    await world.channel_shows("<@U0DANA> has it")
    await world.dispatcher("U0SAM").reacts(message, "eyes")
    await world.dispatcher("U0SAM").is_told_of("<@U0DANA>")
    assert (await the(world)).acknowledged_by == "U0DANA"


async def test_a_text_back_takes_it_in_spanish_too(opens: Opens) -> None:
    rota = {"rotation": ROTA["rotation"] | {"people": ["sam", "dana"]}}
    world = await opens([POST, {"kind": "sms", "after_minutes": 5}], sections={"on_call": {"default": rota}})
    await is_late(world)
    await world.advance(minutes=6)
    await rings(world)
    (asked,) = texts_to(world, SAM)
    assert "Responda 1 para tomarlo" in asked
    await world.recipient(SAM).texts("1")
    await world.channel_shows("<@U0SAM> has it")
    await rings(world)
    assert texts_to(world, SAM)[-1].startswith("Es suyo")
