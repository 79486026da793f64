"""The shipped protocol with a few values of its own for one test."""

import re
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ruamel.yaml import YAML

from bot.settings import PROJECT_ROOT

SHIPPED = PROJECT_ROOT / "bot" / "sop.yml"
SPEAKING_FIRST = ("drivers", "notifications", "recovery")
"""Sections that write to recipients and drivers unasked."""


def _quiet() -> Path:
    content = SHIPPED.read_text(encoding="utf-8")
    for section in SPEAKING_FIRST:
        content, found = re.subn(rf"(?m)^({section}:.*\n)  enabled: true$", r"\1  enabled: false", content)
        assert found == 1, f"{section} does not stand as expected in bot/sop.yml"
    file = Path(mkdtemp(prefix="doorline-tests-")) / "sop.yml"
    file.write_text(content, encoding="utf-8")
    return file


QUIET = _quiet()
"""The shipped protocol, but nobody is written to unasked: for stories about what people ask."""


def protocol_with(folder: Path, changes: dict[str, str]) -> Path:
    """A copy in which each key of `changes` is replaced by its value; each must stand there exactly once."""
    content = QUIET.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert content.count(old) == 1, f"{old!r} does not stand exactly once in bot/sop.yml"
        content = content.replace(old, new)
    file = folder / "sop.yml"
    file.write_text(content, encoding="utf-8")
    return file


NO_HOLDING = {"holding_after_seconds: 20 ": "holding_after_seconds: 600 "}
"""For stories in real time, where a slow machine must not add a holding answer."""


def protocol_of(folder: Path, escalations: dict[str, Any], **sections: Any) -> Path:
    """The shipped protocol with other escalation rules, and whole sections replaced or added."""
    yaml = YAML(typ="safe")
    content = yaml.load(QUIET.read_text(encoding="utf-8"))
    content["escalations"] |= escalations
    file = folder / "sop.yml"
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(content | sections, stream)
    return file
