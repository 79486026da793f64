"""`doorline doctor`: what works, what is off, what is broken and what to do about it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol as Typed

from rich.table import Table
from sqlalchemy.exc import DBAPIError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from bot import rasa_server
from bot.conversations.dialogue import RasaDialogue
from bot.db import Database
from bot.errors import ConfigurationError, DatabaseUnavailableError, ProtocolError
from bot.notifications.sender_hints import SenderFacts, hints, sender_facts, what_is_broken
from bot.serve import schema_is_current
from bot.settings import DEFAULT_PROTOCOL, Settings
from bot.sop import Protocol, load_protocol
from connectors.base import Probe

WEB_CHAT_SECONDS = 5.0


class Probed(Typed):
    async def probe(self) -> Probe: ...


def examine(settings: Settings, *, show_secrets: bool = False) -> list[Probe]:
    """One probe per part, in the order in which they depend on each other."""
    return [
        _protocol(settings.doorline_sop),
        _model(settings),
        *asyncio.run(_reachable_parts(settings, show_secrets)),
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


async def _reachable_parts(settings: Settings, show_secrets: bool) -> list[Probe]:
    probes = [await _database(settings), await _rasa(settings), _public_url(settings)]
    probes += [await _web_chat(settings), *await _vendors(settings, show_secrets), _mails_in(settings)]
    return [*probes, await _texts(settings)]


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


async def _texts(settings: Settings) -> Probe:
    """The number that texts leave from: how fast it may send, and what carriers said of it in the last day."""
    if settings.twilio_from is None:
        return Probe(name="Texts", healthy=True, detail="off, as Twilio is")
    facts = await _sender_facts(settings, settings.twilio_from)
    if facts is None:
        return Probe(name="Texts", healthy=True, detail="nothing known: the database cannot be asked now")
    broken = what_is_broken(facts)
    return Probe(name="Texts", healthy=not broken, detail="; ".join([*broken, *hints(facts)]))


async def _sender_facts(settings: Settings, sender: str) -> SenderFacts | None:
    if settings.database_url is None:
        return None
    protocol = _protocol_in_force(settings)
    database = Database(settings.database_url)
    try:
        async with database.transaction() as session:
            return await sender_facts(session, protocol, sender, datetime.now(UTC))
    except (DatabaseUnavailableError, DBAPIError):
        # Told already, in a line of its own.
        return None
    finally:
        await database.close()


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
    wants_public = settings.has_twilio or settings.has_slack or settings.has_platform
    if wants_public and _is_local(settings.public_url) and not settings.is_demo:
        detail = f"{settings.public_url} cannot be reached by vendors: set PUBLIC_URL"
        return Probe(name="public url", healthy=False, detail=detail)
    return Probe(name="public url", healthy=True, detail=settings.public_url)


def _is_local(url: str) -> bool:
    return "127.0.0.1" in url or "localhost" in url


async def _web_chat(settings: Settings) -> Probe:
    """Opens a line as a browser would, and says nothing on it."""
    address = settings.public_url.rstrip("/").replace("http", "ws", 1) + "/connectors/webchat/ws"
    healthy, detail = True, f"{address} answers"
    try:
        async with connect(address, proxy=None, open_timeout=WEB_CHAT_SECONDS):
            pass
    except InvalidStatus as exc:
        answer = f"HTTP {exc.response.status_code} at {address}"
        healthy, detail = False, f"{answer}: is `doorline serve` running, do proxies pass WebSockets?"
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI):
        healthy = _is_local(address)
        detail = "starts with `doorline serve`" if healthy else f"nobody answers at {address}"
    return Probe(name="web chat", healthy=healthy, detail=detail)


def _mails_in(settings: Settings) -> Probe:
    ways = []
    if settings.email_inbound_port is not None:
        ways.append(f"SMTP at {settings.email_inbound_host}:{settings.email_inbound_port}")
    if settings.email_signing_key is not None:
        ways.append("signed posts at /connectors/email/inbound")
    if not settings.has_email:
        return Probe(name="Email in", healthy=True, detail="off, as email is")
    if not ways:
        none = "no way in, answers to our mails are not read: set EMAIL_INBOUND_PORT or EMAIL_SIGNING_KEY"
        return Probe(name="Email in", healthy=True, detail=none)
    return Probe(name="Email in", healthy=True, detail=" and ".join(ways) + _clients_mails(settings))


def _clients_mails(settings: Settings) -> str:
    """Who may ask about a client's stops is proved by a signature that somebody has checked."""
    if settings.email_trusted_authserv or settings.email_signing_key is not None:
        return ""
    return "; no client gets an answer by mail: set EMAIL_TRUSTED_AUTHSERV"


async def _vendors(settings: Settings, show_secrets: bool) -> list[Probe]:
    from bot.app import open_vendors
    from bot.clock import SystemClock
    from bot.platforms.probes import platform_probes

    protocol = _protocol_in_force(settings)
    try:
        vendors = open_vendors(settings, SystemClock(), protocol)
    except ConfigurationError as exc:
        return [Probe(name="platforms", healthy=False, detail=str(exc))]
    try:
        channels = [
            await _probe(name, vendor)
            for name, vendor in (
                ("Twilio", vendors.twilio),
                ("Email", vendors.email),
                ("Slack", vendors.slack),
            )
        ]
        channels.insert(1, await _phone(settings, vendors.caller))
        return channels + await platform_probes(
            settings, protocol.platforms, vendors, show_secrets=show_secrets
        )
    finally:
        await vendors.aclose()


def _protocol_in_force(settings: Settings) -> Protocol:
    try:
        return load_protocol(settings.doorline_sop)
    except ProtocolError:
        # Told already, in a line of its own; everything else can be looked at all the same.
        return load_protocol(DEFAULT_PROTOCOL)


async def _phone(settings: Settings, caller: "Probed | None") -> Probe:
    if caller is None and settings.has_twilio:
        detail = "no number that can call, people on call are texted instead: set TWILIO_VOICE_FROM"
        return Probe(name="Twilio voice", healthy=True, detail=detail)
    return await _probe("Twilio voice", caller)


async def _probe(name: str, vendor: "Probed | None") -> Probe:
    if vendor is None:
        return Probe(name=name, healthy=True, detail="off: its variables are not set")
    return (await vendor.probe()).model_copy(update={"name": name})
