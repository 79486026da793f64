"""Manners of what recipients read: length, tone, both languages, no reserved word asked for."""

import re

import pytest

from tests.nlu.reading import responses

GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic alphabet of GSM 03.38: anything else makes a segment 70 characters short."""

ONE_GSM_SEGMENT = 160
TWO_UCS2_SEGMENTS = 2 * 67

TYPICAL = {
    "en": {
        "parcel": "Northwind parcel",
        "eta": "10:35 am",
        "window": "11 am-1 pm",
        "stops": "12",
        "age": "50 min",
        "by": "12:25 pm",
        "when": "11:40 am",
        "count": "two",
        "options": "1) Tomorrow, Tue Jun 11, 8 am-12 pm. 2) 12-5 pm. 3) 5-9 pm.",
        "operator": "QuickShip",
        "client": "Northwind",
        "message": "Your Northwind parcel comes today, 11 am-1 pm.",
    },
    "es": {
        "parcel": "paquete de Northwind",
        "eta": "10:35 am",
        "window": "11 am-1 pm",
        "stops": "12",
        "age": "50 min",
        "by": "12:25 pm",
        "when": "11:40 am",
        "count": "2",
        "options": "1) Mañana, mar 11 jun, 8 am-12 pm. 2) 12-5 pm. 3) 5-9 pm.",
        "operator": "QuickShip",
        "client": "Northwind",
        "message": "Su paquete de Northwind llega hoy, 11 am-1 pm.",
    },
}
DATED = {"utter_ask_booking", "utter_booked", "utter_reschedule_refused", "utter_reschedule_undecided"}
"""These always name the day with the window."""

EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
RESERVED = re.compile(
    r"(?i)\b(?:reply|text|send|write|answer|responda|env[ií]e|escriba)\s+[\"']?"
    r"(?:stop|stopall|unsubscribe|end|quit|cancel|revoke|optout|start|unstop|help|info|yes|alto|parar|cancelar|ayuda|s[ií])\b"
)

ALL = [
    pytest.param(name, language, variant["text"], id=f"{name}-{language}")
    for name, variants in responses().items()
    for variant in variants
    for language in ["es" if variant.get("condition") else "en"]
]


def filled(name: str, language: str, text: str) -> str:
    values = dict(TYPICAL[language])
    if name in DATED:
        values["window"] = (
            "Tomorrow, Wed Sep 25, 11 am-1 pm" if language == "en" else "Mañana, mié 25 sep, 11 am-1 pm"
        )
    return text.format(**values)


@pytest.mark.parametrize(("name", "language", "text"), ALL)
def test_a_filled_response_fits(name: str, language: str, text: str) -> None:
    said = filled(name, language, text)
    if set(said) <= GSM_7:
        assert len(said) <= ONE_GSM_SEGMENT, (len(said), said)
    else:
        assert language == "es", f"not in the GSM alphabet: {set(said) - GSM_7}"
        assert len(said) <= TWO_UCS2_SEGMENTS, (len(said), said)


@pytest.mark.parametrize(("name", "language", "text"), ALL)
def test_a_response_keeps_the_tone(name: str, language: str, text: str) -> None:
    assert "!" not in text
    assert "¡" not in text
    assert not EMOJI.search(text)
    assert not RESERVED.search(text)
    assert len(re.findall(r"(?i)\b(?:sorry|apologi[sz]e|lo siento|perdone|disculpe)\b", text)) <= 1
    assert text.count("?") <= 1
    assert not re.search(r"(?i)valued|customer|https?://|\bas an ai\b", text)


@pytest.mark.parametrize("name", sorted(responses()))
def test_each_response_has_one_variant_per_language_with_the_same_slots(name: str) -> None:
    variants = responses()[name]
    conditions = [variant.get("condition") for variant in variants]
    assert conditions == [[{"type": "slot", "name": "language", "value": "es"}], None]
    spanish, english = (set(re.findall(r"{(\w+)}", variant["text"])) for variant in variants)
    assert spanish == english
