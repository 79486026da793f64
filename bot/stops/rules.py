"""Pure decisions about stops: which ones somebody can mean, and how old the news of one is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from bot.sop import local_day
from bot.stops.answers import Scope
from bot.stops.models import StopRecord
from bot.stops.naming import says_other_one, says_several, stops_by_name
from bot.stops.references import named_stops
from connectors.base import StopStatus

CLOSED_ASKABLE_FOR = timedelta(days=14)
REMEMBERED_FOR = timedelta(minutes=60)
"""The day's time for which a text is about the stop that was talked about last."""


@dataclass(frozen=True)
class Question:
    """What somebody wants, in their own words."""

    text: str
    scope: Scope
    now: datetime
    """The day's time."""
    focus: UUID | None = None
    """The stop that was talked about last, where that is not too long ago."""


def stops_meant(question: Question, stops: Sequence[StopRecord]) -> list[StopRecord]:
    """The stops that a text is about, the likeliest first: one, several to choose from, or none.

    In this order: a tracking number in the text, whatever was wanted; what client or street names; the stop
    talked about last, unless the text says another; the only one that fits; the nearest day's.
    """
    if named := named_stops(question.text, stops):
        return named
    fitting = [stop for stop in stops if fits(stop, question.scope, question.now)]
    fitting = stops_by_name(question.text, fitting) or fitting
    if focus := _focus_among(fitting, question):
        return [focus]
    if says_other_one(question.text) and len(fitting) > 1:
        fitting = [stop for stop in fitting if stop.id != question.focus]
    return askable(fitting, question.now, question.scope)


def fits(stop: StopRecord, scope: Scope, now: datetime) -> bool:
    """Whether somebody who wants this can mean the stop at all. Closed ones fit for a fortnight, to the second."""
    if stop.is_open:
        return True
    if scope is Scope.COMING and stop.status is not StopStatus.FAILED:
        return False
    return stop.completed_at is not None and stop.completed_at >= now - CLOSED_ASKABLE_FOR


def askable(stops: Sequence[StopRecord], now: datetime, scope: Scope = Scope.STATUS) -> list[StopRecord]:
    """Of the stops that fit, those of the nearest day, by their windows: what to answer for, or to choose from."""
    fitting = [stop for stop in stops if fits(stop, scope, now)]
    for tier in _TIERS[scope]:
        if found := tier(fitting, now):
            return found
    return []


def _focus_among(fitting: Sequence[StopRecord], question: Question) -> StopRecord | None:
    focus = next((stop for stop in fitting if stop.id == question.focus), None)
    if focus is None or says_other_one(question.text) or says_several(question.text):
        return None
    # Whoever misses a parcel while another one came today may well mean that one.
    is_doubtful = question.scope is Scope.FINISHED and focus.is_open
    return None if is_doubtful and _finished_today(fitting, question.now) else focus


# --- tiers: the first that holds any stop is the answer -----------------------------------------


def _due(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """Open ones of today, and what is overdue."""
    return _by_window(stop for stop in stops if stop.is_open and _is_due(stop, now))


def _due_or_failed_today(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """A failed try, and beside it the open stops of the same client and place: one may be its second try."""
    failed = _finished_today(stops, now)
    places = {(stop.client, stop.address_line) for stop in failed}
    due = {stop.id for stop in _due(stops, now)}
    return _by_window(
        [
            *failed,
            *(s for s in stops if s.is_open and (s.id in due or (s.client, s.address_line) in places)),
        ]
    )


def _finished_today(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    return _by_window(
        stop for stop in stops if not stop.is_open and _is_on_day_of(stop, stop.completed_at, now)
    )


def _coming(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """Open ones of the nearest day to come; one without a day could be any day's."""
    coming = _by_window(stop for stop in stops if stop.is_open)
    dated = [stop for stop in coming if _promised_day(stop)]
    nearest = min((_promised_day(stop) or date.max for stop in dated), default=None)
    return [stop for stop in coming if _promised_day(stop) in (None, nearest)]


def _finished(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """What was finished on the newest of such days."""
    return _newest_day([stop for stop in stops if not stop.is_open])


def _finished_or_overdue(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """Something went wrong: with what came or failed, or with what should have come by now. The newest day's."""
    return _newest_day(
        [
            stop
            for stop in stops
            if stop.status is not StopStatus.CANCELLED and (not stop.is_open or _is_overdue(stop, now))
        ]
    )


_TIERS: dict[Scope, tuple[Callable[[Sequence[StopRecord], datetime], list[StopRecord]], ...]] = {
    Scope.STATUS: (_due, _finished_today, _coming, _finished),
    Scope.COMING: (_due_or_failed_today, _coming, _finished),
    Scope.FINISHED: (_finished_or_overdue, _due, _coming, _finished),
}


def _newest_day(stops: Sequence[StopRecord]) -> list[StopRecord]:
    days = {stop.id: local_day(_ended_at(stop), stop.timezone) for stop in stops}
    newest = max(days.values(), default=None)
    return sorted((stop for stop in stops if days[stop.id] == newest), key=_ended_at, reverse=True)


def _ended_at(stop: StopRecord) -> datetime:
    return stop.completed_at or stop.window_end_at or stop.changed_at


def _is_due(stop: StopRecord, now: datetime) -> bool:
    if stop.window_start_at is None:
        return stop.eta_at is not None and _is_on_day_of(stop, stop.eta_at, now)
    return local_day(stop.window_start_at, stop.timezone) <= local_day(now, stop.timezone)


def _is_overdue(stop: StopRecord, now: datetime) -> bool:
    """A window's end is exclusive: at it, the window is over."""
    return stop.is_open and stop.window_end_at is not None and stop.window_end_at <= now


def _is_on_day_of(stop: StopRecord, moment: datetime | None, now: datetime) -> bool:
    return moment is not None and local_day(moment, stop.timezone) == local_day(now, stop.timezone)


def _promised_day(stop: StopRecord) -> date | None:
    moment = stop.window_start_at or stop.eta_at
    return local_day(moment, stop.timezone) if moment else None


def _by_window(stops: Iterable[StopRecord]) -> list[StopRecord]:
    return sorted(stops, key=lambda stop: stop.window_start_at or stop.eta_at or stop.changed_at)


# --- news -----------------------------------------------------------------------------------------


def confirmed_at(stop: StopRecord, feed_read_at: datetime | None) -> datetime:
    """When the platform last vouched for this stop: by an event of its own, or by a whole read since."""
    return stop.confirmed_at if feed_read_at is None else max(stop.confirmed_at, feed_read_at)


def eta_of_promise(stop: StopRecord) -> datetime | None:
    """The ETA, unless it speaks of an earlier day than the promise: a moved stop keeps yesterday's prediction."""
    if stop.eta_at is None or stop.window_start_at is None:
        return stop.eta_at
    promised_day = local_day(stop.window_start_at, stop.timezone)
    return stop.eta_at if local_day(stop.eta_at, stop.timezone) >= promised_day else None
