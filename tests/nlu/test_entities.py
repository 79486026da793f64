"""Entities: annotated words become tags and come back; of several claims on one word one stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.components.entity_rules import PATTERNS, settled
from nlu.components.entity_tagging import entities, features, tags, tokens


def claim(kind: str, text: str, words: str, extractor: str = "EntityTagger") -> dict[str, Any]:
    start = text.index(words)
    return {
        "entity": kind,
        "start": start,
        "end": start + len(words),
        "value": words,
        "extractor": extractor,
    }


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("gate code is 7733* thanks", [("access_code", "7733*")]),
        ("#60112 to 12 Elm St, apt 3F", [("tracking_number", "60112"), ("address", "12 Elm St")]),
        ("mañana después de las 4", [("date", "mañana"), ("time", "después de las 4")]),
        ("9-12", [("time", "9-12")]),
        ("ok", []),
    ],
)
def test_what_is_taught_comes_back(text: str, spans: list[tuple[str, str]]) -> None:
    taught = [claim(kind, text, words) for kind, words in spans]
    found = tokens(text)
    again = entities(text, found, tags(found, taught))
    assert [(entity["entity"], entity["value"]) for entity in again] == spans


def test_neighbouring_entities_of_one_kind_stay_apart() -> None:
    text = "friday saturday"
    found = tokens(text)
    told = tags(found, [claim("date", text, "friday"), claim("date", text, "saturday")])
    assert [entity["value"] for entity in entities(text, found, told)] == ["friday", "saturday"]


def test_a_pattern_wins_over_the_model() -> None:
    text = "its 415 555 0199"
    claims = [claim("time", text, "415"), claim("phone", text, "415 555 0199", PATTERNS)]
    assert [(each["entity"], each["value"]) for each in settled(claims, text)] == [("phone", "415 555 0199")]


def test_a_number_inside_an_address_is_no_order() -> None:
    text = "send it to 120455 elm st"
    claims = [claim("tracking_number", text, "120455", PATTERNS), claim("address", text, "120455 elm st")]
    assert [(each["entity"], each["value"]) for each in settled(claims, text)] == [
        ("address", "120455 elm st")
    ]


def test_punctuation_is_not_part_of_an_entity() -> None:
    text = "bring it (friday!), please"
    assert [each["value"] for each in settled([claim("date", text, "(friday!),")], text)] == ["friday"]
    assert settled([claim("date", text, "!),")], text) == []


def test_of_the_same_claim_one_is_left() -> None:
    text = "QS-48213"
    claims = [claim("tracking_number", text, text, PATTERNS), claim("tracking_number", text, text)]
    assert len(settled(claims, text)) == 1


@given(st.text(max_size=120))
def test_any_text_has_tokens_with_features_that_can_be_written(text: str) -> None:
    found = tokens(text)
    assert all(text[token.start : token.end] == token.text for token in found)
    assert len(features(found, None)) == len(found)
    assert all(feature.encode() for token in features(found, "confirm") for feature in token)
