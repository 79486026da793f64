"""Pure: failed deliveries to figures of their follow-ups, and what recipients were told unasked."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from bot.recovery.models import OVER, RecoveryState
from bot.reports.records import FailedTry, Period, PromisedStop
from bot.reports.report import ReasonFigures, SecondTries, Told, ZoneRecovery
from bot.reports.spreads import spread_of
from bot.sla.outcomes import Outcome
from connectors.base import StopStatus

Judged = tuple[PromisedStop, Outcome]
NO_ZONE = "No zone"


def in_period(failures: Iterable[FailedTry], period: Period) -> list[FailedTry]:
    """Those that failed on its days, in a settled order."""
    ours = [each for each in failures if each.day in period]
    return sorted(ours, key=lambda each: (each.failed_at, each.stop_id))


def second_tries(failures: Sequence[FailedTry]) -> SecondTries:
    followed = [each for each in failures if each.state is not None]
    asked = [each for each in followed if each.asked_at is not None]
    answers = [
        each.answered_at - each.asked_at
        for each in asked
        if each.asked_at is not None and each.answered_at is not None
    ]
    booked = [each for each in followed if _is_booked(each)]
    return SecondTries(
        failed=len(failures),
        followed_up=len(followed),
        asked=len(asked),
        answered=len(answers),
        answer=spread_of(answers),
        booked=len(booked),
        over=sum(each.again is not None and each.again.is_closed for each in booked),
        delivered=sum(each.again is StopStatus.DELIVERED for each in booked),
        picked_up=sum(each.state is RecoveryState.PICK_UP for each in followed),
        sent_back=sum(each.state is RecoveryState.SENT_BACK for each in followed),
        unanswered=sum(each.answered_at is None and each.state in OVER for each in asked),
    )


def _is_booked(failure: FailedTry) -> bool:
    return failure.state is RecoveryState.BOOKED or failure.again not in (None, StopStatus.CANCELLED)


def by_reason(failures: Sequence[FailedTry]) -> list[ReasonFigures]:
    """Most frequent first, what nobody has explained last among equals."""
    found: dict[str, list[FailedTry]] = defaultdict(list)
    for each in failures:
        found[each.reason.value if each.reason is not None else ""].append(each)
    figures = [ReasonFigures(reason=reason, tries=second_tries(group)) for reason, group in found.items()]
    return sorted(figures, key=lambda each: (-each.tries.failed, each.reason == "", each.reason))


def told_of(judged: Iterable[Judged]) -> Told:
    """What recipients of promised stops were told; of those whose window is not over, nothing is counted."""
    over = [(stop, outcome) for stop, outcome in judged if outcome is not Outcome.OPEN]
    late = [stop for stop, outcome in over if outcome is Outcome.LATE]
    return Told(
        promised=len(over),
        late=len(late),
        late_told=sum(_is_told_in_time(stop) for stop in late),
        messages=sum(stop.messages for stop, _ in over),
    )


def _is_told_in_time(stop: PromisedStop) -> bool:
    return stop.told_late_at is not None and stop.told_late_at < stop.window.end_at


def zones_of_day(judged: Sequence[Judged], failures: Iterable[FailedTry], day: date) -> list[ZoneRecovery]:
    """`judged` are the day's; only zones in which something failed or was told, by name."""
    failed: dict[str, list[FailedTry]] = defaultdict(list)
    for each in failures:
        if each.day == day:
            failed[each.zone or NO_ZONE].append(each)
    promised: dict[str, list[Judged]] = defaultdict(list)
    for stop, outcome in judged:
        promised[stop.zone or NO_ZONE].append((stop, outcome))
    figures = [
        ZoneRecovery(name=name, tries=second_tries(failed[name]), told=told_of(promised[name]))
        for name in sorted({*failed, *promised})
    ]
    return [each for each in figures if each.tries.failed or each.told.messages]
