"""Rasa as a process of its own: trained when its inputs changed, started beside the app, found over HTTP."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.errors import ConfigurationError
from bot.processes import dies_with_parent
from bot.settings import PROJECT_ROOT

PYTHON = PROJECT_ROOT / ".venv-nlu" / "bin" / "python"
NLU = PROJECT_ROOT / "nlu"
INPUTS = (
    PROJECT_ROOT / "config.yml",
    NLU / "domain",
    NLU / "data",
    NLU / "components",
    NLU / "requirements.txt",
)
"""Whatever changes the model."""
MODELS_KEPT = 3


def fingerprint() -> str:
    """Of every input's path and content: the same inputs, the same model."""
    digest = hashlib.sha256()
    for path in _input_files():
        digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def model_path(var: Path) -> Path:
    return var / "models" / f"{fingerprint()}.tar.gz"


def train(var: Path, log: Path | None = None) -> tuple[Path, bool]:
    """The model of the present inputs and whether it had to be trained, which takes a few minutes.

    Raises:
        ConfigurationError: Rasa is not installed, or the training failed; its output says why.
    """
    path = model_path(var)
    if path.exists():
        return path, False
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / "training.lock").open("w") as lock:
        # Two at once would take twice as long and give the same model: the second waits for the first's.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path, False
        _train(path, log)
    _forget_old_models(path)
    return path, True


def _train(path: Path, log: Path | None) -> None:
    command = [
        *_rasa("train"),
        *("--config", "config.yml"),
        *("--domain", "nlu/domain"),
        *("--data", "nlu/data"),
        *("--out", str(path.parent)),
        *("--fixed-model-name", path.name.removesuffix(".tar.gz")),
        "--quiet",
    ]
    result = subprocess.run(  # noqa: S603 - our own command line
        command, cwd=PROJECT_ROOT, env=_environment(), capture_output=True, text=True, check=False
    )
    if log is not None:
        log.write_text(result.stdout + result.stderr)
    if result.returncode != 0 or not path.exists():
        raise ConfigurationError(f"training the model failed:\n{(result.stdout + result.stderr)[-3000:]}")


def start(
    model: Path, port: int, *, tracker_url: str, actions_url: str, actions_token: str, log: Path
) -> "subprocess.Popen[bytes]":
    """Starts the server; it answers `GET /status` after some 25 s, and dies with this process."""
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *_rasa("run"),
        "--enable-api",
        *("--interface", "127.0.0.1", "--port", str(port)),
        *("--model", str(model)),
        *("--endpoints", "nlu/endpoints.yml", "--credentials", "nlu/credentials.yml"),
    ]
    environment = _environment() | {
        "RASA_TRACKER_URL": tracker_url,
        "DOORLINE_ACTIONS_URL": actions_url,
        "DOORLINE_ACTIONS_TOKEN": actions_token,
    }
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            preexec_fn=dies_with_parent,
        )


def parse_lines(model: Path) -> int:
    """Runs `nlu/parse.py` in Rasa's environment on our standard input and output; gives its exit code."""
    command = [str(_python()), "nlu/parse.py", str(model)]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=_environment(), check=False).returncode  # noqa: S603


def _rasa(verb: str) -> list[str]:
    return [str(_python()), "-m", "rasa", verb]


def _python() -> Path:
    if not PYTHON.exists():
        raise ConfigurationError("Rasa's environment .venv-nlu is missing: run `make setup`")
    return PYTHON


def _environment() -> dict[str, str]:
    """Our own environment, with what keeps Rasa quiet and lets it import `nlu.components`."""
    return os.environ | {
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        # Rasa would take up to 150 of the 100 connections that PostgreSQL allows.
        "POSTGRESQL_POOL_SIZE": "8",
        "POSTGRESQL_MAX_OVERFLOW": "8",
        # Rasa's own processes are what grows with traffic; one server needs one core.
        "OMP_NUM_THREADS": "1",
    }


def _input_files() -> Iterator[Path]:
    for path in INPUTS:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in {".yml", ".py", ".txt"})
        elif path.exists():
            yield path


def _forget_old_models(newest: Path) -> None:
    models = sorted(newest.parent.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in models[MODELS_KEPT:]:
        path.unlink(missing_ok=True)


def say(message: str) -> None:
    """Progress for a person, beside the logs."""
    sys.stderr.write(f"[doorline] {message}\n")
    sys.stderr.flush()
