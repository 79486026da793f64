"""Pure decisions about stops: which ones a text is about, and how old the news of one is."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.sop import local_day
from bot.stops.models import StopRecord

CLOSED_ASKABLE_FOR = timedelta(days=14)
TRACKING_SHAPE = re.compile(r"\b(?=[A-Za-z0-9-]*\d)[A-Za-z0-9][A-Za-z0-9-]{5,23}\b")
"""At least six characters with a digit among them: platforms' short ids and order numbers, not words."""


def tracking_candidates(text: str) -> list[str]:
    """Everything in a text that may be a tracking number, in lower case, without doubles."""
    return list(dict.fromkeys(match.group().lower() for match in TRACKING_SHAPE.finditer(text)))


def looks_like_reference(text: str) -> bool:
    """Whether a text offers a number on purpose: it is little else, or it names one.

    `3:20 pm on 2026-06-10` holds digits too, but nobody means a parcel by it.
    """
    if not tracking_candidates(text):
        return False
    words = text.split()
    return (
        len(words) <= 2
        or re.search(
            r"\b(track\w*|order|number|num|no|#|pedido|seguimiento|n[uú]mero)\b", text, re.IGNORECASE
        )
        is not None
    )


def askable(stops: Sequence[StopRecord], now: datetime) -> list[StopRecord]:
    """The stops that a recipient can be asking about, the likeliest first.

    Open ones of today or overdue; else what was finished today; else the next open ones; else what was
    finished within the last fortnight, newest first.
    """
    todays = [stop for stop in stops if stop.is_open and _is_due(stop, now)]
    if todays:
        return sorted(todays, key=_window_start)
    finished = [stop for stop in stops if not stop.is_open and stop.completed_at is not None]
    finished_today = [stop for stop in finished if _same_day(stop, stop.completed_at, now)]
    if finished_today:
        return sorted(finished_today, key=_window_start)
    coming = [stop for stop in stops if stop.is_open]
    if coming:
        return sorted(coming, key=_window_start)
    recent = [stop for stop in finished if stop.completed_at and stop.completed_at > now - CLOSED_ASKABLE_FOR]
    return sorted(recent, key=lambda stop: stop.completed_at or now, reverse=True)[:1]


def _is_due(stop: StopRecord, now: datetime) -> bool:
    if stop.window_start_at is None:
        return stop.eta_at is not None and _same_day(stop, stop.eta_at, now)
    return local_day(stop.window_start_at, stop.timezone) <= local_day(now, stop.timezone)


def _same_day(stop: StopRecord, moment: datetime | None, now: datetime) -> bool:
    return moment is not None and local_day(moment, stop.timezone) == local_day(now, stop.timezone)


def _window_start(stop: StopRecord) -> datetime:
    return stop.window_start_at or stop.eta_at or stop.changed_at


def confirmed_at(stop: StopRecord, feed_read_at: datetime | None) -> datetime:
    """When the platform last vouched for this stop: by an event of its own, or by a whole read since."""
    return stop.confirmed_at if feed_read_at is None else max(stop.confirmed_at, feed_read_at)


def eta_of_promise(stop: StopRecord) -> datetime | None:
    """The ETA, unless it speaks of an earlier day than the promise: a moved stop keeps yesterday's prediction."""
    if stop.eta_at is None or stop.window_start_at is None:
        return stop.eta_at
    promised_day = local_day(stop.window_start_at, stop.timezone)
    return stop.eta_at if local_day(stop.eta_at, stop.timezone) >= promised_day else None
