"""Who is on call, and what is paused: the services and their ticks."""

from typing import TypedDict

from bot.app.desk import DeskServices
from bot.clock import Clock
from bot.db import Database
from bot.durable.ticks import Tick
from bot.oncall.commands import WhoIsOnCall
from bot.oncall.service import OnCallService
from bot.oncall.sources import OnCallSources
from bot.pauses.commands import PauseCommands
from bot.pauses.holding import HoldBack
from bot.pauses.service import PauseService
from bot.services import Services
from bot.sop import ProtocolInForce
from connectors.desk import CommandKind
from connectors.ical.client import CalendarFeeds
from connectors.slack.client import SlackDesk


class OnCallServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    on_call: OnCallService
    on_call_sources: OnCallSources
    who: WhoIsOnCall
    pauses: PauseService
    hold_back: HoldBack


def on_call_services(
    database: Database, clock: Clock, sop: ProtocolInForce, desk: DeskServices, slack: SlackDesk | None
) -> OnCallServices:
    calendars = CalendarFeeds()
    on_call = OnCallService(clock, sop, calendars)
    who = WhoIsOnCall(database, clock, on_call)
    pauses = PauseService(database, clock, sop, desk["desk_boards"])
    ask = PauseCommands(database, clock, sop, pauses)
    commands = desk["desk_commands"]
    commands.on(CommandKind.WHO_IS_ON_CALL, who)
    commands.on(CommandKind.PAUSE, ask.pause)
    commands.on(CommandKind.SHOW_PAUSES, ask.show)
    commands.on(CommandKind.LIFT_PAUSE, ask.lift)
    return OnCallServices(
        on_call=on_call,
        on_call_sources=OnCallSources(database, clock, sop, calendars, slack.groups if slack else None),
        who=who,
        pauses=pauses,
        hold_back=HoldBack(clock, sop),
    )


def on_call_ticks(services: Services) -> list[Tick]:
    """Seconds of real time between two rounds stand behind each."""
    return [
        Tick("pauses", services.pauses.run, 2),
        Tick("on_call", services.on_call_sources.refresh_due, 15),
    ]
