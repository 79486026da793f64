"""Maintenance windows: what they hold back, who hears of them, what is listed at their end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.escalations.cause import Cause
from bot.escalations.models import EscalationNote, EscalationStep
from bot.pauses.models import Pause
from connectors.desk import CommandKind, DeskCommand
from connectors.emulation import Fault
from connectors.escalation import Happening, Severity
from tests.bot.pauses.conftest import Watched
from tests.harness.people import readable


async def late_stop(watched: Watched, **stop: Any) -> str:
    """At noon, a stop that will be an hour late; nobody has looked yet."""
    return await watched.world.has_stop(**{"window": ("12:00", "14:00"), "eta": "15:00"} | stop)


async def watches(watched: Watched) -> None:
    """Long enough that a risk counts, fresh news all the while."""
    for _ in range(3):
        await watched.world.sync()
        await watched.looks(minutes=2)


async def posts(watched: Watched) -> list[str]:
    return [readable(message) for message in await watched.world.channel()]


async def test_what_is_paused_is_listed_at_the_end_and_raised_then(watched: Watched) -> None:
    await late_stop(watched)
    told = await watched.types("pause zone north 1h roadworks on 5th")
    assert told == (
        "Paused: zone North until 1:00 pm. Nothing about it is raised then; what would have been is listed at the"
        " end. `/doorline resume 1` ends it."
    )
    await watches(watched)
    assert await watched.raised() == []
    (hit,) = await watched.hits()
    assert hit.severity is Severity.AT_RISK
    (notice,) = await posts(watched)
    assert "Paused until 1:00 pm: zone North" in notice
    assert "Nothing about zone North is raised" in notice
    assert "roadworks on 5th" in notice
    await watched.looks(hours=1)
    notice, report, *_ = await posts(watched)
    assert "Maintenance over:" in notice
    assert "Held back during maintenance of zone North: 1" in report
    assert "1 still so, raised from now on" in report
    assert "14 Elm St 2B" in report
    (escalation,) = await watched.raised()
    assert escalation.zone == "North"


async def test_where_nothing_happened_that_is_said_too(watched: Watched) -> None:
    await watched.types("pause everything 30m")
    await watched.looks(minutes=30)
    _, report = await posts(watched)
    assert "Held back during maintenance of everything: nothing" in report
    assert "Nothing would have been raised." in report


async def test_what_was_delivered_meanwhile_is_told_as_saved_or_late(watched: Watched) -> None:
    saved = await late_stop(watched, address="1 Saved St", driver="van-1")
    late = await late_stop(watched, address="2 Late St", driver="van-2")
    await watched.types("pause client acme until 15:00")
    await watches(watched)
    world = watched.world
    await world.delivers(saved)
    await watched.looks(hours=2, minutes=10)
    await world.delivers(late)
    await watched.looks(hours=1)
    report = next(text for text in await posts(watched) if "Held back" in text)
    assert "1 delivered late meanwhile · 1 delivered in time meanwhile" in report
    assert report.index("2 Late St") < report.index("1 Saved St"), "what went wrong is told first"
    assert await watched.raised() == []


async def test_what_is_not_covered_is_raised_as_ever(watched: Watched) -> None:
    await late_stop(watched, driver="van-1", client="Acme", address="1 Acme St")
    await late_stop(watched, driver="van-1", client="Nova", address="2 Nova St")
    await watched.types("pause client Acme 2h")
    await watches(watched)
    (escalation,) = await watched.raised()
    (hit,) = await watched.hits()
    shown = "\n".join(await posts(watched))
    assert "2 Nova St" in shown
    assert "1 Acme St" not in shown
    assert escalation.cause_key == hit.cause_key


@pytest.mark.parametrize(
    "what", ["platform onfleet", "everything", "route {route}", "zone North", "client Acme"]
)
async def test_each_thing_that_can_be_paused(watched: Watched, what: str) -> None:
    tracking = await late_stop(watched)
    route = (await watched.world.stop_record(tracking)).route_ref
    assert (await watched.types(f"pause {what.format(route=route)} 1h")).startswith("Paused:")
    await watches(watched)
    assert (await watched.raised(), len(await watched.hits())) == ([], 1)


async def test_lifted_early_it_is_over_at_once(watched: Watched) -> None:
    await late_stop(watched)
    await watched.types("pause zone North until lifted")
    await watches(watched)
    assert await watched.raised() == []
    assert (await watched.types("resume 1")).startswith("Ended: zone North is watched again.")
    assert any("ended" in text and "Held back" in text for text in await posts(watched))
    await watched.looks()
    assert len(await watched.raised()) == 1
    assert (
        await watched.types("resume 1")
        == "Ended: zone North is watched again. What was held back is listed in the channel."
    )
    assert len([text for text in await posts(watched) if "Held back" in text]) == 1
    assert await watched.types("pauses") == "Nothing is paused, and nothing is planned."


async def test_a_planned_one_begins_and_ends_by_the_clock(watched: Watched) -> None:
    assert (await watched.types("pause client acme 2026-06-09 13:00-14:00 new scanners")).startswith(
        "Planned: client Acme from 1:00 pm to 2:00 pm."
    )
    assert "*client Acme* from 1:00 pm to 2:00 pm" in await watched.types("pauses")
    assert await current(watched) == []
    assert await posts(watched) == []
    await watched.looks(hours=1)
    (notice,) = await posts(watched)
    assert "Paused until 2:00 pm: client Acme" in notice
    assert await current(watched) == ["Acme"]
    await watched.looks(minutes=59, seconds=59)
    assert len(await posts(watched)) == 1
    await watched.looks(seconds=1)
    assert len([text for text in await posts(watched) if "Held back" in text]) == 1


async def test_one_that_was_slept_through_is_told_whole(watched: Watched) -> None:
    await watched.types("pause client Acme 13:00-14:00")
    await watched.looks(hours=5)
    notice, report = await posts(watched)
    assert "Maintenance over" in notice
    assert "Held back during maintenance of client Acme: nothing" in report


async def test_one_called_off_before_it_began_is_told_nobody(watched: Watched) -> None:
    await watched.types("pause client Acme 13:00-14:00")
    assert await watched.types("resume 1") == "Called off: client Acme is not paused."
    await watched.looks(hours=3)
    assert await posts(watched) == []


async def test_one_without_an_end_is_remembered_aloud(watched: Watched) -> None:
    await watched.types("pause client Acme until lifted")
    await watched.looks(hours=11, minutes=59)
    assert len(await posts(watched)) == 1
    await watched.looks(minutes=1)
    await watched.looks(minutes=1)
    _, reminder = await posts(watched)
    assert "Still paused until somebody ends it: client Acme" in reminder
    await watched.looks(hours=12)
    assert len(await posts(watched)) == 3


async def test_who_waits_for_a_person_is_raised_all_the_same(watched: Watched) -> None:
    await watched.types("pause everything 2h")
    cause = Cause(
        "waiting:1", Severity.RECIPIENT_WAITING, "Asks for a person", "America/New_York", zone="North"
    )
    async with watched.world.doorline.services.database.transaction() as session:
        hold_back = watched.services["hold_back"]
        assert await hold_back.holds_back(session, cause, ()) == frozenset()
        silent = Cause("silent:onfleet", Severity.PLATFORM_SILENT, "Nothing from Onfleet", "America/New_York")
        assert await hold_back.holds_back(session, silent, ()) is None


async def test_a_silent_platform_is_held_back_by_its_own_name(watched: Watched) -> None:
    await late_stop(watched)
    await watched.types("pause platform onfleet 1h")
    async with watched.world.doorline.services.database.transaction() as session:
        hold_back = watched.services["hold_back"]
        for name, held in (("onfleet", None), ("route4me", frozenset())):
            cause = Cause(f"silent:{name}", Severity.PLATFORM_SILENT, "Nothing", "America/New_York")
            assert await hold_back.holds_back(session, cause, ()) == held
    await watched.looks(hours=1)
    report = next(text for text in await posts(watched) if "Held back" in text)
    assert "1 raised from now on if it is still so" in report


async def test_what_is_raised_already_stays_and_its_steps_wait(watched: Watched) -> None:
    await late_stop(watched)
    await watches(watched)
    (escalation,) = await watched.raised()
    await watched.types("pause zone North 2h")
    until = watched.world.clock.now() + timedelta(hours=2)
    await watched.looks(minutes=20)
    assert await mentions(watched) == []
    (step,) = [step for step in await steps(watched) if step.fired_at is None]
    assert step.due_at == until
    assert (await watched.hits(), escalation.id) == ([], step.escalation_id)
    await watched.looks(hours=2)
    assert len(await mentions(watched)) == 1


async def test_lifted_early_the_steps_that_waited_are_due_at_once(watched: Watched) -> None:
    await late_stop(watched)
    await watches(watched)
    for ends in ("2h", "until lifted"):
        await watched.types(f"pause zone North {ends}")
        await watched.looks(minutes=20)
        assert await mentions(watched) == []
        (pause,) = await watched.world.rows(Pause, col(Pause.ended_at).is_(None))
        await watched.types(f"resume {pause.number}")
        (step,) = [step for step in await steps(watched) if step.fired_at is None]
        assert step.due_at <= watched.world.clock.now()
    await watched.looks()
    assert len(await mentions(watched)) == 1


async def test_a_longer_window_over_a_shorter_one_lists_it(watched: Watched) -> None:
    await late_stop(watched)
    await watched.types("pause zone North 1h")
    await watches(watched)
    await watched.types("pause everything 3h")
    await watched.looks(hours=1)
    report = next(text for text in await posts(watched) if "Held back" in text)
    assert "1 still so, held back by another maintenance window" in report
    await watched.looks(minutes=2)
    assert await watched.raised() == []
    assert len(await watched.hits()) == 2


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("pause zone Nowhere 2h", "Nothing was paused: there is no zone Nowhere."),
        ("pause zone North 73h", "Nothing was paused: a maintenance window may not be that long."),
        ("pause zone North 2026-06-08 10:00-11:00", "Nothing was paused: that is over already."),
        ("resume 7", "No maintenance window has that number."),
    ],
)
async def test_what_cannot_be_paused_is_said(watched: Watched, text: str, answer: str) -> None:
    await late_stop(watched)
    assert (await watched.types(text)).startswith(answer)
    assert await watched.world.rows(Pause) == []


async def test_a_command_delivered_twice_pauses_once(watched: Watched) -> None:
    typed = await watched.dana.types("pause everything 2h")
    await watched.world.settled()
    (pause,) = await watched.world.rows(Pause)
    command = AuditLine.subject_kind == "desk_command"
    (line,) = await watched.world.rows(AuditLine, command)
    commands: Any = watched.world.doorline.services.desk_commands

    again = DeskCommand(
        vendor_id=line.subject_id,
        kind=CommandKind.PAUSE,
        dispatcher="U0DANA",
        channel="C0DISPATCH",
        fields={"what": "everything", "minutes": "120"},
        occurred_at=watched.world.clock.now(),
    )
    answer = await commands.carry_out(again)
    await watched.world.settled()
    assert typed["text"] == "On it."
    assert answer.pauses[0].pause_id == str(pause.id)
    assert len(await posts(watched)) == 1


async def test_every_change_is_in_the_audit_log(watched: Watched) -> None:
    await watched.types("pause everything 2h")
    await watched.types("resume 1")
    lines = await watched.world.rows(AuditLine, col(AuditLine.subject_kind) == "pause")
    assert [(line.verb, line.actor) for line in lines] == [
        ("planned", "U0DANA"),
        ("started", "doorline"),
        ("lifted", "U0DANA"),
    ]


async def test_the_list_stands_in_the_channel_once_though_slacks_answer_was_lost(watched: Watched) -> None:
    await watched.types("pause everything 1h")
    watched.world.slack.faults.next(Fault("reset", after_work=True, path_contains="chat.postMessage"))
    await watched.looks(hours=1)
    await watched.looks(minutes=1)
    await watched.world.retries()
    assert len([text for text in await posts(watched) if "Held back" in text]) == 1


async def current(watched: Watched) -> list[str]:
    async with watched.world.doorline.services.database.transaction() as session:
        return [view.name for view in await watched.services["pauses"].current(session)]


async def mentions(watched: Watched) -> list[EscalationNote]:
    return await watched.world.rows(EscalationNote, col(EscalationNote.kind) == Happening.STEP_FIRED)


async def steps(watched: Watched) -> list[EscalationStep]:
    return await watched.world.rows(EscalationStep, col(EscalationStep.cancelled_at).is_(None))
