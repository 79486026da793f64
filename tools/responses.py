"""Reads the responses of a domain folder with the lines on which they stand."""

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ENGLISH, SPANISH = "en", "es"


@dataclass(frozen=True)
class Variant:
    response: str
    language: str
    text: str
    path: Path
    line: int
    segments: int | None = None
    """Segments that this one may take, where its `metadata` allows more than usual."""
    reserved: frozenset[str] = field(default_factory=frozenset)
    """Reserved words, in capitals, that its `metadata` lets it ask for: how to leave, how to come back."""

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.text) if name)


@dataclass(frozen=True)
class Mistake:
    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def read_folder(folder: Path) -> tuple[list[Variant], list[Mistake]]:
    """Every variant of every response, and those that are not for exactly one of our languages."""
    variants: list[Variant] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*.yml")):
        content = YAML(typ="rt").load(path.read_text(encoding="utf-8")) or {}
        for name, listed in (content.get("responses") or {}).items():
            read = list(_read(path, str(name), listed))
            variants += read
            line = content["responses"].lc.key(name)[0] + 1
            if [variant.language for variant in read] != [SPANISH, ENGLISH]:
                message = f"{name}: wants a Spanish variant on the slot `language`, then a plain English one"
                mistakes.append(Mistake(path, line, message))
    return variants, mistakes


def _read(path: Path, name: str, listed: Any) -> Iterator[Variant]:
    for entry in listed:
        metadata = entry.get("metadata") or {}
        yield Variant(
            response=name,
            language=_language(entry.get("condition")),
            text=str(entry["text"]),
            path=path,
            line=entry.lc.key("text")[0] + 1,
            segments=metadata.get("segments"),
            reserved=frozenset(str(word).upper() for word in metadata.get("reserved", ())),
        )


def _language(condition: Any) -> str:
    """`?` for a condition of any other kind."""
    if not condition:
        return ENGLISH
    plain = [dict(part) for part in condition]
    return SPANISH if plain == [{"type": "slot", "name": "language", "value": "es"}] else "?"
