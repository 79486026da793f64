"""What is said without Rasa: the same responses that Rasa reads, from `nlu/domain/`."""

import random
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.errors import ConfigurationError


class Words:
    """Responses by name and language; `{slots}` are filled in. The words themselves live in `nlu/domain/`."""

    def __init__(self, domain_folder: Path) -> None:
        self._responses: dict[str, list[dict[str, Any]]] = {}
        yaml = YAML(typ="safe")
        for path in sorted(domain_folder.rglob("*.yml")):
            content = yaml.load(path.read_text(encoding="utf-8")) or {}
            self._responses.update(content.get("responses", {}))

    def say(self, response: str, language: str, **slots: str) -> str:
        """Raises `ConfigurationError` for a response that the domain does not have."""
        variants = self._responses.get(response)
        if not variants:
            raise ConfigurationError(f"nlu/domain has no response {response}")
        fitting = [variant for variant in variants if _speaks(variant, language)]
        plain = [variant for variant in variants if not variant.get("condition")]
        chosen = random.choice(fitting or plain or variants)
        return str(chosen["text"]).format(**slots)


def _speaks(variant: dict[str, Any], language: str) -> bool:
    conditions = variant.get("condition") or []
    return any(
        condition.get("name") == "language" and condition.get("value") == language for condition in conditions
    )
