"""How the bench reads our texts: by the responses they were made of, and the time that they name."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bench.day_words import KINDS, Meanings, named_until
from bot.conversations.words import Words
from bot.settings import PROJECT_ROOT

DOMAIN = PROJECT_ROOT / "nlu" / "domain"
SLOTS = {
    "parcel": "Acme parcel",
    "eta": "3:20 pm",
    "window": "2-4 pm",
    "stops": "3",
    "when": "2:10 pm",
    "link": "https://d.example/proof/abc",
}
WORDS, MEANINGS = Words(DOMAIN), Meanings(DOMAIN)
NOW = datetime(2026, 6, 9, 12, 0, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ("utter_notice_out_window", "out_for_delivery"),
        ("utter_notice_out", "out_for_delivery"),
        ("utter_notice_next_eta", "approaching"),
        ("utter_notice_stops_away", "approaching"),
        ("utter_notice_close", "approaching"),
        ("utter_notice_late", "running_late"),
        ("utter_notice_back_on_time", "back_on_time"),
        ("utter_notice_window_changed", "window_changed"),
        ("utter_notice_delivered_proof", "delivered"),
        ("utter_notice_failed_person", "failed"),
        ("utter_notice_returned", "returned"),
    ],
)
def test_each_notice_is_known_again_however_it_is_introduced(response: str, kind: str, language: str) -> None:
    said = WORDS.say(response, language, **SLOTS)
    for body in (said, f"QuickShip for Acme: {said}", f"{said} Reply STOP to opt out."):
        meaning = MEANINGS.of(body)
        assert meaning is not None, body
        assert (meaning.kind, meaning.language) == (kind, language)


@pytest.mark.parametrize(
    "answer",
    [
        "Your Acme parcel is on the van, 4 stops away. About 3:20 pm, window 2-4 pm.",
        "Your Acme parcel is on the van and you are the next stop. About 3:20 pm.",
        "I only know about your deliveries.",
        "",
    ],
)
def test_answers_are_not_taken_for_notices(answer: str) -> None:
    assert MEANINGS.of(answer) is None


def test_every_kind_of_notice_is_among_the_responses() -> None:
    names = {name for name in KINDS if any(found.startswith(name) for found in WORDS._responses)}
    assert names == set(KINDS)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Your Acme parcel is running late: about 4:25 pm instead of 2-4 pm. Sorry.", (16, 25)),
        ("Su paquete viene con retraso: a eso de las 4:25 pm en vez de 2-4 pm.", (16, 25)),
        ("Your Acme parcel is on the van. Window 2-4 pm. Ask here any time.", (16, 0)),
        ("About 12 pm.", (12, 0)),
        ("About 12:05 am.", (0, 5)),
        ("I've asked dispatch.", None),
    ],
)
def test_the_time_that_a_text_names(body: str, expected: tuple[int, int] | None) -> None:
    found = named_until(body, NOW)
    assert ((found.hour, found.minute) if found else None) == expected
