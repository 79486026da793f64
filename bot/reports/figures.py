"""Pure: records to figures. What each figure means stands in `DEFINITIONS`, and every report prints it."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.reports.records import FailedTry, Period, PromisedStop, RaisedEscalation, Terms
from bot.reports.recovered import NO_ZONE, by_reason, in_period, second_tries, told_of, zones_of_day
from bot.reports.report import (
    CauseCount,
    DayFigures,
    ExclusionCount,
    Missed,
    Recovery,
    Responses,
    SlaFigures,
    Tally,
    Trend,
    TrendWord,
    ZoneFigures,
)
from bot.reports.spreads import spread_of
from bot.sla.outcomes import Outcome, outcome_of

DEFINITIONS = {
    "Day": "the local day on which the delivery window ends, where the stop is.",
    "Promised": "stops with a delivery window that is over. A window that was moved in time counts where it "
    "was moved to; cancelled stops count nowhere.",
    "On time": "delivered before the window ended, plus the grace that was agreed.",
    "Late": "delivered after that, or still not delivered by then.",
    "Failed": "an attempt that did not succeed, or a parcel that went back.",
    "On-time rate": "on-time stops as a share of promised stops, without those that are excluded.",
    "Target": "the share that was agreed; where zones or services have their own, the mean over the promised stops.",
    "Excluded": "late or failed for a reason that the agreement does not count, such as a recipient who was "
    "absent. The rate is given with and without them.",
    "Penalty": "the agreed amount for each late stop that counts. Failed deliveries carry none.",
    "Acknowledged": "from the alert to the moment at which a dispatcher took it.",
    "Resolved": "from the alert to the moment at which it was settled.",
    "Warning": "from the alert to the end of the window, for stops that were late or saved; 0 where the alert "
    "came later.",
    "Recovered": "stops that were reported to be at risk and were delivered on time.",
    "Followed up": "failed deliveries of which Doorline asked the recipient, or a dispatcher, what becomes of "
    "them. They count on the local day on which they failed.",
    "Answered": "by the recipient, on whatever channel; the time runs from the question.",
    "Second try": "the next try that was booked for a failed delivery. Its success is counted once it is over.",
    "No answer": "settled without a word of the recipient's, by the agreed default or by a dispatcher.",
    "Told in time": "late deliveries whose recipient was told so before the window ended.",
    "Trend": "against the period of the same length before. Differences that chance alone would often bring "
    "are called steady, and with fewer than 30 stops in either period there is none.",
}

TOO_FEW = 30
"""Stops in either period below which one stop more or less moves the rate by three points and more."""
CONFIDENCE = 1.96
"""Standard errors of the difference of two shares that chance stays within 19 times out of 20."""


def figures_of(
    stops: Iterable[PromisedStop],
    escalations: Iterable[RaisedEscalation],
    period: Period,
    now: datetime,
    labels: Mapping[str, str],
    failures: Iterable[FailedTry] = (),
) -> SlaFigures:
    """The records may reach beyond the period and the one before it; `labels` name exclusions."""
    ours, earlier = split(stops, period, now)
    raised = list(escalations)
    total, before = tally_of(ours), tally_of(earlier)
    tries = list(failures)
    failed, failed_before = in_period(tries, period), in_period(tries, period.before)
    return SlaFigures(
        target_percent=_target([stop for stop, _ in ours]),
        total=total,
        before=before,
        trend=trend_of(total, before),
        days=_days(ours, failed, period),
        zones=groups_of(ours, lambda stop: stop.zone or NO_ZONE),
        services=_services(ours),
        causes=_causes(ours),
        exclusions=_exclusions(ours, labels),
        responses=_responses(ours, raised),
        responses_before=_responses(earlier, raised),
        recovery=_recovery(ours),
        recovery_before=_recovery(earlier),
        failures=second_tries(failed),
        failures_before=second_tries(failed_before),
        failures_by_reason=by_reason(failed),
        told=told_of(ours),
        told_before=told_of(earlier),
        moved=sum(stop.was_moved for stop, _ in ours),
        missed=[_missed(stop, outcome, labels) for stop, outcome in ours if outcome in _MISSED],
    )


Judged = tuple[PromisedStop, Outcome]
_MISSED = (Outcome.LATE, Outcome.FAILED)


def judge(stop: PromisedStop, now: datetime) -> Outcome:
    return outcome_of(stop.window, stop.status, stop.completed_at, stop.terms.grace, now)


def split(stops: Iterable[PromisedStop], period: Period, now: datetime) -> tuple[list[Judged], list[Judged]]:
    ours: list[Judged] = []
    earlier: list[Judged] = []
    for stop in sorted(stops, key=lambda stop: (stop.window.end_at, stop.tracking, stop.stop_id)):
        outcome = judge(stop, now)
        if outcome is Outcome.UNPROMISED:
            continue
        if stop.day in period:
            ours.append((stop, outcome))
        elif stop.day in period.before:
            earlier.append((stop, outcome))
    return ours, earlier


def tally_of(judged: Iterable[Judged]) -> Tally:
    found: Counter[str] = Counter()
    for stop, outcome in judged:
        found[outcome.value] += 1
        if outcome in _MISSED and stop.exclusion:
            found["excluded"] += 1
        if outcome is Outcome.LATE and not stop.exclusion:
            found["penalty_usd"] += stop.terms.penalty_usd
            found["late_counted"] += 1
    return Tally(
        on_time=found[Outcome.ON_TIME],
        late=found[Outcome.LATE],
        failed=found[Outcome.FAILED],
        open=found[Outcome.OPEN],
        excluded=found["excluded"],
        late_counted=found["late_counted"],
        penalty_usd=found["penalty_usd"],
    )


def trend_of(total: Tally, before: Tally) -> Trend:
    """A difference counts as one only when chance alone would seldom bring it."""
    now, then = total.on_time_percent, before.on_time_percent
    if now is None or then is None or min(total.counted, before.counted) < TOO_FEW:
        return Trend(word=TrendWord.TOO_FEW)
    share = (total.on_time + before.on_time) / (total.counted + before.counted)
    error = math.sqrt(share * (1 - share) * (1 / total.counted + 1 / before.counted)) * 100
    difference = 100 * (total.on_time / total.counted - before.on_time / before.counted)
    points = round(difference, 1)
    if abs(difference) <= CONFIDENCE * error:
        return Trend(word=TrendWord.STEADY, points=points)
    return Trend(word=TrendWord.UP if difference > 0 else TrendWord.DOWN, points=points)


def _target(stops: Sequence[PromisedStop]) -> float | None:
    """What was agreed; where it differs, the mean over the stops."""
    if not stops:
        return None
    return round(sum(stop.terms.target_percent for stop in stops) / len(stops), 2)


def _days(judged: Sequence[Judged], failed: Sequence[FailedTry], period: Period) -> list[DayFigures]:
    """Every day of the period, also those on which nothing was promised."""
    by_day: dict[date, list[Judged]] = defaultdict(list)
    for stop, outcome in judged:
        by_day[stop.day].append((stop, outcome))
    return [
        DayFigures(
            day=day,
            target_percent=_target([stop for stop, _ in by_day[day]]),
            tally=tally_of(by_day[day]),
            zones=groups_of(by_day[day], lambda stop: stop.zone or NO_ZONE),
            recovery=zones_of_day(by_day[day], failed, day),
        )
        for day in period.days
    ]


def groups_of(judged: Sequence[Judged], key: Callable[[PromisedStop], str]) -> list[ZoneFigures]:
    grouped: dict[str, list[Judged]] = defaultdict(list)
    for stop, outcome in judged:
        grouped[key(stop)].append((stop, outcome))
    return [
        ZoneFigures(
            name=name, target_percent=_target([stop for stop, _ in group]) or 0.0, tally=tally_of(group)
        )
        for name, group in sorted(grouped.items())
    ]


def _services(judged: Sequence[Judged]) -> list[ZoneFigures]:
    """Only where there are several: one service is the whole."""
    found = groups_of(judged, lambda stop: stop.service or "Standard")
    return found if len(found) > 1 else []


def _causes(judged: Sequence[Judged]) -> list[CauseCount]:
    """Most frequent first, then by name."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for stop, outcome in judged:
        if outcome in _MISSED:
            kind = "excluded" if stop.exclusion else outcome.value
            found[stop.cause.value if stop.cause else ""][kind] += 1
    counts = [
        CauseCount(cause=cause, late=kinds["late"], failed=kinds["failed"], excluded=kinds["excluded"])
        for cause, kinds in found.items()
    ]
    return sorted(counts, key=lambda count: (-count.total, count.cause == "", count.cause))


def _exclusions(judged: Sequence[Judged], labels: Mapping[str, str]) -> list[ExclusionCount]:
    found = Counter(stop.exclusion for stop, outcome in judged if outcome in _MISSED and stop.exclusion)
    return [
        ExclusionCount(code=code, label=labels.get(code, plain(code)), stops=count)
        for code, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]


def _responses(judged: Sequence[Judged], raised: Sequence[RaisedEscalation]) -> Responses:
    """Of the escalations that told of these stops, each once however many stops it had."""
    ids = {stop.stop_id for stop, _ in judged}
    told = [each for each in raised if each.stop_ids & ids]
    return Responses(
        escalations=len(told),
        acknowledged=spread_of(
            each.acknowledged_at - each.raised_at for each in told if each.acknowledged_at is not None
        ),
        resolved=spread_of(
            each.resolved_at - each.raised_at for each in told if each.resolved_at is not None
        ),
        warning=spread_of(
            max(stop.window.end_at - stop.raised_at, timedelta(0))
            for stop, outcome in judged
            if stop.raised_at is not None and outcome in (Outcome.LATE, Outcome.ON_TIME)
        ),
        unseen=sum(outcome is Outcome.LATE and stop.raised_at is None for stop, outcome in judged),
    )


def _recovery(judged: Sequence[Judged]) -> Recovery:
    at_risk = [
        outcome for stop, outcome in judged if stop.raised_at is not None and outcome is not Outcome.OPEN
    ]
    return Recovery(at_risk=len(at_risk), recovered=at_risk.count(Outcome.ON_TIME))


def _missed(stop: PromisedStop, outcome: Outcome, labels: Mapping[str, str]) -> Missed:
    late = outcome is Outcome.LATE
    over = stop.completed_at - stop.window.end_at if late and stop.completed_at else None
    return Missed(
        stop_id=stop.stop_id,
        tracking=stop.tracking,
        day=stop.day,
        zone=stop.zone or NO_ZONE,
        timezone=stop.timezone,
        window_start_at=stop.window.start_at,
        window_end_at=stop.window.end_at,
        outcome=outcome,
        completed_at=stop.completed_at,
        minutes_late=None if over is None else math.floor(over.total_seconds() / 60),
        cause=stop.cause.value if stop.cause else "",
        exclusion=stop.exclusion,
        exclusion_label=labels.get(stop.exclusion, plain(stop.exclusion)) if stop.exclusion else "",
        penalty_usd=stop.terms.penalty_usd if late and not stop.exclusion else 0,
    )


def plain(code: str) -> str:
    """`access_issue` as people read it."""
    return code.replace("_", " ").capitalize()


__all__ = [
    "DEFINITIONS",
    "Terms",
    "figures_of",
    "groups_of",
    "judge",
    "plain",
    "split",
    "spread_of",
    "tally_of",
    "trend_of",
]
