"""`doorline when`: phrases in, JSON objects out."""

import io
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError, field_validator
from pydantic_core import ErrorDetails

from bot.windows.reading import as_json
from bot.windows.resolve import read_window

_MOMENT = "expected an ISO 8601 moment such as 2026-06-10T10:00:00-04:00"
# The day after the last one that Python's calendar knows does not exist.
_FIRST_YEAR, _LAST_YEAR = 1970, 9900


class Line(BaseModel):
    """One line of `--jsonl`; more keys are allowed and ignored."""

    text: str
    reference: datetime
    tz: str
    locale: str = "en-US"

    @field_validator("reference", mode="before")
    @classmethod
    def _iso_moment(cls, value: object) -> datetime:
        """Pydantic alone would take `3` for a moment of 1970."""
        return read_moment(value if isinstance(value, str) else "")


def read_moment(text: str) -> datetime:
    """Raises `ValueError`, naming what was expected."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{text!r}: {_MOMENT}") from exc


def answer_one(text: str, now: datetime, tz: str, locale: str) -> dict[str, Any]:
    """What `text` means; a `now` without an offset is local to `tz`.

    Raises:
        ValueError: there is no such zone, or the moment lies where the calendar ends.
    """
    if not _FIRST_YEAR <= now.year <= _LAST_YEAR:
        raise ValueError(f"reference: {now.isoformat()}: expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"tz: {tz!r}: expected an IANA zone such as America/New_York") from exc
    at = now if now.tzinfo else now.replace(tzinfo=zone)
    return as_json(read_window(text, now=at, timezone=tz, locale=locale))


def answer_lines(lines: Iterable[str], answers: TextIO, complaints: TextIO) -> int:
    """One answer a line, in order. A line that cannot be read is answered with its error; then exit code 1.

    Empty lines are passed over. Errors go to `complaints` too, with the number of the line.
    """
    code = 0
    if isinstance(lines, io.TextIOWrapper):
        # A byte that is no UTF-8 spoils its own line and no other.
        lines.reconfigure(encoding="utf-8", errors="replace")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        answer = _answer_line(line)
        if "error" in answer:
            complaints.write(f"line {number}: {answer['error']}\n")
            code = 1
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()
    return code


def _answer_line(line: str) -> dict[str, Any]:
    try:
        asked = Line.model_validate_json(line.removeprefix("\ufeff"))
        return answer_one(asked.text, asked.reference, asked.tz, asked.locale)
    except ValidationError as exc:
        return {"error": "; ".join(_mistake(error) for error in exc.errors())}
    except ValueError as exc:
        return {"error": str(exc)}


def _mistake(error: ErrorDetails) -> str:
    key = ".".join(map(str, error["loc"])) or "line"
    return f"{key}: {error['msg'].removeprefix('Value error, ')}"
