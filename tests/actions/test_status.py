"""What is said about a stop: the truth, and never an ETA that the platform did not give."""

from datetime import timedelta
from typing import Any

import pytest

from actions.status import brief, describe, street_of
from connectors.base import FailureReason, StopStatus
from tests.actions.facts import NOW, at, stop, window


@pytest.mark.parametrize(
    ("facts", "response"),
    [
        ({}, "utter_track_away"),
        ({"stops_away": 1}, "utter_track_one_away"),
        ({"stops_away": 0}, "utter_track_next"),
        ({"stops_away": None}, "utter_track_out"),
        ({"window": None}, "utter_track_away_no_window"),
        ({"eta_at": None}, "utter_track_out_no_eta"),
        ({"eta_at": None, "window": None}, "utter_track_out_no_time"),
        ({"eta_at": at(10, 15, 59)}, "utter_track_away"),
        ({"eta_at": at(10, 16, 0)}, "utter_track_late"),
        ({"status": StopStatus.ARRIVING}, "utter_track_arriving"),
        ({"status": StopStatus.PLANNED, "eta_at": None}, "utter_track_planned"),
        ({"status": StopStatus.ASSIGNED}, "utter_track_planned_eta"),
        ({"status": StopStatus.PLANNED, "window": None}, "utter_track_no_day"),
        ({"status": StopStatus.DELIVERED, "completed_at": at(10, 9)}, "utter_track_delivered"),
        ({"status": StopStatus.DELIVERED}, "utter_track_delivered_no_time"),
        ({"status": StopStatus.FAILED, "completed_at": at(10, 9)}, "utter_track_failed"),
        ({"status": StopStatus.CANCELLED}, "utter_track_cancelled"),
        ({"status": StopStatus.RETURNED, "completed_at": at(9, 9)}, "utter_track_returned"),
        ({"stale": True, "data_at": NOW - timedelta(minutes=50)}, "utter_track_stale_away"),
        ({"stale": True, "window": window(12, 8, 12)}, "utter_track_stale_later"),
    ],
)
def test_each_state_of_a_stop_has_its_own_words(facts: dict[str, Any], response: str) -> None:
    assert describe(stop(**facts), NOW, "en").response == response


def test_an_eta_that_has_passed_is_not_repeated() -> None:
    saying = describe(stop(eta_at=NOW - timedelta(minutes=6), window=window(10, 12, 16)), NOW, "en")
    assert saying.response == "utter_track_out_no_eta"
    assert "eta" not in saying.slots


def test_a_window_that_has_passed_without_an_eta_goes_to_a_person() -> None:
    saying = describe(stop(eta_at=None, window=window(10, 11, 13)), NOW, "en")
    assert (saying.response, saying.needs_person) == ("utter_track_overdue", "overdue")


def test_a_window_that_ends_this_very_moment_is_over() -> None:
    over = describe(stop(eta_at=None, window=window(10, 11, 13)), at(10, 13), "en")
    still_open = describe(stop(eta_at=None, window=window(10, 11, 13)), at(10, 12, 59), "en")
    assert (over.response, still_open.response) == ("utter_track_overdue", "utter_track_out_no_eta")


def test_stale_news_of_today_says_its_age_and_goes_to_a_person() -> None:
    saying = describe(stop(stale=True, data_at=NOW - timedelta(minutes=50)), NOW, "en")
    assert saying.slots["age"] == "50 min"
    assert saying.needs_person == "stale"
    assert "eta" not in saying.slots


def test_a_failure_that_the_recipient_can_help_with_asks_for_that_help() -> None:
    failed = stop(
        status=StopStatus.FAILED, completed_at=at(10, 11, 40), failure_reason=FailureReason.ACCESS_ISSUE
    )
    saying = describe(failed, NOW, "en")
    assert (saying.response, saying.slots["when"]) == ("utter_track_failed_no_access", "11:40 am")


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ("14 Elm St 2B", "Elm St"),
        ("18 Oak Ave", "Oak Ave"),
        ("220 W 42nd St Apt 9", "W 42nd St"),
        ("7-9 Rose Court, Unit 4", "Rose Court"),
        ("Elm St", "Elm St"),
        ("12", ""),
        ("", ""),
    ],
)
def test_a_list_names_the_street_but_neither_house_nor_apartment(line: str, street: str) -> None:
    assert street_of(line) == street


def test_one_line_of_a_list_names_client_street_and_time() -> None:
    assert brief(stop(), NOW, "en") == "Acme, Elm St, about 3:20 pm"
    assert brief(stop(eta_at=None), NOW, "en") == "Acme, Elm St, 2-4 pm"
