"""What is told of a stop, as tables: every rule at its edge."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.notifications.facts import FollowUp, History, StopNow
from bot.notifications.models import NoticeWatch
from bot.notifications.rules import NEVER, due_notifications, next_look
from bot.notifications.standing import remembering
from bot.sop_notifications import Approaching, NotificationKind, RunningLate
from connectors.base import StopStatus
from tests.bot.notifications.scenes import NOON, a_stop, at, rules, said, told, window

Kind = NotificationKind
LATE = {"eta_at": at("16:25"), "late_since": at("14:00")}
SECOND = timedelta(seconds=1)


def kinds(stop: StopNow, history: History, now: datetime, **changes: Any) -> list[str]:
    return [due.kind.value for due in due_notifications(stop, history, rules(**changes), now)]


# --- on the van ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        (at("12:00"), at("12:00"), ["out_for_delivery"]),
        (at("12:00"), at("12:20") - SECOND, ["out_for_delivery"]),
        (at("12:00"), at("12:20"), []),  # old news is not told as if it were new
        (None, at("12:00"), []),  # it was out when it was seen first: nobody knows since when
        (at("05:30"), at("06:59"), []),  # quiet, also for a delivery of this day
        (at("05:30"), at("07:00"), ["out_for_delivery"]),  # it is news when the quiet hours end
        (at("05:30"), at("07:20"), []),
    ],
)
def test_being_on_the_van_is_told_while_it_is_new(
    since: datetime | None, now: datetime, expected: list[str]
) -> None:
    assert kinds(a_stop(status_since=since), told(), now) == expected


def test_what_is_on_the_van_and_late_is_told_late_only() -> None:
    stop = a_stop(status_since=NOON, eta_at=at("16:30"), late_since=NOON)
    assert kinds(stop, told(), at("12:04")) == []
    assert kinds(stop, told(), at("12:05")) == ["running_late"]


def test_the_text_of_the_van_is_of_no_use_any_more_once_it_should_have_come() -> None:
    [due] = due_notifications(a_stop(status_since=at("14:30")), told(), rules(), at("14:30"))
    assert (due.kind, due.useful_until) == (Kind.OUT_FOR_DELIVERY, at("15:20"))


# --- near ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stops_away": 4, "eta_at": at("15:21")}, []),
        ({"stops_away": 3}, ["approaching"]),
        ({"stops_away": None, "eta_at": at("15:21")}, []),
        ({"stops_away": None, "eta_at": at("15:20")}, ["approaching"]),
        ({"status": StopStatus.ARRIVING, "eta_at": None}, ["approaching"]),
        ({"stops_away": 2, "is_fresh": False, "eta_at": None}, []),  # nobody knows where it is by now
        ({"stops_away": 2, "status": StopStatus.ASSIGNED}, []),
        ({"stops_away": 0, "status": StopStatus.DELIVERED}, []),
        ({"stops_away": None, "eta_at": None, "meters_away": 500}, ["approaching"]),
        ({"stops_away": None, "eta_at": None, "meters_away": 501}, []),
    ],
)
def test_near_is_what_is_reached_first(changes: dict[str, Any], expected: list[str]) -> None:
    near = Approaching(stops_away=3, minutes=20, meters=500)
    assert kinds(a_stop(**changes), told(), at("15:00"), approaching=near) == expected


def test_near_is_told_once_a_day_and_the_van_not_after_it() -> None:
    stop = a_stop(stops_away=1, status_since=at("14:50"))
    assert kinds(stop, told(said(Kind.APPROACHING, "14:45")), at("15:00")) == []
    yesterday = replace(said(Kind.APPROACHING, "14:45"), at=at("14:45", day=-1))
    assert kinds(stop, told(yesterday, told_today_stop=0), at("15:00")) == ["approaching"]


def test_it_is_looked_again_when_the_eta_is_near() -> None:
    assert next_look(a_stop(), told(), rules(), at("14:00")) == at("15:00")


def test_where_meters_count_it_is_looked_again_although_the_stop_does_not_change() -> None:
    by_meters = Approaching(stops_away=None, minutes=None, meters=500)
    assert next_look(a_stop(), told(), rules(approaching=by_meters), NOON) == NOON + timedelta(minutes=1)
    assert next_look(a_stop(), told(), rules(), NOON) > NOON + timedelta(minutes=1)


# --- late and back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eta", "now", "expected"),
    [
        (at("16:10"), at("14:05"), ["running_late"]),  # ten minutes after the window's end
        (at("16:10") - SECOND, at("14:05"), []),
        (at("16:10"), at("14:05") - SECOND, []),  # not confirmed yet
        (at("16:10"), at("15:40"), ["running_late"]),  # though it is near: they wait until four
    ],
)
def test_late_is_told_from_a_threshold_on_and_when_it_lasts(
    eta: datetime, now: datetime, expected: list[str]
) -> None:
    assert kinds(a_stop(eta_at=eta, late_since=at("14:00")), told(), now) == expected


@pytest.mark.parametrize(
    ("heard", "eta", "expected"),
    [
        (at("16:25"), at("16:54"), []),
        (at("16:25"), at("16:55"), ["running_late"]),  # moved by half an hour
        (at("16:55"), at("16:25"), ["running_late"]),  # to the better, too
        (at("15:50"), at("16:12"), ["running_late"]),  # what they heard was in time
        (at("16:02"), at("16:12"), []),  # that it comes a little late they know
    ],
)
def test_who_knows_of_about_this_delay_does_not_hear_it_again(
    heard: datetime, eta: datetime, expected: list[str]
) -> None:
    history = told(said(Kind.APPROACHING, "13:00", eta_at=heard))
    assert kinds(a_stop(eta_at=eta, late_since=at("14:00")), history, at("14:10")) == expected


def test_a_delay_told_without_a_time_is_told_with_one_later() -> None:
    history = told(said(Kind.RUNNING_LATE, "14:00"))
    assert kinds(a_stop(**LATE), history, at("14:29")) == []
    assert kinds(a_stop(**LATE), history, at("14:30")) == ["running_late"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),  # nobody was told that it is late
        ([said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25"))], ["back_on_time"]),
        ([said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25"), has_reached=False)], []),
        (
            [said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25")), said(Kind.BACK_ON_TIME, "14:20")],
            [],
        ),
        (
            [said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25")), said(Kind.WINDOW_CHANGED, "14:20")],
            [],
        ),
    ],
)
def test_back_on_time_follows_a_delay_that_was_heard_of(lines: list[Any], expected: list[str]) -> None:
    stop = a_stop(eta_at=at("15:50"), on_time_since=at("14:25"))
    assert kinds(stop, told(*lines), at("14:31")) == expected


def test_back_on_time_waits_until_it_lasts() -> None:
    history = told(said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25")))
    stop = a_stop(eta_at=at("15:50"), on_time_since=at("14:25"))
    assert kinds(stop, history, at("14:30") - SECOND) == []
    assert next_look(stop, history, rules(), at("14:29")) == at("14:30")
    assert kinds(a_stop(eta_at=at("16:00"), on_time_since=at("14:25")), history, at("14:31")) == []


def test_nearly_late_is_on_time_only_when_it_stays_so() -> None:
    history = told(said(Kind.RUNNING_LATE, "14:00", eta_at=at("16:25")))
    stop = a_stop(eta_at=at("15:51"), on_time_since=at("14:25"))
    assert kinds(stop, history, at("14:54")) == []
    assert kinds(stop, history, at("14:55")) == ["back_on_time"]


def test_after_not_today_nothing_is_told_of_today_but_how_it_ends() -> None:
    history = told(said(Kind.RUNNING_LATE, "13:00", is_not_today=True))
    assert kinds(a_stop(**LATE), history, at("14:30")) == []
    assert kinds(a_stop(stops_away=1), history, at("14:30")) == []
    delivered = a_stop(status=StopStatus.DELIVERED, completed_at=at("14:30"))
    assert kinds(delivered, history, at("14:30")) == ["delivered"]


# --- windows ------------------------------------------------------------------------------------

MOVED = {"window": window("17:00", "21:00"), "window_since": NOON, "eta_at": None}


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ({}, NOON + timedelta(minutes=1) - SECOND, []),  # whoever moved it may be telling it
        ({}, NOON + timedelta(minutes=1), ["window_changed"]),
        ({}, NOON + timedelta(minutes=20), []),
        ({"believed_window": window("17:00", "21:00")}, at("12:05"), []),  # they know
        ({"believed_window": None}, at("12:05"), []),  # nothing had been promised
        ({"status": StopStatus.DELIVERED}, at("12:05"), []),
        ({"window_since": at("23:30", day=-1)}, at("06:59"), []),  # quiet for what is of that day until 7 am
        ({"window_since": at("23:30", day=-1)}, at("07:20"), []),
        ({"window_since": at("23:30", day=-1)}, at("07:05"), ["window_changed"]),
    ],
)
def test_a_window_that_somebody_else_moved_is_told(
    changes: dict[str, Any], now: datetime, expected: list[str]
) -> None:
    assert kinds(a_stop(**MOVED | changes), told(), now) == expected


@pytest.mark.parametrize(
    ("since", "now", "expected"),
    [
        (at("20:50"), at("20:59"), ["window_changed"]),
        (at("21:25"), at("21:30"), []),
        (at("21:25"), at("07:00", day=1), ["window_changed"]),
    ],
)
def test_what_an_evening_plans_for_tomorrow_is_told_before_nine_or_in_the_morning(
    since: datetime, now: datetime, expected: list[str]
) -> None:
    """A stop that was put on tomorrow's route has a new status too: that makes it no delivery of today."""
    planned = a_stop(
        status=StopStatus.ASSIGNED,
        status_since=since,
        window=window("14:00", "16:00", day=1),
        window_since=since,
        believed_window=window("17:00", "19:00", day=1),
        eta_at=None,
    )
    assert kinds(planned, told(), now) == expected


def test_until_a_new_window_is_told_nothing_speaks_of_it() -> None:
    stop = a_stop(**MOVED, status_since=NOON)
    assert kinds(stop, told(), NOON) == []
    assert kinds(stop, told(), NOON + timedelta(minutes=1)) == ["window_changed"]


# --- endings ------------------------------------------------------------------------------------


def ended(status: StopStatus, when: datetime, **changes: Any) -> StopNow:
    return a_stop(status=status, completed_at=when, eta_at=None, stops_away=None, **changes)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (StopStatus.DELIVERED, "delivered"),
        (StopStatus.FAILED, "failed"),
        (StopStatus.RETURNED, "returned"),
    ],
)
def test_how_it_ends_is_told_once_and_at_once(status: StopStatus, kind: str) -> None:
    just_before = told(said(Kind.APPROACHING, "15:18"))
    assert kinds(ended(status, at("15:20")), just_before, at("15:20")) == [kind]
    assert kinds(ended(status, at("15:20")), told(said(Kind(kind), "15:20")), at("15:30")) == []
    assert kinds(ended(status, at("15:20")), told(), at("15:40")) == []


def test_what_ends_so_again_on_a_later_day_is_told_again() -> None:
    before = told(said(Kind.FAILED, "15:20"))
    corrected = ended(StopStatus.FAILED, at("19:00"))
    assert kinds(corrected, before, at("19:00")) == []
    assert kinds(ended(StopStatus.FAILED, at("11:00", day=1)), before, at("11:00", day=1)) == ["failed"]


def test_a_cancelled_stop_is_not_spoken_of() -> None:
    assert kinds(ended(StopStatus.CANCELLED, at("15:20")), told(), at("15:20")) == []


@pytest.mark.parametrize(
    ("follow_up", "now", "expected"),
    [
        (FollowUp.OFF, at("15:20"), ["failed"]),
        (FollowUp.BY_PERSON, at("15:20"), ["failed"]),
        (FollowUp.ASKS, at("15:25"), []),  # its first question says it
        (FollowUp.AWAITED, at("15:21"), []),
        (FollowUp.AWAITED, at("15:22"), ["failed"]),
    ],
)
def test_a_failure_that_is_followed_up_is_told_by_the_question(
    follow_up: FollowUp, now: datetime, expected: list[str]
) -> None:
    stop = ended(StopStatus.FAILED, at("15:20"), follow_up=follow_up)
    assert kinds(stop, told(), now) == expected


def test_what_ends_at_night_is_told_in_the_morning() -> None:
    stop = ended(StopStatus.DELIVERED, at("22:15"))
    assert kinds(stop, told(), at("22:15")) == []
    assert kinds(stop, told(), at("07:30", day=1)) == []  # it is about yesterday: the wider hours count
    assert next_look(stop, told(), rules(), at("22:15")) == at("08:00", day=1)
    assert kinds(stop, told(), at("08:00", day=1)) == ["delivered"]
    assert kinds(stop, told(), at("08:20", day=1)) == []


# --- what holds everything back -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("eta", "now", "expected"),
    [
        ("16:30", "15:44", []),  # two stops away, and three quarters of an hour
        ("16:30", "15:45", ["approaching"]),
        (None, "15:00", ["approaching"]),
    ],
)
def test_few_stops_left_are_near_only_when_they_are_soon(
    eta: str | None, now: str, expected: list[str]
) -> None:
    stop = a_stop(stops_away=2, eta_at=at(eta) if eta else None, window=window("14:00", "17:00"))
    stop = replace(stop, believed_window=stop.window)
    assert kinds(stop, told(), at(now)) == expected
    if not expected:
        assert next_look(stop, told(), rules(), at(now)) == at("15:45")


@pytest.mark.parametrize(
    ("eta", "moved", "now", "expected"),
    [
        ("15:19", "14:50", "15:00", []),  # by less than is told
        ("15:20", "14:56", "15:00", []),  # not for long enough
        ("15:20", "14:55", "15:00", ["later"]),
        ("15:20", None, "15:00", []),
        ("14:30", "14:00", "14:20", []),  # earlier than was said
        ("16:05", "14:55", "15:00", ["later"]),  # out of the window by less than counts as late
        ("16:25", "14:55", "15:00", []),  # late, and not for long enough yet
    ],
)
def test_who_was_told_a_time_hears_that_it_has_slipped(
    eta: str, moved: str | None, now: str, expected: list[str]
) -> None:
    stop = a_stop(eta_at=at(eta), moved_since=at(moved) if moved else None, stops_away=9)
    near = told(said(Kind.APPROACHING, "14:10", eta_at=at("15:00")))
    assert kinds(stop, near, at(now)) == expected
    untimed = told(said(Kind.APPROACHING, "14:10"))
    assert kinds(stop, untimed, at(now)) == [], "nobody was told a time"


@pytest.mark.parametrize(
    ("eta", "moved", "expected"),
    [
        ("17:10", "14:56", []),
        ("17:10", "14:55", ["running_late"]),
        ("16:20", "14:46", []),  # earlier than was said must last longer: people plan by it
        ("16:20", "14:45", ["running_late"]),
    ],
)
def test_another_delay_is_told_when_it_lasts(eta: str, moved: str, expected: list[str]) -> None:
    stop = a_stop(eta_at=at(eta), late_since=at("13:00"), moved_since=at(moved), stops_away=9)
    heard = told(said(Kind.RUNNING_LATE, "13:10", eta_at=at("16:50" if eta == "16:20" else "16:40")))
    assert kinds(stop, heard, at("15:00")) == expected


def test_a_look_remembers_since_when_the_time_has_slipped() -> None:
    near = told(said(Kind.APPROACHING, "14:10", eta_at=at("15:00")))
    first = remembering(a_stop(eta_at=at("15:25")), None, near, rules(), at("14:30"))
    assert first.moved_since == at("14:30")
    watch = NoticeWatch(stop_id=first.stop_id, moved_since=first.moved_since)
    assert remembering(a_stop(eta_at=at("15:30")), watch, near, rules(), at("14:40")).moved_since == at(
        "14:30"
    )
    assert remembering(a_stop(eta_at=at("15:10")), watch, near, rules(), at("14:40")).moved_since is None


def test_two_texts_to_one_person_stand_apart() -> None:
    stop, history = a_stop(stops_away=2), told(written_at=at("14:55"))
    assert kinds(stop, history, at("15:00")) == []
    assert next_look(stop, history, rules(), at("15:00")) == at("15:05")
    assert kinds(stop, history, at("15:05")) == ["approaching"]


@pytest.mark.parametrize(
    ("changes", "history"),
    [
        ({"most_per_stop": 2}, {"told_today_stop": 2}),
        ({"most_per_person": 2}, {"told_today_person": 2}),
        ({"most_per_stop": 0}, {}),
        ({"most_per_person": 0}, {}),
        ({}, {"is_opted_out": True}),
        ({}, {"is_held": True}),
        ({"kinds": frozenset({Kind.RUNNING_LATE})}, {}),
    ],
)
def test_caps_consent_and_the_kinds_that_are_off(changes: dict[str, Any], history: dict[str, Any]) -> None:
    assert kinds(a_stop(stops_away=2), told(), at("15:00")) == ["approaching"]
    assert kinds(a_stop(stops_away=2), told(**history), at("15:00"), **changes) == []
    delivered = ended(StopStatus.DELIVERED, at("15:00"))
    assert kinds(delivered, told(**history), at("15:00"), **changes) == []


def test_what_a_dispatcher_holds_is_looked_at_again_while_there_is_news() -> None:
    held, long_over = told(is_held=True), ended(StopStatus.DELIVERED, at("09:00"))
    assert next_look(a_stop(stops_away=2), held, rules(), at("15:00")) == at("15:01")
    assert next_look(long_over, held, rules(), NOON) == NEVER
    assert next_look(long_over, told(is_held=True, is_opted_out=True), rules(), NOON) == NEVER


def test_where_nobody_is_to_be_told_it_is_not_looked_again() -> None:
    assert next_look(a_stop(is_fresh=False), told(is_opted_out=True), rules(), NOON) == NEVER
    assert next_look(ended(StopStatus.DELIVERED, at("09:00")), told(), rules(), NOON) == NEVER


@pytest.mark.parametrize(
    ("platform", "now", "expected"),
    [
        ({Kind.OUT_FOR_DELIVERY}, NOON, []),
        ({Kind.OUT_FOR_DELIVERY}, at("12:10"), []),  # the platform has just texted them
        ({Kind.OUT_FOR_DELIVERY}, at("12:15"), ["approaching"]),
        ({Kind.APPROACHING}, NOON, ["out_for_delivery"]),
    ],
)
def test_what_the_platform_tells_is_not_told_again(
    platform: set[NotificationKind], now: datetime, expected: list[str]
) -> None:
    near = Kind.OUT_FOR_DELIVERY in platform and now > NOON
    near_by = {"stops_away": 2, "eta_at": at("12:45")} if near else {"stops_away": 9}
    stop = a_stop(status_since=NOON, platform_kinds=frozenset(platform), **near_by)
    assert kinds(stop, told(), now) == expected


def test_the_most_important_comes_first() -> None:
    late_and_near = a_stop(**LATE, status=StopStatus.ARRIVING, status_since=at("14:00"))
    assert kinds(late_and_near, told(), at("14:06")) == ["running_late"]
    assert kinds(late_and_near, told(), at("14:04")) == ["approaching"]
    moved = a_stop(**LATE | MOVED | {"eta_at": at("21:30")}, stops_away=1)
    assert kinds(moved, told(), at("14:06")) != ["window_changed"]  # two hours old
    assert kinds(replace(moved, window_since=at("14:00")), told(), at("14:06")) == ["window_changed"]


@pytest.mark.parametrize(
    ("confirm", "expected"), [(0, ["running_late"]), (30, [])], ids=["at once", "half an hour"]
)
def test_a_client_may_have_other_thresholds(confirm: int, expected: list[str]) -> None:
    own = RunningLate(minutes=20, confirm_minutes=confirm)
    assert (
        kinds(a_stop(eta_at=at("16:19"), late_since=at("14:00")), told(), at("14:10"), running_late=own) == []
    )
    assert kinds(a_stop(**LATE), told(), at("14:10"), running_late=own) == expected
