"""Pure: is a stop on track, at risk or breached at `now`, and why in one sentence.

A stop is in time when it is done before its window ends, grace included. What is expected is the platform's ETA
while it is fresh, the driver was heard of, and the time has not passed it, or what the driver said since; else the
later of what is left of that ETA and the route's own pace. A stop counts as late by the time at the door too,
where the platform tells that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.sla.pace import PacedArrival, told_behind
from bot.sop_sla import SlaRules
from bot.stops.models import SlaState
from connectors.base import DeliveryWindow, StopStatus

NOTHING = timedelta(0)
INSTANT = timedelta(microseconds=1)
STALE_NEWS = timedelta(minutes=20)
ETA_GRACE = timedelta(minutes=5)
"""An ETA that passed longer ago than this without an arrival is no ETA any more."""


@dataclass(frozen=True, slots=True)
class WatchedStop:
    """What the watch needs of a stop. `news_age` is the age of the news, not of the prediction."""

    status: StopStatus
    window: DeliveryWindow
    timezone: str
    eta_at: datetime | None
    news_age: timedelta
    was: SlaState
    risk_since: datetime | None
    service: timedelta = NOTHING
    """At the door."""
    paced: PacedArrival | None = None
    """By the route's pace; only asked for where the ETA does not do."""
    behind: int = 0
    """Stops that the driver is behind plan."""
    silence: timedelta | None = None
    """Since when nothing was heard of the driver; None where the platform never tells."""
    stale_after: timedelta = STALE_NEWS
    is_said: bool = False
    """`eta_at` is what the driver said, which counts for more than the platform's now."""
    is_vouched: bool = False
    """The driver said just now that it is in time."""
    said_until: datetime | None = None
    """When the passing of time changes what the driver's word is worth."""


class Cause(StrEnum):
    NONE = "none"
    ETA_LATE = "eta_late"
    PACE_LATE = "pace_late"
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


@dataclass(frozen=True, slots=True)
class Expected:
    """When the driver is expected, and by what. `latest_at` is the end of the uncertainty."""

    at: datetime
    latest_at: datetime
    is_paced: bool


def assess(stop: WatchedStop, rules: SlaRules, now: datetime) -> Assessment:
    """The state of one open stop's promise at `now`.

    Breached when window and grace are over; else at risk when what is expected is at or after the window's end
    less the margin, or when the end is near and nothing confirms that it is kept. A new risk counts once it has
    lasted `confirm_minutes`; one that was raised ends only when what is expected is `back_on_track_minutes` clear.
    """
    cause, minutes_late = _cause(stop, rules, now)
    if cause is Cause.NONE:
        return Assessment(SlaState.ON_TRACK, cause, "", 0, None)
    why = _sentence(stop, cause, now)
    if cause is Cause.WINDOW_OVER:
        return Assessment(SlaState.BREACHED, cause, why, minutes_late, stop.risk_since or now)
    since = stop.risk_since or now
    confirmed = stop.was is not SlaState.ON_TRACK or now - since >= timedelta(minutes=rules.confirm_minutes)
    state = SlaState.AT_RISK if confirmed else SlaState.ON_TRACK
    return Assessment(state, cause, why, minutes_late, since)


def next_look(stop: WatchedStop, rules: SlaRules, now: datetime, *, news_age: bool = True) -> datetime:
    """The next instant at which the passing of time alone can change what `assess` finds of a stop on track.

    Holds as long as neither the stop nor, where it goes by its pace, its route changes. `news_age` says whether the
    news of stop and driver grow old by themselves: not while its account is read again and again.
    """
    end = _promised_by(stop, rules)
    moments = [end, end - timedelta(minutes=rules.unconfirmed_margin_minutes)]
    if stop.eta_at is not None:
        moments.append(stop.eta_at + ETA_GRACE + INSTANT)
    if stop.said_until is not None:
        moments.append(stop.said_until)
    if news_age and stop.silence is not None:
        moments.append(now - stop.silence + stop.stale_after + INSTANT)
    if news_age:
        moments.append(now - stop.news_age + stop.stale_after + INSTANT)
    if stop.paced is not None:
        # A pace slips by the time that passes, at the most.
        moments.append(now + (_limit(stop, rules) - stop.paced.at - stop.service))
        moments.append(now + (end - stop.paced.high - stop.service))
    return min((moment for moment in moments if moment > now), default=now)


def expected_arrival(stop: WatchedStop, now: datetime) -> Expected | None:
    """None when neither an ETA nor the pace tells anything."""
    eta, paced = stop.eta_at, stop.paced
    if eta is not None and (paced is None or has_good_eta(stop, now)):
        return Expected(eta, eta, is_paced=False)
    if paced is None:
        return None
    if eta is not None and eta >= now - ETA_GRACE and eta >= paced.at:
        return Expected(eta, max(eta, paced.high), is_paced=False)
    return Expected(paced.at, paced.high, is_paced=True)


def has_good_eta(stop: WatchedStop, now: datetime) -> bool:
    """Whether an ETA is there, is fresh, and has not been proved wrong by the time."""
    if stop.is_said:
        return True
    if stop.eta_at is None or _is_old(stop):
        return False
    return stop.status is StopStatus.ARRIVING or stop.eta_at >= now - ETA_GRACE


def _is_old(stop: WatchedStop) -> bool:
    if (
        stop.status is not StopStatus.ARRIVING
        and stop.silence is not None
        and stop.silence > stop.stale_after
    ):
        return True
    return stop.news_age > stop.stale_after


def _cause(stop: WatchedStop, rules: SlaRules, now: datetime) -> tuple[Cause, int]:
    end = _promised_by(stop, rules)
    expected = expected_arrival(stop, now)
    if now >= end:
        arrives_at = max(now, expected.at) if expected is not None else now
        return Cause.WINDOW_OVER, _minutes(arrives_at - stop.window.end_at)
    if expected is not None and expected.at + stop.service >= _limit(stop, rules):
        cause = Cause.PACE_LATE if expected.is_paced else Cause.ETA_LATE
        return cause, max(0, _minutes(expected.at - stop.window.end_at))
    is_near = end - now <= timedelta(minutes=rules.unconfirmed_margin_minutes)
    is_certain = has_good_eta(stop, now) or stop.is_vouched or _is_clear(stop, end, expected)
    return (Cause.UNCONFIRMED if is_near and not is_certain else Cause.NONE), 0


def _is_clear(stop: WatchedStop, end: datetime, expected: Expected | None) -> bool:
    """Whether the pace, told by fresh news, leaves no doubt."""
    if expected is None or not expected.is_paced or _is_old(stop):
        return False
    return expected.latest_at + stop.service < end


def _promised_by(stop: WatchedStop, rules: SlaRules) -> datetime:
    return stop.window.end_at + timedelta(minutes=rules.grace_minutes)


def _limit(stop: WatchedStop, rules: SlaRules) -> datetime:
    """At this instant what is expected is a risk."""
    limit = _promised_by(stop, rules) - timedelta(minutes=rules.at_risk_margin_minutes)
    if stop.was is not SlaState.ON_TRACK:
        limit -= timedelta(minutes=rules.back_on_track_minutes)
    return limit


# --- in words -----------------------------------------------------------------------------------


def with_behind(why: str, behind: int) -> str:
    """The sentence with how far the driver is behind plan, as far as it does not say so yet."""
    told = f", driver {told_behind(behind)}"
    return why if not behind or why.endswith(" behind plan") else why + told


def _sentence(stop: WatchedStop, cause: Cause, now: datetime) -> str:
    return with_behind(_words(stop, cause, now), stop.behind)


def _words(stop: WatchedStop, cause: Cause, now: datetime) -> str:
    end = clock_time(stop.window.end_at, stop.timezone)
    if cause is Cause.WINDOW_OVER:
        return f"Window ended {end}, {_expectation(stop, now)}"
    if cause is Cause.PACE_LATE:
        told = _expectation(stop, now)
        return f"{told[:1].upper()}{told[1:]}, window ends {end}"
    if cause is Cause.ETA_LATE and stop.eta_at is not None:
        door = _minutes(stop.service) if stop.eta_at < stop.window.end_at else 0
        at_door = f" and {door} min at the door" if door else ""
        return f"ETA {_told_eta(stop, stop.eta_at)}{at_door}, window ends {end}"
    return f"Window ends {end}, {_doubt(stop)}"


def _expectation(stop: WatchedStop, now: datetime) -> str:
    """`ETA 4:25 pm`, `no ETA; at this pace about 4:25 pm, give or take 12 min`."""
    expected = expected_arrival(stop, now)
    if expected is None or stop.paced is None or not expected.is_paced:
        return f"ETA {_told_eta(stop, expected.at)}" if expected else "no ETA"
    about = clock_time(expected.at, stop.timezone)
    return f"{_doubt(stop)}; at this pace about {about}, give or take {stop.paced.give_or_take} min"


def _told_eta(stop: WatchedStop, at: datetime) -> str:
    """`4:25 pm`, `4:25 pm by the driver's word`."""
    return clock_time(at, stop.timezone) + (" by the driver's word" if stop.is_said else "")


def _doubt(stop: WatchedStop) -> str:
    """Why the ETA does not do."""
    if stop.news_age > stop.stale_after and stop.eta_at is not None:
        return f"last news {_minutes(stop.news_age)} min ago"
    if stop.eta_at is None:
        return "no ETA"
    if stop.silence is not None and stop.silence > stop.stale_after:
        return f"no word from the driver for {_minutes(stop.silence)} min"
    return f"ETA {clock_time(stop.eta_at, stop.timezone)} has passed"


def _minutes(duration: timedelta) -> int:
    return int(duration.total_seconds() // 60)


@lru_cache(maxsize=10_000)
def clock_time(moment: datetime, timezone: str) -> str:
    """`4:25 pm` where the stop is."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
