"""`doorline nlu parse` itself: what it makes of labelled texts, and of any text at all."""

import json
import os
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot import rasa_server
from bot.settings import PROJECT_ROOT
from tests.nlu.test_training_data import DEVELOPER_DATA

VAR = Path(os.environ.get("DOORLINE_VAR", PROJECT_ROOT / "var"))
ODD = [
    "",
    " ",
    "\t\n",
    "\x00",
    "a\x00b",
    "\ud800",
    "👍",
    "/opt_out",
    "//",
    "a" * 1600,
    "‮abc",
    "\u2028",
    "中文",
    "%s",
]


def parse(texts: list[str]) -> list[dict[str, Any]]:
    result = subprocess.run(
        [sys.executable, "-m", "bot", "nlu", "parse"],
        input="".join(json.dumps({"text": text}) + "\n" for text in texts),
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        check=True,
    )
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.rasa
def test_any_text_is_answered_in_order() -> None:
    answers = parse([*ODD, "where is my package"])
    assert [answer["text"] for answer in answers] == [*ODD, "where is my package"]
    assert {answer["intent"] for answer in answers if not answer["text"].strip()} == {"out_of_scope"}
    assert answers[-1]["intent"] == "track_delivery"
    assert all(set(answer) == {"text", "intent", "confidence", "entities", "language"} for answer in answers)


@pytest.mark.rasa
def test_a_thousand_lines_take_less_than_a_minute_of_one_core() -> None:
    """Start-up included. In seconds of the processor: other work on the machine must not decide."""
    rasa_server.train(VAR)
    texts = [f"can you bring it on the {number % 28 + 1}th after {number % 9 + 1}" for number in range(1000)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert len(parse(texts)) == 1000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60


@pytest.mark.shared
def test_the_bars_hold_on_the_developers_data() -> None:
    rows, answers = developer_answers()
    right = [
        said["intent"] in {row["intent"], *row.get("accept", ())}
        for row, said in zip(rows, answers, strict=True)
    ]
    ours = [index for index, row in enumerate(rows) if row["intent"] != "out_of_scope"]

    def share(indices: list[int]) -> float:
        return sum(right[index] for index in indices) / len(indices)

    assert share(ours) >= 0.92
    assert share([index for index in range(len(rows)) if index not in set(ours)]) >= 0.80
    assert share([index for index in ours if rows[index]["intent"] == "opt_out"]) == 1.0
    assert [
        rows[at]["id"] for at in range(len(rows)) if answers[at]["intent"] == "opt_out" and not right[at]
    ] == []
    languages = {name: share([at for at in ours if rows[at]["lang"] == name]) for name in ("en", "es")}
    assert languages["es"] >= languages["en"] - 0.05


@pytest.mark.shared
def test_the_language_is_found_on_the_developers_data() -> None:
    rows, answers = developer_answers()
    found = [said["language"] == row["lang"] for row, said in zip(rows, answers, strict=True)]
    assert sum(found) / len(found) >= 0.97


@cache
def developer_answers() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The labelled rows and what `nlu parse` says of them."""
    if not DEVELOPER_DATA.exists():
        pytest.skip(f"{DEVELOPER_DATA.name} is not beside this project")
    rows = [json.loads(line) for line in DEVELOPER_DATA.read_text("utf-8").splitlines()]
    return rows, parse([row["text"] for row in rows])
