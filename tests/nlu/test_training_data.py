"""The training texts: enough of them, each taught once, and none borrowed from the developer's data."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.nlu.reading import ROOT, training_texts

DEVELOPER_DATA = ROOT.parent / "shared" / "data" / "nlu_dev.jsonl"
TOO_SIMILAR = 0.8


def folded(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(mark for mark in bare if not unicodedata.combining(mark))
    return re.sub(r"[^\w#]+", " ", bare).strip() or text


def trigrams(text: str) -> set[str]:
    padded = f"  {folded(text)} "
    return {padded[index : index + 3] for index in range(len(padded) - 2)}


def test_no_text_is_taught_as_two_intents() -> None:
    intents: dict[str, set[str]] = defaultdict(set)
    for intent, text in training_texts():
        intents[folded(text)].add(intent)
    assert {text: found for text, found in intents.items() if len(found) > 1} == {}


def test_every_intent_has_enough_examples() -> None:
    counted = Counter(intent for intent, _ in training_texts())
    assert min(counted.values()) >= 60
    assert counted["out_of_scope"] >= 400


def test_annotations_are_complete() -> None:
    assert [text for _, text in training_texts() if re.search(r"[\[\]]", text)] == []


@pytest.mark.shared
def test_no_training_text_stands_in_the_developers_data(developer_rows: list[str]) -> None:
    known = [(folded(row), trigrams(row)) for row in developer_rows]
    copies = []
    for _, text in training_texts():
        words, grams = folded(text), trigrams(text)
        for row, row_grams in known:
            # Dice's coefficient: the strictest of the usual similarities over sets of trigrams.
            if words == row or 2 * len(grams & row_grams) / (len(grams) + len(row_grams)) > TOO_SIMILAR:
                copies.append((text, row))
    assert copies == []


@pytest.fixture
def developer_rows() -> list[str]:
    return _rows(DEVELOPER_DATA)


def _rows(path: Path) -> list[str]:
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this project")
    return [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]
