"""What a recipient is to be told of one stop now, and when that can change by time alone. Pure.

At most one thing at a time. An ending comes before a new window, that before a delay, that before its end, that before
a time that has slipped, and that before a driver who is near or on the way.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.notifications.facts import ENDINGS, ON_THE_ROAD, Due, FollowUp, History, Rules, StopNow
from bot.notifications.gates import Chance, gated, out_of_quiet_hours
from bot.notifications.standing import (
    has_told_ending,
    is_late,
    is_on_time,
    knows_the_delay,
    last_heard,
    moved_for_good,
    near_from,
    not_today,
    said_today,
    stands_late,
)
from bot.sop_notifications import NotificationKind
from connectors.base import StopStatus

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
SETTLES = timedelta(minutes=1)
"""Whoever moved a window may be telling the recipient of it: only what stays untold after that is news."""
FOLLOW_UP_AWAITED = timedelta(minutes=2)
"""If nothing has begun to follow a failure up by then, nothing will."""
STAYS_TRUE = timedelta(hours=3)
ALMOST_THERE = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)
"""How soon it is looked again where something else than the stop changes: a driver's position, how old the news is,
who holds the conversation."""

NAMES_A_TIME = (
    NotificationKind.OUT_FOR_DELIVERY,
    NotificationKind.APPROACHING,
    NotificationKind.BACK_ON_TIME,
    NotificationKind.LATER,
)

Kind = NotificationKind


def due_notifications(stop: StopNow, history: History, rules: Rules, now: datetime) -> list[Due]:
    """What is to be said now: one thing, or nothing."""
    open_now = [chance for chance in _chances(stop, history, rules, now) if chance.from_at <= now]
    return [chance.due for chance in open_now[:1]]


def next_look(stop: StopNow, history: History, rules: Rules, now: datetime) -> datetime:
    """When the decision can change although nothing changes on the stop; far in the future where it cannot."""
    if history.is_held:
        given_back = replace(history, is_held=False)
        has_news = bool(due_notifications(stop, given_back, rules, now))
        return now + AGAIN if has_news else next_look(stop, given_back, rules, now)
    coming = [chance.from_at for chance in _chances(stop, history, rules, now) if chance.from_at > now]
    if _depends_on_more_than_the_stop(stop, history, rules, now):
        coming.append(now + AGAIN)
    return min(coming, default=NEVER)


# --- chances ------------------------------------------------------------------------------------


def _chances(stop: StopNow, history: History, rules: Rules, now: datetime) -> list[Chance]:
    """The most important first; what is not open yet may keep what stands after it from being said."""
    if history.is_opted_out or history.is_held:
        return []
    found: list[Chance] = []
    for kind, make in _MAKERS:
        chance = make(stop, history, rules, now)
        if chance is None or chance.due.kind not in rules.kinds - stop.platform_kinds:
            continue
        if allowed := gated(chance, stop, history, rules, now):
            found.append(allowed)
            if kind is Kind.WINDOW_CHANGED:
                break
    return found


def _ending(stop: StopNow, history: History, rules: Rules, _now: datetime) -> Chance | None:
    kind, happened_at = ENDINGS.get(stop.status), stop.completed_at
    if kind is None or happened_at is None or has_told_ending(stop, history, kind, happened_at):
        return None
    if kind is Kind.FAILED and stop.follow_up is FollowUp.ASKS:
        return None
    due = Due(kind, useful_until=NEVER, happened_at=happened_at)
    known_at = _known_at(due, stop, rules, happened_at)
    is_awaited = kind is Kind.FAILED and stop.follow_up is FollowUp.AWAITED
    learned_at = max(happened_at, stop.status_since or happened_at)
    from_at = learned_at + FOLLOW_UP_AWAITED if is_awaited else happened_at
    return Chance(replace(due, useful_until=known_at + STAYS_TRUE), from_at, known_at + rules.fresh)


def _window_changed(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    window, since = stop.window, stop.window_since
    is_told = stop.believed_window is None or window == stop.believed_window
    if stop.status.is_closed or window is None or since is None or is_told:
        return None
    due = Due(Kind.WINDOW_CHANGED, min(window.end_at, now + STAYS_TRUE), window=window)
    until = min(window.end_at, _known_at(due, stop, rules, since) + rules.fresh)
    return Chance(due, since + SETTLES, until)


def _running_late(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    eta_at = stop.eta_at
    if not is_late(stop, rules) or stop.late_since is None or eta_at is None or not_today(stop, history, now):
        return None
    again = timedelta(minutes=rules.running_late.again_minutes)
    if knows_the_delay(stop, history, eta_at, again, now):
        return None
    due = Due(Kind.RUNNING_LATE, min(eta_at, now + again), window=stop.window, eta_at=eta_at)
    confirmed_at = stop.late_since + timedelta(minutes=rules.running_late.confirm_minutes)
    return Chance(due, max(confirmed_at, moved_for_good(stop, history, rules, now)), eta_at)


def _back_on_time(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    eta_at, window = stop.eta_at, stop.window
    if eta_at is None or window is None or not is_on_time(stop) or not stands_late(history):
        return None
    if stop.on_time_since is None or not_today(stop, history, now):
        return None
    due = Due(Kind.BACK_ON_TIME, min(eta_at, now + STAYS_TRUE), window=window, eta_at=eta_at)
    back = rules.back_on_time
    is_close = window.end_at - eta_at < timedelta(minutes=back.minutes)
    waits = back.close_confirm_minutes if is_close else back.confirm_minutes
    return Chance(due, stop.on_time_since + timedelta(minutes=waits), eta_at)


def _later(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    """Whoever was told a time and waits by it hears that it has slipped, though the window is kept."""
    heard, eta_at = last_heard(history), stop.eta_at
    if heard is None or heard.eta_at is None or eta_at is None or stop.moved_since is None:
        return None
    is_other_news = heard.kind is Kind.RUNNING_LATE or is_late(stop, rules) or stop.status.is_closed
    if is_other_news or not said_today(stop, history, now, *NAMES_A_TIME) or not_today(stop, history, now):
        return None
    if eta_at - heard.eta_at < timedelta(minutes=rules.later.minutes):
        return None
    due = Due(Kind.LATER, min(eta_at, now + STAYS_TRUE), window=stop.window, eta_at=eta_at)
    return Chance(due, stop.moved_since + timedelta(minutes=rules.later.confirm_minutes), eta_at)


def _approaching(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    if stop.status not in ON_THE_ROAD or not stop.is_fresh or not_today(stop, history, now):
        return None
    if said_today(stop, history, now, Kind.APPROACHING):
        return None
    from_at = near_from(stop, rules, now)
    if from_at is None:
        return None
    until = max(stop.eta_at, now) + ALMOST_THERE if stop.eta_at is not None else NEVER
    useful_until = min(until, max(from_at, now) + rules.fresh)
    due = Due(Kind.APPROACHING, useful_until, eta_at=stop.eta_at, stops_away=stop.stops_away)
    return Chance(due, from_at, until)


def _out_for_delivery(stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    if stop.status is not StopStatus.OUT_FOR_DELIVERY or stop.status_since is None:
        return None
    told = (Kind.OUT_FOR_DELIVERY, Kind.APPROACHING, Kind.RUNNING_LATE)
    if is_late(stop, rules) or not_today(stop, history, now) or said_today(stop, history, now, *told):
        return None
    ends = [at for at in (stop.eta_at, stop.window.end_at if stop.window else None) if at and at > now]
    useful_until = min([*ends, now + STAYS_TRUE])
    eta_at = stop.eta_at if stop.window is None else None
    due = Due(Kind.OUT_FOR_DELIVERY, useful_until, window=stop.window, eta_at=eta_at)
    return Chance(due, stop.status_since, _known_at(due, stop, rules, stop.status_since) + rules.fresh)


Maker = Callable[[StopNow, History, Rules, datetime], Chance | None]

_MAKERS: tuple[tuple[Kind | None, Maker], ...] = (
    (None, _ending),
    (Kind.WINDOW_CHANGED, _window_changed),
    (Kind.RUNNING_LATE, _running_late),
    (Kind.BACK_ON_TIME, _back_on_time),
    (Kind.LATER, _later),
    (Kind.APPROACHING, _approaching),
    (Kind.OUT_FOR_DELIVERY, _out_for_delivery),
)


def _known_at(due: Due, stop: StopNow, rules: Rules, happened_at: datetime) -> datetime:
    """When it could be told first: what happens in the quiet hours is news at their end."""
    return out_of_quiet_hours(happened_at, due, stop, rules)


def _depends_on_more_than_the_stop(stop: StopNow, history: History, rules: Rules, now: datetime) -> bool:
    """A driver comes nearer, or old news becomes fresh again, without a change of the stop itself."""
    if stop.status not in ON_THE_ROAD or history.is_opted_out:
        return False
    if not stop.is_fresh:
        return True
    by_meters = rules.approaching.meters is not None and Kind.APPROACHING in rules.kinds
    return by_meters and not said_today(stop, history, now, Kind.APPROACHING)
