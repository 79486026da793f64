"""Doorline as a process of its own, so that a test can kill, freeze and restart it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from bot.processes import dies_with_parent
from bot.settings import PROJECT_ROOT, Settings


class DoorlineProcess:
    """`python -m bot …` with settings handed over as its environment. Leave the context to end it."""

    def __init__(self, settings: Settings, *arguments: str, log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments],
                cwd=PROJECT_ROOT,
                env=_environment(settings),
                stdout=output,
                stderr=output,
                preexec_fn=dies_with_parent,
            )

    def kill(self) -> None:
        """`kill -9`: no handler runs, nothing is said goodbye to."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def must_live(self) -> None:
        assert self._process.poll() is None, f"the process ended:\n{self._log.read_text()[-3000:]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.thaw()
        self.kill()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as variables, on top of what the machine needs and free of its own vendors."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    told = {name.upper(): getattr(settings, name) for name in Settings.model_fields}
    return kept | {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in told.items()
        if value is not None
    }
