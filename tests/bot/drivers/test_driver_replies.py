"""What drivers write when they are asked about their route, as they write it."""

import pytest

from bot.drivers.replies import Reply, read_reply

YES = [
    "1", " 1. ", "1!", "yes", "Yes.", "YES", "y", "yep", "yes sir", "ok", "OK thanks", "okay boss", "sure", "confirm",
    "Confirmed, thank you", "si", "sí", "Sí, gracias", "si señor", "confirmo", "Confirmado jefe", "dale", "claro que sí",
    "listo", "1 yes", "yes 1", "👍", "i'll be there", "I can do it", "no problem", "No problem boss", "sin problema",
    "ahí estaré", "de acuerdo", "on my way", "hi, yes", "good morning yes", "ok, i'm in",
]  # fmt: skip
NO = [
    "2", "2.", " 2 ", "no", "No.", "NO", "nope", "no sorry", "can't", "I can't today", "cant make it", "I cannot",
    "im sick", "I'm sick today", "sick", "feeling sick", "calling out today", "won't make it", "day off",
    "no puedo", "No puedo hoy", "no voy", "estoy enfermo", "estoy enferma hoy", "me siento mal", "hoy no",
    "ok but i can't", "yes but I can't today", "van broke down", "tuve un accidente", "👎", "no señor",
]  # fmt: skip
UNCLEAR = [
    "", "   ", "hello", "what route?", "which route", "12", "1 2", "yes no", "maybe", "quizás", "3", "11", "?", "can i start later",
    "what time do I start", "call me", "I will be late", "voy tarde", "who is this", "can't you give me the north route?",
    "the address of stop 1 is wrong", "I have 2 flat tires", "🙂", "not sure", "no, on my way", "at 1 or at 2?", "thank you", "gracias",
]  # fmt: skip


@pytest.mark.parametrize("text", YES)
def test_a_yes_is_read(text: str) -> None:
    assert read_reply(text) is Reply.YES


@pytest.mark.parametrize("text", NO)
def test_a_refusal_is_read(text: str) -> None:
    assert read_reply(text) is Reply.NO


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_says_neither_is_not_taken_for_an_answer(text: str) -> None:
    assert read_reply(text) is Reply.UNCLEAR
