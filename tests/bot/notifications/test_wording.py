"""What recipients read of each notification, word for word, in both languages."""

from datetime import timedelta

import pytest

from actions import speech
from bot.conversations.words import Words
from bot.notifications.facts import Due, FollowUp
from bot.notifications.wording import Scene, response_of
from bot.settings import PROJECT_ROOT
from bot.sop_notifications import NotificationKind as Kind
from tests.bot.notifications.scenes import NEW_YORK, NOON, at, window

WORDS = Words(PROJECT_ROOT / "nlu" / "domain")
LATER = NOON + timedelta(hours=1)
TODAY, THURSDAY = window("14:00", "16:00"), window("08:00", "12:00", day=2)


def text(due: Due, language: str = "en", **scene: str) -> str:
    where = Scene("Acme", NEW_YORK, NOON, language, **scene)  # type: ignore[arg-type]
    response, slots = response_of(due, where, speech)
    return WORDS.say(response, language, **slots)


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (Due(Kind.OUT_FOR_DELIVERY, LATER, TODAY), "on the van. Window 2-4 pm."),
        (Due(Kind.OUT_FOR_DELIVERY, LATER, eta_at=at("15:18")), "on the van. About 3:20 pm."),
        (Due(Kind.OUT_FOR_DELIVERY, LATER), "on the van. Ask here"),
        (
            Due(Kind.APPROACHING, LATER, eta_at=at("12:14"), stops_away=3),
            "3 stops before yours, about 12:15 pm.",
        ),
        (Due(Kind.APPROACHING, LATER, stops_away=2), "close: 2 stops before yours."),
        (
            Due(Kind.APPROACHING, LATER, eta_at=at("12:14"), stops_away=1),
            "one stop before yours, about 12:15 pm.",
        ),
        (Due(Kind.APPROACHING, LATER, eta_at=at("12:14"), stops_away=0), "is next, about 12:15 pm."),
        (Due(Kind.APPROACHING, LATER, stops_away=0), "is next. Anything"),
        (Due(Kind.APPROACHING, LATER, eta_at=at("12:14")), "is close: about 12:15 pm."),
        (Due(Kind.APPROACHING, LATER), "is close. Anything"),
        (Due(Kind.RUNNING_LATE, LATER, TODAY, at("16:25")), "running late: about 4:25 pm instead of 2-4 pm."),
        (
            Due(Kind.BACK_ON_TIME, LATER, TODAY, at("15:30")),
            "on time after all: about 3:30 pm, window 2-4 pm.",
        ),
        (Due(Kind.WINDOW_CHANGED, LATER, THURSDAY), "a new delivery window: Thu Jun 11, 8 am-12 pm."),
        (Due(Kind.DELIVERED, LATER, happened_at=at("11:58")), "was delivered at 11:58 am. If"),
        (
            Due(Kind.DELIVERED, LATER, happened_at=at("22:15", day=-1)),
            "was delivered at 10:15 pm yesterday. If",
        ),
        (
            Due(Kind.FAILED, LATER, happened_at=at("11:40")),
            "We couldn't deliver your Acme parcel at 11:40 am.",
        ),
        (Due(Kind.RETURNED, LATER, happened_at=at("11:40")), "going back to the sender."),
    ],
)
def test_the_fact_comes_first(due: Due, expected: str) -> None:
    assert expected in text(due)
    assert len(text(due)) <= 160


def test_where_a_dispatcher_decides_the_recipient_is_told_so() -> None:
    due = Due(Kind.FAILED, LATER, happened_at=at("11:40"))
    assert "Dispatch is working out" in text(due, follow_up=FollowUp.BY_PERSON)
    assert "Reply what would suit you" in text(due)


def test_what_the_driver_left_can_be_seen() -> None:
    due = Due(Kind.DELIVERED, LATER, happened_at=at("11:58"))
    assert "11:58 am: https://x.example/proof/abc If" in text(due, proof_link="https://x.example/proof/abc")


def test_spanish_says_times_with_their_articles() -> None:
    assert "fue entregado a las 11:58 am." in text(Due(Kind.DELIVERED, LATER, happened_at=at("11:58")), "es")
    late = Due(Kind.RUNNING_LATE, LATER, TODAY, at("16:25"))
    assert text(late, "es").startswith(
        "Su paquete de Acme viene con retraso: a eso de las 4:25 pm, no 2-4 pm."
    )
