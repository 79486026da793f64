"""Pure: dispatchers by name, and in a few words what happens next if nobody takes an escalation."""

from collections.abc import Mapping, Sequence

from bot.escalations.models import Escalation, EscalationStep
from bot.oncall.people import PERSON, OnCallPerson
from bot.sop import Protocol
from bot.sop_escalations import TierKind
from bot.sop_oncall import Person

VERBS = {TierKind.MENTION: "mentions", TierKind.SMS: "texts", TierKind.CALL: "calls"}


def name_of(dispatcher: str | None, people: Mapping[str, Person]) -> str:
    """Of somebody who has no Slack account; empty for others."""
    if dispatcher is None or not dispatcher.startswith(PERSON):
        return ""
    person = people.get(dispatcher.removeprefix(PERSON))
    return person.name if person is not None else ""


def names_of(escalation: Escalation, people: Mapping[str, Person]) -> dict[str, str]:
    """`person:KEY` to name, of those whom its message names."""
    named = (escalation.acknowledged_by, escalation.snoozed_by, escalation.resolved_by)
    found = {dispatcher: name_of(dispatcher, people) for dispatcher in named if dispatcher}
    return {dispatcher: name for dispatcher, name in found.items() if name}


def next_words(step: EscalationStep, line: Sequence[OnCallPerson], protocol: Protocol) -> str:
    """`calls Dana`, `mentions <!here>`; empty for a step that only posts."""
    verb = VERBS.get(step.kind)
    if verb is None:
        return ""
    if step.person:
        person = protocol.people.get(step.person)
        return f"{verb} {person.name}" if person is not None else f"{verb} {step.person}"
    if step.place < len(line):
        return f"{verb} {line[step.place].name}"
    if step.kind is TierKind.MENTION:
        return f"{verb} {protocol.escalations.mention}"
    return f"{verb} whoever is on call"
