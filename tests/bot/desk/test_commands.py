"""What dispatchers type and fill in: stored once, carried out in a job, answered to them alone."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.durable.models import InboxEvent
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand
from connectors.emulation import Fault
from connectors.slack.command_modals import ENDS_FIRST
from tests.harness.codes import DOOR_CODE
from tests.harness.desk import hand
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

STOP = {
    "client": "Acme",
    "address": "14 Elm St 2B",
    "postcode": "10001",
    "recipient_name": "Robin Doe",
    "date": "2026-06-10",
    "start": "14:00",
    "end": "16:00",
}


class Clerk:
    """Carries one kind of command out, and remembers them."""

    def __init__(self, world: World, kind: CommandKind, code: AnswerCode = AnswerCode.STOP_ENTERED) -> None:
        self.commands: list[DeskCommand] = []
        self.answer = CommandAnswer(code=code, address_line="14 Elm St 2B", tracking="T17", count=12)
        world.doorline.services.desk_commands.on(kind, self.carry_out)

    async def carry_out(self, command: DeskCommand) -> CommandAnswer:
        self.commands.append(command)
        return self.answer


async def test_a_new_stop_is_entered_through_its_window_and_answered_quietly(bare_world: World) -> None:
    clerk = Clerk(bare_world, CommandKind.NEW_STOP)
    dana = hand(bare_world)
    view = await dana.opens("new")
    sent = await dana.enters(view, **STOP, access_code=f"{DOOR_CODE}#", notes=f"gate code is {DOOR_CODE}")
    assert (sent["errors"], sent["open"]) == ({}, False)
    await dana.is_told_of("Entered", "14 Elm St 2B", "T17")
    (command,) = clerk.commands
    assert command.fields == {
        **STOP,
        "city": "",
        "phone": "",
        "order_ref": "",
        "email": "",
        "notes": f"gate code is {DOOR_CODE}",
        "access_code": f"{DOOR_CODE}#",
    }
    assert await bare_world.channel() == []


async def test_what_opens_a_door_is_not_kept_with_the_command(bare_world: World) -> None:
    Clerk(bare_world, CommandKind.NEW_STOP)
    dana = hand(bare_world)
    await dana.enters(
        await dana.opens("new"), **STOP, access_code=f"{DOOR_CODE}#", notes=f"gate code is {DOOR_CODE}"
    )
    await dana.is_told_of("Entered")
    (event,) = await bare_world.rows(InboxEvent, col(InboxEvent.source) == "slack.command")
    assert DOOR_CODE not in str(event.payload)
    assert event.payload["fields"]["address"] == "14 Elm St 2B"


async def test_a_window_that_ends_first_stays_open_and_says_so(bare_world: World) -> None:
    clerk = Clerk(bare_world, CommandKind.NEW_STOP)
    dana = hand(bare_world)
    view = await dana.opens("new")
    sent = await dana.enters(view, **STOP | {"end": "14:00"})
    assert (sent["errors"], sent["open"]) == ({"end": ENDS_FIRST}, True)
    sent = await dana.enters(view, **STOP)
    assert (sent["errors"], sent["open"]) == ({}, False)
    await dana.is_told_of("Entered")
    assert len(clerk.commands) == 1


async def test_the_shortcut_answers_in_the_dispatchers_own_messages(bare_world: World) -> None:
    Clerk(bare_world, CommandKind.NEW_STOP)
    dana = hand(bare_world)
    await dana.enters(await dana.picks("new_stop"), **STOP)
    await bare_world.settled()
    answer = await bare_world.http.get(f"{bare_world.bases['slack']}/_emulator/channels/D0DANA")
    (message,) = answer.raise_for_status().json()["messages"]
    assert "Entered: 14 Elm St 2B" in readable(message)


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("manifest", CommandKind.SHOW_MANIFEST, {"zone": "", "date": ""}),
        (
            "shift North 30",
            CommandKind.MOVE_WINDOWS,
            {"route": "", "zone": "North", "client": "", "date": "", "minutes": "30"},
        ),
    ],
)
async def test_a_command_that_needs_no_window_is_carried_out_at_once(
    bare_world: World, text: str, kind: CommandKind, fields: dict[str, Any]
) -> None:
    clerk = Clerk(bare_world, kind, AnswerCode.NEEDS_A_SECOND)
    dana = hand(bare_world)
    typed = await dana.types(text)
    assert (typed["text"], typed["view"]) == ("On it.", None)
    await dana.is_told_of("somebody else must approve it too", "12 stops")
    assert [command.fields for command in clerk.commands] == [fields]
    (line,) = await bare_world.rows(AuditLine, col(AuditLine.subject_kind) == "desk_command")
    assert (line.actor, line.verb, line.details) == ("U0DANA", kind.value, {"answer": "needs_a_second"})


async def test_a_command_that_slack_delivers_again_counts_once(bare_world: World) -> None:
    clerk = Clerk(bare_world, CommandKind.SHOW_MANIFEST, AnswerCode.MANIFEST_POSTED)
    dana = hand(bare_world)
    first = await dana.types("manifest")
    await dana.types("manifest", trigger_id=first["trigger_id"])
    await bare_world.settled()
    assert len(clerk.commands) == 1
    await dana.types("manifest")
    await bare_world.settled()
    assert len(clerk.commands) == 2


async def test_an_answer_waits_for_slack_to_come_back(bare_world: World) -> None:
    Clerk(bare_world, CommandKind.SHOW_MANIFEST, AnswerCode.MANIFEST_POSTED)
    dana = hand(bare_world)
    busy = Fault("status", status=429, path_contains="chat.postEphemeral", headers=(("Retry-After", "2"),))
    bare_world.slack.faults.next(busy)
    await dana.types("manifest")
    await bare_world.settled()
    assert await dana.is_told() == ["On it."]
    # Tried too early, it is not sent: Slack said until when this channel rests, and that is real time.
    await bare_world.retries()
    await dana.is_told_of("The manifest is posted (12 stops).")
    assert await dana.is_told() == ["On it.", "The manifest is posted (12 stops)."]


async def test_only_dispatchers_command(bare_setting: Setting, empty_database: None, tmp_path: Path) -> None:
    sop = protocol_with(tmp_path, {"dispatchers: [] ": "dispatchers: [U0DANA] "})
    async with World(bare_setting, sop=sop) as world:
        clerk = Clerk(world, CommandKind.SHOW_MANIFEST)
        await hand(world, "U0SAM").types("manifest")
        await hand(world, "U0SAM").is_told_of("not on the list of dispatchers")
        assert clerk.commands == []
