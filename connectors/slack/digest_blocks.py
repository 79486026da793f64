"""The weekly digest: what last week was like in one post, and what its charts are called. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import accumulate
from typing import Any

from slack_sdk.models.blocks import ContextBlock, MarkdownTextObject, SectionBlock

from connectors.digest import DigestChart, DigestClient, DigestView, DigestWeek
from connectors.slack.digest_words import (
    cause_line,
    client_line,
    day,
    days_words,
    dollars,
    many,
    minutes,
    noise_line,
    pause_line,
    percent,
    trend_words,
)
from connectors.slack.files import DeskFile
from connectors.slack.mrkdwn import pack

CLIENTS, CAUSES, RULES, PAUSES = 8, 6, 5, 5
"""So many of each are told; the rest is counted."""
BUDGET = 9000
"""Characters of the post, markup counted: far below where Slack answers `msg_blocks_too_long`."""


def digest_text(view: DigestView) -> str:
    """`Week of June 1 to 7: 93.8% on time, below the target of 96%`."""
    week = f"Week of {days_words(view.start, view.end)}"
    if view.is_empty:
        return f"{week}: nothing to tell"
    if not view.week.promised:
        return f"{week}: no delivery window ended"
    if view.week.on_time_percent is None or view.target_percent is None:
        return f"{week}: no delivery counts against the target"
    kept = f"target of {percent(view.target_percent)} met" if view.is_met else ""
    return f"{week}: {percent(view.week.on_time_percent)} on time, {kept or _below(view)}"


def _below(view: DigestView) -> str:
    return f"below the target of {percent(view.target_percent)}"


def digest_blocks(view: DigestView, now: datetime) -> list[dict[str, Any]]:
    """Raises nothing for any view; what does not fit is left out from the end."""
    paragraphs = [[f":bar_chart: *{digest_text(view)}*", *_opening(view)]]
    if not view.is_empty:
        paragraphs += [[f"*{title}*", *lines] for title, lines in _lists(view, now).items() if lines]
    lengths = accumulate(sum(len(line) + 1 for line in each) for each in paragraphs)
    kept = [each for each, length in zip(paragraphs, lengths, strict=True) if length <= BUDGET]
    blocks = [_section(text) for lines in kept for text in pack(lines)]
    foot = ContextBlock(elements=[MarkdownTextObject(text=_foot(view), verbatim=True)])
    return [block.to_dict() for block in (*blocks, foot)]


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))


def _opening(view: DigestView) -> list[str]:
    if view.is_empty:
        return ["No delivery window ended, nothing was raised and nothing was paused."]
    return list(_deliveries(view))


def _lists(view: DigestView, now: datetime) -> dict[str, list[str]]:
    """By their titles, in their order; what is empty is not told."""
    return {
        "Clients": _clients(view),
        "Why deliveries missed": _causes(view),
        "Escalations": _escalations(view),
        "Noise": _noise(view),
        "Maintenance windows": _pauses(view, now),
    }


def _deliveries(view: DigestView) -> Iterator[str]:
    week, before = view.week, view.before
    if week.counted:
        count = many(week.counted, "delivery that counts", "deliveries that count")
        yield f"{week.on_time:,} of {count} arrived in time · {trend_words(view)}"
    if week.promised:
        missed = f"{week.late:,} late · {week.failed:,} failed"
        excluded = f" · {week.excluded:,} excluded, they do not count" if week.excluded else ""
        yield f"{missed}{excluded}"
    if week.followed_up:
        yield _again(week, before)
    if week.penalty_usd or before.penalty_usd:
        yield f"Penalties {dollars(week.penalty_usd)} · week before {dollars(before.penalty_usd)}"


def _again(week: DigestWeek, before: DigestWeek) -> str:
    """`Second try for 12 of 15 failed deliveries (80.0%) · 8 of 9 that are over were delivered · week before 70.0%`."""
    failed = many(week.followed_up, "failed delivery", "failed deliveries")
    parts = [
        f"Second try for {week.booked_again:,} of {failed} ({_share(week.booked_again, week.followed_up)})"
    ]
    if week.again_over:
        parts.append(f"{week.again_delivered:,} of {week.again_over:,} that are over were delivered")
    if before.followed_up:
        parts.append(f"week before {_share(before.booked_again, before.followed_up)}")
    return " · ".join(parts)


def _share(part: int, whole: int) -> str:
    return percent((1000 * part // whole) / 10)


def _clients(view: DigestView) -> list[str]:
    """A single one is the whole, which was told."""
    if len(view.clients) < 2:
        return []
    lines = [client_line(each) for each in view.clients[:CLIENTS]]
    rest = view.clients[CLIENTS:]
    return lines + ([_rest(rest)] if rest else [])


def _rest(clients: tuple[DigestClient, ...]) -> str:
    missed = sum(each.is_met is False for each in clients)
    below = f"{missed:,} of them below target" if missed else "none of them below target"
    return f"and {len(clients):,} more, {below}"


def _causes(view: DigestView) -> list[str]:
    told, rest = view.causes[:CAUSES], view.causes[CAUSES:]
    parts = [cause_line(each) for each in told]
    parts += [f"All others {sum(each.stops for each in rest):,}"] if rest else []
    return [" · ".join(parts)] if parts else []


def _escalations(view: DigestView) -> list[str]:
    week, before = view.week, view.before
    then = f"week before {before.escalations:,}"
    if not week.escalations:
        return [f"None · {then}"]
    a_day = f"{week.escalations / max(len(view.days), 1):.1f} a day"
    lines = [f"{week.escalations:,} raised, {a_day} · {then}", _taken(week, before)]
    return [*lines, *_watched(week)]


def _taken(week: DigestWeek, before: DigestWeek) -> str:
    if week.acknowledged_minutes is None:
        return "Nobody took any of them"
    then = (
        f" · week before {minutes(before.acknowledged_minutes)}"
        if before.acknowledged_minutes is not None
        else ""
    )
    nobody = f" · {week.not_taken:,} taken by nobody" if week.not_taken else ""
    return f"Taken after {minutes(week.acknowledged_minutes)} (median){then}{nobody}"


def _watched(week: DigestWeek) -> Iterator[str]:
    if week.warning_minutes is not None:
        yield f"Raised {minutes(week.warning_minutes)} before the window ended (median)"
    if week.at_risk:
        yield f"{week.recovered:,} of {many(week.at_risk, 'stop', 'stops')} at risk still made it in time"
    if week.unseen:
        yield f":warning: {many(week.unseen, 'late stop was', 'late stops were')} never raised"


def _noise(view: DigestView) -> list[str]:
    week, before = view.week, view.before
    if not week.escalations:
        return []
    then = f"week before {before.noise:,} of {before.escalations:,}"
    if not week.noise:
        return [f"None was marked as noise · {then}"]
    lines = [f"{week.noise:,} of {week.escalations:,} marked as noise · {then}"]
    return lines + [noise_line(each) for each in view.noise[:RULES]]


def _pauses(view: DigestView, now: datetime) -> list[str]:
    lines = [pause_line(each, now) for each in view.pauses[:PAUSES]]
    rest = view.pauses[PAUSES:]
    held = sum(each.held for each in rest)
    return lines + ([f"and {len(rest):,} more, {held:,} held back"] if rest else [])


def _foot(view: DigestView) -> str:
    counted = "Counted as in the clients' reports"
    if view.is_empty:
        return counted
    open_ = (
        many(view.still_open, "window is not over yet", "windows are not over yet") if view.still_open else ""
    )
    return " · ".join(part for part in (counted, "charts in the thread", open_) if part)


# --- its charts ---------------------------------------------------------------------------------------


def chart_name(view: DigestView, chart: DigestChart) -> str:
    """With the days in it: by its name a chart is found again."""
    return f"{chart.value.replace('_', '-')}-{view.start}-to-{view.end}.png"


def chart_files(view: DigestView, charts: Mapping[DigestChart, bytes]) -> list[DeskFile]:
    return [
        DeskFile(
            name=chart_name(view, chart),
            title=f"{TITLES[chart]}, {days_words(view.start, view.end)}",
            content=charts[chart],
            alt=_alt(view, chart),
        )
        for chart in DigestChart
        if chart in charts
    ]


TITLES = {DigestChart.ON_TIME: "On time by day", DigestChart.ESCALATIONS: "Escalations by day"}


def _alt(view: DigestView, chart: DigestChart) -> str:
    if chart is DigestChart.ESCALATIONS:
        told = [(each.day, f"{each.escalations:,}" + _of_it(each.noise)) for each in view.days]
        return _listed("Escalations by day", told)
    shown = [
        (each.day, percent(each.on_time_percent)) for each in view.days if each.on_time_percent is not None
    ]
    return _listed(f"On time by day, target {percent(view.target_percent)}", shown)


def _of_it(noise: int) -> str:
    return f" ({noise:,} noise)" if noise else ""


def _listed(title: str, told: list[tuple[date, str]]) -> str:
    return f"{title}: " + (", ".join(f"{day(each)} {words}" for each, words in told) or "nothing") + "."
