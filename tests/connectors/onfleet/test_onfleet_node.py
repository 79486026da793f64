"""Onfleet's own Node client, unchanged, against the pretended Onfleet."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connectors.onfleet.payloads import to_ms
from tests.connectors.onfleet.onfleet_town import API_KEY, Town

PACKAGE, VERSION = "@onfleet/node-onfleet", "1.4.0"
ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "var" / "node"
ENTRY = FOLDER / "node_modules" / PACKAGE / "index.js"
SCRIPT = Path(__file__).with_name("node_onfleet.mjs")

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def sdk() -> Path:
    """The client's entry file, installed under `var/` when it is not there yet."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        pytest.skip("node and npm are not installed")
    if not ENTRY.is_file():
        options = ["--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(FOLDER)]
        command = [npm, "install", *options, f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"{PACKAGE} cannot be installed here")
    return ENTRY


async def test_node_onfleet_works_unchanged(town: Town, sdk: Path) -> None:
    town.emulator.set_duty(town.driver, True, town.clock())
    given = {
        "SDK": sdk.as_uri(),
        "BASE": town.url,
        "KEY": API_KEY,
        "WORKER": town.driver,
        "TASK": town.refs[0],
        "NOW": str(to_ms(town.clock())),
    }
    told = await _play(given)
    schedule = {"schedule": 1, "scheduled": "2026-06-09"}
    assert told == schedule | {
        "key": True,
        "stranger": False,
        "organization": "America/New_York",
        "task": town.refs[0],
        "shortId": town.refs[0],
        "all": 3,
        "made": [0, "Elm St", 2],
        "updated": "back door",
        "metadata": 1,
        "inserted": True,
        "container": True,
        "clone": True,
        "batch": 1,
        "job": "succeeded",
        "auto": town.driver,
        "workers": [town.driver],
        "near": 1,
        "held": 5,
        "team": [1, "East"],
        "hubs": 1,
        "estimate": [town.driver, 1, True],
        "manifest": 5,
        "driver": ["+17325550155", 12, False],
        "renamed": "Li W.",
        "plan": True,
        "planned": True,
        "plans": 1,
        "noPlan": 200,
        "noDriver": 200,
        "recipient": "Ana Ruiz",
        "destination": True,
        "admin": "Kim B.",
        "webhooks": [],
        "deleted": 200,
        "gone": "HttpError is not a constructor",
        "denied": "PermissionError is not a constructor",
    }
    assert town.emulator.api.unexpected == []


async def _play(given: dict[str, str]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "node",
        "--no-warnings",
        str(SCRIPT),
        env={"PATH": os.environ["PATH"]} | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()[-2000:]
    lines = [json.loads(line) for line in out.decode().splitlines() if line.startswith("{")]
    return {line["step"]: line["value"] for line in lines}
