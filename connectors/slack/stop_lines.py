"""One line per stop of an escalation, in its message and in its windows. Pure."""

from datetime import datetime

from connectors.base import StopStatus
from connectors.escalation import EscalationLine, EscalationView, Severity
from connectors.slack.cause_words import CLOSED
from connectors.slack.mrkdwn import duration_words, foreign, moment, punctuality, window_words

LINES_SHOWN = 8
"""Stops listed in one message; a dispatcher on a phone reads no more."""

NAME_LIMIT = 60
WORDS_LIMIT = 140


def stops_of(view: EscalationView) -> list[EscalationLine]:
    """Somebody may wait whose stop is not known: that line has no stop."""
    return [line for line in view.lines if line.stop_id]


def count_of(view: EscalationView) -> int:
    """All of its stops, those beyond the view's lines too."""
    return len(stops_of(view)) + view.more_stops


def hidden_of(view: EscalationView) -> int:
    """Stops that the message does not list."""
    return max(0, count_of(view) - LINES_SHOWN)


def stop_lines(view: EscalationView, now: datetime) -> list[str]:
    stops = stops_of(view)
    if view.lines and not stops:
        return ["• we do not know which stop it is about"]
    lines = [stop_line(line, view, now) for line in stops[:LINES_SHOWN]]
    hidden = hidden_of(view)
    return [*lines, f"and {hidden} more"] if hidden else lines


def stop_line(line: EscalationLine, view: EscalationView, now: datetime) -> str:
    parts = [where(line)]
    if line.client != view.client:
        parts.append(foreign(line.client, NAME_LIMIT))
    if line.window:
        parts.append(f"window {window_words(line.window, view.timezone, now)}")
    parts.append(progress(line, view.timezone, now))
    if view.severity is not Severity.RECIPIENT_WAITING:
        parts.append(_last_words(line, view.timezone, now))
    return "• " + " · ".join(part for part in parts if part)


def where(line: EscalationLine) -> str:
    return foreign(line.address_line, NAME_LIMIT) or foreign(line.tracking, NAME_LIMIT) or "address unknown"


def progress(line: EscalationLine, timezone: str, now: datetime) -> str:
    if line.status.is_closed:
        return closed_words(line, timezone, now)
    if line.eta_at is None:
        return "no ETA"
    age = f" ({duration_words(line.eta_age)} old)" if line.eta_age else ""
    return f"ETA {moment(line.eta_at, timezone, now)}{age}"


def closed_words(line: EscalationLine, timezone: str, now: datetime) -> str:
    words = CLOSED[line.status]
    if line.completed_at is None:
        return words
    words += f" {moment(line.completed_at, timezone, now)}"
    if line.status is not StopStatus.DELIVERED or line.window is None:
        return words
    return f"{words}, {punctuality(line.completed_at, line.window)}"


def _last_words(line: EscalationLine, timezone: str, now: datetime) -> str:
    words = foreign(line.last_words, WORDS_LIMIT)
    if not words:
        return ""
    at = f", {moment(line.last_words_at, timezone, now)}" if line.last_words_at else ""
    return f'recipient{at}: "{words}"'
