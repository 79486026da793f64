"""How a stop stands against the promise, and against what its recipient has heard of it. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.notifications.facts import ON_THE_ROAD, History, Rules, Said, StopNow
from bot.notifications.models import NoticeWatch
from bot.sop import local_day
from bot.sop_notifications import NotificationKind
from connectors.base import StopStatus

Kind = NotificationKind


def is_late(stop: StopNow, rules: Rules) -> bool:
    """The ETA misses the window by so much that the recipient should know."""
    if stop.eta_at is None or stop.window is None or stop.status.is_closed:
        return False
    return stop.eta_at >= stop.window.end_at + timedelta(minutes=rules.running_late.minutes)


def is_on_time(stop: StopNow) -> bool:
    """The ETA keeps the window. Neither late nor on time is what is late by less than is told."""
    if stop.eta_at is None or stop.window is None or stop.status.is_closed:
        return False
    return stop.eta_at < stop.window.end_at


def is_near(stop: StopNow, rules: Rules, now: datetime) -> bool:
    """By stops, minutes or meters, whichever is reached first."""
    if stop.status not in ON_THE_ROAD or not stop.is_fresh:
        return False
    near = rules.approaching
    return (
        stop.status is StopStatus.ARRIVING
        or (_within(stop.stops_away, near.stops_away) and _is_soon(stop, rules, now))
        or _within(stop.meters_away, near.meters)
        or (stop.eta_at is not None and _within((stop.eta_at - now).total_seconds() / 60, near.minutes))
    )


def near_from(stop: StopNow, rules: Rules, now: datetime) -> datetime | None:
    if is_near(stop, rules, now):
        return now
    near = rules.approaching
    few_left = _within(stop.stops_away, near.stops_away)
    minutes = max(near.not_before_minutes if few_left else 0, near.minutes or 0)
    return stop.eta_at - timedelta(minutes=minutes) if stop.eta_at is not None and minutes else None


def stands_late(history: History) -> bool:
    """The last that they heard of its time, and that reached them, is that it is late."""
    said = history.last(Kind.RUNNING_LATE, Kind.BACK_ON_TIME, Kind.WINDOW_CHANGED)
    if said is None or said.is_not_today:
        return False
    return said.kind is Kind.RUNNING_LATE and said.has_reached


def remembering(
    stop: StopNow, before: NoticeWatch | None, history: History, rules: Rules, now: datetime
) -> StopNow:
    """With the beginnings of what this look finds, and the looks before it have found without a break."""
    before = before or NoticeWatch(stop_id=stop.stop_id)
    is_back = stands_late(history) and is_on_time(stop)
    return replace(
        stop,
        late_since=(before.late_since or now) if is_late(stop, rules) else None,
        on_time_since=(before.on_time_since or now) if is_back else None,
        near_since=(before.near_since or now) if is_near(stop, rules, now) else None,
        moved_since=(before.moved_since or now) if _has_moved(stop, history, rules) else None,
    )


def knows_the_delay(
    stop: StopNow, history: History, eta_at: datetime, again: timedelta, now: datetime
) -> bool:
    """They heard of a delay already, and of about this one."""
    heard = last_heard(history)
    if heard is None:
        return False
    if heard.eta_at is None:
        return now < heard.at + again
    was_late = stop.window is not None and heard.eta_at >= stop.window.end_at
    return was_late and abs(eta_at - heard.eta_at) < again


def moved_for_good(stop: StopNow, history: History, rules: Rules, now: datetime) -> datetime:
    """When another time than the late one that they heard may be believed; the past where they heard of none."""
    heard = last_heard(history)
    if heard is None or heard.kind is not Kind.RUNNING_LATE or heard.eta_at is None or stop.eta_at is None:
        return datetime.min.replace(tzinfo=UTC)
    late = rules.running_late
    waits = late.earlier_confirm_minutes if stop.eta_at < heard.eta_at else late.confirm_minutes
    return (stop.moved_since or now) + timedelta(minutes=waits)


def said_today(stop: StopNow, history: History, now: datetime, *kinds: Kind) -> bool:
    """On this run: what goes out on another day again is told again."""
    today = local_day(now, stop.timezone)
    return any(said.kind in kinds and local_day(said.at, stop.timezone) == today for said in history.said)


def has_told_ending(stop: StopNow, history: History, kind: Kind, happened_at: datetime) -> bool:
    """Of one on a later day it is told again; on the same day the platform has corrected itself."""
    day = local_day(happened_at, stop.timezone)
    return any(said.kind is kind and local_day(said.at, stop.timezone) >= day for said in history.said)


def not_today(stop: StopNow, history: History, now: datetime) -> bool:
    """A dispatcher has told them so; whatever the platform predicts of today would contradict it."""
    told: Said | None = next((said for said in reversed(history.said) if said.is_not_today), None)
    return told is not None and local_day(told.at, stop.timezone) == local_day(now, stop.timezone)


def last_heard(history: History) -> Said | None:
    """The last that they heard of when it comes, since they heard of the window that is promised."""
    since = [said for said in history.said if said.at >= _newest(history, Kind.WINDOW_CHANGED)]
    return next((said for said in reversed(since) if said.eta_at or said.kind is Kind.RUNNING_LATE), None)


# --- inside -------------------------------------------------------------------------------------


def _has_moved(stop: StopNow, history: History, rules: Rules) -> bool:
    """The ETA is far from the one that they go by: by as much as would be told."""
    heard = last_heard(history)
    if heard is None or heard.eta_at is None or stop.eta_at is None or stop.status.is_closed:
        return False
    if heard.kind is Kind.RUNNING_LATE:
        return abs(stop.eta_at - heard.eta_at) >= timedelta(minutes=rules.running_late.again_minutes)
    return stop.eta_at - heard.eta_at >= timedelta(minutes=rules.later.minutes)


def _newest(history: History, kind: Kind) -> datetime:
    said = history.last(kind)
    return said.at if said is not None else datetime.min.replace(tzinfo=UTC)


def _is_soon(stop: StopNow, rules: Rules, now: datetime) -> bool:
    """Few stops may take long: where an ETA is known, it has to be near too."""
    return stop.eta_at is None or _within(
        (stop.eta_at - now).total_seconds() / 60, rules.approaching.not_before_minutes
    )


def _within(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value <= limit
