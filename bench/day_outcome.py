"""What came of one arm of a pretended day, and its figures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bench.day_crowd import Waiting
from bench.results import percentile


@dataclass(frozen=True)
class Answered:
    """One time that somebody asked, and when they were answered, if ever."""

    ref: str
    asked_at: datetime
    answered_at: datetime | None
    is_where: bool = True


@dataclass(frozen=True)
class Outcome:
    arm: str
    people: Sequence[Waiting]
    answered: Sequence[Answered]
    recovered: Mapping[str, bool]
    """By failed stop for which a second try makes sense: whether its second try succeeds."""
    texts_to_recipients: int
    dispatcher_actions: int
    dispatcher_minutes: float
    saved_by_spare_vans: int
    heard_in_time: set[str]
    """Late stops whose recipient heard that it is late before the window ended."""
    told_late_wrongly: int = 0
    """Of those, or of others: who was told that it is late, and it was not."""
    contradictions: int = 0
    opted_out: int = 0
    driver_answers: int = 0
    """Texts of drivers who were asked about a stop or their shift."""


def figures(outcome: Outcome) -> dict[str, float]:
    people = outcome.people
    late = [each for each in people if _is_late(each)]
    waits = [
        (answer.answered_at - answer.asked_at).total_seconds() / 60
        for answer in outcome.answered
        if answer.answered_at is not None
    ]
    tried = len(outcome.recovered)
    return {
        "stops": len(people),
        "on_time_percent": round(100 * (1 - len(late) / max(1, len(people))), 2),
        "breaches": len(late),
        "saved_by_spare_vans": outcome.saved_by_spare_vans,
        "failed": sum(each.fate == "failed" for each in people),
        "failed_to_recover": tried,
        "recovered": sum(outcome.recovered.values()),
        "recovered_percent": round(100 * sum(outcome.recovered.values()) / max(1, tried), 1),
        "late_heard_in_time_percent": round(
            100 * sum(each.ref in outcome.heard_in_time for each in late) / max(1, len(late)), 1
        ),
        "where_asks_per_100": round(
            100 * sum(answer.is_where for answer in outcome.answered) / max(1, len(people)), 2
        ),
        "answer_minutes_median": round(median(waits), 2) if waits else 0.0,
        "answer_minutes_p90": round(percentile(waits, 0.9), 2) if waits else 0.0,
        "unanswered": sum(answer.answered_at is None for answer in outcome.answered),
        "texts_per_stop": round(outcome.texts_to_recipients / max(1, len(people)), 2),
        "dispatcher_actions": outcome.dispatcher_actions,
        "dispatcher_hours": round(outcome.dispatcher_minutes / 60, 1),
        "contradictions": outcome.contradictions,
        "opted_out": outcome.opted_out,
        "driver_answers": outcome.driver_answers,
    }


def _is_late(each: Waiting) -> bool:
    """Neither delivered nor tried when the window ended; a stop that the day never reached counts as late."""
    return each.ended_at is None or each.ended_at > each.window_end
