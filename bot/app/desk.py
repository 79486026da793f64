"""The dispatchers' desk and the paperwork on it: its services, in the order in which they need each other."""

from typing import TypedDict

from bot.clock import Clock
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.desk.commands import DeskCommands
from bot.desk.inbound import ReceiveCommands, ReceiveTaskActions
from bot.desk.keeper import PostKeeper
from bot.desk.service import DeskTasks
from bot.oncall.dispatchers import Dispatchers
from bot.sop import ProtocolInForce
from connectors.slack import desk_words
from connectors.slack.client import SlackDesk
from connectors.slack.desk_gestures import DeskEdge


class DeskServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    desk_posts: PostKeeper
    desk_tasks: DeskTasks
    desk_boards: DeskBoards
    desk_commands: DeskCommands


def desk_services(
    database: Database, clock: Clock, sop: ProtocolInForce, slack: SlackDesk | None
) -> DeskServices:
    tasks = DeskTasks(database, clock, sop)
    boards = DeskBoards(clock)
    commands = DeskCommands(database, clock, Dispatchers(sop))
    return DeskServices(
        desk_posts=PostKeeper(database, clock, slack, desk_words),
        desk_tasks=tasks,
        desk_boards=boards,
        desk_commands=commands,
    )


def desk_edge(database: Database, clock: Clock, sop: ProtocolInForce) -> DeskEdge:
    """Where presses and commands go. A new stop may be for those whom `clients` in `sop.yml` names, or for anybody."""

    def clients() -> list[str]:
        return sorted(name for name, client in sop.current.clients.items() if client.may_create_stops)

    return DeskEdge(ReceiveTaskActions(database, clock), ReceiveCommands(database, clock), clients)
