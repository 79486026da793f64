"""A month of deliveries as it may go, by a seed: quiet days, one bad day per week, causes that are not alike."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.recovery.models import RecoveryState
from bot.reports.figures import DEFINITIONS, figures_of
from bot.reports.records import FailedTry, Period, PromisedStop, RaisedEscalation, Terms
from bot.reports.report import SlaReport
from connectors.base import DeliveryWindow, FailureReason, StopStatus

NEW_YORK = "America/New_York"
LABELS = {"recipient_absent": "Recipient was absent", "force_majeure": "Force majeure"}
TERMS = Terms(target_percent=96.0, penalty_usd=25, grace=timedelta(minutes=10))
STRICT = Terms(target_percent=98.0, penalty_usd=40, grace=timedelta(0))
WINDOWS = ((8, 12), (12, 17), (17, 21))
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))
AFTERWARDS = datetime(2026, 11, 2, 12, tzinfo=UTC)
_LATE_CAUSES = (
    [FailureReason.TRAFFIC] * 4
    + [FailureReason.DRIVER_DELAY] * 3
    + [FailureReason.DEPOT, FailureReason.VEHICLE, FailureReason.WEATHER]
    + [None]
)
_FAILED_CAUSES = (
    [FailureReason.RECIPIENT_UNAVAILABLE] * 5
    + [FailureReason.ACCESS_ISSUE] * 2
    + [FailureReason.REFUSED, FailureReason.DAMAGED]
)


def stop(
    day: date = date(2026, 10, 6),
    *,
    number: int = 1,
    zone: str = "North",
    timezone: str = NEW_YORK,
    hours: tuple[int, int] = (12, 17),
    done_after: float | None = -30,
    status: StopStatus = StopStatus.DELIVERED,
    terms: Terms = TERMS,
    cause: FailureReason | None = None,
    exclusion: str = "",
    raised_before: float | None = None,
    was_moved: bool = False,
    service: str = "",
) -> PromisedStop:
    """`done_after` and `raised_before` are minutes from the window's end, local to the stop."""
    end_at = _local(day, hours[1], timezone)
    done = None if done_after is None else end_at + timedelta(minutes=done_after)
    raised = None if raised_before is None else end_at - timedelta(minutes=raised_before)
    return PromisedStop(
        stop_id=UUID(int=number),
        tracking=f"QS{number:06d}",
        client="Acme",
        zone=zone,
        service=service,
        timezone=timezone,
        window=DeliveryWindow(start_at=_local(day, hours[0], timezone), end_at=end_at),
        was_moved=was_moved,
        status=status,
        completed_at=done,
        terms=terms,
        cause=cause,
        exclusion=exclusion,
        raised_at=raised,
    )


def escalation(
    *stops: PromisedStop, number: int = 1, taken: float | None = 4, settled: float | None = 40
) -> RaisedEscalation:
    """Raised with the first of its stops; `taken` and `settled` are minutes after that."""
    raised_at = min(each.raised_at for each in stops if each.raised_at)
    return RaisedEscalation(
        escalation_id=UUID(int=10_000_000 + number),
        raised_at=raised_at,
        acknowledged_at=None if taken is None else raised_at + timedelta(minutes=taken),
        resolved_at=None if settled is None else raised_at + timedelta(minutes=settled),
        stop_ids=frozenset(each.stop_id for each in stops),
        rule="late",
    )


def month(
    period: Period = OCTOBER, *, seed: int = 7, per_day: int = 60
) -> tuple[list[PromisedStop], list[RaisedEscalation]]:
    """The period and the one before it, which went a little worse; nothing on Sundays."""
    chance = random.Random(seed)
    stops: list[PromisedStop] = []
    escalations: list[RaisedEscalation] = []
    for day in [*period.before.days, *period.days]:
        if day.weekday() == 6:
            continue
        trouble = 0.025 if day in period else 0.045
        if chance.random() < 0.14:
            trouble *= 4
        for zone, share in (("North", 1.0), ("Harbor", 2.2), ("South", 0.7), ("Airport", 0.4)):
            count = max(1, round(per_day * (0.3 if zone == "Airport" else 1) * chance.uniform(0.2, 0.3)))
            group = [_any_stop(chance, day, zone, trouble * share, len(stops) + n + 1) for n in range(count)]
            stops += group
            told = [each for each in group if each.raised_at is not None]
            if told:
                escalations.append(
                    escalation(
                        *told,
                        number=len(escalations) + 1,
                        taken=chance.expovariate(1 / 5) + 0.4,
                        settled=chance.expovariate(1 / 45) + 12,
                    )
                )
    return stops, escalations


def _any_stop(chance: random.Random, day: date, zone: str, trouble: float, number: int) -> PromisedStop:
    hours = chance.choice(WINDOWS)
    terms = STRICT if zone == "Airport" else TERMS
    luck = chance.random()
    common = {"number": number, "zone": zone, "hours": hours, "terms": terms}
    if luck < trouble:
        cause = chance.choice(_LATE_CAUSES)
        late = 11 + chance.expovariate(1 / 28)
        exclusion = "force_majeure" if cause is FailureReason.WEATHER else ""
        raised = chance.uniform(5, 95) if chance.random() < 0.94 else None
        return stop(day, done_after=late, cause=cause, exclusion=exclusion, raised_before=raised, **common)  # type: ignore[arg-type]
    if luck < trouble + 0.018:
        reason = chance.choice(_FAILED_CAUSES)
        absent = reason is FailureReason.RECIPIENT_UNAVAILABLE
        return stop(
            day,
            status=StopStatus.FAILED,
            done_after=-chance.uniform(5, 150),
            cause=reason,
            exclusion="recipient_absent" if absent else "",
            **common,  # type: ignore[arg-type]
        )
    saved = chance.random() < trouble * 1.4
    return stop(
        day,
        done_after=-chance.uniform(2, 200),
        raised_before=chance.uniform(25, 110) if saved else None,
        was_moved=chance.random() < 0.02,
        **common,  # type: ignore[arg-type]
    )


def failures_of(stops: list[PromisedStop], *, seed: int = 7) -> list[FailedTry]:
    """The failed ones of them, followed up as it may go: most answer, most second tries are delivered."""
    chance = random.Random(seed)
    failed = [stop for stop in stops if stop.status is StopStatus.FAILED and stop.completed_at is not None]
    return [_followed(chance, stop, stop.completed_at) for stop in failed if stop.completed_at is not None]


def _followed(chance: random.Random, stop: PromisedStop, failed_at: datetime) -> FailedTry:
    asked_at = failed_at + timedelta(minutes=2) if stop.cause is not FailureReason.DAMAGED else None
    answers = asked_at is not None and chance.random() < 0.8
    books = answers or chance.random() < 0.6
    return FailedTry(
        stop_id=stop.stop_id,
        zone=stop.zone,
        timezone=stop.timezone,
        reason=stop.cause,
        failed_at=failed_at,
        state=RecoveryState.BOOKED if books else RecoveryState.SENT_BACK,
        asked_at=asked_at,
        answered_at=asked_at + timedelta(minutes=chance.uniform(1, 90)) if asked_at and answers else None,
        again=chance.choice([StopStatus.DELIVERED] * 6 + [StopStatus.FAILED]) if books else None,
    )


def report(
    stops: list[PromisedStop],
    escalations: list[RaisedEscalation],
    period: Period = OCTOBER,
    now: datetime = AFTERWARDS,
    failures: list[FailedTry] | None = None,
) -> SlaReport:
    figures = figures_of(stops, escalations, period, now, LABELS, failures or ())
    return SlaReport(
        operator="QuickShip",
        client="Acme Home Goods",
        start=period.start,
        end=period.end,
        before_start=period.before.start,
        before_end=period.before.end,
        is_final=not figures.total.open,
        definitions=DEFINITIONS,
        figures=figures,
    )


def a_month() -> SlaReport:
    """With follow-ups, and recipients who hear of a late delivery when dispatchers do."""
    stops, escalations = month()
    told = [replace(stop, messages=2 + stop.was_moved, told_late_at=stop.raised_at) for stop in stops]
    return report(told, escalations, failures=failures_of(stops))


def _local(day: date, hour: int, timezone: str) -> datetime:
    midnight = datetime.combine(day, time(), ZoneInfo(timezone))
    return (midnight + timedelta(hours=hour)).astimezone(UTC)
