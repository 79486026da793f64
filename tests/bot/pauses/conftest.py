"""The running app with its maintenance windows, its watch held back by them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col

from bot.app.oncall import OnCallServices, on_call_services
from bot.escalations.models import Escalation
from bot.escalations.service import EscalationService
from bot.pauses.models import Pause, PauseHit
from bot.sla.sweep import Sweep
from tests.harness.desk import DeskHand, hand
from tests.harness.world import World


@dataclass
class Watched:
    world: World
    services: OnCallServices
    escalations: EscalationService
    sweep: Sweep

    @property
    def dana(self) -> DeskHand:
        return hand(self.world)

    async def looks(self, **later: float) -> None:
        """Time passes; windows begin and end, the watch looks, steps fire, messages are brought up."""
        self.world.clock.move(timedelta(**later))
        await self.services["pauses"].run()
        await self.sweep.run()
        # Whoever shows what the watch has just changed holds its row, and a step of it would wait for the next tick.
        await self.world.settled()
        await self.escalations.fire_due_steps()
        await self.world.settled()

    async def types(self, text: str) -> str:
        """What the dispatcher is told about a command."""
        before = len(await self.dana.is_told())
        await self.dana.types(text)
        await self.world.settled()
        return (await self.dana.is_told())[before:][-1]

    async def raised(self) -> list[Escalation]:
        return await self.world.rows(Escalation, col(Escalation.resolved_at).is_(None))

    async def hits(self) -> list[PauseHit]:
        return await self.world.rows(PauseHit)

    async def the_pause(self) -> Pause:
        (pause,) = await self.world.rows(Pause)
        return pause


@pytest.fixture
async def watched(bare_world: World) -> Watched:
    services: Any = bare_world.doorline.services
    desk: Any = {"desk_boards": services.desk_boards, "desk_commands": services.desk_commands}
    own = on_call_services(
        services.database, services.clock, services.sop, desk, bare_world.doorline.vendors.slack
    )
    escalations = EscalationService(
        services.database,
        services.clock,
        services.sop,
        paused=own["hold_back"],
        paused_steps=own["hold_back"],
    )
    sweep = Sweep(services.database, services.clock, services.sop, escalations)
    return Watched(bare_world, own, escalations, sweep)
