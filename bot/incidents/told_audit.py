"""Pure: lines of the audit log, as lines of the timeline."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from bot.audit import AuditLine
from bot.incidents.entries import Entry, Source
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names, private
from bot.incidents.told_recovery import is_of_recovery

Details = Mapping[str, Any]
Words = Callable[[Details, Names], str]

NOT_FOR_CLIENTS = frozenset(
    {
        ("promise_incident", "note_written"),
        ("escalation", "merged_from"),
        ("escalation", "holder_reminded"),
        ("stop", "changed_on_the_road"),
    }
)


def told_audit(evidence: Evidence, names: Names) -> Iterator[Entry]:
    """Without what the escalation's own history tells at the same instant, and more fully."""
    in_thread = {(str(note.escalation_id), note.kind.value, note.created_at) for note in evidence.notes}
    for line in evidence.audit:
        subject = (line.subject_kind, line.verb)
        if line.subject_kind == "escalation" and (line.subject_id, line.verb, line.at) in in_thread:
            continue
        if names.for_client and subject in NOT_FOR_CLIENTS:
            continue
        if _is_about_another_stop(line, evidence) or is_of_recovery(line):
            continue
        what = _what(line, names)
        yield Entry(line.at, _who(line, names), what, Source.AUDIT, (line.id or 0, ""))


def _is_about_another_stop(line: AuditLine, evidence: Evidence) -> bool:
    stop_id = line.details.get("stop_id")
    own = evidence.incident.stop_id
    return stop_id is not None and own is not None and stop_id != str(own)


def _who(line: AuditLine, names: Names) -> str:
    if line.subject_kind == "incident" and line.verb == "opened":
        return "Recipient"
    return names.who(line.actor)


def _what(line: AuditLine, names: Names) -> str:
    telling = _WHAT.get((line.subject_kind, line.verb))
    if telling is None:
        return f"{_spoken(line.subject_kind).capitalize()}: {_spoken(line.verb)}"
    return telling(line.details, names) if callable(telling) else telling


def _because(details: Details) -> str:
    why = private(str(details.get("why", "")))
    return f": {why}" if why else ""


def _cause(details: Details) -> str:
    return _spoken(str(details.get("cause") or details.get("root_cause") or "not said"))


def _owner(details: Details, names: Names) -> str:
    due = details.get("due_on")
    by = f", due {_day(str(due))}" if due else ""
    return f"{names.person(str(details.get('owner', '')))}{by}"


def _day(written: str) -> str:
    day = date.fromisoformat(written)
    return f"{day:%b} {day.day}"


_RAISED = {
    "at_risk": "the stop was at risk",
    "breached": "the window was over",
    "failed": "the delivery failed",
    "recipient_waiting": "the recipient waited for a person",
    "platform_silent": "a platform was silent",
}

_WHAT: dict[tuple[str, str], str | Words] = {
    ("stop", "at_risk"): lambda details, _: f"At risk{_because(details)}",
    ("stop", "breached"): lambda details, _: f"Late{_because(details)}",
    ("stop", "on_track"): "On track again",
    ("stop", "request_carried_out"): lambda details, _: (
        f"Carried out what was asked for: {_spoken(str(details.get('kind', '')))}"
    ),
    ("stop", "changed_on_the_road"): lambda details, _: (
        f"Changed while the route was out: {_spoken(str(details.get('change', '')))}"
    ),
    ("escalation", "raised"): lambda details, _: (
        "Told dispatchers: " + _RAISED.get(str(details.get("severity")), "somebody is needed")
    ),
    ("escalation", "breached"): "Told dispatchers: the window was over",
    ("escalation", "mentioned"): "Called the dispatchers by name",
    ("escalation", "cause_set"): lambda details, _: f"Root cause: {_cause(details)}",
    ("escalation", "replied"): "Wrote to the recipient",
    ("escalation", "merged_from"): "Another escalation was merged into this one",
    ("request", "asked"): lambda details, _: f"Asked for: {_spoken(str(details.get('kind', '')))}",
    ("request", "approved"): "Approved what was asked for",
    ("request", "declined"): "Declined what was asked for",
    ("request", "expired"): "What was asked for became moot",
    ("incident", "opened"): lambda details, _: (
        f"Reported the parcel as {_spoken(str(details.get('kind', 'not right')))}"
    ),
    ("incident", "closed"): "The recipient's report was dealt with",
    ("promise_incident", "opened"): lambda details, _: (
        f"Incident opened: {_spoken(str(details.get('kind', '')))}"
    ),
    ("promise_incident", "changed"): lambda details, _: (
        f"The incident is now a {_spoken(str(details.get('kind', '')))}"
    ),
    ("promise_incident", "confirmed"): "The promise was really broken: the incident counts",
    ("promise_incident", "withdrawn"): "It was no broken promise after all: incident withdrawn",
    ("promise_incident", "opened_again"): "Incident opened again",
    ("promise_incident", "cause_said"): lambda details, _: f"Root cause: {_cause(details)}",
    ("promise_incident", "exclusion_said"): lambda details, _: (
        f"Does not count: {_spoken(str(details['exclusion']))}" if details.get("exclusion") else "It counts"
    ),
    ("promise_incident", "note_written"): "Wrote a note",
    ("promise_incident", "closed"): "Incident closed",
    ("promise_incident", "follow_up_planned"): lambda details, names: (
        f"Follow-up planned for {_owner(details, names)}"
    ),
    ("promise_incident", "follow_up_moved"): lambda details, names: (
        f"Follow-up is now for {_owner(details, names)}"
    ),
    ("promise_incident", "follow_up_done"): "Follow-up done",
    ("promise_incident", "follow_up_undone"): "Follow-up is to be done after all",
    ("promise_incident", "follow_up_reminded"): lambda details, names: (
        f"Reminded {names.person(str(details.get('owner', '')))} of a follow-up"
    ),
}


def _spoken(word: str) -> str:
    return word.replace("_", " ")
