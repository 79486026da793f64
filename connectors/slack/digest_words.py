"""Words of the weekly digest: shares, amounts, durations, single lines of its lists. Pure."""

from datetime import date, datetime, timedelta

from connectors.digest import DigestCause, DigestClient, DigestNoise, DigestPause, DigestTrend, DigestView
from connectors.slack.cause_words import CAUSES
from connectors.slack.mrkdwn import day_words, duration_words, foreign, mention, moment
from connectors.slack.pause_words import ran_words, what_words

NAME_LIMIT = 60

RULES = {
    "late": "Late by ETA or by the window",
    "storm": "Many late at once",
    "silent": "No platform updates",
    "waiting": "Recipient waiting for a person",
    "request": "Recipient's request",
    "write": "Platform refused a change",
    "watch": "The watch itself was behind",
    "nobody_on_call": "Nobody on call",
}
"""By the first word of what raised it; others are told as they are."""


def day(of: date) -> str:
    return day_words(of)


def days_words(start: date, end: date) -> str:
    """`June 1 to 7`, `June 29 to July 5`, `December 28, 2026 to January 3, 2027`."""
    if start.year != end.year:
        return f"{_long(start)}, {start.year} to {_long(end)}, {end.year}"
    return f"{_long(start)} to {end.day if start.month == end.month else _long(end)}"


def _long(of: date) -> str:
    return f"{of:%B} {of.day}"


def percent(share: float | None) -> str:
    """Without a needless decimal: `96%`, `93.8%`."""
    return "–" if share is None else f"{round(share, 1):g}%"


def dollars(amount: int) -> str:
    return f"${amount:,}"


def many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def minutes(length: float | None) -> str:
    if length is None:
        return "–"
    return duration_words(timedelta(minutes=round(length))) if length >= 1 else "under 1 min"


def trend_words(view: DigestView) -> str:
    """`up 1.2 points from 92.6%`."""
    then = percent(view.before.on_time_percent)
    points = f"{abs(view.points or 0):.1f} points"
    return {
        DigestTrend.UP: f"up {points} from {then} the week before",
        DigestTrend.DOWN: f"down {points} from {then} the week before",
        DigestTrend.STEADY: f"about the same as the week before ({then})",
        DigestTrend.TOO_FEW: "too few to compare with the week before",
    }[view.trend]


def client_line(client: DigestClient) -> str:
    """`• Acme 92.1% · target 96% missed · 18 late · 2 failed · $450`."""
    name = foreign(client.name, NAME_LIMIT)
    if client.is_met is None:
        return f"• {name}: nothing counts against the target"
    target = f"target {percent(client.target_percent)}"
    parts = [
        f"• {name} *{percent(client.on_time_percent)}*",
        target if client.is_met else f"{target} missed",
        f"{client.late:,} late" if client.late else "",
        f"{client.failed:,} failed" if client.failed else "",
        dollars(client.penalty_usd) if client.penalty_usd else "",
    ]
    return " · ".join(part for part in parts if part)


def cause_line(cause: DigestCause) -> str:
    """`Traffic 12`."""
    name = CAUSES[cause.cause] if cause.cause is not None else "Nobody has said"
    return f"{name} {cause.stops:,}"


def noise_line(noise: DigestNoise) -> str:
    """`• No platform updates: 2 of 3`."""
    name = RULES.get(noise.rule) or foreign(noise.rule.replace("_", " ").capitalize(), NAME_LIMIT)
    return f"• {name or 'Other'}: {noise.marked:,} of {noise.raised:,}"


def pause_line(told: DigestPause, now: datetime) -> str:
    """`• zone North from Tue Jun 2, 1:00 pm for 2 h by @dana · 5 held back`."""
    pause = told.pause
    ran = f"for {words}" if (words := ran_words(pause)) else "still running"
    since = moment(pause.starts_at, pause.timezone, now)
    held = f"{told.held:,} held back" if told.held else "nothing held back"
    return f"• {what_words(pause)} from {since}, {ran}, by {mention(pause.by)} · {held}"
