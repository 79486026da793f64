"""`doorline client …`: gives out, lists and revokes the tokens of `/api/v1`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from bot.clients.models import ClientToken
from bot.clients.rules import OPERATOR
from bot.clients.service import ClientTokens
from bot.clock import SystemClock
from bot.db import Database
from bot.errors import ConfigurationError
from bot.sop import ProtocolInForce

T = TypeVar("T")


async def run(database_url: str, sop: ProtocolInForce, work: Callable[[ClientTokens], Awaitable[T]]) -> T:
    database = Database(database_url, pool_size=1)
    try:
        return await work(ClientTokens(database, SystemClock(), sop))
    finally:
        await database.close()


def give_out(database_url: str, sop: ProtocolInForce, client: str, name: str) -> None:
    """Raises `ConfigurationError` for a client that sop.yml does not name, while it names any."""
    known = sop.current.clients
    if client != OPERATOR and known and client not in known:
        raise ConfigurationError(f"no client {client} in sop.yml; it names {', '.join(sorted(known))}")
    whose = None if client == OPERATOR else client
    token, text = asyncio.run(run(database_url, sop, lambda tokens: tokens.give_out(whose, name)))
    typer.echo(f"token {token.id} of {client}. It is shown this once:", err=True)
    typer.echo(text)


def show(database_url: str, sop: ProtocolInForce) -> None:
    Console().print(table_of(asyncio.run(run(database_url, sop, lambda tokens: tokens.all()))))


def revoke(database_url: str, sop: ProtocolInForce, token_id: UUID) -> None:
    asyncio.run(run(database_url, sop, lambda tokens: tokens.revoke(token_id)))
    typer.echo(f"token {token_id} opens nothing any more")


def table_of(tokens: list[ClientToken]) -> Table:
    table = Table(Column("id", no_wrap=True, min_width=36), "client", "name", "made", "last used", "revoked")
    for token in tokens:
        moments = (token.created_at, token.last_used_at, token.revoked_at)
        table.add_row(
            str(token.id),
            token.client or OPERATOR,
            token.name,
            *(f"{at:%Y-%m-%d %H:%M}Z" if at else "-" for at in moments),
        )
    return table
