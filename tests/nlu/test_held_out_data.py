"""The held-out texts: well formed, enough of each kind, and never taught."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.nlu.reading import ROOT, domain, training_texts
from tests.nlu.test_training_data import folded

HELD_OUT = ROOT / "bench" / "data" / "nlu_held_out.jsonl"
REQUIRED = {"id", "text", "intent", "lang"}
OPTIONAL = {"entities", "accept", "tags"}
TAGS = {"near_domain", "spanglish", "long", "one_word", "shouting", "emoji"}
FEWEST_OF_AN_INTENT = {"en": 12, "es": 6}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in HELD_OUT.read_text("utf-8").splitlines()]


def test_every_row_has_the_documented_fields(rows: list[dict[str, Any]]) -> None:
    assert [row for row in rows if not REQUIRED <= set(row) <= REQUIRED | OPTIONAL] == []
    assert {row["lang"] for row in rows} == {"en", "es"}
    assert {tag for row in rows for tag in row.get("tags", [])} == TAGS


def test_every_row_stands_once(rows: list[dict[str, Any]]) -> None:
    assert [name for name, count in Counter(row["id"] for row in rows).items() if count > 1] == []
    assert [text for text, count in Counter(folded(row["text"]) for row in rows).items() if count > 1] == []


def test_labels_are_intents_that_are_taught(rows: list[dict[str, Any]]) -> None:
    taught = {intent for intent, _ in training_texts()}
    assert {row["intent"] for row in rows} <= taught
    assert [row for row in rows if not set(row.get("accept", [])) <= taught - {row["intent"]}] == []


def test_entities_are_spans_of_their_text(rows: list[dict[str, Any]]) -> None:
    spans = [(row["text"], entity) for row in rows for entity in row.get("entities", [])]
    # An entity with settings of its own stands in the domain as a mapping from its name.
    known = {name for entry in domain("entities") for name in (entry if isinstance(entry, dict) else [entry])}
    assert {entity["entity"] for _, entity in spans} <= known
    assert [(text, entity) for text, entity in spans if entity["value"] not in text] == []


def test_there_are_enough_texts_of_every_intent_in_both_languages(rows: list[dict[str, Any]]) -> None:
    counted = Counter((row["intent"], row["lang"]) for row in rows)
    short = {
        (intent, lang): counted[intent, lang]
        for intent in {row["intent"] for row in rows}
        for lang, fewest in FEWEST_OF_AN_INTENT.items()
        if counted[intent, lang] < fewest
    }
    assert short == {}
    assert len(rows) >= 700


def test_half_of_what_is_out_of_scope_sounds_like_deliveries(rows: list[dict[str, Any]]) -> None:
    outside = [row for row in rows if row["intent"] == "out_of_scope"]
    near = [row for row in outside if "near_domain" in row.get("tags", [])]
    assert len(outside) >= 160
    assert 0.4 <= len(near) / len(outside) <= 0.6


def test_no_held_out_text_is_taught(rows: list[dict[str, Any]]) -> None:
    taught = {folded(text) for _, text in training_texts()}
    assert [row["id"] for row in rows if folded(row["text"]) in taught] == []
