"""The command line: `doorline …`, the same as `python -m bot …`."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console

from bot.errors import DoorlineError
from bot.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Conversational bot for last-mile delivery."
)
nlu = typer.Typer(no_args_is_help=True, help="The language model.")
sop = typer.Typer(no_args_is_help=True, help="The operator's protocol.")
db = typer.Typer(no_args_is_help=True, help="The database.")
platforms = typer.Typer(no_args_is_help=True, help="The routing platforms.")
app.add_typer(nlu, name="nlu")
app.add_typer(sop, name="sop")
app.add_typer(db, name="db")
client = typer.Typer(no_args_is_help=True, help="Tokens of the shippers' programs for /api/v1.")
app.add_typer(client, name="client")
handover = typer.Typer(no_args_is_help=True, help="Events for the shippers' own systems.")
app.add_typer(handover, name="handover")
app.add_typer(platforms, name="platforms")
report = typer.Typer(no_args_is_help=True, help="Reviews of what was promised.")
app.add_typer(report, name="report")

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")]


def main() -> None:
    """Runs one command; what went wrong is told in plain words with exit code 1."""
    try:
        app()
    except DoorlineError as exc:
        _fail(str(exc))


@app.command()
def demo(
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="How fast the day runs.")] = 10.0,
    port: Port = 8080,
    stops: Annotated[int, typer.Option(min=3, max=2000, help="Stops of the day.")] = 60,
    headless: Annotated[bool, typer.Option(help="Do not open a browser.")] = False,
    platforms: Annotated[
        str,
        typer.Option(help="Where the day is played: onfleet, route4me, optimoroute, with commas, or all."),
    ] = "onfleet",
) -> None:
    """Everything on this machine, with a pretended day: play both sides on one page."""
    from bot.demo.files import read_platforms
    from bot.demo.supervisor import Supervisor

    played_on = read_platforms(platforms)
    Supervisor(_settings(), port=port, speed=speed, stops=stops, headless=headless, platforms=played_on).run()


@app.command(hidden=True)
def demo_world(app_url: str = "", speed: float = 1.0, stops: int = 60, platforms: str = "onfleet") -> None:
    """The demo's pretended outside world; started by `doorline demo`."""
    from bot.demo.files import read_platforms
    from bot.demo.world import main as run_world

    run_world(_settings(), app_url, speed, stops, read_platforms(platforms))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8080,
    worker: Annotated[bool, typer.Option(help="Run jobs in this process.")] = True,
    clock: Annotated[bool, typer.Option(help="Run the clock in this process.")] = True,
    rasa: Annotated[bool, typer.Option(help="Start Rasa when RASA_URL is not set.")] = True,
    inherited_socket: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """The application: edges, worker and clock, with the database and Rasa where none are configured."""
    from bot import logs
    from bot.serve import ServeOptions
    from bot.serve import serve as run

    settings = _settings()
    logs.configure(as_json=settings.doorline_log_json)
    options = ServeOptions(
        host,
        port,
        with_worker=worker,
        with_clock=clock,
        with_rasa=rasa,
        inherited_socket=inherited_socket,
    )
    run(settings, options)


@app.command()
def worker() -> None:
    """A worker alone, to grow with traffic."""
    from bot import logs
    from bot.serve import work

    settings = _settings()
    logs.configure(as_json=settings.doorline_log_json)
    work(settings)


@app.command()
def chat(
    phone: Annotated[
        str | None, typer.Option(help="Text as this phone of the demo, such as +12125550100.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The server to talk to; without it the demo, or PUBLIC_URL.")
    ] = None,
) -> None:
    """Talks to the bot as a recipient would, in this terminal; Ctrl-D ends it."""
    from bot.chat.terminal import talk
    from bot.demo.files import DemoFiles

    settings = _settings()
    with suppress(KeyboardInterrupt):
        asyncio.run(talk(DemoFiles(settings.doorline_var).announcement, settings.public_url, phone, url))


@app.command()
def train() -> None:
    """Trains the language model when its inputs changed; otherwise says so and stops."""
    from bot import rasa_server

    var = _settings().doorline_var
    if rasa_server.model_path(var).exists():
        rasa_server.say(f"the model is up to date ({rasa_server.fingerprint()})")
        return
    rasa_server.say("training the language model, a few minutes the first time")
    path, _ = rasa_server.train(var)
    rasa_server.say(f"trained {path.name}")


@nlu.command("parse")
def nlu_parse() -> None:
    """JSON lines {"text": ...} on standard input -> what they mean, on standard output, in order."""
    from bot import rasa_server

    model, _ = rasa_server.train(_settings().doorline_var)
    raise typer.Exit(rasa_server.parse_lines(model))


@app.command()
def when(
    text: Annotated[str | None, typer.Argument(help="A phrase such as 'tomorrow after 5'.")] = None,
    now: Annotated[str | None, typer.Option(help="The moment it was said, ISO 8601 with an offset.")] = None,
    tz: Annotated[str | None, typer.Option(help="IANA zone of the stop.")] = None,
    locale: Annotated[str, typer.Option(help="en-US, en-GB, es-MX and the like.")] = "en-US",
    jsonl: Annotated[bool, typer.Option(help="Read lines {text, reference, tz, locale} instead.")] = False,
) -> None:
    """A delivery-time phrase -> one JSON object."""
    from bot.windows.cli import answer_lines, answer_one, read_moment

    if jsonl:
        raise typer.Exit(answer_lines(sys.stdin, sys.stdout, sys.stderr))
    if text is None or now is None or tz is None:
        _fail("expected TEXT, --now and --tz, or --jsonl")
    try:
        typer.echo(json.dumps(answer_one(text, read_moment(now), tz, locale), ensure_ascii=False))
    except ValueError as exc:
        _fail(str(exc))


@sop.command("check")
def sop_check(file: Annotated[Path, typer.Argument(help="The protocol file.")]) -> None:
    """Validates a protocol file: exit 0, or 1 with line, key and what was expected."""
    from bot.sop import load_protocol

    load_protocol(file)
    typer.echo(f"{file}: good")


@app.command()
def doctor(
    show_secrets: Annotated[
        bool, typer.Option(help="Show webhook addresses that nobody else may know.")
    ] = False,
) -> None:
    """Checks the database, Rasa and every vendor; exit 1 when something is broken."""
    from bot.doctor import examine, table

    findings = examine(_settings(), show_secrets=show_secrets)
    Console().print(table(findings))
    raise typer.Exit(0 if all(finding.healthy for finding in findings) else 1)


@app.command()
def manifest(
    date: Annotated[
        str | None, typer.Option(help="YYYY-MM-DD, local to the stops; today without it.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="One zone; all without it.")] = None,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format")] = "table",
) -> None:
    """The day's manifest: every zone's routes with their stops, as they stood at one instant."""
    from bot.clock import SystemClock
    from bot.manifest.cli import Format, day_asked, read_manifests, write
    from bot.serve import database
    from bot.sop import load_protocol

    settings, clock = _settings(), SystemClock()
    protocol = load_protocol(settings.doorline_sop)
    day = day_asked(date, protocol, clock)
    with database(settings) as ready:
        views = read_manifests(ready.database_url or "", clock, protocol, day, zone)
    write(views, day, Format(form), Console(width=None if sys.stdout.isatty() else 160))


@platforms.command("abilities")
def platforms_abilities(
    form: Annotated[Literal["table", "markdown"], typer.Option("--format")] = "table",
) -> None:
    """What each platform can do, and on which condition."""
    from bot.platforms.cli import AbilitiesFormat, show_abilities

    show_abilities(AbilitiesFormat(form))


@platforms.command("differences")
def platforms_differences(
    day: Annotated[str, typer.Option(help="YYYY-MM-DD, local to the account; today without it.")] = "",
    account: Annotated[str, typer.Option(help="One account of sop.yml; all without it.")] = "",
    form: Annotated[Literal["table", "json"], typer.Option("--format")] = "table",
) -> None:
    """Where our stops differ from the platforms', field by field; exit 1 when they do."""
    from bot.platforms.cli import DifferencesFormat, show_differences

    differs = show_differences(_settings(), day, account, DifferencesFormat(form))
    raise typer.Exit(1 if differs else 0)


@client.command("token")
def client_token(
    name: Annotated[str, typer.Argument(metavar="CLIENT", help="As in sop.yml; `operator` for all clients.")],
    purpose: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
) -> None:
    """Makes a token and shows it, this once."""
    from bot.clients import cli
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        cli.give_out(ready.database_url or "", ProtocolInForce(ready.doorline_sop), name, purpose)


@client.command("tokens")
def client_tokens() -> None:
    """Lists the tokens, without what opens anything."""
    from bot.clients import cli
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        cli.show(ready.database_url or "", ProtocolInForce(ready.doorline_sop))


@client.command("revoke")
def client_revoke(token_id: Annotated[UUID, typer.Argument(help="As `client tokens` shows it.")]) -> None:
    """Takes a token back: it opens nothing from now on."""
    from bot.clients import cli
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        cli.revoke(ready.database_url or "", ProtocolInForce(ready.doorline_sop), token_id)


@handover.command("dead")
def handover_dead() -> None:
    """Lists the subscriptions that have events set aside."""
    from bot.handover import cli
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        cli.show_dead(ready.database_url or "", ProtocolInForce(ready.doorline_sop))


@handover.command("replay")
def handover_replay(
    subscription_id: Annotated[
        UUID | None, typer.Argument(help="As `handover dead` shows it; all without it.")
    ] = None,
) -> None:
    """Puts the events that were set aside on their way again."""
    from bot.handover import cli
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        cli.replay(ready.database_url or "", ProtocolInForce(ready.doorline_sop), subscription_id)


@db.command("upgrade")
def db_upgrade() -> None:
    """Brings the schema to the newest version."""
    from bot.db import EmbeddedPostgres, migrate

    settings = _settings()
    if settings.database_url is not None:
        migrate(settings.database_url)
    else:
        postgres = EmbeddedPostgres(settings.doorline_var / "postgres")
        try:
            migrate(postgres.url)
        finally:
            postgres.stop()
    typer.echo("the schema is current")


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as exc:
        mistakes = (
            ": ".join(
                [*(str(part).upper() for part in error["loc"]), error["msg"].removeprefix("Value error, ")]
            )
            for error in exc.errors()
        )
        _fail("\n".join(mistakes))


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"doorline: {message}\n")
    raise SystemExit(1)


@report.command("sla")
def report_sla(
    client_name: Annotated[str, typer.Option("--client", help="As sop.yml and the stops name it.")],
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    form: Annotated[Literal["html", "pdf", "csv", "json"], typer.Option("--format")] = "html",
    out: Annotated[Path | None, typer.Option(help="A file; the terminal without it.")] = None,
) -> None:
    """A client's review: kept promises by day and zone, misses and why, what they cost."""
    from bot.reports import cli as reports
    from bot.serve import database
    from bot.sop import ProtocolInForce
    from bot.sop_reports import Format

    period = reports.period_asked(start, end)
    with database(_settings()) as ready:
        protocol = ProtocolInForce(ready.doorline_sop)
        made = reports.make_sla(ready.database_url or "", protocol, client_name, period)
    reports.write_sla(made, Format(form), out)


@report.command("incident")
def report_incident(
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its number such as INC-1042.")],
    form: Annotated[Literal["text", "html", "pdf", "json"], typer.Option("--format")] = "text",
    out: Annotated[Path | None, typer.Option(help="A file; the terminal without it.")] = None,
    for_client: Annotated[bool, typer.Option(help="Roles instead of names.")] = False,
) -> None:
    """One incident: what happened, who did what when, what it costs, what follows."""
    from bot.incidents.cli import Format, read_report, write_report
    from bot.serve import database
    from bot.sop import ProtocolInForce

    with database(_settings()) as ready:
        protocol = ProtocolInForce(ready.doorline_sop)
        found = read_report(ready.database_url or "", protocol, name, for_client=for_client)
    write_report(found, Format(form), out)
