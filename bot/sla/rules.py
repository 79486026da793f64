"""Pure: is a stop on track, at risk or breached at `now`, and why in one sentence."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.sop import SlaRules
from bot.stops.models import SlaState
from connectors.base import DeliveryWindow, StopStatus


@dataclass(frozen=True, slots=True)
class WatchedStop:
    """What the watch needs of a stop. `eta_age` is the age of the news, not of the prediction."""

    status: StopStatus
    window: DeliveryWindow
    timezone: str
    eta_at: datetime | None
    news_age: timedelta
    was: SlaState
    risk_since: datetime | None


class Cause(StrEnum):
    NONE = "none"
    ETA_LATE = "eta_late"
    UNCONFIRMED = "unconfirmed"
    WINDOW_OVER = "window_over"


@dataclass(frozen=True, slots=True)
class Assessment:
    """`state` is what anyone may hear of; `risk_since` remembers a risk that is not confirmed yet."""

    state: SlaState
    cause: Cause
    why: str
    minutes_late: int
    risk_since: datetime | None


STALE_NEWS = timedelta(minutes=20)
ETA_GRACE = timedelta(minutes=5)
"""An ETA that passed longer ago than this without an arrival is no ETA any more."""


def assess(stop: WatchedStop, rules: SlaRules, now: datetime) -> Assessment:
    """The state of one open stop's promise at `now`.

    Breached when the window is over; else at risk when the ETA is at or after the window's end less the
    margin, or when the end is near and no fresh ETA confirms it. A new risk counts once it has lasted
    `confirm_minutes`; one that was raised ends only when the ETA is `back_on_track_minutes` clear.
    """
    cause, minutes_late = _cause(stop, rules, now)
    if cause is Cause.NONE:
        return Assessment(SlaState.ON_TRACK, cause, "", 0, None)
    why = _sentence(stop, cause)
    if cause is Cause.WINDOW_OVER:
        return Assessment(SlaState.BREACHED, cause, why, minutes_late, stop.risk_since or now)
    since = stop.risk_since or now
    confirmed = stop.was is not SlaState.ON_TRACK or now - since >= timedelta(minutes=rules.confirm_minutes)
    state = SlaState.AT_RISK if confirmed else SlaState.ON_TRACK
    return Assessment(state, cause, why, minutes_late, since)


def _cause(stop: WatchedStop, rules: SlaRules, now: datetime) -> tuple[Cause, int]:
    end = stop.window.end_at
    if now >= end:
        return Cause.WINDOW_OVER, _minutes(max(now, stop.eta_at or now) - end)
    limit = end - timedelta(minutes=rules.at_risk_margin_minutes)
    if stop.was is not SlaState.ON_TRACK:
        limit -= timedelta(minutes=rules.back_on_track_minutes)
    if stop.eta_at is not None and stop.eta_at >= limit:
        return Cause.ETA_LATE, max(0, _minutes(stop.eta_at - end))
    is_near = end - now <= timedelta(minutes=rules.unconfirmed_margin_minutes)
    return (Cause.UNCONFIRMED if is_near and not _has_good_eta(stop, now) else Cause.NONE), 0


def _has_good_eta(stop: WatchedStop, now: datetime) -> bool:
    """Whether an ETA is there, is fresh, and has not been proved wrong by the time."""
    if stop.eta_at is None or stop.news_age > STALE_NEWS:
        return False
    return stop.status is StopStatus.ARRIVING or stop.eta_at >= now - ETA_GRACE


def _sentence(stop: WatchedStop, cause: Cause) -> str:
    end = clock_time(stop.window.end_at, stop.timezone)
    if cause is Cause.WINDOW_OVER:
        eta = f", ETA {clock_time(stop.eta_at, stop.timezone)}" if stop.eta_at else ", no ETA"
        return f"Window ended {end}{eta}"
    if cause is Cause.ETA_LATE and stop.eta_at is not None:
        return f"ETA {clock_time(stop.eta_at, stop.timezone)}, window ends {end}"
    if stop.eta_at is None:
        return f"Window ends {end}, no ETA"
    if stop.news_age > STALE_NEWS:
        return f"Window ends {end}, last news {_minutes(stop.news_age)} min ago"
    return f"Window ends {end}, ETA {clock_time(stop.eta_at, stop.timezone)} has passed"


def _minutes(duration: timedelta) -> int:
    return int(duration.total_seconds() // 60)


def clock_time(moment: datetime, timezone: str) -> str:
    """`4:25 pm` where the stop is."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
