"""`doorline when --jsonl`: one answer a line, whatever stands on it."""

import io
import json
from datetime import datetime
from pathlib import Path

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
    assert "line 2: tz: 'Mars/Olympus': expected an IANA zone" in complaints
    assert code == 1


def test_a_moment_without_an_offset_is_local_to_the_zone() -> None:
    answer = answer_one("in 2 hours", datetime(2026, 6, 10, 10), "Europe/Madrid", "es-ES")  # noqa: DTZ001
    assert (answer["date"], answer["start"]) == ("2026-06-10", "12:00")


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an IANA zone"):
        answer_one("tomorrow", datetime(2026, 6, 10, 10), "../etc", "en-US")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("not json", "line 1: line: Invalid JSON"),
        ("[]", "line 1: line: Input should be an object"),
        ("null", "line 1: line: Input should be an object"),
        ("{}", "line 1: text: Field required; reference: Field required; tz: Field required"),
        ('{"text": 5, "reference": "2026-06-10T10:00:00Z", "tz": "UTC"}', "line 1: text: Input should be"),
        ('{"text": "a", "reference": 5, "tz": "UTC"}', "line 1: reference: ''"),
        ('{"text": "a\x00", "reference": "2026-06-10T10:00:00Z", "tz": "UTC"}', "line 1: line: Invalid JSON"),
        (line("friday", reference="10 June"), "line 1: reference: '10 June': expected an ISO 8601 moment"),
        (line("friday", reference="9999-12-31T23:00:00Z"), "line 1: reference: 9999-12-31T23:00:00+00:00"),
        (line("friday", tz=""), "line 1: tz: '': expected an IANA zone"),
        (line("friday", tz="../../etc/passwd"), "line 1: tz: '../../etc/passwd'"),
        (line("friday", tz="UTC\0"), "line 1: tz: 'UTC\\x00'"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_number(bad: str, said: str) -> None:
    found, complaints, code = answers(bad, line("friday"))
    assert complaints.startswith(said)
    assert complaints.count("\n") == 1
    assert ["error" in answer for answer in found] == [True, False]
    assert code == 1


def test_a_nul_in_a_text_is_read_over() -> None:
    found, complaints, _ = answers(line("friday\0after 5"))
    assert (found[0]["date"], found[0]["start"], complaints) == ("2026-06-12", "17:00", "")


def test_bytes_that_are_no_utf8_spoil_no_other_line(tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_bytes(b"\xff\xfe\n" + line("friday").encode() + b"\n")
    out, complaints = io.StringIO(), io.StringIO()
    with file.open(encoding="utf-8") as asked:
        assert answer_lines(asked, out, complaints) == 1
    broken, friday = (json.loads(answer) for answer in out.getvalue().splitlines())
    assert "error" in broken
    assert friday["date"] == "2026-06-12"


def test_many_lines_keep_their_order() -> None:
    days = [f"in {number} days" for number in range(1, 60)]
    found, _, _ = answers(*(line(text) for text in days))
    assert [answer["date"] for answer in found] == sorted(str(answer["date"]) for answer in found)
    assert len(found) == len(days)
