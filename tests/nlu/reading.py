"""Reads what Rasa reads: the domain, the rules and the training texts of `nlu/`."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
NLU = ROOT / "nlu"

_ANNOTATION = re.compile(r"\[([^\]]+)\]\((\w+)\)")


@cache
def load(folder: str) -> tuple[dict[str, Any], ...]:
    yaml = YAML(typ="safe")
    return tuple(yaml.load(path.read_text("utf-8")) for path in sorted((NLU / folder).rglob("*.yml")))


def domain(key: str) -> Any:
    """One section of the domain, merged over its files."""
    sections = [content[key] for content in load("domain") if key in content]
    if isinstance(sections[0], list):
        return [entry for section in sections for entry in section]
    return {name: value for section in sections for name, value in section.items()}


def responses() -> dict[str, list[dict[str, Any]]]:
    return dict(domain("responses"))


def training_texts() -> list[tuple[str, str]]:
    """(intent, text without annotations), in file order."""
    return [
        (entry["intent"], _ANNOTATION.sub(r"\1", line.removeprefix("- ").strip()))
        for content in load("data/nlu")
        for entry in content["nlu"]
        if "intent" in entry
        for line in entry["examples"].splitlines()
    ]


def rule_steps() -> list[dict[str, Any]]:
    return [step for content in load("data/rules") for rule in content["rules"] for step in rule["steps"]]


def code_of(*folders: str) -> str:
    return "\n".join(
        path.read_text("utf-8") for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))
    )
