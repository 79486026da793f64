"""What the demo's processes leave for each other and for whoever joins the demo, under `var/demo/`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import ConfigurationError
from bot.windows.holidays import public_holidays

TWILIO_ACCOUNT_SID = "AC" + "d00" * 10 + "d0"
TWILIO_AUTH_TOKEN = "pretended-auth-token"  # noqa: S105 - opens nothing but the emulator
TWILIO_NUMBER = "+15005550006"
SLACK_BOT_TOKEN = "xoxb-pretended"  # noqa: S105
SLACK_SIGNING_SECRET = "pretended-signing-secret"  # noqa: S105
SLACK_CHANNELS = [{"id": "C0DISPATCH", "name": "dispatch"}]
DISPATCHERS = [
    {"id": "U0DANA", "name": "Dana", "phone": "+12125550901"},
    {"id": "U0SAM", "name": "Sam", "phone": "+12125550902"},
]
EMAIL_ADDRESS = "delivery@quickship.example"
ONFLEET_API_KEY = "pretended-onfleet-key"
ONFLEET_WEBHOOK_SECRET = "0d" * 32
ROUTE4ME_API_KEY = "pretended-route4me-key"
OPTIMOROUTE_API_KEY = "pretended-optimoroute-key"
PLATFORMS = ("onfleet", "route4me", "optimoroute")

TIMEZONE = "America/New_York"
SUNDAY = 6


@dataclass(frozen=True)
class DemoFiles:
    """`var` is the project's folder for everything that is made at run time."""

    var: Path

    @property
    def folder(self) -> Path:
        return self.var / "demo"

    @property
    def announcement(self) -> Path:
        """`var/demo.json`: there while the demo is ready, so that any client can join it."""
        return self.var / "demo.json"

    @property
    def clock(self) -> Path:
        return self.folder / "clock.json"

    @property
    def ledger(self) -> Path:
        return self.folder / "world.sqlite"

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def protocol(self) -> Path:
        return self.folder / "sop.yml"

    @property
    def stage(self) -> Path:
        """One line about what is under way while the demo warms up."""
        return self.folder / "stage"

    @property
    def serving(self) -> Path:
        """Made by the app when it answers at the demo's port."""
        return self.folder / "serving"

    @property
    def unfinished(self) -> Path:
        """There from the start of a day until it is ended on purpose: a killed day is resumed."""
        return self.folder / "unfinished"

    @property
    def lock(self) -> Path:
        return self.var / "demo.lock"

    def log(self, process: str) -> Path:
        return self.folder / f"{process}.log"

    def read_ports(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads(self.ports.read_text())
        except (OSError, ValueError):
            return {}
        return ports

    def read_stage(self) -> str:
        try:
            return self.stage.read_text().strip()
        except OSError:
            return ""


def announcement(
    app_url: str,
    rasa_url: str,
    ports: dict[str, int],
    recipients: list[dict[str, Any]],
    platforms: Sequence[str],
) -> str:
    """The content of `var/demo.json`."""
    return json.dumps(
        {
            "url": app_url,
            "twilio": {
                "base": base(ports["twilio"]),
                "account_sid": TWILIO_ACCOUNT_SID,
                "auth_token": TWILIO_AUTH_TOKEN,
                "number": TWILIO_NUMBER,
            },
            "slack": {
                "base": base(ports["slack"]),
                "bot_token": SLACK_BOT_TOKEN,
                "signing_secret": SLACK_SIGNING_SECRET,
                "channels": SLACK_CHANNELS,
                "dispatchers": [dispatcher["id"] for dispatcher in DISPATCHERS],
            },
            "rasa": {"base": rasa_url},
            "email": {
                "base": base(ports["mail"]),
                "smtp_url": smtp(ports["smtp"]),
                "inbound_url": smtp(ports["inbound_mail"]),
                "address": EMAIL_ADDRESS,
            },
            **{name: _platform(name, ports) for name in platforms},
            "recipients": recipients,
        },
        indent=2,
    )


def _platform(name: str, ports: dict[str, int]) -> dict[str, str]:
    keys = {
        "onfleet": {"api_key": ONFLEET_API_KEY, "webhook_secret": ONFLEET_WEBHOOK_SECRET},
        "route4me": {"api_key": ROUTE4ME_API_KEY},
        "optimoroute": {"api_key": OPTIMOROUTE_API_KEY},
    }
    return {"base": base(ports[name]), **keys[name]}


def read_platforms(text: str) -> tuple[str, ...]:
    """`onfleet,route4me` or `all`. Raises `ConfigurationError` for a name that is none."""
    names = PLATFORMS if text.strip() == "all" else tuple(part.strip() for part in text.split(","))
    if unknown := [name for name in names if name not in PLATFORMS]:
        raise ConfigurationError(
            f"--platforms: expected some of {', '.join(PLATFORMS)}, or all, found {unknown[0]!r}"
        )
    return tuple(dict.fromkeys(names))


def base(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def smtp(port: int) -> str:
    return f"smtp://127.0.0.1:{port}"


def first_instant(now: datetime) -> datetime:
    """Nine in the morning of the next working day where the pretended town lies: drivers are out, the day is to come.

    `now` must be in that town's zone. On a Sunday nobody could book what the town's protocol does not offer.
    """
    day = now.replace(hour=9, minute=0, second=0, microsecond=0)
    closed = public_holidays("en-US")
    while day.weekday() == SUNDAY or day.date() in closed:
        day += timedelta(days=1)
    return day
