"""Words of maintenance windows: which one, until when, by whom. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.desk import CommandAnswer
from connectors.pauses import PauseNotice, PauseWhat
from connectors.slack.mrkdwn import duration_words, foreign, mention, moment, sentence

NAME_LIMIT, WHY_LIMIT = 60, 240
RESUME = "`/doorline resume {number}` ends it"

WHAT = {
    PauseWhat.CLIENT: "client",
    PauseWhat.ZONE: "zone",
    PauseWhat.ROUTE: "route",
    PauseWhat.PLATFORM: "platform",
    PauseWhat.EVERYTHING: "everything",
}

REFUSALS = {
    "unknown": "Nothing was paused: there is no {name}",
    "several": "Nothing was paused: {name} could mean several. Write it out in full",
    "unreadable": "Nothing was paused: that time could not be read",
    "past": "Nothing was paused: that is over already",
    "too_long": "Nothing was paused: a maintenance window may not be that long. Pause a part of it, or change sop.yml",
    "no_such_pause": "No maintenance window has that number. `/doorline pauses` lists them",
    "over": "That maintenance window is over already",
}
"""By the first of `CommandAnswer.reasons`."""


def what_words(view: PauseNotice) -> str:
    """`zone North`, `everything`."""
    name = foreign(view.name, NAME_LIMIT)
    return f"{WHAT[view.what]} {name}".strip()


def span_words(view: PauseNotice, now: datetime) -> str:
    """`until 2:00 pm`, `from Tue Jun 9, 10:00 pm to Wed Jun 10, 2:00 am`, `until somebody ends it`."""
    ends = moment(view.ends_at, view.timezone, now) if view.ends_at is not None else "somebody ends it"
    until = f"until {ends}"
    if view.starts_at <= now:
        return until
    begins = f"from {moment(view.starts_at, view.timezone, now)}"
    if view.ends_at is None:
        return f"{begins}, {until}"
    same_day = _day(view.starts_at, view) == _day(view.ends_at, view)
    return f"{begins} to {moment(view.ends_at, view.timezone, view.starts_at if same_day else now)}"


def ran_words(view: PauseNotice) -> str:
    """How long it ran; empty while it does, or when it never began."""
    if view.ended_at is None or view.ended_at <= view.starts_at:
        return ""
    return duration_words(view.ended_at - view.starts_at)


def pause_line(view: PauseNotice, now: datetime) -> str:
    """One of a list: `3 · zone North until 2:00 pm · by @dana · _roadworks_ · …`."""
    why = f"_{foreign(view.why, WHY_LIMIT)}_" if view.why else ""
    resume = RESUME.format(number=view.number)
    parts = [
        f"{view.number}",
        f"*{what_words(view)}* {span_words(view, now)}",
        f"by {mention(view.by)}",
        why,
        resume,
    ]
    return " · ".join(part for part in parts if part)


# --- what one dispatcher reads alone ------------------------------------------------------------------


def paused_text(answer: CommandAnswer, now: datetime) -> str:
    if not answer.pauses:
        return "Paused. Nothing about it is raised then; what would have been is listed at the end."
    (view,) = answer.pauses
    state = "Paused" if view.starts_at <= now else "Planned"
    held = "Nothing about it is raised then; what would have been is listed at the end."
    return f"{state}: {what_words(view)} {span_words(view, now)}. {held} {RESUME.format(number=view.number)}."


def pauses_text(answer: CommandAnswer, now: datetime) -> str:
    if not answer.pauses:
        return "Nothing is paused, and nothing is planned."
    return "\n".join(f"• {pause_line(view, now)}" for view in answer.pauses)


def lifted_text(answer: CommandAnswer, now: datetime) -> str:
    if not answer.pauses:
        return "Ended. What was held back is listed in the channel."
    (view,) = answer.pauses
    if view.ended_at is not None and view.ended_at <= view.starts_at:
        return f"Called off: {what_words(view)} is not paused."
    return f"Ended: {what_words(view)} is watched again. What was held back is listed in the channel."


def refused_text(answer: CommandAnswer, now: datetime) -> str:
    code = answer.reasons[0] if answer.reasons else "unreadable"
    name = foreign(answer.detail, NAME_LIMIT) or "such thing"
    if code not in REFUSALS:
        return sentence(f"Nothing was paused: {code.replace('_', ' ')}")
    return sentence(REFUSALS[code].format(name=name))


def _day(at: datetime, view: PauseNotice) -> int:
    return at.astimezone(ZoneInfo(view.timezone)).toordinal()
