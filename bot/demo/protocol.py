"""The demo's protocol: the shipped one, and what lies in the pretended town."""

from collections.abc import Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.demo.files import DISPATCHERS
from connectors.world.town import ZONES

LAST_TIER = "    - {kind: mention, after_minutes: 10}\n"
MORE_TIERS = """\
    - {kind: sms, after_minutes: 20}
    - {kind: call, after_minutes: 30, takes: [button, sms, call]}
    - {kind: call, after_minutes: 40, to: next}
"""
FIRST_DAY = date(2026, 1, 5)


def write_protocol(shipped: Path, target: Path, platforms: Sequence[str]) -> None:
    """New stops find their zone and its platform; events may go to a program on this machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = shipped.read_text(encoding="utf-8").replace(LAST_TIER, LAST_TIER + MORE_TIERS)
    target.write_text(f"{content}\n{_town(platforms)}", encoding="utf-8")


def _town(platforms: Sequence[str]) -> str:
    sections: dict[str, Any] = {
        "zones": [
            {
                "name": zone.name,
                "postcodes": [zone.postcode],
                "platform": platforms[index % len(platforms)],
            }
            for index, zone in enumerate(ZONES)
        ],
        "hand_over": {"private_addresses": True},
        "people": {
            each["id"][2:].lower(): {"name": each["name"], "slack": each["id"], "phone": each["phone"]}
            for each in DISPATCHERS
        },
        "on_call": {
            "default": {"rotation": {"people": ["dana", "sam"], "every_days": 1, "starts_on": FIRST_DAY}}
        },
    }
    text = StringIO()
    YAML().dump(sections, text)
    return text.getvalue()
