"""The first lines of an escalation's message: what it is, who has it, why, and what is known of the driver. Pure."""

from datetime import datetime, timedelta

from connectors.escalation import EscalationState, EscalationView, Severity
from connectors.slack.cause_words import LATE, SEVERITIES, cause_words
from connectors.slack.mrkdwn import duration_words, foreign, mention, moment, quoted, sentence
from connectors.slack.stop_lines import NAME_LIMIT, WORDS_LIMIT, closed_words, count_of

SENTENCE_LIMIT = 240

SIGNS = {
    EscalationState.RAISED: ":red_circle:",
    EscalationState.ACKNOWLEDGED: ":large_yellow_circle:",
    EscalationState.SNOOZED: ":zzz:",
    EscalationState.RESOLVED: ":white_check_mark:",
}


def opening(view: EscalationView, now: datetime) -> list[str]:
    parts = place(view)
    if view.exposure_usd and view.state is not EscalationState.RESOLVED:
        parts.append(f"${view.exposure_usd:,} exposed")
    severity = severity_words(view)
    if view.state is EscalationState.RAISED:
        lines = [" · ".join([f"{SIGNS[view.state]} *{severity}*", *parts])]
    else:
        question = ". *Cause?*" if view.causes_asked else ""
        first = f"{SIGNS[view.state]} {state_words(view, now, ' · ')}{question}"
        lines = [first, " · ".join([severity, *parts])]
    if view.state is not EscalationState.RESOLVED:
        lines += [_reason(view, now), asks(view, "*"), *_waiting_person(view, now)]
    lines += [_cause_line(view)]
    return [line for line in lines if line]


def severity_words(view: EscalationView) -> str:
    if view.severity is Severity.RECIPIENT_WAITING:
        return f"{view.waiting.value.capitalize()} waiting"
    return SEVERITIES[view.severity]


def place(view: EscalationView) -> list[str]:
    parts = [foreign(view.zone, NAME_LIMIT), foreign(view.client, NAME_LIMIT)]
    count = count_of(view)
    if count:
        parts.append("1 stop" if count == 1 else f"{count} stops")
    return [part for part in parts if part]


def person_words(view: EscalationView, dispatcher: str) -> str:
    """A mention, or the name of somebody who is not in Slack."""
    if dispatcher in view.names:
        return foreign(view.names[dispatcher], NAME_LIMIT)
    return "Somebody" if dispatcher.startswith("person:") else mention(dispatcher)


def state_words(view: EscalationView, now: datetime, joint: str = " ") -> str:
    if view.state is EscalationState.RESOLVED:
        return _ending(view, now)
    if view.state is EscalationState.SNOOZED:
        return _snoozed(view, now, joint)
    until = view.acknowledged_until
    until_words = f"{joint}until {moment(until, view.timezone, now)}" if until else ""
    holder = person_words(view, view.acknowledged_by) if view.acknowledged_by else "Somebody"
    silence = f"{',' if joint == ' ' else ' ·'} the bot is silent" if is_handoff(view) else ""
    return f"{holder} has it{silence}{until_words}"


def _snoozed(view: EscalationView, now: datetime, joint: str) -> str:
    until = view.snoozed_until or view.acknowledged_until
    until_words = f"{joint}until {moment(until, view.timezone, now)}" if until else ""
    by = f"{joint}by {person_words(view, view.snoozed_by)}" if view.snoozed_by else ""
    return f"Snoozed{until_words}{by}"


def _ending(view: EscalationView, now: datetime) -> str:
    if view.is_noise:
        by = f" · {person_words(view, view.resolved_by)}" if view.resolved_by else ""
        return f"Marked as noise{by}"
    outcome = foreign(view.outcome, SENTENCE_LIMIT).rstrip(".")
    if not outcome and count_of(view) == 1 and view.lines and view.lines[0].status.is_closed:
        outcome = closed_words(view.lines[0], view.timezone, now)
        outcome = outcome[:1].upper() + outcome[1:]
    if not view.resolved_by:
        return outcome or "Resolved"
    resolver = person_words(view, view.resolved_by)
    return f"{outcome} · resolved by {resolver}" if outcome else f"Resolved by {resolver}"


def _cause_line(view: EscalationView) -> str:
    """Once it is over: why, where that is known."""
    if view.state is not EscalationState.RESOLVED or view.is_noise or view.causes_asked:
        return ""
    cause = f"Cause: {cause_words(view.root_cause)}" if view.root_cause else ""
    exclusion = foreign(view.exclusion.replace("_", " "), NAME_LIMIT)
    excluded = f"does not count ({exclusion})" if exclusion else ""
    words = " · ".join(part for part in (cause, excluded) if part)
    return words[:1].upper() + words[1:]


def _reason(view: EscalationView, now: datetime) -> str:
    driver, behind = foreign(view.driver_name, NAME_LIMIT), foreign(view.driver_behind, WORDS_LIMIT)
    about_driver = f"{driver} is {behind}" if driver and behind else behind
    if driver and not behind:
        about_driver = f"Driver: {driver}"
    said = driver_said(view, now)
    if said:
        about_driver = f"{about_driver} ({said})" if about_driver else f"The driver: {said}"
    why = sentence(foreign(view.why, SENTENCE_LIMIT))
    return f"{why} {sentence(about_driver)}".strip()


def driver_said(view: EscalationView, now: datetime) -> str:
    """`traffic, 20 min, texted 3:31 pm`, or that an answer is awaited; empty when nobody asked."""
    if view.severity not in LATE:
        return ""
    if view.driver_texted_at is None:
        return f"asked {moment(view.driver_asked_at, view.timezone, now)}" if view.driver_asked_at else ""
    minutes = view.driver_minutes
    # 0 minutes: the driver says that it is on time.
    cause = cause_words(view.root_cause) if view.root_cause and minutes != 0 else ""
    parts = [
        "on time" if minutes == 0 else cause,
        f"{minutes} min" if minutes else "",
        f"texted {moment(view.driver_texted_at, view.timezone, now)}",
    ]
    return ", ".join(part for part in parts if part)


def is_handoff(view: EscalationView) -> bool:
    """Whoever holds it speaks instead of the bot. A request that waits for a decision leaves the bot talking."""
    return view.severity is Severity.RECIPIENT_WAITING and view.can_reply and not view.decision


def asks(view: EscalationView, mark: str = "") -> str:
    decision = foreign(view.decision, SENTENCE_LIMIT)
    return f"{mark}Asks:{mark} {sentence(decision)}" if decision else ""


def cry(view: EscalationView) -> str:
    """What somebody who waits wrote last: the notification on a phone shows little else."""
    is_waiting = view.severity is Severity.RECIPIENT_WAITING and bool(view.lines)
    words = foreign(view.lines[0].last_words, WORDS_LIMIT) if is_waiting else ""
    return f'"{words}"' if words else ""


def delayed(view: EscalationView, now: datetime) -> str:
    """Slack took this state late: told with it, so that nobody takes it for fresh."""
    if view.delayed_since is None:
        return ""
    return f"Slack took this {duration_words(max(now - view.delayed_since, timedelta(0)))} late"


def pointer(view: EscalationView) -> str:
    """All that stands in a channel from which it was handed over."""
    where = foreign(view.moved_to, NAME_LIMIT)
    return " · ".join([f":arrow_right: Handed over to {where}", severity_words(view), *place(view)])


def _waiting_person(view: EscalationView, now: datetime) -> list[str]:
    """Who waits, how to reach them, since when, and their words."""
    if view.severity is not Severity.RECIPIENT_WAITING or not view.lines:
        return []
    line = view.lines[0]
    name, phone = foreign(line.person_name, NAME_LIMIT), foreign(line.person_phone or "", NAME_LIMIT)
    who = f"{name} ({phone})" if name and phone else name or phone
    words = quoted(line.last_words, SENTENCE_LIMIT)
    if not words:
        return [f"Waiting: {who}"] if who else []
    at = f" at {moment(line.last_words_at, view.timezone, now)}" if line.last_words_at else ""
    return [f"{who or f'The {view.waiting.value}'} wrote{at}:", words]
