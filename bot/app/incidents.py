"""Incidents of broken promises: the services, in the order in which they need each other."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.durable.ticks import Tick
from bot.incidents.commands import IncidentCommands
from bot.incidents.handling import IncidentHandling
from bot.incidents.making import IncidentMaking
from bot.incidents.reminding import FollowUpReminders
from bot.incidents.report import IncidentReports
from bot.incidents.watch import IncidentWatch
from bot.links import SignedLinks
from bot.services import Services
from bot.sop import ProtocolInForce


@dataclass(frozen=True)
class IncidentServices:
    """By the names under which `Services` holds them."""

    incident_watch: IncidentWatch
    incident_handling: IncidentHandling
    incident_reports: IncidentReports
    incident_links: SignedLinks
    follow_up_reminders: FollowUpReminders


def incident_services(
    database: Database, clock: Clock, sop: ProtocolInForce, commands: DeskCommands, links: SignedLinks
) -> IncidentServices:
    """`links` lead to `bot.web.incidents`: their path is `incidents/report`."""
    handling = IncidentHandling(database, clock, sop)
    IncidentCommands(database, commands, IncidentMaking(database, clock, sop, handling), links)
    return IncidentServices(
        incident_watch=IncidentWatch(database, clock, sop),
        incident_handling=handling,
        incident_reports=IncidentReports(database, sop),
        incident_links=links,
        follow_up_reminders=FollowUpReminders(database, clock, sop),
    )


def incident_ticks(services: Services) -> list[Tick]:
    return [
        Tick("promise_incidents", services.incident_watch.run, 10),
        Tick("follow_ups", services.follow_up_reminders.run, 60),
    ]
