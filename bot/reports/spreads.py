"""Pure: how durations spread."""

import math
from collections.abc import Iterable
from datetime import timedelta

from bot.reports.report import Spread


def spread_of(durations: Iterable[timedelta]) -> Spread:
    """Median and nine in ten, by the nearest rank: a value that did occur. Minutes, one decimal."""
    minutes = sorted(duration.total_seconds() / 60 for duration in durations)
    if not minutes:
        return Spread(count=0)
    return Spread(
        count=len(minutes),
        median_minutes=round(minutes[math.ceil(len(minutes) * 0.5) - 1], 1),
        p90_minutes=round(minutes[math.ceil(len(minutes) * 0.9) - 1], 1),
    )
