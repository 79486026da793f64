"""Times as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from actions.speech import (
    list_windows,
    name_parcel,
    say_about,
    say_age,
    say_dated_window,
    say_estimate,
    say_eta,
    say_instant,
    say_moment,
    say_window,
)
from connectors.base import DeliveryWindow
from tests.actions.facts import NOW, TIMEZONE, at, window


@pytest.mark.parametrize(
    ("moment", "english", "spanish"),
    [
        (at(10, 15, 22), "3:20 pm", "3:20 pm"),
        (at(10, 15, 23), "3:25 pm", "3:25 pm"),
        (at(10, 14, 58), "3 pm", "3 pm"),
        (at(10, 12, 1), "12 pm", "12 pm"),
        (at(11, 9, 0), "9 am tomorrow", "9 am de mañana"),
        (at(10, 23, 59), "12 am tomorrow", "12 am de mañana"),
        (at(13, 9, 0), "9 am on Thu Jun 13", "9 am del jue 13 jun"),
    ],
)
def test_an_eta_is_rounded_to_five_minutes_and_names_its_day_when_it_is_not_today(
    moment: datetime, english: str, spanish: str
) -> None:
    assert say_eta(moment, TIMEZONE, NOW, "en") == english
    assert say_eta(moment, TIMEZONE, NOW, "es") == spanish


def test_an_estimate_has_its_spanish_article() -> None:
    assert say_estimate(at(10, 13, 3), TIMEZONE, NOW, "es") == "la 1:05 pm"
    assert say_estimate(at(10, 12, 58), TIMEZONE, NOW, "es") == "la 1 pm"
    assert say_estimate(at(10, 15, 22), TIMEZONE, NOW, "es") == "las 3:20 pm"
    assert say_estimate(at(10, 15, 22), TIMEZONE, NOW, "en") == "3:20 pm"


@pytest.mark.parametrize(
    ("promised", "inside_a_sentence", "with_its_day"),
    [
        (window(10, 14, 16), "2-4 pm", "today, 2-4 pm"),
        (window(10, 11, 13), "11 am-1 pm", "today, 11 am-1 pm"),
        (window(11, 17, 21), "tomorrow, Tue Jun 11, 5-9 pm", "tomorrow, Tue Jun 11, 5-9 pm"),
        (window(13, 8, 12), "Thu Jun 13, 8 am-12 pm", "Thu Jun 13, 8 am-12 pm"),
    ],
)
def test_a_window_is_said_with_hours_and_day(
    promised: DeliveryWindow, inside_a_sentence: str, with_its_day: str
) -> None:
    assert say_window(promised, TIMEZONE, NOW, "en") == inside_a_sentence
    assert say_dated_window(promised, TIMEZONE, NOW, "en") == with_its_day


def test_spanish_windows_name_spanish_days() -> None:
    assert say_window(window(12, 17, 21), TIMEZONE, NOW, "es") == "mié 12 jun, 5-9 pm"


def test_a_window_that_ends_at_midnight_keeps_both_halves() -> None:
    late = DeliveryWindow(start_at=at(10, 21), end_at=at(10, 21) + timedelta(hours=3))
    assert say_window(late, TIMEZONE, NOW, "en") == "9 pm-12 am"


def test_the_day_is_the_stops_own_not_utc() -> None:
    evening = datetime(2024, 6, 11, 1, 30, tzinfo=UTC)
    assert say_instant(evening, TIMEZONE, NOW, "en") == "9:30 pm"
    assert say_instant(evening, "Europe/Madrid", NOW, "en") == "3:30 am tomorrow"


@pytest.mark.parametrize(
    ("hour", "minute", "spoken"),
    [
        (13, 5, "la 1:05 pm"),
        (13, 0, "la 1 pm"),
        (12, 25, "las 12:25 pm"),
        (10, 30, "las 10:30 am"),
        (23, 0, "las 11 pm"),
    ],
)
def test_a_spanish_instant_has_its_article_and_a_list_does_without(
    hour: int, minute: int, spoken: str
) -> None:
    moment = at(10, hour) + timedelta(minutes=minute)
    assert say_instant(moment, TIMEZONE, NOW, "es") == spoken
    assert say_moment(moment, TIMEZONE, NOW, "es") == spoken.split(" ", 1)[1]


def test_wall_clock_is_kept_across_the_clock_change() -> None:
    autumn = datetime(2024, 11, 2, 12, tzinfo=UTC)
    sunday_noon = datetime(2024, 11, 3, 17, tzinfo=UTC)
    assert say_instant(sunday_noon, TIMEZONE, autumn, "en") == "12 pm tomorrow"


def test_a_list_of_windows_names_each_day_once() -> None:
    listed = list_windows([window(11, 8, 12), window(11, 17, 21), window(12, 8, 12)], TIMEZONE, NOW, "en")
    assert listed == "1) Tomorrow, Tue Jun 11, 8 am-12 pm. 2) 5-9 pm. 3) Wed Jun 12, 8 am-12 pm."


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=20), "1 min"),
        (timedelta(minutes=50), "50 min"),
        (timedelta(minutes=89), "89 min"),
        (timedelta(hours=3, minutes=10), "3 h"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_the_age_of_news_is_short(age: timedelta, said: str) -> None:
    assert say_age(age) == said


def test_a_parcel_without_a_client_is_just_a_parcel() -> None:
    assert name_parcel("Acme", "en") == "Acme parcel"
    assert name_parcel("", "en") == "parcel"
    assert name_parcel("Acme", "es") == "paquete de Acme"
    assert name_parcel("", "es") == "paquete"


def test_an_estimate_in_a_list_says_that_it_is_one() -> None:
    assert say_about(at(10, 13, 1), TIMEZONE, NOW, "en") == "about 1 pm"
