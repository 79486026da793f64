"""The whole demo as a person starts it: `doorline demo` in a process of its own, joined through var/demo.json."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import rasa_server
from bot.processes import free_port
from bot.settings import PROJECT_ROOT
from tests.harness.var import VAR

PATIENCE_SECONDS = 150


@dataclass
class RunningDemo:
    """One demo in its own `var/`, with the model that the other tests use."""

    var: Path
    port: int
    speed: float
    process: "subprocess.Popen[bytes] | None" = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def announcement(self) -> Path:
        return self.var / "demo.json"

    def start(self) -> None:
        self.announcement.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bot", "demo", "--headless", "--port", str(self.port)]
        with (self.var / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--speed", str(self.speed)],
                cwd=PROJECT_ROOT,
                env=os.environ | {"DOORLINE_VAR": str(self.var)},
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.announcement.exists():
            assert self.process is not None
            assert self.process.poll() is None, (self.var / "demo.log").read_text()[-3000:]
            assert time.monotonic() < deadline, (self.var / "demo.log").read_text()[-3000:]
            time.sleep(0.1)
        self.facts = json.loads(self.announcement.read_text())

    def page_answers(self) -> httpx.Response:
        """The first answer of the demo page, whatever it shows."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return httpx.get(f"{self.url}/demo", timeout=10, trust_env=False)
            except httpx.TransportError:
                assert time.monotonic() < deadline, (self.var / "demo.log").read_text()[-3000:]
                time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(40)


@pytest.fixture(scope="session")
def demo_var() -> Path:
    """A `var/` of its own that holds the model already, so that no test trains it twice."""
    model, _ = rasa_server.train(PROJECT_ROOT / "var")
    var = VAR / "demo"
    shutil.rmtree(var / "demo", ignore_errors=True)
    (var / "models").mkdir(parents=True, exist_ok=True)
    shutil.copy2(model, var / "models" / model.name)
    return var


@pytest.fixture(scope="session")
def demo(demo_var: Path) -> Iterator[RunningDemo]:
    """A demo at sixty times the speed, ready."""
    running = RunningDemo(demo_var, free_port(), speed=60)
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.end()
