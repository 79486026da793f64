"""How figures are written for people: American English, as the operator's clients read it. Pure."""

from collections.abc import Sequence
from datetime import date, datetime

from bot.manifest.days import zone_of
from bot.reports.figures import plain
from bot.reports.report import Missed, SlaReport, Spread, Tally, Told, Trend, TrendWord
from bot.sla.outcomes import Outcome

NOT_SAID = "Not said yet"


def day(moment: date) -> str:
    return f"{moment:%b} {moment.day}"


def whole_day(moment: date) -> str:
    return f"{moment:%A}, {moment:%B} {moment.day}, {moment.year}"


def span(start: date, end: date) -> str:
    """`October 1 to 31, 2026`."""
    if start == end:
        return f"{start:%B} {start.day}, {start.year}"
    if start.year != end.year:
        return f"{start:%B} {start.day}, {start.year} to {end:%B} {end.day}, {end.year}"
    last = f"{end.day}" if start.month == end.month else f"{end:%B} {end.day}"
    return f"{start:%B} {start.day} to {last}, {end.year}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}%"


def target(value: float | None) -> str:
    """Without a needless decimal."""
    return "–" if value is None else f"{round(value, 1):g}%"


def dollars(amount: int) -> str:
    return f"${amount:,}"


def number(value: int) -> str:
    return f"{value:,}"


def counted(value: int, one: str, many: str) -> str:
    return f"{value:,} {one if value == 1 else many}"


def minutes(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1:
        return "under 1 min" if value > 0 else "0 min"
    whole = round(value)
    hours, rest = divmod(whole, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


def spread(value: Spread) -> str:
    return minutes(value.median_minutes)


def cause(code: str) -> str:
    return plain(code) if code else NOT_SAID


def of_asked(part: int, share: float | None) -> str:
    """`8 (80.0%)`; a bare 0 where nobody was asked."""
    return f"{part:,} ({percent(share)})" if share is not None else "–"


def of_over(delivered: int, over: int) -> str:
    """`5 of 6`; a dash while none of them is over."""
    return f"{delivered:,} of {over:,}" if over else "–"


def reason(code: str) -> str:
    return plain(code) if code else NOT_SAID


def told_sentence(told: Told) -> str:
    """What recipients heard unasked."""
    messages = f"{told.messages_per_stop:g} {'message' if told.messages_per_stop == 1 else 'messages'}"
    sent = f"Recipients got {messages} for each delivery without having to ask."
    if not told.late:
        return f"{sent} No delivery was late."
    late = counted(told.late, "late delivery", "late deliveries")
    return (
        f"{sent} Of {late}, {number(told.late_told)} ({percent(told.late_told_percent)}) "
        f"{'was' if told.late_told == 1 else 'were'} told so before the window ended."
    )


def trend(value: Trend) -> str:
    """A whole phrase: `up 1.2 points`."""
    points = f"{abs(value.points or 0):.1f} points"
    return {
        TrendWord.UP: f"up {points}",
        TrendWord.DOWN: f"down {points}",
        TrendWord.STEADY: "steady",
        TrendWord.TOO_FEW: "too few to tell",
    }[value.word]


def trend_sentence(report: SlaReport) -> str:
    figures = report.figures
    before = f"{span(report.before_start, report.before_end)}"
    if figures.trend.word is TrendWord.TOO_FEW:
        return f"There were too few deliveries to compare with {before}."
    then = percent(figures.before.on_time_percent)
    if figures.trend.word is TrendWord.STEADY:
        return f"That is about the same as {then} in {before}."
    points = f"{abs(figures.trend.points or 0):.1f} points"
    word = "more" if figures.trend.word is TrendWord.UP else "less"
    return f"That is {points} {word} than {then} in {before}."


def verdict(report: SlaReport) -> str:
    """What a client wants to know first."""
    figures = report.figures
    if not figures.total.promised:
        return "No delivery window ended in this period."
    if not figures.total.counted:
        return "No delivery of this period counts against the target."
    kept = "met" if figures.is_met else "missed"
    return (
        f"{percent(figures.total.on_time_percent)} of {counted(figures.total.counted, 'delivery', 'deliveries')} "
        f"that count arrived on time. The target of {target(figures.target_percent)} was {kept}."
    )


def without_exclusions(tally: Tally) -> str:
    if not tally.excluded:
        return "Nothing was excluded."
    share = percent(tally.on_time_percent_with_excluded)
    return f"{share} with {counted(tally.excluded, 'exclusion', 'exclusions')} counted in."


def window(missed: Missed) -> str:
    """Local to the stop."""
    start, end = (_local(each, missed.timezone) for each in (missed.window_start_at, missed.window_end_at))
    same_half = (start.hour < 12) == (end.hour < 12) and end.hour != 12
    return f"{_clock(start, with_half=not same_half)} to {_clock(end)}"


def arrival(missed: Missed) -> str:
    if missed.outcome is Outcome.FAILED:
        return "Failed"
    if missed.completed_at is None:
        return "Not delivered yet"
    local = _local(missed.completed_at, missed.timezone)
    return _clock(local) if local.date() == missed.day else f"{day(local.date())}, {_clock(local)}"


def late_by(missed: Missed) -> str:
    return "" if missed.minutes_late is None else minutes(max(missed.minutes_late, 1))


def listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _local(moment: datetime, timezone: str) -> datetime:
    return moment.astimezone(zone_of(timezone))


def _clock(local: datetime, *, with_half: bool = True) -> str:
    if not local.minute and local.hour in (0, 12):
        return "midnight" if local.hour == 0 else "noon"
    hour = local.hour % 12 or 12
    written = f"{hour}:{local:%M}" if local.minute else f"{hour}"
    return f"{written} {'am' if local.hour < 12 else 'pm'}" if with_half else written
