"""Starts the demo's processes, starts the ones again that die, and ends them all.

The world, the app and Rasa are processes of their own, so that killing one shows what the others do. A day that
was killed is resumed; one that was ended with Ctrl-C begins anew next time.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from bot import rasa_server
from bot.db import EmbeddedPostgres, create_database, migrate, tracker_url
from bot.demo import files
from bot.demo.doorway import Doorway
from bot.demo.files import DemoFiles
from bot.demo.protocol import write_protocol
from bot.errors import ConfigurationError
from bot.keys import actions_token, secret_key
from bot.processes import dies_with_parent, end, free_port
from bot.rasa_server import say
from bot.settings import DEFAULT_PROTOCOL, PROJECT_ROOT, Settings

DATABASE = "doorline_demo"
LOOK_EVERY_SECONDS = 0.2
RESTART_PAUSE_SECONDS = 0.5
QUICK_SECONDS, QUICK_ENDS_ALLOWED = 10, 4


@dataclass
class Child:
    """One process of the demo and how to start it."""

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    quick_ends: int = 0

    def ensure(self) -> None:
        """Starts it, or starts it again.

        Raises:
            ConfigurationError: it ended by itself again and again as soon as it was started.
        """
        if self.process is not None and self.process.poll() is not None:
            self._take_note_of_its_end(self.process.returncode)
            time.sleep(RESTART_PAUSE_SECONDS)
            self.process = None
        if self.process is None:
            self.process = self.start()
            self.started_at = time.monotonic()

    def _take_note_of_its_end(self, code: int) -> None:
        was_quick = code > 0 and time.monotonic() - self.started_at < QUICK_SECONDS
        self.quick_ends = self.quick_ends + 1 if was_quick else 0
        if self.quick_ends >= QUICK_ENDS_ALLOWED:
            tail = self.log.read_text(errors="replace")[-1500:]
            raise ConfigurationError(f"{self.name} does not stay up (exit code {code}):\n{tail}")
        say(f"{self.name} ended ({_ending(code)}), starting it again")


class Supervisor:
    def __init__(
        self,
        settings: Settings,
        *,
        port: int,
        speed: float,
        stops: int,
        headless: bool,
        platforms: Sequence[str] = ("onfleet",),
    ) -> None:
        self._settings = settings
        self._demo = DemoFiles(settings.doorline_var)
        self._port = port
        self._speed = speed
        self._stops = stops
        self._platforms = tuple(platforms)
        self._headless = headless
        self._url = files.base(port)
        self._stopped = False
        self._announced = False

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM.

        Raises:
            ConfigurationError: another demo runs here, or the port is taken.
        """
        lock = self._take_lock()
        self._doorway = self._open_doorway()
        resumed = self._prepare_folder()
        self._choose_ports()
        say(f"demo page: {self._url}/demo")
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        postgres = EmbeddedPostgres(self._settings.doorline_var / "postgres")
        children: list[Child] = []
        try:
            database_url = create_database(postgres.url, DATABASE, replace=not resumed)
            self._mind(children, database_url)
        finally:
            self._demo.announcement.unlink(missing_ok=True)
            for child in reversed(children):
                if child.process is not None:
                    end(child.process)
            postgres.stop()
            self._doorway.close()
            if self._stopped:
                self._demo.unfinished.unlink(missing_ok=True)
            lock.close()

    def _mind(self, children: list[Child], database_url: str) -> None:
        # Rasa takes longest by far, so it begins before everything else; the page is there meanwhile.
        rasa = Child("Rasa", self._rasa_starter(database_url), self._demo.log("rasa"))
        children.append(rasa)
        trainer = (
            None if rasa_server.model_path(self._settings.doorline_var).exists() else self._start_training()
        )
        if trainer is None:
            self._load_model(rasa)
        migrate(database_url)
        children.append(Child("the pretended world", self._start_world, self._demo.log("world")))
        children.append(Child("the app", lambda: self._start_app(database_url), self._demo.log("app")))
        while not self._stopped:
            for child in children:
                if child is not rasa or trainer is None:
                    child.ensure()
            if trainer is not None and trainer.poll() is not None:
                self._check_training(trainer.returncode)
                trainer = None
                self._load_model(rasa)
            if self._demo.serving.exists():
                self._doorway.leave_to_the_app()
            if not self._announced:
                self._announce_when_ready()
            time.sleep(LOOK_EVERY_SECONDS)
        if trainer is not None:
            end(trainer)

    def _load_model(self, rasa: Child) -> None:
        self._set_stage("Loading the language model")
        rasa.ensure()

    def _start_training(self) -> "subprocess.Popen[bytes]":
        self._set_stage("Training the language model")
        return self._start("train", "train")

    def _check_training(self, code: int) -> None:
        if code != 0:
            raise ConfigurationError(f"training failed, see {self._demo.log('train')}")

    # --- preparing ----------------------------------------------------------------------------

    def _take_lock(self) -> IO[str]:
        self._settings.doorline_var.mkdir(parents=True, exist_ok=True)
        lock = self._demo.lock.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise ConfigurationError("a demo is running here already; end it with Ctrl-C first") from exc
        return lock

    def _prepare_folder(self) -> bool:
        """Whether the last day was cut off and goes on."""
        resumed = self._demo.unfinished.exists()
        self._demo.announcement.unlink(missing_ok=True)
        if resumed:
            # The day is one with its stops and their platforms: other ones would be another day.
            self._take_up(self._demo.unfinished.read_text())
            say("the last day was cut off: it goes on where it was (Ctrl-C ends a day for good)")
        else:
            shutil.rmtree(self._demo.folder, ignore_errors=True)
        self._demo.folder.mkdir(parents=True, exist_ok=True)
        self._demo.serving.unlink(missing_ok=True)
        self._demo.unfinished.write_text(json.dumps({"stops": self._stops, "platforms": self._platforms}))
        return resumed

    def _take_up(self, unfinished: str) -> None:
        day = json.loads(unfinished or "{}")
        if isinstance(day, dict):
            self._stops = int(day.get("stops", self._stops))
            self._platforms = tuple(day.get("platforms", self._platforms))
        else:  # a day that was begun before there were other platforms
            self._stops, self._platforms = int(day), ("onfleet",)

    def _open_doorway(self) -> Doorway:
        deadline = time.monotonic() + 5
        while True:
            try:
                return Doorway(self._port, self._demo.read_stage)
            except ConfigurationError:
                # A demo that was killed a moment ago may still be letting go of the port.
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_EVERY_SECONDS)

    def _choose_ports(self) -> None:
        before = self._demo.read_ports()
        names = ("twilio", "slack", *self._platforms, "mail", "smtp", "inbound_mail", "world", "rasa")
        ports = {name: free_port(before.get(name)) for name in names}
        self._demo.ports.write_text(json.dumps(ports))

    # --- children -----------------------------------------------------------------------------

    def _start_world(self) -> "subprocess.Popen[bytes]":
        return self._start(
            "world",
            *("demo-world", "--app-url", self._url),
            *("--speed", str(self._speed), "--stops", str(self._stops)),
            *("--platforms", ",".join(self._platforms)),
        )

    def _start_app(self, database_url: str) -> "subprocess.Popen[bytes]":
        return self._start(
            "app",
            *("serve", "--port", str(self._port), "--inherited-socket", str(self._doorway.fd)),
            more=self._app_environment(database_url),
        )

    def _app_environment(self, database_url: str) -> dict[str, str]:
        ports = self._demo.read_ports()
        return {
            "DATABASE_URL": database_url,
            "PUBLIC_URL": self._url,
            "RASA_URL": files.base(ports["rasa"]),
            "DOORLINE_SOP": str(self._protocol()),
            "DOORLINE_DEMO_CLOCK": str(self._demo.clock),
            "DOORLINE_DEMO_WORLD": files.base(ports["world"]),
            "DOORLINE_DEMO_SLACK": files.base(ports["slack"]),
            "TWILIO_ACCOUNT_SID": files.TWILIO_ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": files.TWILIO_AUTH_TOKEN,
            "TWILIO_FROM": files.TWILIO_NUMBER,
            "TWILIO_API_BASE": files.base(ports["twilio"]),
            "SLACK_BOT_TOKEN": files.SLACK_BOT_TOKEN,
            "SLACK_SIGNING_SECRET": files.SLACK_SIGNING_SECRET,
            "SLACK_API_BASE": files.base(ports["slack"]) + "/api/",
            "SMTP_URL": files.smtp(ports["smtp"]),
            "EMAIL_FROM": f"QuickShip <{files.EMAIL_ADDRESS}>",
            "EMAIL_INBOUND_PORT": str(ports["inbound_mail"]),
            # A person who brings a platform back wants to see it back.
            "PLATFORM_PAUSE_SECONDS": "2",
            **self._platform_environment(ports),
        }

    def _protocol(self) -> Path:
        """A person's own file is theirs; the shipped one knows nothing of the pretended town."""
        if self._settings.doorline_sop != DEFAULT_PROTOCOL:
            return self._settings.doorline_sop
        write_protocol(DEFAULT_PROTOCOL, self._demo.protocol, self._platforms)
        return self._demo.protocol

    def _platform_environment(self, ports: dict[str, int]) -> dict[str, str]:
        keys = {
            "onfleet": {
                "ONFLEET_API_KEY": files.ONFLEET_API_KEY,
                "ONFLEET_WEBHOOK_SECRET": files.ONFLEET_WEBHOOK_SECRET,
            },
            "route4me": {"ROUTE4ME_API_KEY": files.ROUTE4ME_API_KEY},
            "optimoroute": {
                "OPTIMOROUTE_API_KEY": files.OPTIMOROUTE_API_KEY,
                "OPTIMOROUTE_TIMEZONE": files.TIMEZONE,
            },
        }
        # A key of the person's own environment must not bring a real platform into the demo.
        off = {variable: "" for name in files.PLATFORMS for variable in keys[name]}
        on = [keys[name] | {f"{name.upper()}_API_BASE": files.base(ports[name])} for name in self._platforms]
        return off | {variable: value for each in on for variable, value in each.items()}

    def _rasa_starter(self, database_url: str) -> Callable[[], "subprocess.Popen[bytes]"]:
        token = actions_token(secret_key(self._settings))

        def start() -> "subprocess.Popen[bytes]":
            return rasa_server.start(
                rasa_server.model_path(self._settings.doorline_var),
                self._demo.read_ports()["rasa"],
                tracker_url=tracker_url(database_url),
                actions_url=f"{self._url}/actions/webhook",
                actions_token=token,
                log=self._demo.log("rasa"),
            )

        return start

    def _start(
        self, name: str, *arguments: str, more: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "bot", *arguments]
        environment = os.environ | {"DOORLINE_VAR": str(self._settings.doorline_var)} | (more or {})
        with self._demo.log(name).open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own command line
                command,
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                preexec_fn=dies_with_parent,
                # Ctrl-C is ours to take: we end the children in order.
                start_new_session=True,
                pass_fds=(self._doorway.fd,) if name == "app" else (),
            )

    # --- telling ------------------------------------------------------------------------------

    def _announce_when_ready(self) -> None:
        ports = self._demo.read_ports()
        with suppress(httpx.HTTPError, OSError):
            if httpx.get(f"{self._url}/readyz", timeout=2, trust_env=False).status_code != httpx.codes.OK:
                return
            recipients = httpx.get(
                files.base(ports["world"]) + "/world/recipients", timeout=5, trust_env=False
            )
            content = files.announcement(
                self._url, files.base(ports["rasa"]), ports, recipients.json(), self._platforms
            )
            draft = self._demo.announcement.with_suffix(".draft")
            draft.write_text(content)
            draft.replace(self._demo.announcement)
            self._announced = True
            self._set_stage("")
            say(f"ready: {self._url}/demo   (details for other clients: {_shown(self._demo.announcement)})")
            if not self._headless:
                webbrowser.open(f"{self._url}/demo")

    def _set_stage(self, stage: str) -> None:
        self._demo.stage.write_text(stage)
        if stage:
            say(stage.lower())

    def _stop(self, _signal: int, _frame: object) -> None:
        if not self._stopped:
            say("ending the day")
        self._stopped = True


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
