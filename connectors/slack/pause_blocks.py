"""A maintenance window in the channel: that it runs, and at its end what it held back. Pure."""

from datetime import datetime
from itertools import accumulate
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, MarkdownTextObject, SectionBlock

from connectors.escalation import Severity
from connectors.pauses import HitFate, PauseHitLine, PauseNotice, PauseReport
from connectors.slack.mrkdwn import foreign, mention, moment, pack
from connectors.slack.pause_words import RESUME, WHY_LIMIT, ran_words, span_words, what_words

LINE_LIMIT = 120
BUDGET = 9000
"""Characters of the list, markup counted: far below where Slack answers `msg_blocks_too_long`."""

SEVERITIES = {
    Severity.AT_RISK: "At risk",
    Severity.BREACHED: "Late",
    Severity.FAILED: "Failed",
    Severity.RECIPIENT_WAITING: "Waiting",
    Severity.PLATFORM_SILENT: "No news",
    Severity.NOBODY_ON_CALL: "Nobody on call",
}

FATES = {
    HitFate.STILL_TRUE: "still so, raised from now on",
    HitFate.STILL_PAUSED: "still so, held back by another maintenance window",
    HitFate.DELIVERED_LATE: "delivered late meanwhile",
    HitFate.FAILED: "failed meanwhile",
    HitFate.UNKNOWN: "to be looked at: it is not raised a second time",
    HitFate.LOOKED_AT_AGAIN: "raised from now on if it is still so",
    HitFate.SAVED: "delivered in time meanwhile",
    HitFate.BACK_ON_TRACK: "back on track meanwhile",
    HitFate.GONE: "called off meanwhile",
}
"""In the order in which they are told: what needs somebody first."""


def notice_text(view: PauseNotice, now: datetime) -> str:
    """`Paused until 2:00 pm: zone North`."""
    if view.ended_at is not None:
        return f"Maintenance over: {what_words(view)}"
    still = "Still paused" if view.is_reminder else "Paused"
    return f"{still} {span_words(view, now)}: {what_words(view)}"


def notice_blocks(view: PauseNotice, now: datetime) -> list[dict[str, Any]]:
    return [block.to_dict() for block in (_section(_notice(view, now)), _context(_notice_foot(view, now)))]


def _notice(view: PauseNotice, now: datetime) -> str:
    what, why = what_words(view), f"\n> {foreign(view.why, WHY_LIMIT)}" if view.why else ""
    if view.ended_at is not None:
        return f":arrow_forward: *Maintenance over:* {what} is watched again{why}"
    raised = "Nothing at all" if view.what.value == "everything" else f"Nothing about {what}"
    exceptions = "People who wait for an answer are."
    head = f":double_vertical_bar: *{notice_text(view, now)}*"
    return f"{head}\n{raised} is raised. {exceptions} What would have been is listed at the end.{why}"


def _notice_foot(view: PauseNotice, now: datetime) -> str:
    since = f"since {moment(view.starts_at, view.timezone, now)} by {mention(view.by)}"
    if view.ended_at is None:
        return f"Paused {since} · {RESUME.format(number=view.number)}"
    return f"Was paused {since} · {_ended(view, now)}"


def _ended(view: PauseNotice, now: datetime) -> str:
    at = moment(view.ended_at, view.timezone, now) if view.ended_at else ""
    ran = f" after {words}" if (words := ran_words(view)) else ""
    return f"ended {at}{ran}{f' by {mention(view.ended_by)}' if view.ended_by else ''}"


# --- what was held back -------------------------------------------------------------------------------


def report_text(view: PauseReport) -> str:
    held = "nothing" if not view.total else f"{view.total:,}"
    return f"Held back during maintenance of {what_words(view.pause)}: {held}"


def report_blocks(view: PauseReport, now: datetime) -> list[dict[str, Any]]:
    """Raises nothing for any view; what does not fit is counted."""
    blocks: list[Block] = [_section(f"*{report_text(view)}*\n{_counted(view)}")]
    lines = _cut([f"• {_line(line, view.pause.timezone, now)}" for line in _in_order(view.lines)])
    blocks += [_section(text) for text in pack(lines)]
    hidden = view.more + len(view.lines) - len(lines)
    more = f"and {hidden:,} more · " if hidden else ""
    blocks.append(_context(f"{more}{_report_foot(view.pause, now)}"))
    return [block.to_dict() for block in blocks]


def _counted(view: PauseReport) -> str:
    if not view.total:
        return "Nothing would have been raised."
    return " · ".join(
        f"{view.counts[fate]:,} {words}" for fate, words in FATES.items() if view.counts.get(fate)
    )


def _cut(lines: list[str]) -> list[str]:
    """As many as fit."""
    lengths = accumulate(len(line) + 1 for line in lines)
    return [line for line, length in zip(lines, lengths, strict=True) if length <= BUDGET]


def _in_order(lines: tuple[PauseHitLine, ...]) -> list[PauseHitLine]:
    order = list(FATES)
    return sorted(lines, key=lambda line: (order.index(line.fate), line.first_seen_at))


def _line(line: PauseHitLine, timezone: str, now: datetime) -> str:
    parts = [
        f"{SEVERITIES[line.severity]}: {foreign(line.where, LINE_LIMIT)}".removesuffix(": "),
        foreign(line.client, LINE_LIMIT),
        foreign(line.why, LINE_LIMIT),
        f"first seen {moment(line.first_seen_at, timezone, now)}",
        f"*{FATES[line.fate]}*" if line.fate in _NEEDS_SOMEBODY else FATES[line.fate],
    ]
    return " · ".join(part for part in parts if part)


_NEEDS_SOMEBODY = frozenset({HitFate.STILL_TRUE, HitFate.UNKNOWN, HitFate.FAILED})


def _report_foot(pause: PauseNotice, now: datetime) -> str:
    return (
        f"Paused by {mention(pause.by)} {moment(pause.starts_at, pause.timezone, now)} · {_ended(pause, now)}"
    )


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))


def _context(text: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])
