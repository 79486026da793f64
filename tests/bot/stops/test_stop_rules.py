"""Which stops somebody can mean, by what they want and how they say it."""

from datetime import timedelta

import pytest

from bot.stops.answers import Scope
from bot.stops.models import StopRecord
from bot.stops.rules import Question, askable, confirmed_at, stops_meant
from connectors.base import StopStatus
from tests.bot.stops.town import DAY, HOUR, NOW, delivered, stop

SECOND = timedelta(seconds=1)
FORTNIGHT = 14 * DAY


def asked(*stops: StopRecord, scope: Scope = Scope.STATUS) -> list[str]:
    return [found.tracking for found in askable(stops, NOW, scope)]


def meant(
    text: str, *stops: StopRecord, scope: Scope = Scope.STATUS, focus: StopRecord | None = None
) -> list[str]:
    question = Question(text, scope, NOW, focus.id if focus else None)
    return [found.tracking for found in stops_meant(question, stops)]


def failed(tracking: str, ago: timedelta = HOUR, **facts: str) -> StopRecord:
    record = delivered(tracking, ago, **facts)
    record.status = StopStatus.FAILED
    return record


def test_todays_open_stops_come_first_by_their_windows() -> None:
    evening, noon, tomorrow = stop("evening", starts=6 * HOUR), stop("noon"), stop("tomorrow", starts=DAY)
    assert asked(evening, tomorrow, delivered("done", HOUR), noon) == ["noon", "evening"]


def test_an_overdue_stop_of_yesterday_is_still_asked_about() -> None:
    assert asked(stop("overdue", starts=-DAY), stop("today")) == ["overdue", "today"]


def test_without_open_ones_todays_finished_stops_are_meant() -> None:
    assert asked(delivered("done", HOUR), stop("tomorrow", starts=DAY)) == ["done"]
    assert asked(failed("failed")) == ["failed"]


def test_else_those_of_the_nearest_day_to_come() -> None:
    coming = (
        stop("later", starts=2 * DAY),
        stop("tomorrow", starts=DAY),
        stop("evening", starts=DAY + 4 * HOUR),
    )
    assert asked(*coming, delivered("yesterdays", DAY)) == ["tomorrow", "evening"]


def test_else_what_was_finished_on_the_newest_day_of_a_fortnight() -> None:
    assert asked(delivered("old", 3 * DAY), delivered("newer", 2 * DAY)) == ["newer"]
    assert asked(delivered("first", 2 * DAY + HOUR), delivered("second", 2 * DAY)) == ["second", "first"]


@pytest.mark.parametrize("scope", [Scope.STATUS, Scope.FINISHED])
def test_a_closed_stop_is_askable_for_a_fortnight_to_the_second(scope: Scope) -> None:
    assert asked(delivered("just", FORTNIGHT), scope=scope) == ["just"]
    assert asked(delivered("over", FORTNIGHT + SECOND), scope=scope) == []


def test_a_stop_without_window_is_todays_when_its_eta_is() -> None:
    assert asked(stop("eta", starts=None, eta=HOUR), stop("tomorrow", starts=DAY)) == ["eta"]


def test_a_stop_without_a_day_may_be_any_days() -> None:
    assert asked(stop("no day", starts=None), stop("tomorrow", starts=DAY)) == ["no day", "tomorrow"]


def test_the_day_is_the_stops_own_not_utcs() -> None:
    # 21:00 in New York is tomorrow in UTC.
    assert asked(stop("tonight", starts=9 * HOUR), stop("tomorrow", starts=DAY)) == ["tonight"]


def test_nothing_known_nothing_askable() -> None:
    assert asked() == []
    assert asked(stop("cancelled", status=StopStatus.CANCELLED)) == []


# --- something is to be changed -------------------------------------------------------------------


def test_what_was_delivered_cannot_be_changed() -> None:
    returned = delivered("returned", HOUR)
    returned.status = StopStatus.RETURNED
    assert asked(delivered("done", HOUR), returned, scope=Scope.COMING) == []
    assert asked(delivered("done", HOUR), stop("later", starts=3 * DAY), scope=Scope.COMING) == ["later"]


def test_a_try_that_failed_today_can_be_moved_and_competes_with_what_is_due() -> None:
    later = stop("later", starts=DAY, client="Nova")
    assert asked(failed("failed"), later, scope=Scope.COMING) == ["failed"]
    both = failed("failed", client="Acme"), stop("due", client="Nova")
    assert asked(*both, scope=Scope.COMING) == ["failed", "due"]


def test_a_failed_try_and_what_may_be_its_second_are_asked_about() -> None:
    assert asked(failed("first"), stop("second", starts=DAY), scope=Scope.COMING) == ["first", "second"]


def test_an_older_failed_try_is_meant_when_nothing_comes() -> None:
    assert asked(failed("old", 3 * DAY), failed("newer", 2 * DAY), scope=Scope.COMING) == ["newer"]


# --- something is wrong with what came, or did not ------------------------------------------------


def test_what_came_last_is_what_is_wrong() -> None:
    known = delivered("old", 5 * DAY), delivered("new", DAY), stop("today")
    assert asked(*known, scope=Scope.FINISHED) == ["new"]


def test_two_that_came_on_one_day_are_asked_about() -> None:
    assert asked(delivered("one", HOUR), delivered("two", 2 * HOUR), scope=Scope.FINISHED) == ["one", "two"]


def test_what_should_have_come_by_now_is_missing_too() -> None:
    overdue = stop("overdue", starts=-3 * HOUR)
    assert asked(delivered("old", 5 * DAY), overdue, scope=Scope.FINISHED) == ["overdue"]
    ends_now = stop("ends now", starts=-2 * HOUR)
    assert asked(delivered("old", 5 * DAY), ends_now, scope=Scope.FINISHED) == ["ends now"]
    still_time = stop("still time", starts=-2 * HOUR + SECOND)
    assert asked(delivered("old", 5 * DAY), still_time, scope=Scope.FINISHED) == ["old"]


def test_where_nothing_came_yet_the_open_one_is_meant_and_a_cancelled_one_last() -> None:
    cancelled = delivered("cancelled", HOUR)
    cancelled.status = StopStatus.CANCELLED
    assert asked(stop("open"), cancelled, scope=Scope.FINISHED) == ["open"]
    assert asked(cancelled, scope=Scope.FINISHED) == ["cancelled"]


# --- how it is said -------------------------------------------------------------------------------

ACME = stop("AC10001", client="Acme")
NOVA = stop("NO20002", client="Nova", starts=5 * HOUR)
LATER = stop("LA30003", client="Zenith", starts=3 * DAY, address="9 Oak Ave")


@pytest.mark.parametrize(
    ("text", "focus", "found"),
    [
        ("where is it", None, ["AC10001", "NO20002"]),
        ("where is LA30003", None, ["LA30003"]),
        ("la-30003?", ACME, ["LA30003"]),
        ("where is my nova parcel", None, ["NO20002"]),
        ("the Nova one", ACME, ["NO20002"]),
        ("and the one for oak avenue", None, ["LA30003"]),
        ("zenith?", ACME, ["LA30003"]),
        ("where is it now", NOVA, ["NO20002"]),
        ("where is it now", LATER, ["LA30003"]),
        ("and the other one?", NOVA, ["AC10001"]),
        ("y la otra?", ACME, ["NO20002"]),
        ("el otro paquete", ACME, ["NO20002"]),
        ("can you come the other day", ACME, ["AC10001"]),
        ("otro día mejor", ACME, ["AC10001"]),
        ("are both coming today", ACME, ["AC10001", "NO20002"]),
        ("cuándo llegan mis paquetes", NOVA, ["AC10001", "NO20002"]),
        ("elm street", None, ["AC10001", "NO20002"]),
        ("acme and nova", LATER, ["AC10001", "NO20002"]),
    ],
)
def test_the_text_says_which(text: str, focus: StopRecord | None, found: list[str]) -> None:
    assert meant(text, ACME, NOVA, LATER, focus=focus) == found


def test_a_number_counts_whatever_is_wanted() -> None:
    done = delivered("DO40004", HOUR)
    assert meant("move DO40004 to friday", done, ACME, scope=Scope.COMING) == ["DO40004"]


def test_what_was_talked_about_must_still_fit() -> None:
    done = delivered("DO40004", HOUR)
    assert meant("bring it tomorrow", done, ACME, scope=Scope.COMING, focus=done) == ["AC10001"]
    assert meant("it is broken", done, ACME, scope=Scope.FINISHED, focus=done) == ["DO40004"]


def test_an_open_one_that_was_talked_about_is_not_what_came_broken_today() -> None:
    done = delivered("DO40004", HOUR)
    assert meant("the box is crushed", done, ACME, scope=Scope.FINISHED, focus=ACME) == ["DO40004"]
    old = delivered("OL50005", 9 * DAY)
    assert meant("it never came", old, ACME, scope=Scope.FINISHED, focus=ACME) == ["AC10001"]


def test_a_client_called_like_a_common_word_is_not_named_by_it() -> None:
    other = stop("NX60006", client="Next Home", starts=5 * HOUR)
    assert meant("can you come next week, nobody home", ACME, other) == ["AC10001", "NX60006"]


def test_the_only_one_is_meant_whatever_is_said() -> None:
    assert meant("the other one, both, nova", ACME, focus=ACME) == ["AC10001"]


def test_news_are_as_old_as_the_newer_of_event_and_whole_read() -> None:
    record = stop("any")
    assert confirmed_at(record, None) == NOW
    assert confirmed_at(record, NOW - HOUR) == NOW
    assert confirmed_at(record, NOW + HOUR) == NOW + HOUR
