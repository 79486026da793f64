"""For the scenarios about failed deliveries: one fails, somebody is asked, and in the end all are told the same."""

from datetime import datetime
from typing import Any

from sqlmodel import col

from bot.audit import AuditLine
from bot.handover.models import ClientEvent
from bot.recovery.models import Recovery, RecoveryState
from bot.requests.models import DispatchRequest
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow
from connectors.onfleet.payloads import from_ms
from tests.harness.flows import DANA, well_said
from tests.harness.spanish import spanish
from tests.harness.world import World

PHONE = "+12125550100"
NEWS = {
    RecoveryState.BOOKED: "recovery.reattempt_booked",
    RecoveryState.PICK_UP: "recovery.pick_up",
    RecoveryState.SENT_BACK: "recovery.sent_back",
    RecoveryState.WITH_DISPATCHER: "recovery.with_dispatcher",
}
"""What the client hears of each end."""
VERBS = {RecoveryState.BOOKED: {"booked", "moved"}} | {
    state: {state.value} for state in RecoveryState if state is not RecoveryState.BOOKED
}
"""What the audit log says of it."""


class Failed:
    """One parcel whose first try failed, and the phone on which its recipient is asked."""

    def __init__(self, world: World, phone: str = PHONE, *, in_spanish: bool = False) -> None:
        self.world = world
        self.phone = phone
        self.tracking = ""
        self._is_fine = spanish if in_spanish else well_said
        self._read = 0

    async def fails(self, reason: str, notes: str = "", **stop: Any) -> str:
        """The driver gives up at noon, and the recipient is asked; gives the question."""
        await self.is_given_up(reason, notes, **stop)
        # The first turn of a Rasa that has just started may take longer than a turn may.
        await self.world.retries()
        return await self.hears()

    async def is_given_up(self, reason: str, notes: str = "", **stop: Any) -> None:
        stop = {"window": ("10:00", "12:00"), "eta": None, "phone": self.phone} | stop
        self.tracking = await self.world.has_stop(**stop)
        await self.world.delivers(self.tracking, success=False, reason=reason, notes=notes)
        await self.world.tick()
        await self.world.tick()

    async def says(self, body: str) -> str:
        """Texts, and gives the answer."""
        await self.texts(body)
        return await self.hears()

    async def texts(self, body: str) -> None:
        await self.world.advance(seconds=20)
        await self.unread()
        await self.world.recipient(self.phone).texts(body)

    async def hears(self) -> str:
        """The one text that has come since the last look."""
        texts = await self.unread()
        assert len(texts) == 1, texts
        return self._is_fine(texts[0])

    async def unread(self) -> list[str]:
        await self.world.settled()
        texts = await self.world.recipient(self.phone).reads()
        read, self._read = self._read, len(texts)
        return texts[read:]

    async def waits(self, **duration: float) -> list[str]:
        """Nobody answers for so long; gives what has come meanwhile."""
        await self.world.advance(**duration)
        await self.world.tick()
        return await self.unread()

    async def decides(self, decision: str, *about: str) -> None:
        """A dispatcher presses a button under the message with these words."""
        await self.world.dispatcher(DANA).presses(await self.world.channel_shows(*about), decision)
        await self.world.settled()
        await self.world.tick()

    # --- what stands everywhere -----------------------------------------------------------------

    def window(self, start: str, end: str, day: int = 0) -> DeliveryWindow:
        return DeliveryWindow(start_at=self.world.local(start, day), end_at=self.world.local(end, day))

    async def recovery(self) -> Recovery:
        stop = await self.world.stop_record(self.tracking)
        (recovery,) = await self.world.rows(Recovery, col(Recovery.stop_id) == stop.id)
        return recovery

    async def is_booked(self, window: DeliveryWindow, by: str = "recipient") -> dict[str, Any]:
        """Platform, manifest, client and audit log hold one second try at this time; gives the platform's task."""
        recovery = await self._has_ended(RecoveryState.BOOKED, by)
        (task,) = self._second_tries()
        assert (from_ms(task["completeAfter"]), from_ms(task["completeBefore"])) == _ends(window)
        (again,) = await self.world.rows(StopRecord, col(StopRecord.id) == recovery.reattempt_id)
        assert (again.platform_ref, again.window) == (task["id"], window)
        line = await self._on_the_manifest(again, window)
        assert (line.window, line.second_try is not None) == (window, True)
        told = (await self._news())[-1]
        starts = datetime.fromisoformat(told.facts["window"]["start_at"])
        assert (starts, told.facts["second_tracking"]) == (window.start_at, again.tracking)
        return task

    async def is_asked_of_dispatch(self, kind: str) -> None:
        """A dispatcher decides; nothing stands on the platform yet, and nobody was told that it does."""
        await self._has_ended(RecoveryState.WITH_DISPATCHER, "recipient")
        assert self._second_tries() == []
        (request,) = await self.world.rows(DispatchRequest)
        assert request.kind.value == kind

    async def is_with_dispatch(self) -> None:
        """A dispatcher has it, with nothing that the recipient wants."""
        recovery = await self.recovery()
        assert recovery.state is RecoveryState.WITH_DISPATCHER
        assert self._second_tries() == []
        assert (await self._news())[-1].facts["state"] == RecoveryState.WITH_DISPATCHER.value
        await self.world.channel_shows("14 Elm St 2B")

    async def has_gone(self, state: RecoveryState, by: str = "recipient") -> None:
        """No second try: it is held for pick-up, or goes back."""
        await self._has_ended(state, by)
        assert self._second_tries() == []

    async def _has_ended(self, state: RecoveryState, by: str) -> Recovery:
        recovery = await self.recovery()
        assert (recovery.state, recovery.settled_by) == (state, by)
        lines = await self.world.rows(
            AuditLine,
            col(AuditLine.subject_kind) == "recovery",
            col(AuditLine.subject_id) == str(recovery.id),
        )
        newest = max(lines, key=lambda line: line.id or 0)
        assert newest.verb in VERBS[state], [line.verb for line in lines]
        news = await self._news()
        assert [event.kind for event in news][-1:] == [NEWS[state]], [event.kind for event in news]
        return recovery

    async def _news(self) -> list[ClientEvent]:
        """What the client was told of the follow-up, oldest first."""
        recovery = await self.recovery()
        rows = await self.world.rows(ClientEvent, col(ClientEvent.subject_id) == recovery.id)
        return sorted(rows, key=lambda row: row.seq or 0)

    def _second_tries(self) -> list[dict[str, Any]]:
        """As the platform itself has them."""
        failed = self.world.task_of(self.tracking)["id"]
        tasks = self.world.onfleet.store.tasks.values()
        return [task for task in tasks if _metadatum(task, "reattempt_of") == failed]

    async def _on_the_manifest(self, stop: StopRecord, window: DeliveryWindow) -> Any:
        views = await self.world.doorline.services.manifest_reader.views(window.start_at.date())
        return next(line for view in views for line in view.lines if line.tracking == stop.tracking)


def _ends(window: DeliveryWindow) -> tuple[datetime, datetime]:
    return window.start_at, window.end_at


def _metadatum(task: dict[str, Any], name: str) -> Any:
    return next((item["value"] for item in task["metadata"] if item["name"] == name), None)
