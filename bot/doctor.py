"""`doorline doctor`: what works, what is off, what is broken and what to do about it."""

import asyncio
from pathlib import Path

from rich.table import Table

from bot import rasa_server
from bot.conversations.dialogue import RasaDialogue
from bot.db import Database
from bot.errors import ConfigurationError, ProtocolError
from bot.serve import schema_is_current
from bot.settings import Settings
from bot.sop import load_protocol
from connectors.base import Probe


def examine(settings: Settings) -> list[Probe]:
    """One probe per part, in the order in which they depend on each other."""
    return [
        _protocol(settings.doorline_sop),
        _model(settings),
        *asyncio.run(_reachable_parts(settings)),
    ]


def table(findings: list[Probe]) -> Table:
    grid = Table("part", "state", "detail", title="Doorline")
    for finding in findings:
        grid.add_row(finding.name, "[green]ok[/]" if finding.healthy else "[red]broken[/]", finding.detail)
    return grid


def _protocol(path: Path) -> Probe:
    try:
        protocol = load_protocol(path)
    except ProtocolError as exc:
        return Probe(name="protocol", healthy=False, detail=str(exc))
    return Probe(name="protocol", healthy=True, detail=f"{path.name}: {protocol.operator.name}")


def _model(settings: Settings) -> Probe:
    try:
        path = rasa_server.model_path(settings.doorline_var)
    except ConfigurationError as exc:
        return Probe(name="language model", healthy=False, detail=str(exc))
    if not path.exists():
        return Probe(name="language model", healthy=False, detail="not trained: run `doorline train`")
    return Probe(name="language model", healthy=True, detail=path.name)


async def _reachable_parts(settings: Settings) -> list[Probe]:
    probes = [await _database(settings), await _rasa(settings), _public_url(settings)]
    probes += await _vendors(settings)
    return probes


async def _database(settings: Settings) -> Probe:
    if settings.database_url is None:
        return Probe(name="database", healthy=True, detail="embedded, starts with `doorline serve`")
    database = Database(settings.database_url)
    try:
        if not await database.is_reachable():
            return Probe(name="database", healthy=False, detail="cannot be reached: check DATABASE_URL")
    finally:
        await database.close()
    if not await asyncio.to_thread(schema_is_current, settings.database_url):
        return Probe(name="database", healthy=False, detail="schema is behind: run `doorline db upgrade`")
    return Probe(name="database", healthy=True, detail="reachable, schema is current")


async def _rasa(settings: Settings) -> Probe:
    if settings.rasa_url is None:
        return Probe(name="rasa", healthy=True, detail="starts with `doorline serve`")
    dialogue = RasaDialogue(settings.rasa_url)
    try:
        ready = await dialogue.is_ready()
    finally:
        await dialogue.aclose()
    detail = "a model is loaded" if ready else "no answer, or no model: check RASA_URL"
    return Probe(name="rasa", healthy=ready, detail=detail)


def _public_url(settings: Settings) -> Probe:
    wants_public = settings.has_twilio or settings.has_slack or settings.has_onfleet
    is_local = "127.0.0.1" in settings.public_url or "localhost" in settings.public_url
    if wants_public and is_local and not settings.is_demo:
        detail = f"{settings.public_url} cannot be reached by vendors: set PUBLIC_URL"
        return Probe(name="public url", healthy=False, detail=detail)
    return Probe(name="public url", healthy=True, detail=settings.public_url)


async def _vendors(settings: Settings) -> list[Probe]:
    from bot.app import open_vendors
    from bot.clock import SystemClock

    try:
        timezone = load_protocol(settings.doorline_sop).operator.timezone
    except ProtocolError:
        # Told already, in a line of its own; the vendors can be reached all the same.
        timezone = "UTC"
    vendors = open_vendors(settings, SystemClock(), timezone)
    probes = []
    try:
        for name, vendor in (
            ("Twilio", vendors.twilio),
            ("Slack", vendors.slack),
            ("Onfleet", vendors.onfleet),
        ):
            if vendor is None:
                probes.append(Probe(name=name, healthy=True, detail="off: its variables are not set"))
            else:
                probes.append((await vendor.probe()).model_copy(update={"name": name}))
    finally:
        await vendors.aclose()
    return probes
