"""The reader against the labelled development cases, which live beside the project."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.windows import WindowReading, as_json, read_window, to_window

CASES = Path(__file__).parents[4] / "shared" / "data" / "time_dev.jsonl"
WHOLE = 0.95


def _reading(case: dict[str, Any]) -> WindowReading:
    return read_window(
        case["text"],
        now=datetime.fromisoformat(case["reference"]),
        timezone=case["tz"],
        locale=case["locale"],
    )


def _is_exact(case: dict[str, Any]) -> bool:
    expected, reading = case["expected"], _reading(case)
    answer = as_json(reading)
    keys = ("date", "date_end", "start", "end", "alternatives", "exclude")
    same = all(answer[key] == expected.get(key) for key in keys)
    if expected["clarify"] == "ok":
        return answer["clarify"] == "yes" or same
    return same and answer["clarify"] == expected["clarify"] and _same_instants(case, reading)


def _same_instants(case: dict[str, Any], reading: WindowReading) -> bool:
    expected = case["expected"]
    if "start_utc" not in expected:
        return True
    window = to_window(reading, case["tz"])
    return window is not None and (window.start_at, window.end_at) == (
        datetime.fromisoformat(expected["start_utc"]),
        datetime.fromisoformat(expected["end_utc"]),
    )


@pytest.mark.shared
@pytest.mark.skipif(not CASES.exists(), reason="needs ../shared/data/time_dev.jsonl")
def test_development_cases_are_read_exactly() -> None:
    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    missed = [case["text"] for case in cases if not _is_exact(case)]
    assert 1 - len(missed) / len(cases) >= WHOLE, missed
