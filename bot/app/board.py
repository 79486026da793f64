"""The board of follow-ups and late stops: its reader, its link, what dispatchers ask of it."""

from typing import TypedDict

from bot.board.commands import ShowFollowUps
from bot.board.links import BoardLinks
from bot.board.reading import BoardReader, WorkspaceUrl
from bot.clock import Clock
from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.links import SignedLinks
from bot.sop import ProtocolInForce
from connectors.desk import CommandKind


class BoardServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    board_reader: BoardReader
    board_links: BoardLinks


def board_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    commands: DeskCommands,
    signed: SignedLinks,
    public_url: str,
    workspace_url: WorkspaceUrl | None,
) -> BoardServices:
    """`signed` is for what `public_url` leads to: the board's page."""
    links = BoardLinks(signed, public_url)
    reader = BoardReader(database, clock, sop, workspace_url)
    commands.on(CommandKind.SHOW_FOLLOW_UPS, ShowFollowUps(reader, links))
    return BoardServices(board_reader=reader, board_links=links)
