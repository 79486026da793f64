"""The shipped protocol with a few values of its own for one test."""

from pathlib import Path

from bot.settings import PROJECT_ROOT

SHIPPED = PROJECT_ROOT / "bot" / "sop.yml"


def protocol_with(folder: Path, changes: dict[str, str]) -> Path:
    """A copy in which each key of `changes` is replaced by its value; each must stand there exactly once."""
    content = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert content.count(old) == 1, f"{old!r} does not stand exactly once in bot/sop.yml"
        content = content.replace(old, new)
    file = folder / "sop.yml"
    file.write_text(content, encoding="utf-8")
    return file


NO_HOLDING = {"holding_after_seconds: 20 ": "holding_after_seconds: 600 "}
"""For stories in real time, where a slow machine must not add a holding answer."""
