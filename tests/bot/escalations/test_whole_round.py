"""A whole round of a policy through the real paging: whom it reaches, how, and at which minute, by moving the clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.escalations.models import Escalation, EscalationNote, EscalationStep
from connectors.escalation import EscalationState, Happening
from tests.bot.paging.conftest import DANA, OPS, SAM, Phones, protocol_of_phones
from tests.harness.world import Setting, World

TIERS = [
    {"kind": "post", "after_minutes": 0},
    {"kind": "mention", "after_minutes": 2},
    {"kind": "sms", "after_minutes": 5},
    {"kind": "call", "after_minutes": 10},
    {"kind": "call", "after_minutes": 15, "to": "next"},
]
REPEAT = {"from_step": 3, "times": 1, "wait_minutes": 5}
MORNING = {"start": "08:00", "end": "12:30"}
ROTA = {"people": ["dana", "sam", "ops"], "every_weeks": 1, "starts_on": "2026-06-08"}
FIRED, TEXTED, CALLED, FAILED = (
    Happening.STEP_FIRED,
    Happening.TEXTED,
    Happening.CALLED,
    Happening.PAGE_FAILED,
)


class Round:
    """One escalation, and the minutes since it was raised."""

    def __init__(self, phones: Phones, raised: Escalation) -> None:
        self.phones = phones
        self.world = phones.world
        self.raised = raised

    async def at(self, minute: float) -> None:
        """The clock's round at that minute, and all that comes of it."""
        self.world.clock.at = self.raised.raised_at + timedelta(minutes=minute)
        await self.world.tick()
        await self.phones.quiet()

    async def row(self) -> Escalation:
        (row,) = await self.world.rows(Escalation)
        return row

    async def steps(self) -> list[EscalationStep]:
        rows = await self.world.rows(EscalationStep)
        return sorted(rows, key=lambda step: (step.round, step.position))

    async def told(self) -> list[tuple[float, Happening, str]]:
        """Minute, kind and whom it calls or names; only what a step did."""
        notes = sorted(await self.world.rows(EscalationNote), key=lambda note: note.number or 0)
        return [
            ((note.created_at - self.raised.raised_at) / timedelta(minutes=1), note.kind, note.person)
            for note in notes
            if note.kind in (FIRED, TEXTED, CALLED, FAILED)
        ]


Open = Callable[..., AbstractAsyncContextManager[Round]]


@pytest.fixture
def begins(bare_setting: Setting, empty_database: None, tmp_path: Path) -> Open:
    """A round of `tiers` that has just begun. `without_phone` are keys of people who cannot be paged."""

    @asynccontextmanager
    async def open_round(
        *, without_phone: tuple[str, ...] = (), tiers: list[dict[str, Any]] = TIERS, **section: Any
    ) -> AsyncIterator[Round]:
        sop = protocol_of_phones(tmp_path)
        yaml = YAML(typ="safe")
        content = yaml.load(sop.read_text(encoding="utf-8"))
        content["escalations"] |= {"tiers": tiers} | section
        content["on_call"]["default"]["rotation"] = ROTA
        for key in without_phone:
            content["people"][key].pop("phone")
        with sop.open("w", encoding="utf-8") as stream:
            yaml.dump(content, stream)
        async with World(bare_setting, sop=sop) as world:
            phones = Phones(world)
            for phone in (DANA, SAM, OPS):
                phones.do(phone, kind="no-answer")
            yield Round(phones, await phones.late_stop())

    return open_round


async def test_nobody_answers_and_everybody_is_called_in_turn_once_more(begins: Open) -> None:
    async with begins(repeat=REPEAT) as going:
        for minute in (1, 2, 4, 5, 9, 10, 14, 15, 19, 20, 24, 25, 29, 30, 45, 90):
            await going.at(minute)
        assert await going.told() == [
            (2, FIRED, "Dana"),
            (5, TEXTED, "Dana"),
            (10, CALLED, "Dana"),
            (15, CALLED, "Sam"),
            (20, TEXTED, "Dana"),
            (25, CALLED, "Dana"),
            (30, CALLED, "Sam"),
        ]
        assert (len(going.phones.texts(DANA)), len(going.phones.calls(DANA))) == (2, 2)
        assert (len(going.phones.texts(SAM)), len(going.phones.calls(SAM))) == (0, 2)
        (message,) = await going.world.channel()
        thread = "\n".join(await going.world.thread(message))
        assert "<@U0DANA>" in thread
        assert [step.position for step in await going.steps()] == list(range(8))
        row = await going.row()
        assert (row.state, row.repeats) == (EscalationState.RAISED, 1)


async def test_a_key_in_the_middle_of_the_round_ends_it(begins: Open) -> None:
    async with begins(repeat=REPEAT) as going:
        going.phones.do(SAM, keys=("1",))
        for minute in (2, 5, 10, 15, 20, 30, 45):
            await going.at(minute)
        assert [(kind, person) for _, kind, person in await going.told()] == [
            (FIRED, "Dana"),
            (TEXTED, "Dana"),
            (CALLED, "Dana"),
            (CALLED, "Sam"),
        ]
        row = await going.row()
        assert (row.state, row.acknowledged_by) == (EscalationState.ACKNOWLEDGED, "U0SAM")
        assert all(step.fired_at or step.cancelled_at for step in await going.steps())


PASSED_OVER = {
    ("dana",): [
        *[(FIRED, "Dana"), (FAILED, "Dana"), (TEXTED, "Sam"), (FAILED, "Dana"), (CALLED, "Sam")],
        (CALLED, "Sam"),
    ],
    ("sam",): [
        *[(FIRED, "Dana"), (TEXTED, "Dana"), (CALLED, "Dana"), (FAILED, "Sam")],
        (CALLED, "Olga"),
    ],
    ("dana", "sam"): [
        *[(FIRED, "Dana"), (FAILED, "Dana"), (FAILED, "Sam"), (TEXTED, "Olga")],
        *[(FAILED, "Dana"), (FAILED, "Sam"), (CALLED, "Olga"), (FAILED, "Sam"), (CALLED, "Olga")],
    ],
}


@pytest.mark.parametrize("without_phone", PASSED_OVER, ids="-".join)
async def test_whoever_has_no_number_is_passed_over_for_the_next(
    begins: Open, without_phone: tuple[str, ...]
) -> None:
    async with begins(without_phone=without_phone) as going:
        for minute in (2, 5, 10, 15):
            await going.at(minute)
        told = [(kind, person) for _, kind, person in await going.told()]
        assert told == PASSED_OVER[without_phone]


async def test_where_nobody_has_a_number_the_channel_is_called(begins: Open) -> None:
    async with begins(without_phone=("dana", "sam", "ops")) as going:
        mention = going.world.doorline.services.sop.current.escalations.mention
        for minute in (2, 5):
            await going.at(minute)
        fired = [note for note in await going.world.rows(EscalationNote) if note.kind is FIRED]
        assert sorted(note.mention for note in fired) == sorted(["<@U0DANA>", mention])
        assert going.world.twilio.messages(DANA) == []


@pytest.mark.parametrize("instead", ["defer", {"kind": "mention"}])
async def test_hours_are_judged_when_a_step_fires_and_not_when_it_was_due(begins: Open, instead: Any) -> None:
    """It was due at ten past twelve, within its hours; Doorline was down until a quarter to one."""
    tiers = [TIERS[0], {"kind": "sms", "after_minutes": 5, "hours": MORNING}]
    async with begins(tiers=tiers, out_of_hours=instead) as going:
        (_, step) = await going.steps()
        assert (step.due_at, step.planned_at) == (going.raised.raised_at + timedelta(minutes=5), None)
        await going.world.stop_app()
        going.world.clock.at = going.world.local("12:45")
        await going.world.start_app()
        await going.world.tick()
        await going.phones.quiet()
        (_, judged) = await going.steps()
        assert going.phones.texts(DANA) == []
        if instead == "defer":
            assert (judged.fired_at, judged.due_at) == (None, going.world.local("08:00", 1))
            assert judged.planned_at == step.due_at
            await going.at((going.world.local("08:00", 1) - going.raised.raised_at) / timedelta(minutes=1))
            assert len(going.phones.texts(DANA)) == 1
        else:
            assert [(kind, person) for _, kind, person in await going.told()] == [(FIRED, "Dana")]
            assert judged.fired_at == going.world.local("12:45")
