"""What a recipient leaves for the driver stands on the platform, codes and all, and nowhere else."""

import pytest
from sqlalchemy import text

from bot.audit import AuditLine
from bot.conversations.models import InboundText
from bot.stops.answers import NoteOutcome, Turn
from bot.stops.instructions import InstructionService, note_line, stands_in
from connectors.base import ACCESS_CODE_LABEL
from connectors.emulation import Fault
from tests.harness.clock import NOON_IN_NEW_YORK
from tests.harness.people import readable
from tests.harness.turns import says
from tests.harness.world import World

GATE = "gate code is 4471# then leave it behind the planter"


def service(world: World) -> InstructionService:
    found: InstructionService = world.doorline.services.instructions
    return found


async def leave(world: World, turn: Turn, tracking: str, label: str = "") -> NoteOutcome:
    record = await world.stop_record(tracking)
    return await service(world).leave(turn, str(record.id), label)


def notes_of(world: World, tracking: str) -> list[str]:
    """What recipients left there; the code alone stands beside it, in a line of its own."""
    lines: list[str] = world.task_of(tracking)["notes"].splitlines()
    return [line for line in lines if not line.startswith(ACCESS_CODE_LABEL)]


async def test_a_code_and_a_place_stand_in_the_drivers_notes(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    outcome = await leave(bare_world, turn, tracking)
    assert (outcome.result, outcome.has_code, outcome.place) == ("noted", True, "behind the planter")
    (line,) = notes_of(bare_world, tracking)
    assert line.startswith("Recipient 6/9 12:0")
    assert line.endswith(f" pm: {GATE}")


async def test_the_text_as_it_was_written_counts_whatever_the_action_was_shown(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    scrambled = turn.model_copy(update={"text": GATE.replace("4471", "7777")})
    await leave(bare_world, scrambled, tracking)
    assert "4471#" in notes_of(bare_world, tracking)[0]


async def test_a_code_stands_nowhere_in_our_tables_but_in_the_text_itself(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    await leave(bare_world, turn, tracking)
    async with bare_world.doorline.services.database.transaction() as session:
        for table in ("stop", "stop_event", "audit_line", "escalation", "escalation_note", "conversation"):
            found = await session.scalars(
                text(f"SELECT count(*) FROM \"{table}\" t WHERE t::text LIKE '%4471%'")
            )
            assert found.one() == 0, table
    (kept,) = await bare_world.rows(InboundText)
    assert "4471#" in kept.text


async def test_the_same_words_twice_make_one_line_and_other_words_another(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    recipient = bare_world.recipient()
    for words in (GATE, GATE, "  gate code is 4471#   then leave it behind the planter", "knock twice"):
        turn = await says(bare_world, recipient, words)
        assert (await leave(bare_world, turn, tracking)).result == "noted"
        # The same turn again, as after a crash.
        assert (await leave(bare_world, turn, tracking)).result == "noted"
        await bare_world.advance(minutes=3)
    assert [line.partition("m: ")[2] for line in notes_of(bare_world, tracking)] == [GATE, "knock twice"]


async def test_a_corrected_code_is_a_line_of_its_own(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    for code in ("4471", "4472"):
        turn = await says(bare_world, bare_world.recipient(), f"gate code is {code}")
        await leave(bare_world, turn, tracking)
    assert [line[-4:] for line in notes_of(bare_world, tracking)] == ["4471", "4472"]


async def test_the_newest_code_stands_where_the_platform_keeps_codes(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    for code in ("4471", "K9#"):
        turn = await says(bare_world, bare_world.recipient(), f"gate code is {code}")
        await leave(bare_world, turn, tracking)
    notes = bare_world.task_of(tracking)["notes"].splitlines()
    assert [line for line in notes if line.startswith(ACCESS_CODE_LABEL)] == [f"{ACCESS_CODE_LABEL}K9#"]
    assert "K9" not in (await bare_world.stop_record(tracking)).notes


async def test_a_label_says_what_the_words_answer(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), "my neighbor in 4C")
    assert (await leave(bare_world, turn, tracking, "Leave with")).result == "noted"
    assert (await leave(bare_world, turn, tracking, "Leave with")).result == "noted"
    (line,) = notes_of(bare_world, tracking)
    assert line.endswith("m: Leave with: my neighbor in 4C")


async def test_a_text_that_only_announces_instructions_is_written_nowhere(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), "can i leave instructions for the driver")
    outcome = await leave(bare_world, turn, tracking)
    assert (outcome.result, outcome.respond_by) == ("nothing_said", None)
    assert notes_of(bare_world, tracking) == []


async def test_somebody_elses_stop_is_a_dispatchers_to_decide(bare_world: World) -> None:
    tracking = await bare_world.has_stop(phone="+12125550177")
    turn = await says(bare_world, bare_world.recipient(), "leave it at the corner of 5th, i will be there")
    outcome = await leave(bare_world, turn, tracking)
    assert outcome.result == "not_yours"
    assert outcome.respond_by is not None
    assert notes_of(bare_world, tracking) == []
    await bare_world.channel_shows("Has a note for the driver")


async def test_a_stop_that_is_over_takes_no_more_notes(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    await bare_world.delivers(tracking)
    turn = await says(bare_world, bare_world.recipient(), GATE)
    assert (await leave(bare_world, turn, tracking)).result == "stop_closed"
    assert notes_of(bare_world, tracking) == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", status=400, path_contains="/tasks/"), "refused_by_platform"),
        (Fault("status", status=404, path_contains="/tasks/"), "refused_by_platform"),
        (Fault("status", status=503, path_contains="/tasks/"), "platform_down"),
    ],
)
async def test_what_the_platform_does_not_take_goes_to_a_dispatcher_without_the_code(
    bare_world: World, fault: Fault, expected: str
) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    bare_world.onfleet.faults.next(*[fault] * 4)
    outcome = await leave(bare_world, turn, tracking)
    bare_world.onfleet.faults.clear()
    assert outcome.result == expected
    assert outcome.respond_by is not None
    message = await bare_world.channel_shows("Has a note for the driver")
    everything = [readable(message), *(await bare_world.thread(message))]
    assert not any("4471" in told for told in everything)
    assert notes_of(bare_world, tracking) == []


async def test_a_note_that_a_dispatcher_approves_stands_on_the_platform_with_its_code(
    bare_world: World,
) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    bare_world.onfleet.faults.down = True
    assert (await leave(bare_world, turn, tracking)).result == "platform_down"
    bare_world.onfleet.faults.down = False
    message = await bare_world.channel_shows("Has a note for the driver")
    await bare_world.dispatcher().presses(message, "approve")
    await bare_world.settled()
    (line,) = notes_of(bare_world, tracking)
    assert line.startswith("Recipient 6/9 12:0")
    assert line.endswith(f"m: {GATE}")
    # Sent once more, it is there already.
    again = await says(bare_world, bare_world.recipient(), GATE)
    assert (await leave(bare_world, again, tracking)).result == "noted"
    assert notes_of(bare_world, tracking) == [line]


async def test_the_audit_log_tells_that_there_was_a_code_and_not_which(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    turn = await says(bare_world, bare_world.recipient(), GATE)
    await leave(bare_world, turn, tracking)
    (line,) = [line for line in await bare_world.rows(AuditLine) if line.verb == "note_added"]
    assert (line.actor, line.details) == ("recipient", {"inbound_id": turn.inbound_id, "has_code": True})


def test_a_line_is_dated_where_the_stop_is() -> None:
    assert note_line("x", NOON_IN_NEW_YORK, "America/New_York") == "Recipient 6/9 12:00 pm: x"
    assert note_line("x", NOON_IN_NEW_YORK, "America/Los_Angeles") == "Recipient 6/9 9:00 am: x"


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ("Recipient 6/9 12:00 pm: knock", True),
        ("Ring twice\nRecipient 6/8 9:05 am: knock\n", True),
        ("knock", False),
        ("Recipient 6/9 12:00 pm: do not knock", False),
        ("", False),
    ],
)
def test_words_that_stand_in_the_notes_already_are_found(notes: str, expected: bool) -> None:
    assert stands_in(notes, "knock") is expected
