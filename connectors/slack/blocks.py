"""Every word that a dispatcher reads in Slack. Pure: a view and the present instant in, text out.

Nothing that another person wrote can mention, link or format; nobody is notified by anything in here.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    MarkdownTextObject,
    SectionBlock,
)

from connectors.base import (
    DeliveryWindow,
    DispatcherVerb,
    EscalationLine,
    EscalationState,
    EscalationView,
    Happening,
    HappeningFacts,
    Refusal,
    Severity,
    StopStatus,
)
from connectors.slack.mrkdwn import (
    duration_words,
    foreign,
    mention,
    moment,
    pack,
    sentence,
    window_words,
    without_mentions,
)

LINES_SHOWN = 8
"""Stops listed in one message; a dispatcher on a phone reads no more."""

NAME_LIMIT = 60
WORDS_LIMIT = 140
SENTENCE_LIMIT = 240

SEVERITY_WORDS = {
    Severity.AT_RISK: "At risk",
    Severity.BREACHED: "Breached",
    Severity.FAILED: "Delivery failed",
    Severity.RECIPIENT_WAITING: "Recipient waiting",
    Severity.PLATFORM_SILENT: "No platform updates",
}

CLOSED_WORDS = {
    StopStatus.DELIVERED: "delivered",
    StopStatus.FAILED: "delivery failed",
    StopStatus.CANCELLED: "cancelled",
    StopStatus.RETURNED: "returned",
}


# --- the escalation's one message -----------------------------------------------------------------


def escalation_blocks(view: EscalationView, now: datetime) -> list[dict[str, Any]]:
    """The message as Block Kit: what is wrong, why, the stops, what can be done, what happens next.

    Raises nothing for any view: long texts are shortened, long lists end in `and N more`.
    """
    blocks: list[Block] = [_section(text) for text in pack(_opening(view, now))]
    blocks += [_section(text) for text in pack(_stop_lines(view, now))]
    buttons = _buttons(view)
    if buttons:
        blocks.append(ActionsBlock(elements=buttons))
    footer = _footer(view, now)
    if footer:
        blocks.append(ContextBlock(elements=[_text(footer)]))
    return [block.to_dict() for block in blocks]


def escalation_text(view: EscalationView, now: datetime) -> str:
    """The same in one line, for notifications and screen readers."""
    place = ", ".join(_place(view))
    if view.state is EscalationState.RAISED:
        words = SEVERITY_WORDS[view.severity] + (f": {place}" if place else "")
        return f"{words}. {sentence(foreign(view.why, SENTENCE_LIMIT))}".rstrip()
    return _state_words(view, now) + (f": {place}" if place else "")


def _opening(view: EscalationView, now: datetime) -> list[str]:
    place = _place(view)
    if view.exposure_usd and view.state is not EscalationState.RESOLVED:
        place.append(f"${view.exposure_usd:,} exposed")
    severity = SEVERITY_WORDS[view.severity]
    if view.state is EscalationState.RAISED:
        lines = [" · ".join([f":red_circle: *{severity}*", *place])]
    else:
        sign = {
            EscalationState.ACKNOWLEDGED: ":large_yellow_circle:",
            EscalationState.SNOOZED: ":zzz:",
            EscalationState.RESOLVED: ":white_check_mark:",
        }[view.state]
        lines = [f"{sign} {_state_words(view, now, ' · ')}", " · ".join([severity, *place])]
    if view.state is not EscalationState.RESOLVED:
        lines.append(_reason(view))
    return [line for line in lines if line]


def _place(view: EscalationView) -> list[str]:
    parts = [foreign(view.zone, NAME_LIMIT), foreign(view.client, NAME_LIMIT)]
    if view.lines:
        parts.append("1 stop" if len(view.lines) == 1 else f"{len(view.lines)} stops")
    return [part for part in parts if part]


def _state_words(view: EscalationView, now: datetime, joint: str = " ") -> str:
    if view.state is EscalationState.RESOLVED:
        return _ending(view, now)
    until = view.acknowledged_until
    until_words = f"{joint}until {moment(until, view.timezone, now)}" if until else ""
    if view.state is EscalationState.SNOOZED:
        return f"Snoozed{until_words}"
    holder = mention(view.acknowledged_by) if view.acknowledged_by else "Somebody"
    return f"{holder} has it{until_words}"


def _ending(view: EscalationView, now: datetime) -> str:
    outcome = foreign(view.outcome, SENTENCE_LIMIT).rstrip(".")
    if not outcome and len(view.lines) == 1 and view.lines[0].status.is_closed:
        outcome = _closed_words(view.lines[0], view.timezone, now)
        outcome = outcome[:1].upper() + outcome[1:]
    if not view.resolved_by:
        return outcome or "Resolved"
    resolver = mention(view.resolved_by)
    return f"{outcome} · resolved by {resolver}" if outcome else f"Resolved by {resolver}"


def _reason(view: EscalationView) -> str:
    driver, behind = foreign(view.driver_name, NAME_LIMIT), foreign(view.driver_behind, WORDS_LIMIT)
    about_driver = f"{driver} is {behind}" if driver and behind else behind
    if driver and not behind:
        about_driver = f"Driver: {driver}"
    why = sentence(foreign(view.why, SENTENCE_LIMIT))
    return f"{why} {sentence(about_driver)}".strip()


# --- one line per stop ------------------------------------------------------------------------------


def _stop_lines(view: EscalationView, now: datetime) -> list[str]:
    lines = [_stop_line(line, view, now) for line in view.lines[:LINES_SHOWN]]
    hidden = len(view.lines) - LINES_SHOWN
    return [*lines, f"and {hidden} more"] if hidden > 0 else lines


def _stop_line(line: EscalationLine, view: EscalationView, now: datetime) -> str:
    parts = [_where(line)]
    if line.client != view.client:
        parts.append(foreign(line.client, NAME_LIMIT))
    if line.window:
        parts.append(f"window {window_words(line.window, view.timezone, now)}")
    parts.append(_progress(line, view.timezone, now))
    if view.severity is Severity.RECIPIENT_WAITING:
        parts.append(_reach(line))
    parts.append(_last_words(line, view.timezone, now))
    return "• " + " · ".join(part for part in parts if part)


def _where(line: EscalationLine) -> str:
    return foreign(line.address_line, NAME_LIMIT) or foreign(line.tracking, NAME_LIMIT) or "address unknown"


def _progress(line: EscalationLine, timezone: str, now: datetime) -> str:
    if line.status.is_closed:
        return _closed_words(line, timezone, now)
    if line.eta_at is None:
        return "no ETA"
    age = f" ({duration_words(line.eta_age)} old)" if line.eta_age else ""
    return f"ETA {moment(line.eta_at, timezone, now)}{age}"


def _closed_words(line: EscalationLine, timezone: str, now: datetime) -> str:
    words = CLOSED_WORDS[line.status]
    if line.completed_at is None:
        return words
    words += f" {moment(line.completed_at, timezone, now)}"
    if line.status is not StopStatus.DELIVERED or line.window is None:
        return words
    return f"{words}, {_punctuality(line.completed_at, line.window)}"


def _punctuality(completed_at: datetime, window: DeliveryWindow) -> str:
    # The window is half open: an arrival exactly at its end is late.
    if completed_at >= window.end_at:
        return f"{duration_words(completed_at - window.end_at)} late"
    return "in time" if completed_at >= window.start_at else "before the window"


def _reach(line: EscalationLine) -> str:
    name, phone = foreign(line.recipient_name, NAME_LIMIT), foreign(line.recipient_phone or "", NAME_LIMIT)
    return f"reach {name} at {phone}" if name and phone else (f"reach them at {phone}" if phone else name)


def _last_words(line: EscalationLine, timezone: str, now: datetime) -> str:
    words = foreign(line.last_words, WORDS_LIMIT)
    if not words:
        return ""
    at = f", {moment(line.last_words_at, timezone, now)}" if line.last_words_at else ""
    return f'recipient{at}: "{words}"'


# --- buttons and footer -----------------------------------------------------------------------------


def _buttons(view: EscalationView) -> list[ButtonElement]:
    if view.state is EscalationState.RESOLVED:
        return []
    resolve = _button("Resolve", DispatcherVerb.RESOLVE, view)
    if view.state is EscalationState.ACKNOWLEDGED:
        return [resolve]
    return [_button("Acknowledge", DispatcherVerb.ACKNOWLEDGE, view, style="primary"), resolve]


def _button(
    label: str, verb: DispatcherVerb, view: EscalationView, style: str | None = None
) -> ButtonElement:
    return ButtonElement(text=label, action_id=verb.value, value=view.escalation_id, style=style)


def _footer(view: EscalationView, now: datetime) -> str:
    parts = []
    if view.next_step and view.state is not EscalationState.RESOLVED:
        at = f" at {moment(view.next_step_at, view.timezone, now)}" if view.next_step_at else ""
        parts.append(f"Next: {quiet(view.next_step)}{at}")
    if view.tracking_url:
        parts.append(f"<{quote(view.tracking_url, safe=':/?#[]@!$()*+,;=%~')}|Tracking page>")
    return " · ".join(parts)


def quiet(text: str) -> str:
    """Our own words from the protocol, with mentions spelt out: announcing a page must not be the page."""
    return foreign(without_mentions(text), SENTENCE_LIMIT)


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=_text(text))


def _text(text: str) -> MarkdownTextObject:
    # verbatim: Slack must not turn a recipient's "@here" or "#north" into a mention or a channel link.
    return MarkdownTextObject(text=text, verbatim=True)


# --- history in the thread ----------------------------------------------------------------------------


def thread_line(kind: Happening, facts: HappeningFacts, now: datetime) -> str:
    """One line of the escalation's history. Slack shows the time of the line itself."""
    line = _HISTORY[kind](facts, now)
    return line[:1].upper() + line[1:] if not line.startswith("<") else line


def _who(facts: HappeningFacts) -> str:
    return mention(facts.dispatcher) if facts.dispatcher else "Doorline"


def _acknowledged(facts: HappeningFacts, now: datetime) -> str:
    until = f", until {moment(facts.until, facts.timezone, now)}" if facts.until else ""
    return f"{_who(facts)} has it{until}."


def _withdrawn(facts: HappeningFacts, now: datetime) -> str:
    return f"{_who(facts)} let go of it. It is open again."


def _ran_out(facts: HappeningFacts, now: datetime) -> str:
    at = f" at {moment(facts.until, facts.timezone, now)}" if facts.until else ""
    return f"The acknowledgement ran out{at}. It is open again."


def _resolved(facts: HappeningFacts, now: datetime) -> str:
    outcome = sentence(foreign(facts.words, SENTENCE_LIMIT))
    first = f"{_who(facts)} resolved it." if facts.dispatcher else "Resolved by itself."
    return f"{first} {outcome}".strip()


def _step_fired(facts: HappeningFacts, now: datetime) -> str:
    step = f", so Doorline {quiet(facts.words)}" if facts.words else ""
    return sentence(f"Nobody has taken this yet{step}")


def _breached(facts: HappeningFacts, now: datetime) -> str:
    window = facts.window
    ended = f", the window ended at {moment(window.end_at, facts.timezone, now)}" if window else ""
    return f"{_subject(facts)}breached{ended}."


def _eta_changed(facts: HappeningFacts, now: datetime) -> str:
    eta = f"ETA now {moment(facts.eta_at, facts.timezone, now)}" if facts.eta_at else "the ETA is gone"
    was = f", was {moment(facts.earlier_eta_at, facts.timezone, now)}" if facts.earlier_eta_at else ""
    return f"{_subject(facts)}{eta}{was}."


def _stop_joined(facts: HappeningFacts, now: datetime) -> str:
    parts = ["joined this escalation"]
    if facts.window:
        parts.append(f"window {window_words(facts.window, facts.timezone, now)}")
    if facts.eta_at:
        parts.append(f"ETA {moment(facts.eta_at, facts.timezone, now)}")
    return f"{_subject(facts)}{', '.join(parts)}."


def _stop_left(facts: HappeningFacts, now: datetime) -> str:
    return f"{_subject(facts)}back on time."


def _delivered(facts: HappeningFacts, now: datetime) -> str:
    if facts.completed_at is None:
        return f"{_subject(facts)}delivered."
    late = f", {_punctuality(facts.completed_at, facts.window)}" if facts.window else ""
    return f"{_subject(facts)}delivered {moment(facts.completed_at, facts.timezone, now)}{late}."


def _failed(facts: HappeningFacts, now: datetime) -> str:
    reason = f", {foreign(facts.words, WORDS_LIMIT)}" if facts.words else ""
    return sentence(f"{_subject(facts)}delivery failed{reason}")


def _recipient_wrote(facts: HappeningFacts, now: datetime) -> str:
    return f'{_subject(facts)}recipient wrote "{foreign(facts.words, WORDS_LIMIT)}"'


def _subject(facts: HappeningFacts) -> str:
    address = foreign(facts.address_line, NAME_LIMIT)
    return f"{address}: " if address else ""


_HISTORY = {
    Happening.ACKNOWLEDGED: _acknowledged,
    Happening.WITHDRAWN: _withdrawn,
    Happening.RAN_OUT: _ran_out,
    Happening.RESOLVED: _resolved,
    Happening.STEP_FIRED: _step_fired,
    Happening.BREACHED: _breached,
    Happening.ETA_CHANGED: _eta_changed,
    Happening.STOP_JOINED: _stop_joined,
    Happening.STOP_LEFT: _stop_left,
    Happening.DELIVERED: _delivered,
    Happening.FAILED: _failed,
    Happening.RECIPIENT_WROTE: _recipient_wrote,
}


# --- answers that only one dispatcher sees ---------------------------------------------------------------


def quiet_text(refusal: Refusal, holder: str | None = None) -> str:
    """Why a gesture changed nothing. `holder` is the Slack id of whoever has the escalation."""
    has_it = f"{mention(holder)} has it" if holder else "Somebody has it"
    return {
        Refusal.ALREADY_HELD: f"{has_it} already.",
        Refusal.RESOLVED: "This one is resolved.",
        Refusal.NOT_A_DISPATCHER: "You are not on the list of dispatchers who may acknowledge.",
        Refusal.NOT_YOURS: f"{has_it}, so it stays as it is.",
        Refusal.NOTHING_TO_WITHDRAW: "Nobody has this one, so there is nothing to let go of.",
    }[refusal]
