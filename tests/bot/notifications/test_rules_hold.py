"""What holds whatever a day brings: days are made up, and everything that is said in them is checked by another reading."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.notifications.facts import Due, FollowUp, History, Said, StopNow
from bot.notifications.models import NoticeWatch
from bot.notifications.rules import due_notifications, next_look
from bot.notifications.standing import remembering
from bot.sop_notifications import NotificationKind
from connectors.base import DeliveryWindow, StopStatus
from tests.bot.notifications.scenes import NEW_YORK, at, rules

Kind = NotificationKind
ENDED = {
    StopStatus.DELIVERED: Kind.DELIVERED,
    StopStatus.FAILED: Kind.FAILED,
    StopStatus.RETURNED: Kind.RETURNED,
}
RULES = rules(most_per_stop=4, most_per_person=6)
WINDOWS = [
    DeliveryWindow(start_at=at(f"{hour}:00", day), end_at=at(f"{hour + 2}:00", day))
    for day in (0, 1)
    for hour in (6, 8, 12, 14, 17, 20)
]

minutes = st.integers(1, 20).map(lambda count: timedelta(minutes=count))
changes = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([*StopStatus, *[StopStatus.OUT_FOR_DELIVERY] * 20]),
        "eta_in": st.none() | st.integers(1, 400),
        "eta_late": st.integers(-60, 90),
        "window": st.none() | st.sampled_from(WINDOWS),
        "stops_away": st.none() | st.integers(0, 8),
        "is_fresh": st.sampled_from([True, True, True, False]),
        "is_opted_out": st.sampled_from([False, False, False, True]),
        "other_text": st.just(True),
        "reached": st.sampled_from([True, True, True, False]),
    },
)
days = st.lists(st.tuples(minutes, changes), min_size=4, max_size=40)
begins = st.integers(0, 47).map(lambda half: at("00:00") + timedelta(minutes=30 * half)) | st.just(
    at("12:00")
)


late_changes = st.fixed_dictionaries(
    {"eta_late": st.sampled_from([-30, -1, 0, 9, 10, 15, 25, 45, 90])},
    optional={"reached": st.sampled_from([True, True, False]), "stops_away": st.integers(2, 8)},
)
late_days = st.lists(st.tuples(minutes, late_changes), min_size=8, max_size=24)


@dataclass
class Day:
    """One stop through a day, as the service would take it."""

    now: datetime
    stop: StopNow
    said: list[Said] = field(default_factory=list)
    watch: NoticeWatch | None = None
    person_texts: int = 0
    written_at: datetime | None = None
    is_opted_out: bool = False
    reaches: bool = True

    def change(self, wanted: dict[str, Any]) -> None:
        facts: dict[str, Any] = {name: wanted[name] for name in ("stops_away", "is_fresh") if name in wanted}
        if "status" in wanted and wanted["status"] is not self.stop.status:
            ended = self.now if wanted["status"].is_closed else None
            facts |= {"status": wanted["status"], "status_since": self.now, "completed_at": ended}
        if "window" in wanted and wanted["window"] != self.stop.window:
            facts |= {"window": wanted["window"], "window_since": self.now}
        if "eta_in" in wanted:
            eta_in = wanted["eta_in"]
            facts["eta_at"] = None if eta_in is None else self.now + timedelta(minutes=eta_in)
        if "eta_late" in wanted and self.stop.window is not None:
            # Where the window ends it matters most.
            facts["eta_at"] = self.stop.window.end_at + timedelta(minutes=wanted["eta_late"])
        self.is_opted_out = wanted.get("is_opted_out", self.is_opted_out)
        self.reaches = wanted.get("reached", self.reaches)
        if wanted.get("other_text"):
            self.written_at = self.now
        self.stop = replace(self.stop, **facts)

    def history(self) -> History:
        today = local(self.now).date()
        count = sum(local(each.at).date() == today for each in self.said)
        return History(tuple(self.said), count, count, self.written_at, self.is_opted_out)

    def look(self) -> list[Due]:
        if self.stop.eta_at is not None and self.stop.eta_at <= self.now:
            self.stop = replace(self.stop, eta_at=None)
        if not self.stop.is_fresh:
            self.stop = replace(self.stop, eta_at=None)
        self.stop = remembering(self.stop, self.watch, self.history(), RULES, self.now)
        self.watch = NoticeWatch(
            stop_id=self.stop.stop_id,
            late_since=self.stop.late_since,
            on_time_since=self.stop.on_time_since,
            near_since=self.stop.near_since,
            moved_since=self.stop.moved_since,
        )
        return due_notifications(self.stop, self.history(), RULES, self.now)

    def say(self, due: Due) -> None:
        self.said.append(Said(due.kind, self.now, due.eta_at, due.window, has_reached=self.reaches))
        self.written_at = self.now
        if due.window is not None:
            self.stop = replace(self.stop, believed_window=due.window)


def local(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(NEW_YORK))


def a_day(begin: datetime) -> Day:
    stop = StopNow(UUID(int=1), StopStatus.ASSIGNED, NEW_YORK, WINDOWS[3], WINDOWS[3], is_fresh=True)
    return Day(begin, stop)


@settings(max_examples=80, deadline=None)
@given(begins, days)
def test_whatever_is_said_was_allowed_and_true(begin: datetime, steps: list[Any]) -> None:
    check_day(a_day(begin), steps)


@settings(max_examples=80, deadline=None)
@given(late_days)
def test_so_it_was_while_a_van_falls_behind_and_catches_up(steps: list[Any]) -> None:
    day = a_day(at("12:00"))
    day.stop = replace(day.stop, status=StopStatus.OUT_FOR_DELIVERY)
    check_day(day, steps)


def check_day(day: Day, steps: list[Any]) -> None:
    for duration, wanted in steps:
        day.now += duration
        day.change(wanted)
        for _ in range(2):
            due = day.look()
            assert len(due) <= 1
            if due:
                check_allowed(day, due[0])
                check_true(day, due[0])
                day.say(due[0])


def check_allowed(day: Day, due: Due) -> None:
    clock = local(day.now)
    assert 7 <= clock.hour < 22, "in the quiet hours"
    about = [day.stop.window, day.stop.believed_window, due.window]
    days = {local(window.start_at).date() for window in about if window}
    is_out = day.stop.status in (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
    went_out = day.stop.status_since if is_out else None
    days |= {local(each).date() for each in (day.stop.eta_at, day.stop.completed_at, went_out) if each}
    assert clock.date() in days or 8 <= clock.hour < 21, "in the hours that are quiet for other days"
    assert day.now < due.useful_until
    assert local(due.useful_until - timedelta(seconds=1)).hour in range(7, 22)
    today = [said for said in day.said if local(said.at).date() == clock.date()]
    assert len(today) < RULES.most_per_stop
    assert not day.is_opted_out
    if due.kind not in ENDED.values() and day.written_at is not None:
        assert day.now >= day.written_at + RULES.apart


def check_true(day: Day, due: Due) -> None:
    stop, kinds = day.stop, [said.kind for said in day.said]
    if stop.status.is_closed:
        assert due.kind is ENDED[stop.status]
        assert due.kind not in kinds
        return
    times = [
        s.kind for s in day.said if s.kind in (Kind.RUNNING_LATE, Kind.BACK_ON_TIME, Kind.WINDOW_CHANGED)
    ]
    if due.kind is Kind.RUNNING_LATE:
        assert due.eta_at is not None
        assert stop.window is not None
        assert due.eta_at >= stop.window.end_at + timedelta(minutes=10)
        heard = [said for said in day.said if said.eta_at or said.kind is Kind.WINDOW_CHANGED]
        assert not heard or heard[-1].eta_at != due.eta_at
    elif due.kind is Kind.BACK_ON_TIME:
        assert times[-1] is Kind.RUNNING_LATE
        assert next(s for s in reversed(day.said) if s.kind is Kind.RUNNING_LATE).has_reached
        assert due.eta_at is not None
        assert stop.window is not None
        assert due.eta_at < stop.window.end_at
    elif due.kind is Kind.LATER:
        heard = [said for said in day.said if said.eta_at or said.kind is Kind.WINDOW_CHANGED]
        assert heard[-1].kind in (Kind.OUT_FOR_DELIVERY, Kind.APPROACHING, Kind.BACK_ON_TIME, Kind.LATER)
        assert due.eta_at is not None
        assert heard[-1].eta_at is not None
        assert due.eta_at >= heard[-1].eta_at + timedelta(minutes=20)
        assert stop.window is None or due.eta_at < stop.window.end_at + timedelta(minutes=10)
    elif due.kind is Kind.WINDOW_CHANGED:
        assert stop.window != stop.believed_window
    else:
        assert stop.status in (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
        today = {said.kind for said in day.said if local(said.at).date() == local(day.now).date()}
        assert due.kind not in today
        assert due.kind is Kind.APPROACHING or Kind.APPROACHING not in today
        assert due.eta_at is None or stop.is_fresh


@settings(max_examples=80, deadline=None)
@given(begins, days, st.floats(0.0, 0.999))
def test_until_the_next_look_nothing_would_have_been_said(
    begin: datetime, steps: list[Any], share: float
) -> None:
    day = a_day(begin)
    for duration, wanted in steps:
        day.now += duration
        day.change(wanted)
        if due := day.look():
            day.say(due[0])
            continue
        look_at = next_look(day.stop, day.history(), RULES, day.now)
        assert look_at > day.now
        ahead = min(look_at - day.now, timedelta(hours=12))
        between = day.now + ahead * share
        if day.stop.eta_at is None or between < day.stop.eta_at:
            same_day = local(between).date() == local(day.now).date()
            assert not same_day or due_notifications(day.stop, day.history(), RULES, between) == []


@settings(max_examples=100, deadline=None)
@given(begins, days)
def test_a_failure_that_is_followed_up_is_never_told_twice(begin: datetime, steps: list[Any]) -> None:
    day = a_day(begin)
    day.stop = replace(day.stop, follow_up=FollowUp.ASKS)
    for duration, wanted in steps:
        day.now += duration
        day.change(wanted)
        for due in day.look():
            assert due.kind is not Kind.FAILED
            day.say(due)
