"""Failed deliveries that wait for dispatch, as one dispatcher reads them on asking. Pure."""

from datetime import datetime

from connectors.desk import CommandAnswer
from connectors.follow_up import FollowedUp
from connectors.follow_up_words import REASONS, state_words, why_words
from connectors.slack.mrkdwn import duration_words, foreign, link

NAME_LIMIT = 60
SHOWN = 10


def follow_ups_text(answer: CommandAnswer, now: datetime) -> str:
    """A line for each that waits for dispatch, the oldest first, then how many others are open."""
    waiting = answer.follow_ups
    lines = [f"{_waiting(len(waiting))}{_where(answer.detail)}{':' if waiting else '.'}"]
    lines += [f"• {follow_up_line(each, now)}" for each in waiting[:SHOWN]]
    lines += [f"and {len(waiting) - SHOWN:,} more"] if len(waiting) > SHOWN else []
    others = answer.count - len(waiting)
    rest = f"{others:,} more {'is' if others == 1 else 'are'} being asked." if others > 0 else ""
    page = link(answer.page_url, "Open the board") if answer.page_url else ""
    return "\n".join([*lines, *([last] if (last := " ".join(filter(None, (rest, page)))) else [])])


def follow_up_line(item: FollowedUp, now: datetime) -> str:
    """`14 Elm St 2B · Acme · No access · no answer · failed 42 min ago · open it`."""
    stop, told = item.stop, item.follow_up
    reason = REASONS[told.reason]
    what = state_words(told, stop.timezone, now) if told.state.is_over else why_words(told)
    why = foreign(what, NAME_LIMIT)
    parts = [
        foreign(stop.address_line, NAME_LIMIT) or foreign(stop.tracking, NAME_LIMIT) or "Address unknown",
        foreign(stop.client, NAME_LIMIT),
        reason,
        why if why.lower() != reason.lower() else "",
        f"failed {duration_words(now - told.failed_at)} ago",
        link(item.url, "open it") if item.url else "",
    ]
    return " · ".join(part for part in parts if part)


def _waiting(count: int) -> str:
    if not count:
        return "No failed delivery waits for dispatch"
    return (
        "1 failed delivery waits for dispatch"
        if count == 1
        else f"{count:,} failed deliveries wait for dispatch"
    )


def _where(zone: str) -> str:
    return f" in {foreign(zone, NAME_LIMIT)}" if zone else ""
