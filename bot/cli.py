"""The command line: `doorline …`, the same as `python -m bot …`."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

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
app.add_typer(nlu, name="nlu")
app.add_typer(sop, name="sop")
app.add_typer(db, name="db")

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
) -> None:
    """Everything on this machine, with a pretended day: play both sides on one page."""
    from bot.demo.supervisor import Supervisor

    Supervisor(_settings(), port=port, speed=speed, stops=stops, headless=headless).run()


@app.command(hidden=True)
def demo_world(app_url: str = "", speed: float = 1.0, stops: int = 60) -> None:
    """The demo's pretended outside world; started by `doorline demo`."""
    from bot.demo.world import main as run_world

    run_world(_settings().doorline_var, app_url, speed, stops)


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
def train() -> None:
    """Trains the language model when its inputs changed; otherwise says so and stops."""
    from bot import rasa_server

    var = _settings().doorline_var
    if rasa_server.model_path(var).exists():
        rasa_server.say(f"the model is up to date ({rasa_server.fingerprint()})")
        return
    rasa_server.say("training the language model, about a minute")
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
    from bot.windows.cli import answer_lines, answer_one

    if jsonl:
        raise typer.Exit(answer_lines(sys.stdin, sys.stdout, sys.stderr))
    if text is None or now is None or tz is None:
        _fail("expected TEXT, --now and --tz, or --jsonl")
    try:
        typer.echo(json.dumps(answer_one(text, datetime.fromisoformat(now), tz, locale), ensure_ascii=False))
    except ValueError as exc:
        _fail(str(exc))


@sop.command("check")
def sop_check(file: Annotated[Path, typer.Argument(help="The protocol file.")]) -> None:
    """Validates a protocol file: exit 0, or 1 with line, key and what was expected."""
    from bot.sop import load_protocol

    load_protocol(file)
    typer.echo(f"{file}: good")


@app.command()
def doctor() -> None:
    """Checks the database, Rasa and every vendor; exit 1 when something is broken."""
    from bot.doctor import examine, table

    findings = examine(_settings())
    Console().print(table(findings))
    raise typer.Exit(0 if all(finding.healthy for finding in findings) else 1)


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
