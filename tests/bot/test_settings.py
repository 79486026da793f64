"""Settings: an unset vendor is off, a half-configured one stops the start and says what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.app import build
from bot.errors import ConfigurationError
from bot.settings import PROJECT_ROOT, Settings

VENDORS = {
    "Twilio": {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "secret-token",
        "TWILIO_FROM": "+15005550006",
    },
    "Slack": {"SLACK_BOT_TOKEN": "xoxb-secret-token", "SLACK_SIGNING_SECRET": "secret"},
    "Onfleet": {"ONFLEET_API_KEY": "secret-token", "ONFLEET_WEBHOOK_SECRET": "0d" * 32},
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_any_variable_every_vendor_is_off() -> None:
    settings = Settings()
    assert (settings.has_twilio, settings.has_slack, settings.has_onfleet) == (False, False, False)
    assert settings.database_url is None


@pytest.mark.parametrize(("vendor", "missing"), [(v, name) for v, names in VENDORS.items() for name in names])
def test_a_half_configured_vendor_is_refused_and_the_missing_variable_named(
    vendor: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VENDORS[vendor].items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert f"{vendor} is only half configured: set {missing} too" in str(refused.value)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_whole_vendor_is_on(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VENDORS[vendor].items():
        monkeypatch.setenv(name, value)
    assert getattr(Settings(), f"has_{vendor.lower()}") is True


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "")
    assert Settings().has_twilio is False


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VENDORS.values():
        for name, value in names.items():
            monkeypatch.setenv(name, value)
    assert "secret" not in repr(Settings()).replace("secret_key", "").replace("_secret=", "")


def test_the_command_line_tells_of_a_half_configured_vendor_in_plain_words(tmp_path: Path) -> None:
    environment = {"TWILIO_ACCOUNT_SID": "AC1", "DOORLINE_VAR": str(tmp_path), "PATH": ""}
    result = subprocess.run(
        [sys.executable, "-m", "bot", "db", "upgrade"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "set TWILIO_AUTH_TOKEN, TWILIO_FROM too" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_app_is_not_made_without_a_database_and_rasa() -> None:
    with pytest.raises(ConfigurationError):
        build(Settings(secret_key=SecretStr("x")))
