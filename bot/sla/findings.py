"""What the watch found of one stop, from its row. Pure, but for the row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from bot.drivers.words import StopWord, eta_by_word, is_vouched, next_turn
from bot.escalations.rules import LateStop
from bot.sla.outcomes import Outcome, outcome_of
from bot.sla.pace import Pace
from bot.sla.routes import Van, day_at
from bot.sla.rules import Assessment, Cause, WatchedStop, assess, expected_arrival, has_good_eta, next_look
from bot.sop_sla import Sla, SlaRules
from bot.stops.models import SlaState
from connectors.base import CLOSED_STATUSES, DeliveryWindow, StopStatus

EVERY_ROUND = datetime(1970, 1, 1, tzinfo=UTC)
"""When a stop is looked at that is late, or seems so: always."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Of a stop that is closed, or promised nothing: until it changes."""
UNDER_WAY = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
"""Only of a driver who is out is silence news."""
ON_TRACK = Assessment(SlaState.ON_TRACK, Cause.NONE, "", 0, None)


@dataclass(frozen=True, slots=True)
class Feeds:
    """By account, when it was last read whole, and which accounts are silent for too long."""

    read_at: Mapping[str, datetime]
    quiet: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    stop_id: UUID
    platform: str
    driver_ref: str | None
    route_ref: str | None
    client: str
    zone: str
    service_kind: str
    timezone: str
    ends_at: datetime | None
    """The window."""
    eta_at: datetime | None
    """When a stop that is late, or seems so, is expected."""
    penalty_usd: int
    was: SlaState
    had_risk_since: datetime | None
    assessment: Assessment
    watch_at: datetime
    is_estimated: bool

    @property
    def is_late(self) -> bool:
        """Of a stop that is still open."""
        return self.assessment.state is not SlaState.ON_TRACK and self.watch_at != NEVER

    @property
    def is_turn(self) -> bool:
        """Whether the audit log should know: on a stop that is over nothing turns good any more."""
        now = self.assessment.state
        return now is not self.was and (self.watch_at != NEVER or now is SlaState.BREACHED)

    @property
    def day(self) -> date | None:
        """Of the window's end, where the stop is."""
        return day_at(self.ends_at, self.timezone) if self.ends_at is not None else None

    @property
    def cause_key(self) -> str:
        """One van that falls behind is one cause, however many stops wait for it."""
        who = self.driver_ref or (f"route:{self.route_ref}" if self.route_ref else f"unassigned:{self.zone}")
        return f"late:{self.platform}:{who}:{self.day}"

    def as_late_stop(self) -> LateStop:
        return LateStop(
            stop_id=str(self.stop_id),
            state=self.assessment.state,
            minutes_late=self.assessment.minutes_late,
            eta_at=self.eta_at,
        )


@dataclass(frozen=True)
class Sight:
    """How the watch sees at one instant."""

    sla: Sla
    feeds: Feeds
    now: datetime
    words: Mapping[UUID, StopWord] = field(default_factory=dict)
    """What drivers said of their stops, as far as it counts."""
    known_rules: dict[tuple[str, str, str], SlaRules] = field(default_factory=dict)

    @cached_property
    def horizon(self) -> datetime:
        return self.now + timedelta(minutes=self.sla.lookahead_minutes)

    @cached_property
    def stale_after(self) -> timedelta:
        return timedelta(minutes=self.sla.eta_stale_minutes)

    def needs_pace(self, row: Any) -> bool:
        """Whether it goes by its route: its ETA does not do."""
        stop = self.watched(row)
        return stop is not None and not has_good_eta(stop, self.now)

    def heard_until(self, row: Any) -> datetime:
        """Up to when anything is known of the van: its driver fell silent, or its account's feed did."""
        known = [self.now]
        if row.seen_at is not None and row.status in UNDER_WAY:
            is_silent = self.now - row.seen_at > self.stale_after
            known += [row.seen_at] if is_silent else []
        if row.platform in self.feeds.quiet:
            known.append(self.feeds.read_at[row.platform])
        return min(known)

    def rules(self, row: Any) -> SlaRules:
        key = (row.client, row.zone, row.service_kind)
        if key not in self.known_rules:
            self.known_rules[key] = self.sla.rules_for(*key)
        return self.known_rules[key]

    def watched(self, row: Any) -> WatchedStop | None:
        """None when there is no promise to watch by now."""
        ends_at, status = row.window_end_at, row.status
        if (
            status in CLOSED_STATUSES
            or row.window_start_at is None
            or ends_at is None
            or ends_at > self.horizon
        ):
            return None
        read_at, seen_at, confirmed_at = (
            self.feeds.read_at.get(row.platform),
            row.seen_at,
            row.confirmed_at,
        )
        if read_at is not None and read_at > confirmed_at:
            confirmed_at = read_at
        stop = WatchedStop(
            status=status,
            window=_window(row.window_start_at, ends_at),
            timezone=row.timezone,
            eta_at=row.eta_at,
            news_age=self.now - confirmed_at,
            was=row.sla_state,
            risk_since=row.risk_since,
            service=timedelta(seconds=row.service_seconds or 0),
            silence=self.now - seen_at if seen_at is not None and status in UNDER_WAY else None,
            stale_after=self.stale_after,
        )
        word = self.words.get(row.id) if self.words else None
        return stop if word is None or word.driver_ref != row.driver_ref else _as_said(stop, word, self.now)

    def find(self, row: Any, paces: Mapping[Van, Pace]) -> Finding:
        """`row` has the columns of `looking.COLUMNS`; `paces` those of the vans of rows that need one."""
        return self.judge(row, self.watched(row), paces)

    def judge(self, row: Any, stop: WatchedStop | None, paces: Mapping[Van, Pace]) -> Finding:
        """`stop` is what `watched` tells of the row."""
        if stop is None:
            return self._finding(row, None, self._last_word(row), self._unwatched_until(row), False)
        is_estimated = not has_good_eta(stop, self.now)
        pace = paces.get((row.platform, row.driver_ref)) if is_estimated else None
        if pace is not None:
            stop = replace(stop, paced=pace.arrivals.get(row.id), behind=pace.behind)
        rules = self.rules(row)
        assessment = assess(stop, rules, self.now)
        watch_at = EVERY_ROUND
        is_quiet = row.platform in self.feeds.quiet
        # Of a driver who is silent any word may come, and none of it is a change of the stop.
        is_silent = is_estimated and not is_quiet and self.heard_until(row) < self.now
        if assessment.cause is Cause.NONE and not is_silent:
            may_age = is_quiet or row.platform not in self.feeds.read_at
            watch_at = next_look(stop, rules, self.now, news_age=may_age)
        return self._finding(row, stop, assessment, watch_at, is_estimated)

    def _last_word(self, row: Any) -> Assessment:
        """Delivered late stays a breach, for the reviews."""
        if row.status.is_closed and row.window_start_at is not None and row.window_end_at is not None:
            window = _window(row.window_start_at, row.window_end_at)
            grace = timedelta(minutes=self.rules(row).grace_minutes)
            if outcome_of(window, row.status, row.completed_at, grace, self.now) is Outcome.LATE:
                return Assessment(SlaState.BREACHED, Cause.WINDOW_OVER, "Delivered late", 0, None)
        return ON_TRACK

    def _unwatched_until(self, row: Any) -> datetime:
        if row.status.is_closed or row.window_start_at is None or row.window_end_at is None:
            return NEVER
        return row.window_end_at - timedelta(minutes=self.sla.lookahead_minutes)  # type: ignore[no-any-return]

    def _finding(
        self,
        row: Any,
        watched: WatchedStop | None,
        assessment: Assessment,
        watch_at: datetime,
        is_estimated: bool,
    ) -> Finding:
        is_late = watched is not None and assessment.cause is not Cause.NONE
        expected = expected_arrival(watched, self.now) if watched is not None and is_late else None
        return Finding(
            stop_id=row.id,
            platform=row.platform,
            driver_ref=row.driver_ref,
            route_ref=row.route_ref,
            client=row.client,
            zone=row.zone,
            service_kind=row.service_kind,
            timezone=row.timezone,
            ends_at=row.window_end_at,
            eta_at=expected.at if expected is not None else None,
            penalty_usd=self.rules(row).penalty_usd if assessment is not ON_TRACK else 0,
            was=row.sla_state,
            had_risk_since=row.risk_since,
            assessment=assessment,
            watch_at=watch_at,
            is_estimated=is_estimated,
        )


def _as_said(stop: WatchedStop, word: StopWord, now: datetime) -> WatchedStop:
    by_word = eta_by_word(word, stop.eta_at, now)
    return replace(
        stop,
        eta_at=by_word or stop.eta_at,
        is_said=by_word is not None,
        is_vouched=is_vouched(word, now),
        said_until=next_turn(word, now),
    )


@lru_cache(maxsize=10_000)
def _window(start_at: datetime, end_at: datetime) -> DeliveryWindow:
    """Kept, as thousands of stops have the same few."""
    return DeliveryWindow.model_construct(start_at=start_at, end_at=end_at)
