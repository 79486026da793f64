"""`doorline when --jsonl`: one answer a line, whatever stands on it."""

import io
import json
from datetime import datetime

import pytest

from bot.windows.cli import answer_lines, answer_one


def answers(*lines: str) -> tuple[list[dict[str, object]], str, int]:
    out, complaints = io.StringIO(), io.StringIO()
    code = answer_lines(lines, out, complaints)
    return [json.loads(line) for line in out.getvalue().splitlines()], complaints.getvalue(), code


def line(text: str, **changes: str) -> str:
    base = {
        "text": text,
        "reference": "2026-06-10T10:00:00-04:00",
        "tz": "America/New_York",
        "locale": "en-US",
    }
    return json.dumps(base | changes)


def test_lines_are_answered_in_order() -> None:
    found, _, code = answers(line("tomorrow"), line("friday after 5"))
    assert [answer["date"] for answer in found] == ["2026-06-11", "2026-06-12"]
    assert code == 0


def test_a_bad_line_is_answered_with_its_error_and_the_next_one_still_read() -> None:
    found, complaints, code = answers('{"text": 1', line("tomorrow", tz="Mars/Olympus"), line("tomorrow"))
    assert ["error" in answer for answer in found] == [True, True, False]
    assert complaints.count("\n") == 2
    assert "line 2: Mars/Olympus" in complaints
    assert code == 1


def test_a_moment_without_an_offset_is_local_to_the_zone() -> None:
    answer = answer_one("in 2 hours", datetime(2026, 6, 10, 10), "Europe/Madrid", "es-ES")  # noqa: DTZ001
    assert (answer["date"], answer["start"]) == ("2026-06-10", "12:00")


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an IANA zone"):
        answer_one("tomorrow", datetime(2026, 6, 10, 10), "../etc", "en-US")  # noqa: DTZ001
