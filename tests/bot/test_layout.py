"""Names that others script against, and what no file of the project may hold."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML
from typer.testing import CliRunner

from bot.app import create_app
from bot.cli import app as command_line
from bot.settings import PROJECT_ROOT, Settings

# --- names that must not move ---------------------------------------------------------------------

WHOLE = Settings(
    database_url="postgresql://nobody@127.0.0.1:1/nothing",
    rasa_url="http://127.0.0.1:1",
    secret_key=SecretStr("a key for a test"),
    twilio_account_sid="AC" + "0" * 32,
    twilio_auth_token=SecretStr("token"),
    twilio_from="+15005550006",
    slack_bot_token=SecretStr("xoxb-token"),
    slack_signing_secret=SecretStr("secret"),
    onfleet_api_key=SecretStr("key"),
    onfleet_webhook_secret=SecretStr("0d" * 32),
)


async def status_of(settings: Settings, method: str, path: str) -> int:
    """What the app answers to an empty request, without having been started."""
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorline.test") as http:
        return (await http.request(method, path)).status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/connectors/twilio/sms"),
        ("POST", "/connectors/twilio/status"),
        ("POST", "/connectors/twilio/voice"),
        ("POST", "/connectors/twilio/voice/status"),
        ("POST", "/connectors/slack/events"),
        ("GET", "/connectors/onfleet/webhook"),
        ("POST", "/connectors/onfleet/webhook"),
        ("POST", "/actions/webhook"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    ],
)
async def test_a_path_that_others_call_is_served(method: str, path: str) -> None:
    assert await status_of(WHOLE, method, path) not in (404, 405, 500)


async def test_the_edge_of_a_vendor_that_is_off_is_not_there() -> None:
    vendors = (
        "twilio_account_sid",
        "twilio_auth_token",
        "twilio_from",
        "slack_bot_token",
        "slack_signing_secret",
    )
    off = WHOLE.model_copy(update=dict.fromkeys((*vendors, "onfleet_api_key", "onfleet_webhook_secret")))
    for edge in ("twilio/sms", "slack/events", "onfleet/webhook"):
        assert await status_of(off, "POST", f"/connectors/{edge}") == 404
    assert await status_of(off, "GET", "/healthz") == 200


async def test_the_demo_page_is_served_in_the_demo_only() -> None:
    assert await status_of(WHOLE, "GET", "/demo") == 404


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ([], ["demo", "serve", "worker", "train", "nlu", "when", "sop", "doctor", "db"]),
        (["demo"], ["--speed", "--port", "--stops", "--headless"]),
        (["serve"], ["--no-worker", "--no-clock", "--no-rasa"]),
        (["when"], ["--now", "--tz", "--locale", "--jsonl"]),
        (["nlu"], ["parse"]),
        (["sop"], ["check"]),
        (["db"], ["upgrade"]),
    ],
)
def test_help_lists_every_command_and_option(command: list[str], names: list[str]) -> None:
    result = CliRunner().invoke(command_line, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 0
    for name in names:
        assert name in result.stdout


VARIABLES = """
    DATABASE_URL PUBLIC_URL SECRET_KEY DOORLINE_SOP RASA_URL TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN TWILIO_FROM
    TWILIO_API_BASE SLACK_BOT_TOKEN SLACK_SIGNING_SECRET SLACK_APP_TOKEN SLACK_API_BASE ONFLEET_API_KEY
    ONFLEET_API_BASE ONFLEET_WEBHOOK_SECRET
"""


def test_every_variable_of_the_environment_is_read() -> None:
    assert {name.lower() for name in VARIABLES.split()} <= set(Settings.model_fields)


@pytest.mark.parametrize("vendor", ["twilio", "slack", "onfleet"])
def test_reading_one_connector_teaches_all(vendor: str) -> None:
    folder = PROJECT_ROOT / "connectors" / vendor
    for name in ("client.py", "payloads.py", "mapping.py", "webhook.py", "emulator.py", "QUALITY.yml"):
        assert (folder / name).exists(), name
    rules = YAML(typ="safe").load((folder / "QUALITY.yml").read_text())["rules"]
    for rule, state in rules.items():
        word = state if isinstance(state, str) else state["status"]
        assert word in ("done", "todo", "exempt"), rule
        assert word != "exempt" or state.get("comment"), f"{rule}: exempt without a reason"


# --- what no file may hold ------------------------------------------------------------------------


def project_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        path = PROJECT_ROOT / name
        if path.is_file():
            yield path


def texts() -> Iterator[tuple[Path, str]]:
    for path in project_files():
        try:
            yield path.relative_to(PROJECT_ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def index_hosts() -> set[str]:
    """Hosts of the package indexes that this machine is set up with, public ones too."""
    told = [value for name, value in os.environ.items() if "INDEX" in name and "://" in value]
    for file in ("/etc/pip.conf", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/uv/uv.toml"):
        path = Path(file).expanduser()
        if path.exists():
            told += re.findall(r"https?://[^\s\"']+", path.read_text())
    hosts = {urlsplit(url).hostname for text in told for url in text.split()}
    return {host for host in hosts if host}


def test_no_file_names_a_path_of_this_machine() -> None:
    here = [
        str(folder) for folder in (PROJECT_ROOT, Path.home()) if len(folder.parts) > 2 or folder != Path("/")
    ]
    pattern = re.compile("|".join(rf"(?<![\w.\-/])(?:file://)?{re.escape(folder)}/" for folder in here))
    assert [str(path) for path, content in texts() if pattern.search(content)] == []


def test_no_file_names_a_package_index() -> None:
    hosts = index_hosts()
    named = [(str(path), host) for path, content in texts() for host in hosts if host in content]
    assert named == []
    locks = [
        path for path, content in texts() if path.name.startswith("requirements") and "index-url" in content
    ]
    assert locks == []
