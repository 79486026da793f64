"""One stop as a dispatcher reads it on asking: four or five lines, its history, its links. Pure."""

from datetime import datetime

from connectors.base import StopStatus
from connectors.desk import PastEscalation, StopCard
from connectors.escalation import EscalationState
from connectors.follow_up_words import follow_up_words, second_try_words
from connectors.slack.cause_words import SEVERITIES, cause_words
from connectors.slack.mrkdwn import (
    duration_words,
    foreign_within,
    link,
    mention,
    moment,
    punctuality,
    window_words,
)

NAME_LIMIT = 60
OUTCOME_LIMIT = 120
HISTORY_SHOWN = 5

STATUSES = {
    StopStatus.PLANNED: "Planned",
    StopStatus.ASSIGNED: "On a route",
    StopStatus.OUT_FOR_DELIVERY: "Out for delivery",
    StopStatus.ARRIVING: "Arriving",
    StopStatus.DELIVERED: "Delivered",
    StopStatus.FAILED: "Delivery failed",
    StopStatus.CANCELLED: "Cancelled",
    StopStatus.RETURNED: "Returned",
}


def stop_card_text(card: StopCard, now: datetime) -> str:
    lines = [
        _heading(card),
        _state(card, now),
        _joined("Driver", foreign_within(card.driver_name, NAME_LIMIT), _place(card)),
        _joined("Recipient", foreign_within(card.recipient_name, NAME_LIMIT), _phone(card)),
        _joined(
            "Order",
            foreign_within(card.order_ref, NAME_LIMIT),
            f"on {platform}" if (platform := foreign_within(card.platform, NAME_LIMIT)) else "",
        ),
        *_followed_up(card, now),
        *_history(card, now),
        _links(card),
        _more(card),
    ]
    return "\n".join(line for line in lines if line)


def _heading(card: StopCard) -> str:
    where = foreign_within(card.address_line, NAME_LIMIT) or "Address unknown"
    parts = [where, foreign_within(card.client, NAME_LIMIT), foreign_within(card.zone, NAME_LIMIT)]
    tracking = foreign_within(card.tracking, NAME_LIMIT)
    return " · ".join([f"*{parts[0]}*", *(part for part in [*parts[1:], tracking] if part)])


def _state(card: StopCard, now: datetime) -> str:
    window = f"window {window_words(card.window, card.timezone, now)}" if card.window else "no window"
    return " · ".join(part for part in (_status(card, now), window, *_eta(card, now)) if part)


def _status(card: StopCard, now: datetime) -> str:
    words = STATUSES[card.status]
    if card.completed_at is not None:
        words += f" {moment(card.completed_at, card.timezone, now)}"
    if card.status is StopStatus.DELIVERED and card.completed_at and card.window:
        words += f", {punctuality(card.completed_at, card.window)}"
    if card.failure_reason is not None:
        words += f" ({cause_words(card.failure_reason)})"
    return words


def _eta(card: StopCard, now: datetime) -> list[str]:
    if card.status.is_closed:
        return []
    eta = f"ETA {moment(card.eta_at, card.timezone, now)}" if card.eta_at else "no ETA"
    if card.eta_at and card.window and card.eta_at >= card.window.end_at:
        eta += f", {duration_words(card.eta_at - card.window.end_at)} after it ends"
    return [eta, f"news {duration_words(card.eta_age)} old" if card.eta_age else ""]


def _place(card: StopCard) -> str:
    return f"stop {card.route_stop} of the route" if card.route_stop is not None else ""


def _phone(card: StopCard) -> str:
    return f"phone ends in {foreign_within(card.phone_end, 4)}" if card.phone_end else ""


def _joined(label: str, *parts: str) -> str:
    known = [part for part in parts if part]
    return f"{label}: {' · '.join(known)}" if known else ""


def _followed_up(card: StopCard, now: datetime) -> list[str]:
    """What is done about its failure, or what it is the second try of."""
    told = follow_up_words(card.follow_up, card.timezone, now) if card.follow_up else ""
    again = second_try_words(card.second_try) if card.second_try else ""
    return [
        _joined("Follow-up", foreign_within(told, OUTCOME_LIMIT)),
        _joined("For the driver", foreign_within(again, OUTCOME_LIMIT)),
    ]


def _history(card: StopCard, now: datetime) -> list[str]:
    if not card.escalations:
        return ["Never escalated."]
    lines = [f"• {_past(each, card.timezone, now)}" for each in card.escalations[:HISTORY_SHOWN]]
    hidden = len(card.escalations) - len(lines)
    return ["Escalations:", *lines, *([f"and {hidden} earlier"] if hidden > 0 else [])]


def _past(past: PastEscalation, timezone: str, now: datetime) -> str:
    parts = [f"{moment(past.raised_at, timezone, now)} {SEVERITIES[past.severity].lower()}"]
    if past.state is EscalationState.RESOLVED:
        outcome = foreign_within(past.outcome, OUTCOME_LIMIT).rstrip(".")
        parts.append(f"resolved{f': {outcome}' if outcome else ''}")
        parts.append(_who("by", past.resolved_by))
    elif past.acknowledged_by:
        parts.append(_who("with", past.acknowledged_by))
    else:
        parts.append("nobody has it")
    shown = " · ".join(part for part in parts if part)
    return f"{shown} · {link(past.message_url, 'open')}" if past.message_url else shown


def _who(word: str, dispatcher: str | None) -> str:
    """Somebody who is no Slack user has no name here."""
    if not dispatcher:
        return ""
    return f"{word} {'somebody by phone' if dispatcher.startswith('person:') else mention(dispatcher)}"


def _links(card: StopCard) -> str:
    links = [("Tracking page", card.tracking_url), ("Manifest", card.manifest_url)]
    return " · ".join(link(url, label) for label, url in links if url)


def _more(card: StopCard) -> str:
    if not card.more:
        return ""
    others = "One more stop carries" if card.more == 1 else f"{card.more} more stops carry"
    return f"{others} this number; ask by the tracking number."
