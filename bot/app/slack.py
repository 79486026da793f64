"""Dispatchers' own pages and the cards that they ask for: the services, the tick and the socket."""

from typing import TypedDict

from bot.clock import Clock
from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.durable.ticks import Tick
from bot.home.cards import ShowStop
from bot.home.ports import BoardAddress, CurrentPauses, ManifestAddress
from bot.home.reading import HomeReader
from bot.home.service import HomeService
from bot.oncall.people import OnCall
from bot.settings import Settings
from bot.sop import ProtocolInForce
from connectors.desk import CommandKind
from connectors.slack.client import SlackDesk
from connectors.slack.socket import SlackApp, SlackSocket

REFRESH_SECONDS = 5
"""How soon a page that somebody looks at shows what happened."""


class HomeServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    homes: HomeService


def home_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    slack: SlackDesk | None,
    commands: DeskCommands,
    *,
    on_call: OnCall | None = None,
    pauses: CurrentPauses | None = None,
    manifests: ManifestAddress | None = None,
    board: BoardAddress | None = None,
) -> HomeServices:
    commands.on(CommandKind.SHOW_STOP, ShowStop(database, clock, slack, manifests))
    reader = HomeReader(clock, sop, on_call, pauses, manifests, board)
    return HomeServices(homes=HomeService(database, clock, reader, slack))


def home_ticks(homes: HomeService) -> list[Tick]:
    return [Tick("homes", homes.refresh, REFRESH_SECONDS)]


def slack_socket(settings: Settings, bolt: SlackApp) -> SlackSocket | None:
    """What to start and stop with the app; None where Slack reaches us over HTTP alone."""
    token = settings.slack_app_token
    return SlackSocket(bolt, token.get_secret_value()) if token is not None else None
