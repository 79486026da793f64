"""What a text of ours means, told by the responses of `nlu/domain/` alone. Pure but for reading those."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

UNASKED_FILES = ("responses_notifications", "responses_recovery")
"""Beginnings of the names of the files whose responses are written to people who did not just write to us."""
KINDS = {
    "utter_notice_out": "out_for_delivery",
    "utter_notice_next": "approaching",
    "utter_notice_one_away": "approaching",
    "utter_notice_stops_away": "approaching",
    "utter_notice_close": "approaching",
    "utter_notice_late": "running_late",
    "utter_notice_back_on_time": "back_on_time",
    "utter_notice_later": "later",
    "utter_notice_window_changed": "window_changed",
    "utter_notice_delivered": "delivered",
    "utter_notice_failed": "failed",
    "utter_notice_returned": "returned",
}
"""By the beginning of a response's name."""
FOLLOW_UP = "follow_up"
_SLOT = re.compile(r"\\\{(\w+)\\\}")
_TIME = re.compile(r"\b(\d{1,2})(?::(\d\d))?\s?(am|pm)\b", re.IGNORECASE)
_ABOUT = re.compile(r"\b(?:about|eso de las?|hora estimada:?|around)\s*(?=\d)", re.IGNORECASE)
_QUESTION = re.compile(r"[?¿]")


@dataclass(frozen=True)
class Meaning:
    response: str
    kind: str
    """A kind of notification, or `follow_up` for what is written after a failure."""
    language: str
    slots: Mapping[str, str]


class Meanings:
    """Finds the response that a body was made of; the one with the most fixed letters wins."""

    def __init__(self, domain: Path) -> None:
        self._patterns: list[tuple[int, re.Pattern[str], str, str, str]] = []
        for file in sorted(domain.glob("*.yml")):
            if file.stem.startswith(UNASKED_FILES):
                is_notice = file.stem.startswith("responses_notifications")
                content: dict[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
                for name, variants in content.get("responses", {}).items():
                    if kind := kind_of(name) if is_notice else FOLLOW_UP:
                        self._add(name, kind, variants)
        self._patterns.sort(key=lambda item: -item[0])

    def _add(self, name: str, kind: str, variants: list[dict[str, Any]]) -> None:
        for variant in variants:
            language = "es" if variant.get("condition") else "en"
            text = str(variant.get("text", ""))
            seen: set[str] = set()

            def group(match: re.Match[str], seen: set[str] = seen) -> str:
                slot = match.group(1)
                if slot in seen:
                    return f"(?P={slot})"
                seen.add(slot)
                return f"(?P<{slot}>.+?)"

            # Who writes may stand before it, and how to opt out after it.
            pattern = re.compile(_SLOT.sub(group, re.escape(text)))
            letters = len(re.sub(r"\{\w+\}", "", text))
            self._patterns.append((letters, pattern, name, kind, language))

    @property
    def count(self) -> int:
        return len(self._patterns)

    def of(self, body: str) -> Meaning | None:
        """None: none of the unasked ones; an answer, or a dispatcher's own words."""
        for _, pattern, name, kind, language in self._patterns:
            if (match := pattern.search(body)) is not None:
                return Meaning(name, kind, language, match.groupdict())
        return None


def kind_of(response: str) -> str:
    """Empty for what is only put around others."""
    found = [beginning for beginning in KINDS if response.startswith(beginning)]
    return KINDS[max(found, key=len)] if found else ""


def named_until(body: str, now: datetime) -> datetime | None:
    """The time by which the text lets somebody expect it, on the local day of `now`; the last one of a range.

    What follows `about` counts; else the last time that is named. None where no time of day is named.
    """
    about = _ABOUT.search(body)
    found = list(_TIME.finditer(body, about.end() if about else 0))
    if not found:
        return None
    match = found[0] if about else found[-1]
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "pm" else 0)
    return now.replace(hour=hour, minute=int(match[2] or 0), second=0, microsecond=0)


def is_question(body: str) -> bool:
    return _QUESTION.search(body) is not None
