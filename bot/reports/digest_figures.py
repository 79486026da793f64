"""Pure: what a week was like, from its stops, escalations and maintenance windows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.reports.figures import figures_of, groups_of, split
from bot.reports.records import FailedTry, Period, PromisedStop, RaisedEscalation
from bot.reports.report import DayFigures, Recovery, Responses, SecondTries, Tally, ZoneFigures
from bot.reports.spreads import spread_of
from bot.sop import local_day
from connectors.base import FailureReason
from connectors.digest import (
    DigestCause,
    DigestClient,
    DigestDay,
    DigestNoise,
    DigestPause,
    DigestTrend,
    DigestView,
    DigestWeek,
)

NO_CLIENT = "No client"


def digest_of(
    stops: Iterable[PromisedStop],
    raised: Iterable[RaisedEscalation],
    pauses: Sequence[DigestPause],
    period: Period,
    timezone: str,
    now: datetime,
    failures: Iterable[FailedTry] = (),
) -> DigestView:
    """`stops` and `raised` may reach beyond the week and the one before it; `timezone` is the operator's."""
    stops = list(stops)
    figures = figures_of(stops, [], period, now, {}, failures)
    by_day = [(local_day(each.raised_at, timezone), each) for each in raised]
    ours = [each for day, each in by_day if day in period]
    earlier = [each for day, each in by_day if day in period.before]
    return DigestView(
        start=period.start,
        end=period.end,
        timezone=timezone,
        target_percent=figures.target_percent,
        is_met=figures.is_met,
        trend=DigestTrend(figures.trend.word.value),
        points=figures.trend.points,
        week=_week(figures.total, figures.responses, figures.recovery, figures.failures, ours),
        before=_week(
            figures.before,
            figures.responses_before,
            figures.recovery_before,
            figures.failures_before,
            earlier,
        ),
        still_open=figures.total.open,
        days=tuple(_day(day, ours, timezone) for day in figures.days),
        clients=tuple(_clients(stops, period, now)),
        causes=tuple(
            DigestCause(cause=FailureReason(each.cause) if each.cause else None, stops=each.total)
            for each in figures.causes
        ),
        noise=tuple(_noise(ours)),
        pauses=tuple(pauses),
    )


def _week(
    tally: Tally,
    responses: Responses,
    recovery: Recovery,
    failures: SecondTries,
    raised: Sequence[RaisedEscalation],
) -> DigestWeek:
    taken = [each.acknowledged_at - each.raised_at for each in raised if each.acknowledged_at is not None]
    return DigestWeek(
        promised=tally.promised,
        counted=tally.counted,
        on_time=tally.on_time,
        late=tally.late_counted,
        failed=tally.counted - tally.on_time - tally.late_counted,
        excluded=tally.excluded,
        penalty_usd=tally.penalty_usd,
        on_time_percent=tally.on_time_percent,
        escalations=len(raised),
        noise=sum(each.is_noise for each in raised),
        acknowledged_minutes=spread_of(taken).median_minutes,
        not_taken=len(raised) - len(taken),
        warning_minutes=responses.warning.median_minutes,
        unseen=responses.unseen,
        at_risk=recovery.at_risk,
        recovered=recovery.recovered,
        followed_up=failures.followed_up,
        booked_again=failures.booked,
        again_over=failures.over,
        again_delivered=failures.delivered,
    )


def _day(figures: DayFigures, raised: Sequence[RaisedEscalation], timezone: str) -> DigestDay:
    of_day = [each for each in raised if local_day(each.raised_at, timezone) == figures.day]
    return DigestDay(
        day=figures.day,
        on_time_percent=figures.tally.on_time_percent,
        target_percent=figures.target_percent,
        escalations=len(of_day),
        noise=sum(each.is_noise for each in of_day),
    )


def _clients(stops: Iterable[PromisedStop], period: Period, now: datetime) -> list[DigestClient]:
    judged, _ = split(stops, period, now)
    found = groups_of(judged, lambda stop: stop.client or NO_CLIENT)
    return [_client(each) for each in sorted(found, key=_by_need) if each.tally.promised]


def _by_need(client: ZoneFigures) -> tuple[bool, float, str]:
    share = client.tally.on_time_percent
    return client.is_met is not False, 0 if share is None else share - client.target_percent, client.name


def _client(client: ZoneFigures) -> DigestClient:
    tally = client.tally
    return DigestClient(
        name=client.name,
        promised=tally.promised,
        late=tally.late_counted,
        failed=tally.counted - tally.on_time - tally.late_counted,
        on_time_percent=tally.on_time_percent,
        target_percent=client.target_percent,
        is_met=client.is_met,
        penalty_usd=tally.penalty_usd,
    )


def _noise(raised: Sequence[RaisedEscalation]) -> list[DigestNoise]:
    marked, all_ = (
        Counter(each.rule for each in raised if each.is_noise),
        Counter(each.rule for each in raised),
    )
    return [
        DigestNoise(rule=rule, marked=count, raised=all_[rule])
        for rule, count in sorted(marked.items(), key=lambda item: (-item[1], item[0]))
    ]
