"""What dispatchers command about stops in Slack: read, asked for, answered with a code."""

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.intake.bulk import BulkChanges, BulkWanted
from bot.intake.changes import Answered, ChangeService, ChangeWanted
from bot.intake.entering import StopEntry
from bot.intake.forms import Finding, StopForm
from bot.intake.local_times import read_day, read_window
from bot.intake.models import (
    BulkKind,
    ChangeKind,
    ChangeState,
    RequestState,
    Source,
    StopChange,
    StopRequest,
)
from bot.intake.reasons import Because
from bot.intake.service import IntakeService, Submission
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import Capability, DeliveryWindow, RoutingPlatform
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand

PATIENCE = timedelta(seconds=6)
"""How long a dispatcher waits for the platform before the answer says that it is on its way."""
_SETTLED = {
    (ChangeKind.WINDOW, ChangeState.APPLIED): AnswerCode.WINDOW_MOVED,
    (ChangeKind.CANCEL, ChangeState.APPLIED): AnswerCode.CANCELLED,
}
_REFUSED = {
    ChangeKind.WINDOW: AnswerCode.WINDOW_REFUSED,
    ChangeKind.CANCEL: AnswerCode.CANCEL_REFUSED,
}


class DeskIntake:
    """Registers itself for the commands that it handles."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: Mapping[str, RoutingPlatform],
        commands: DeskCommands,
        intake: IntakeService,
        entry: StopEntry,
        changes: ChangeService,
        bulk: BulkChanges,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._intake = intake
        self._entry = entry
        self._changes = changes
        self._bulk = bulk
        commands.on(CommandKind.NEW_STOP, self.new_stop)
        commands.on(CommandKind.MOVE_WINDOW, self.move_window)
        commands.on(CommandKind.CANCEL_STOP, self.cancel_stop)
        commands.on(CommandKind.MOVE_WINDOWS, self.move_windows)
        commands.on(CommandKind.RELEASE_ROUTES, self.release_routes)

    # --- new stops ------------------------------------------------------------------------------

    async def new_stop(self, command: DeskCommand) -> CommandAnswer:
        client = command.fields.get("client", "").strip() or self._only_client()
        if client is None:
            return self._answer(AnswerCode.NOT_READABLE, reasons=("no_client",))
        form, unreadable = self._form(command.fields)
        submitted = await self._intake.submit(
            Submission(
                client=client,
                form=form,
                source=Source.SLACK,
                key=f"slack:{command.vendor_id}",
                asked_by=command.dispatcher,
                unreadable=tuple(unreadable),
            )
        )
        request = await self._entry.settled(submitted.request.id, PATIENCE)
        return await self._tell(request)

    async def _tell(self, request: StopRequest) -> CommandAnswer:
        told = {"address_line": str(request.form.get("address_line", "")), "window": request.window}
        address = request.form.get("address")
        if isinstance(address, dict):
            told["address_line"] = str(address.get("line", ""))
        if request.state is RequestState.REFUSED:
            is_there = Because.DUPLICATE in request.codes
            code = AnswerCode.STOP_ALREADY_THERE if is_there else AnswerCode.STOP_REFUSED
            return self._answer(code, reasons=request.codes, **told)
        if request.state is not RequestState.ENTERED:
            still = () if request.codes else (Because.UNAVAILABLE.value,)
            return self._answer(AnswerCode.STOP_TO_BE_DECIDED, reasons=request.codes or still, **told)
        stop = await self._stop(request)
        return self._answer(
            AnswerCode.STOP_ENTERED,
            tracking=stop.tracking if stop else "",
            platform=request.platform or "",
            **told,
        )

    def _form(self, fields: Mapping[str, str]) -> tuple[StopForm, list[Finding]]:
        start_at, end_at, unreadable = read_window(
            fields.get("date", ""),
            fields.get("start", ""),
            fields.get("end", ""),
            self._sop.current.operator.timezone,
        )
        names = ("recipient_name", "phone", "email", "address", "city", "postcode", "order_ref", "notes")
        written = {name: fields.get(name, "") for name in (*names, "access_code")}
        return StopForm(start_at=start_at, end_at=end_at, **written), unreadable

    def _only_client(self) -> str | None:
        clients = list(self._sop.current.clients)
        return clients[0] if len(clients) == 1 else None

    # --- one stop -------------------------------------------------------------------------------

    async def move_window(self, command: DeskCommand) -> CommandAnswer:
        stop = await self._find(command.fields.get("stop", ""))
        if stop is None:
            return self._answer(AnswerCode.NOTHING_FOUND)
        fields = command.fields
        start_at, end_at, unreadable = read_window(
            fields.get("date", ""), fields.get("start", ""), fields.get("end", ""), stop.timezone
        )
        if unreadable or start_at is None or end_at is None or start_at >= end_at:
            codes = tuple(finding.code for finding in unreadable) or (Because.BAD_WINDOW.value,)
            return self._about(stop, AnswerCode.NOT_READABLE, reasons=tuple(dict.fromkeys(codes)))
        window = DeliveryWindow(start_at=start_at, end_at=end_at)
        return await self._change(command, stop, ChangeKind.WINDOW, window)

    async def cancel_stop(self, command: DeskCommand) -> CommandAnswer:
        stop = await self._find(command.fields.get("stop", ""))
        if stop is None:
            return self._answer(AnswerCode.NOTHING_FOUND)
        return await self._change(command, stop, ChangeKind.CANCEL)

    async def _change(
        self, command: DeskCommand, stop: StopRecord, kind: ChangeKind, window: DeliveryWindow | None = None
    ) -> CommandAnswer:
        answered = await self._changes.ask(
            ChangeWanted(
                stop_id=stop.id,
                kind=kind,
                source=Source.SLACK,
                asked_by=command.dispatcher,
                origin=f"slack:{command.vendor_id}",
                window=window,
                note=command.fields.get("reason", "")[:300],
                approvals=2,
            )
        )
        if answered.change is None:
            return self._about(answered.stop, _REFUSED[kind], reasons=answered.codes, window=window)
        return self._settled(answered, await self._changes.settled(answered.change.id, PATIENCE))

    def _settled(self, answered: Answered, change: StopChange) -> CommandAnswer:
        if (code := _SETTLED.get((change.kind, change.state))) is not None:
            return self._about(answered.stop, code, window=change.wanted)
        waits = change.state is ChangeState.NEEDS_DISPATCHER
        code = AnswerCode.NEEDS_A_SECOND if waits else _REFUSED[change.kind]
        is_on_its_way = change.state is ChangeState.APPLYING
        reasons = (Because.UNAVAILABLE.value,) if is_on_its_way else change.codes
        return self._about(answered.stop, code, reasons=reasons, window=change.wanted)

    # --- many at once ---------------------------------------------------------------------------

    async def move_windows(self, command: DeskCommand) -> CommandAnswer:
        fields = command.fields
        among = fields.get("route", "").strip() or fields.get("zone", "").strip()
        minutes, day = _number(fields.get("minutes", "")), self._day(fields.get("date", ""))
        if not among or not minutes or day is None:
            return self._answer(AnswerCode.NOT_READABLE, reasons=(Because.UNREADABLE,))
        count = await self._bulk.ask(
            BulkWanted(
                kind=BulkKind.MOVE_WINDOWS,
                command_id=command.vendor_id,
                dispatcher=command.dispatcher,
                day=day,
                channel=command.channel,
                among=among,
                client=fields.get("client", "").strip(),
                minutes=minutes,
            )
        )
        return self._answer(AnswerCode.NEEDS_A_SECOND if count else AnswerCode.NOTHING_FOUND, count=count)

    async def release_routes(self, command: DeskCommand) -> CommandAnswer:
        able = [
            name
            for name, platform in self._platforms.items()
            if Capability.RELEASE_ROUTES in platform.capabilities
        ]
        named = command.fields.get("platform", "").strip() or (able[0] if len(able) == 1 else "")
        day = self._day(command.fields.get("date", ""))
        if named not in able and (named or not able):
            return self._answer(AnswerCode.NOT_POSSIBLE_THERE, platform=named)
        if day is None or not named:
            return self._answer(AnswerCode.NOT_READABLE, reasons=(Because.NO_PLATFORM,) if day else ())
        wanted = BulkWanted(
            kind=BulkKind.RELEASE_ROUTES,
            command_id=command.vendor_id,
            dispatcher=command.dispatcher,
            day=day,
            channel=command.channel,
            platform=named,
        )
        count = await self._bulk.ask(wanted)
        return self._answer(AnswerCode.NEEDS_A_SECOND, platform=named, count=count)

    # --- inside ---------------------------------------------------------------------------------

    async def _find(self, text: str) -> StopRecord | None:
        """By tracking or order number; of several, the only open one. None when that leaves a choice."""
        wanted = text.strip().lstrip("#").lower()
        if not wanted:
            return None
        async with self._database.transaction() as session:
            found = list(
                await session.scalars(
                    select(StopRecord)
                    .where(
                        or_(
                            func.lower(col(StopRecord.tracking)) == wanted,
                            func.lower(col(StopRecord.order_ref)) == wanted,
                        )
                    )
                    .limit(20)
                )
            )
        fitting = [stop for stop in found if stop.is_open] or found
        return fitting[0] if len(fitting) == 1 else None

    async def _stop(self, request: StopRequest) -> StopRecord | None:
        async with self._database.transaction() as session:
            return await session.get(StopRecord, request.stop_id) if request.stop_id else None

    def _day(self, text: str) -> date | None:
        """Today, in the operator's zone, where none is written."""
        if not text.strip():
            return self._clock.now().astimezone(ZoneInfo(self._sop.current.operator.timezone)).date()
        return read_day(text)

    def _answer(self, code: AnswerCode, **facts: object) -> CommandAnswer:
        return CommandAnswer.model_validate(
            {"timezone": self._sop.current.operator.timezone, **facts, "code": code}
        )

    def _about(self, stop: StopRecord, code: AnswerCode, **facts: object) -> CommandAnswer:
        about = {
            "address_line": stop.address_line,
            "tracking": stop.tracking,
            "platform": stop.platform,
            "timezone": stop.timezone,
        }
        return self._answer(code, **{**about, **facts})


def _number(text: str) -> int | None:
    """Minutes of at most a day, either way; None for anything else."""
    try:
        minutes = int(text.strip())
    except ValueError:
        return None
    return minutes if abs(minutes) <= 24 * 60 else None
