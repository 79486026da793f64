"""`doorline when`: phrases in, JSON objects out."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError

from bot.windows.reading import as_json
from bot.windows.resolve import read_window


class Line(BaseModel):
    """One line of `--jsonl`; more keys are allowed and ignored."""

    text: str
    reference: datetime
    tz: str
    locale: str = "en-US"


def answer_one(text: str, now: datetime, tz: str, locale: str) -> dict[str, Any]:
    """What `text` means; a `now` without an offset is local to `tz`.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"{tz}: expected an IANA zone such as America/New_York") from exc
    at = now if now.tzinfo else now.replace(tzinfo=zone)
    return as_json(read_window(text, now=at, timezone=tz, locale=locale))


def answer_lines(lines: Iterable[str], answers: TextIO, complaints: TextIO) -> int:
    """One answer a line, in order. A line that cannot be read is answered with its error; then exit code 1."""
    code = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            asked = Line.model_validate_json(line)
            answer = answer_one(asked.text, asked.reference, asked.tz, asked.locale)
        except ValidationError as exc:
            first = exc.errors()[0]
            answer = {"error": f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}"}
        except ValueError as exc:
            answer = {"error": str(exc)}
        if "error" in answer:
            complaints.write(f"line {number}: {answer['error']}\n")
            code = 1
        answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
        answers.flush()
    return code
