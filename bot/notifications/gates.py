"""What holds back whatever might be said: quiet hours, caps, the distance between two texts, the platform's own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.notifications.facts import ENDINGS, ON_THE_ROAD, Due, History, Rules, StopNow
from bot.notifications.hours import first_allowed, local_midnight_after, quiet_from
from bot.sop import local_day
from bot.sop_notifications import NotificationKind

ROUNDS = 8
"""From the end of one kind of quiet hours, or a midnight, to the next: more than there are in a day and a half."""


@dataclass(frozen=True)
class Chance:
    """Something that may be said within `[from_at, until)`, if nothing changes meanwhile."""

    due: Due
    from_at: datetime
    until: datetime


def gated(chance: Chance, stop: StopNow, history: History, rules: Rules, now: datetime) -> Chance | None:
    """The same chance from the first instant, `now` at the earliest, at which nothing holds it back; None: never."""
    if not rules.most_per_stop or not rules.most_per_person:
        return None
    kind = chance.due.kind
    waits = [now, chance.from_at, *(said + rules.platform_quiet for said in _platform_said(stop))]
    if kind not in ENDINGS.values() and history.written_at is not None:
        waits.append(history.written_at + rules.apart)
    if history.told_today_stop >= rules.most_per_stop or history.told_today_person >= rules.most_per_person:
        waits.append(local_midnight_after(now, stop.timezone))
    from_at = out_of_quiet_hours(max(waits), chance.due, stop, rules)
    if from_at >= chance.until:
        return None
    return replace(chance, from_at=from_at, due=_capped(chance.due, from_at, stop, rules))


def out_of_quiet_hours(moment: datetime, due: Due, stop: StopNow, rules: Rules) -> datetime:
    """The first instant from `moment` on at which this may be said at all."""
    for _ in range(ROUNDS):
        allowed = [
            first_allowed(moment, stop.timezone, rules.quiet_hours, urgent=urgent) for urgent in (True, False)
        ]
        if allowed[0 if is_urgent(due, stop, moment) else 1] == moment:
            break
        # At midnight it may have become today's.
        ends = (*allowed, local_midnight_after(moment, stop.timezone))
        moment = min(end for end in ends if end > moment)
    return moment


def is_urgent(due: Due, stop: StopNow, moment: datetime) -> bool:
    """Whether it is about a delivery of that very day, local to the stop."""
    about = [due.happened_at] if due.happened_at else _days_of_promise(due, stop)
    today = local_day(moment, stop.timezone)
    return any(local_day(instant, stop.timezone) == today for instant in about if instant is not None)


def _days_of_promise(due: Due, stop: StopNow) -> list[datetime | None]:
    windows = [stop.window]
    if due.kind is NotificationKind.WINDOW_CHANGED:
        windows.append(stop.believed_window)
    # Platforms plan tomorrow's routes in the evening: only a van that is out makes it a delivery of that day.
    went_out = stop.status_since if stop.status in ON_THE_ROAD else None
    return [stop.eta_at, went_out, *(window.start_at for window in windows if window)]


def _capped(due: Due, from_at: datetime, stop: StopNow, rules: Rules) -> Due:
    """What waits in a queue must not leave in the quiet hours either."""
    urgent = is_urgent(due, stop, from_at)
    quiet_at = quiet_from(from_at, stop.timezone, rules.quiet_hours, urgent=urgent)
    if quiet_at is None or quiet_at >= due.useful_until:
        return due
    return replace(due, useful_until=quiet_at)


def _platform_said(stop: StopNow) -> Iterator[datetime]:
    """About when the platform has texted this recipient itself: no API tells, its rules do."""
    happened = {
        NotificationKind.APPROACHING: stop.near_since,
        NotificationKind.RUNNING_LATE: stop.late_since,
        NotificationKind.WINDOW_CHANGED: stop.window_since,
    }
    if stop.status in ON_THE_ROAD:
        happened[NotificationKind.OUT_FOR_DELIVERY] = stop.status_since
    if ending := ENDINGS.get(stop.status):
        happened[ending] = stop.completed_at
    yield from (at for kind, at in happened.items() if at is not None and kind in stop.platform_kinds)
