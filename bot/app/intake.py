"""What clients want of the plan: its services, in the order in which they need each other."""

from typing import TypedDict

from bot.clients.service import ClientTokens
from bot.clock import Clock
from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.desk.service import DeskTasks
from bot.durable.ticks import Tick
from bot.handover.events import ClientEvents
from bot.intake.applying import ChangeWriter
from bot.intake.bulk import BulkChanges
from bot.intake.changes import ChangeService
from bot.intake.commands import DeskIntake
from bot.intake.entering import StopEntry
from bot.intake.service import IntakeService
from bot.intake.uploads import StopUploads
from bot.services import Services
from bot.sop import ProtocolInForce
from bot.stops.sync import PlatformSync
from connectors.base import RoutingPlatform


class IntakeServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    client_tokens: ClientTokens
    intake: IntakeService
    stop_entry: StopEntry
    uploads: StopUploads
    changes: ChangeService
    change_writer: ChangeWriter
    bulk_changes: BulkChanges


def intake_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    platforms: dict[str, RoutingPlatform],
    sync: PlatformSync,
    tasks: DeskTasks,
    commands: DeskCommands,
    events: ClientEvents,
) -> IntakeServices:
    intake = IntakeService(database, clock, sop, platforms, tasks, events.record)
    entry = StopEntry(database, clock, sop, platforms, tasks, sync, intake)
    changes = ChangeService(database, clock, sop, tasks, events.record)
    writer = ChangeWriter(database, clock, platforms, tasks, sync, changes)
    bulk = BulkChanges(database, clock, sop, platforms, tasks, writer)
    DeskIntake(database, clock, sop, platforms, commands, intake, entry, changes, bulk)
    return IntakeServices(
        client_tokens=ClientTokens(database, clock, sop),
        intake=intake,
        stop_entry=entry,
        uploads=StopUploads(database, clock, sop, intake),
        changes=changes,
        change_writer=writer,
        bulk_changes=bulk,
    )


def intake_ticks(services: Services) -> list[Tick]:
    return [
        Tick("stranded_stops", services.stop_entry.ask_for_stranded, 60),
        Tick("stranded_changes", services.change_writer.ask_for_stranded, 60),
        Tick("stranded_uploads", services.uploads.ask_for_stranded, 60),
        Tick("moot_changes", services.changes.close_moot, 10),
    ]
