"""Failed deliveries of tests, and what became of them everywhere: here, at the platform, in Slack, on the phone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.audit import AuditLine
from bot.conversations.models import Conversation
from bot.conversations.words import Words
from bot.notifications.telling import Teller
from bot.recovery.answers import Preference
from bot.recovery.models import Recovery, RecoveryStep
from bot.recovery.ports import Asking, AskResult, Prepared
from bot.settings import PROJECT_ROOT
from bot.sop_notifications import NotificationKind
from bot.sop_recovery import RungKind
from bot.stops.answers import Turn
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow
from tests.harness.turns import says
from tests.harness.world import World

WORDS = Words(PROJECT_ROOT / "nlu" / "domain")
QUESTION = WORDS.say("utter_needs_person", "en")


class PlainAsker:
    """Asks by one fixed sentence where the real one has Rasa word it: for what does not depend on the words."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self.asked: list[Asking] = []
        self.results: list[AskResult] = []
        """What the next questions come to; afterwards each is ready."""

    async def prepare(self, asking: Asking) -> Prepared:
        self.asked.append(asking)
        return Prepared(self.results.pop(0) if self.results else AskResult.READY, QUESTION)

    async def send(self, session: AsyncSession, asking: Asking, prepared: Prepared) -> bool:
        stop = await session.get_one(StopRecord, UUID(asking.stop_id))
        told = await self._teller.tell(
            session,
            stop,
            NotificationKind.FAILED,
            lambda _language: prepared.text,
            said={},
            useful_until=None,
            may_exceed_caps=True,
        )
        return told is not None


class Story:
    def __init__(self, world: World) -> None:
        self.world = world
        self.asker = PlainAsker(world.doorline.services.teller)
        world.doorline.services.recovery_ladder._asker = self.asker

    async def fails(
        self,
        notes: str = "nobody home",
        *,
        reason: str = "NONE",
        look: bool = True,
        window: tuple[str, str] = ("10:00", "12:00"),
        **stop: Any,
    ) -> str:
        """A stop whose driver has just given up; gives its tracking."""
        tracking = await self.world.has_stop(window=window, eta=None, **stop)
        await self.world.delivers(tracking, success=False, reason=reason, notes=notes)
        if look:
            await self.world.tick()
        return tracking

    async def has_no_address(self, **stop: Any) -> str:
        """As `fails`, of somebody whom the platform knows by name only."""
        tracking = await self.world.has_stop(window=("10:00", "12:00"), eta=None, **stop)
        self.world.task_of(tracking)["recipients"] = []
        await self.world.delivers(tracking, success=False, notes="nobody home")
        await self.world.tick()
        return tracking

    async def nobody_answers(self) -> None:
        """Every rung of the ladder comes in its time."""
        for hours in (2, 2, 4, 16):
            await self.world.advance(hours=hours, minutes=1)
            await self.world.tick()

    async def restarts(self) -> None:
        await self.world.restart_app()
        self.world.doorline.services.recovery_ladder._asker = self.asker

    async def of(self, tracking: str) -> Recovery:
        stop = await self.world.stop_record(tracking)
        (recovery,) = await self.world.rows(Recovery, col(Recovery.stop_id) == stop.id)
        return recovery

    async def steps(self, tracking: str) -> dict[RungKind, RecoveryStep]:
        recovery = await self.of(tracking)
        rows = await self.world.rows(RecoveryStep, col(RecoveryStep.recovery_id) == recovery.id)
        return {row.kind: row for row in sorted(rows, key=lambda row: row.position)}

    async def pending(self, tracking: str) -> list[RungKind]:
        steps = await self.steps(tracking)
        return [kind for kind, row in steps.items() if row.fired_at is None and row.cancelled_at is None]

    async def second_tries(self, tracking: str) -> list[StopRecord]:
        failed = await self.world.stop_record(tracking)
        return await self.world.rows(StopRecord, col(StopRecord.reattempt_of) == failed.platform_ref)

    def clones(self, tracking: str) -> list[dict[str, Any]]:
        """The second tries as the platform has them."""
        failed = self.world.task_of(tracking)["id"]
        tasks = self.world.onfleet.store.tasks.values()
        return [task for task in tasks if _metadatum(task, "reattempt_of") == failed]

    async def turn(self, text: str = "ok", phone: str = "+12125550100") -> Turn:
        return await says(self.world, self.world.recipient(phone), text)

    async def answers(self, tracking: str, preference: Preference, text: str = "ok") -> Any:
        turn = await self.turn(text)
        recovery = await self.of(tracking)
        outcome = await self.world.doorline.services.recovery.answer(turn, str(recovery.id), preference)
        await self.world.settled()
        return outcome

    def window(self, start: str, end: str, day: int = 1) -> DeliveryWindow:
        return DeliveryWindow(start_at=self.world.local(start, day), end_at=self.world.local(end, day))

    async def verbs(self, tracking: str) -> list[str]:
        """What the audit log of the follow-up says, in order."""
        recovery = await self.of(tracking)
        lines = await self.world.rows(
            AuditLine,
            col(AuditLine.subject_kind) == "recovery",
            col(AuditLine.subject_id) == str(recovery.id),
        )
        return [line.verb for line in sorted(lines, key=lambda line: line.id or 0)]

    async def conversation(self, phone: str = "+12125550100") -> Conversation:
        (row,) = await self.world.rows(Conversation, col(Conversation.address) == phone)
        return row

    def now(self) -> datetime:
        return self.world.clock.now()


def _metadatum(task: dict[str, Any], name: str) -> Any:
    return next((item["value"] for item in task["metadata"] if item["name"] == name), None)
