"""A world in which Dana is on call, then Sam, with phones that do as they are told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.escalations.models import Escalation, EscalationNote
from bot.paging.models import Page, PageKind
from connectors.escalation import Happening
from connectors.twilio.emulator_call_state import StoredCall
from connectors.twilio.emulator_phones import Habit
from tests.harness.protocol import QUIET
from tests.harness.world import Setting, World

DANA, SAM, OPS = "+12125550701", "+12125550702", "+12125550703"
PEOPLE = {
    "dana": {"name": "Dana", "slack": "U0DANA", "phone": DANA},
    "sam": {"name": "Sam", "slack": "U0SAM", "phone": SAM, "language": "es"},
    "ops": {"name": "Olga", "slack": "U0OLGA", "phone": OPS},
}
ON_CALL = {
    "default": {
        "timezone": "America/New_York",
        "rotation": {"people": ["dana", "sam"], "every_weeks": 1, "starts_on": "2026-06-08"},
    },
    "operators": ["ops"],
}
TIERS = [
    {"kind": "post", "after_minutes": 0},
    {"kind": "sms", "after_minutes": 5},
    {"kind": "call", "after_minutes": 10},
    {"kind": "call", "after_minutes": 15, "to": "next"},
]


def protocol_of_phones(folder: Path, **changes: Any) -> Path:
    """The shipped protocol with people, a rota, and tiers that text and call; `changes` replace whole sections."""
    yaml = YAML(typ="safe")
    content = yaml.load(QUIET.read_text(encoding="utf-8"))
    escalations = content["escalations"]
    for name in ("policies", "repeat", "out_of_hours"):
        escalations.pop(name, None)
    escalations |= {"tiers": TIERS, "dispatchers": []}
    content |= {"people": PEOPLE, "on_call": ON_CALL} | changes
    file = folder / "sop.yml"
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)
    return file


@dataclass
class Phones:
    """What people on call see and do."""

    world: World

    def do(self, phone: str, **habit: Any) -> None:
        self.world.twilio.phones.habit_for(phone, Habit(**habit))

    def calls(self, phone: str | None = None) -> list[StoredCall]:
        return [call for call in self.world.twilio.phones.calls if phone is None or call.recipient == phone]

    def texts(self, phone: str) -> list[str]:
        """What they were texted, oldest first."""
        found = self.world.twilio.messages(phone)
        return [message.body for message in found if message.direction != "inbound"]

    async def says(self, phone: str, words: str) -> str:
        """Texts us; gives the answer, empty where there was none."""
        before = len(self.texts(phone))
        await self.world.twilio.text(phone, words)
        await self.quiet()
        said = self.texts(phone)[before:]
        return said[-1] if said else ""

    async def quiet(self) -> None:
        """Until every call is over and everything was told."""
        for _ in range(3):
            await self.world.settled()
            await self.world.twilio.settled()
        await self.world.settled()

    async def late_stop(self, **facts: Any) -> Escalation:
        """A stop that is late, told in the channel."""
        known = {row.id for row in await self.world.rows(Escalation)}
        await self.world.has_stop(**({"eta": "16:25", "window": ("14:00", "16:00")} | facts))
        await self.world.advance(minutes=1)
        await self.world.advance(minutes=4)
        (raised,) = [row for row in await self.world.rows(Escalation) if row.id not in known]
        return raised

    async def escalation(self) -> Escalation:
        (row,) = await self.world.rows(Escalation)
        return row

    async def pages(self, phone: str | None = None) -> list[Page]:
        rows = sorted(await self.world.rows(Page), key=lambda page: (page.created_at, page.kind, page.name))
        return [page for page in rows if phone is None or page.phone == phone]

    async def calls_to(self, phone: str) -> list[Page]:
        return [page for page in await self.pages(phone) if page.kind is PageKind.CALL]

    async def told(self) -> list[tuple[Happening, str, str]]:
        """The history of all threads: kind, person, words, in order; only what is about pages."""
        kinds = {Happening.TEXTED, Happening.CALLED, Happening.CALL_OVER, Happening.PAGE_FAILED}
        notes = sorted(await self.world.rows(EscalationNote), key=lambda note: note.number or 0)
        return [(note.kind, note.person, note.words) for note in notes if note.kind in kinds]


@pytest.fixture
async def phones(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Phones]:
    async with World(bare_setting, sop=protocol_of_phones(tmp_path)) as world:
        yield Phones(world)
