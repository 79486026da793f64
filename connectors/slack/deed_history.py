"""Lines of an escalation's history that tell what was done about it, and who was texted or called. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connectors.escalation import Happening, HappeningFacts
from connectors.slack.cause_words import cause_words
from connectors.slack.desk_words import reason_words
from connectors.slack.mrkdwn import duration_words, foreign, mention, moment, quoted, sentence, window_words

NAME_LIMIT = 60
LINE_LIMIT = 300
SENTENCE_LIMIT = 240

Telling = Callable[[HappeningFacts, datetime], str]

UNREACHABLE = {
    "no_phone": "the platform has no number of theirs",
    "opted_out": "they asked for no more texts. Call them",
    "undeliverable": "the carrier cannot deliver to that number. Call them",
}

MESSAGES = {
    "running_late": "that it runs late",
    "on_its_way": "that it is on its way",
    "not_today": "that it does not come today",
    "window_moved": "of the new window",
}
"""What recipients were told; their own words are shown as they are."""

CALLS = {
    "acknowledged": "pressed 1: they have it",
    "no_answer": "did not answer",
    "busy": "was busy",
    "failed": "could not be called",
    "hung_up": "hung up",
    "voicemail": "was away: voicemail answered",
    "stopped": "was let go: somebody has it",
}


def who(facts: HappeningFacts) -> str:
    if facts.dispatcher and facts.dispatcher.startswith("person:"):
        return foreign(facts.person, NAME_LIMIT) or "Somebody"
    return mention(facts.dispatcher) if facts.dispatcher else "Doorline"


def subject(facts: HappeningFacts) -> str:
    address = foreign(facts.address_line, NAME_LIMIT)
    return f"{address}: " if address else ""


def _person(facts: HappeningFacts) -> str:
    return foreign(facts.person, NAME_LIMIT) or "Somebody"


def _until(facts: HappeningFacts, now: datetime, joint: str = " until ") -> str:
    return f"{joint}{moment(facts.until, facts.timezone, now)}" if facts.until else ""


def _snoozed(facts: HappeningFacts, now: datetime) -> str:
    return f"{who(facts)} snoozed it{_until(facts, now)}."


def _snooze_over(facts: HappeningFacts, now: datetime) -> str:
    return "The snooze is over. It is open again."


def _reassigned(facts: HappeningFacts, now: datetime) -> str:
    to = foreign(facts.words, NAME_LIMIT) or "another driver"
    return f"{subject(facts)}{who(facts)} gave it to {to}. The platform has it."


def _driver_asked(facts: HappeningFacts, now: datetime) -> str:
    words = quoted(facts.words, LINE_LIMIT)
    return f"{who(facts)} texted the driver:\n{words}" if words else f"{who(facts)} texted the driver."


def _driver_answered(facts: HappeningFacts, now: datetime) -> str:
    return _driver_said(facts, "answered")


def _driver_wrote(facts: HappeningFacts, now: datetime) -> str:
    return _driver_said(facts, "wrote")


def _driver_reported(facts: HappeningFacts, now: datetime) -> str:
    return subject(facts) + _driver_said(facts, "could not deliver")


def _driver_said(facts: HappeningFacts, did: str) -> str:
    minutes = f"{facts.minutes} min" if facts.minutes else ""
    read = ", ".join(p for p in (cause_words(facts.root_cause) if facts.root_cause else "", minutes) if p)
    words = foreign(facts.words, LINE_LIMIT)
    told = f'"{words}"' if words else ""
    name = foreign(facts.person, NAME_LIMIT) or "The driver"
    if not read:
        return f"{name} {did}: {told}" if told else f"{name} {did}."
    return f"{name} {did}: {read}" + (f" ({told})" if told else "")


def _driver_unreachable(facts: HappeningFacts, now: datetime) -> str:
    why = UNREACHABLE.get(facts.words) or foreign(facts.words.replace("_", " "), SENTENCE_LIMIT)
    return sentence(f"The text did not reach the driver{f': {why}' if why else ''}")


def _recipient_told(facts: HappeningFacts, now: datetime) -> str:
    whom = f"{facts.stops} recipients" if facts.stops > 1 else "the recipient"
    if what := MESSAGES.get(facts.message, ""):
        return f"{subject(facts)}{who(facts)} had {whom} told {what}."
    words = quoted(facts.words, LINE_LIMIT)
    return f"{subject(facts)}{who(facts)} wrote to {whom}" + (f":\n{words}" if words else ".")


def _window_moved(facts: HappeningFacts, now: datetime) -> str:
    window = f" to {window_words(facts.window, facts.timezone, now)}" if facts.window else ""
    return f"{subject(facts)}{who(facts)} moved the window{window}. The platform has it."


def _handed_over(facts: HappeningFacts, now: datetime) -> str:
    zone = foreign(facts.words, NAME_LIMIT) or "another zone"
    return f"{who(facts)} handed it over to {zone}."


def _merged(facts: HappeningFacts, now: datetime) -> str:
    other = foreign(facts.words, SENTENCE_LIMIT)
    by = f"{who(facts)} put it together" if facts.dispatcher else "Put together"
    return f"{by}{f' with: {other}' if other else ''}".rstrip(".") + "."


def _noise(facts: HappeningFacts, now: datetime) -> str:
    return f"{who(facts)} marked it as noise. It is counted in the weekly digest."


def _texted(facts: HappeningFacts, now: datetime) -> str:
    return f"{_person(facts)} was texted."


def _called(facts: HappeningFacts, now: datetime) -> str:
    return f"{_person(facts)} is being called."


def _call_over(facts: HappeningFacts, now: datetime) -> str:
    how = CALLS.get(facts.words) or foreign(facts.words.replace("_", " "), SENTENCE_LIMIT)
    return sentence(f"{_person(facts)} {how}".strip())


def _page_failed(facts: HappeningFacts, now: datetime) -> str:
    why = {
        "no_phone": "there is no number",
        "undeliverable": "the number does not work",
        "refused": "refused",
    }
    words = why.get(facts.words) or foreign(facts.words.replace("_", " "), SENTENCE_LIMIT)
    return sentence(f"{_person(facts)} could not be reached{f': {words}' if words else ''}")


def _nobody_on_call(facts: HappeningFacts, now: datetime) -> str:
    return "Nobody is on call for it now, so nobody was called."


def _step_deferred(facts: HappeningFacts, now: datetime) -> str:
    return f"The next step waits for its hours{_until(facts, now, ', ')}."


def _started_again(facts: HappeningFacts, now: datetime) -> str:
    times = foreign(facts.words, NAME_LIMIT)
    return f"Nobody has it: the steps begin again{f' ({times})' if times else ''}."


def _delayed(facts: HappeningFacts, now: datetime) -> str:
    if facts.until is None:
        return "Slack took this late."
    late = duration_words(max(now - facts.until, timedelta(0)))
    return f"Slack took this {late} late; it happened at {moment(facts.until, facts.timezone, now)}."


def _not_done(facts: HappeningFacts, now: datetime) -> str:
    why = reason_words((facts.words,)) if facts.words else ""
    return sentence(f"{subject(facts)}not done, what {who(facts)} asked for{f': {why}' if why else ''}")


def _noted(facts: HappeningFacts, now: datetime) -> str:
    words = quoted(facts.words, LINE_LIMIT)
    return f"{who(facts)} noted:\n{words}" if words else f"{who(facts)} noted it."


def _cause_named(facts: HappeningFacts, now: datetime) -> str:
    cause = cause_words(facts.root_cause) if facts.root_cause else "not said"
    code = foreign(facts.words.replace("_", " "), NAME_LIMIT)
    return f"{who(facts)} named the cause: {cause}{f'; it does not count ({code})' if code else ''}."


DEEDS: Mapping[Happening, Telling] = {
    Happening.SNOOZED: _snoozed,
    Happening.SNOOZE_OVER: _snooze_over,
    Happening.REASSIGNED: _reassigned,
    Happening.DRIVER_ASKED: _driver_asked,
    Happening.DRIVER_ANSWERED: _driver_answered,
    Happening.DRIVER_WROTE: _driver_wrote,
    Happening.DRIVER_REPORTED: _driver_reported,
    Happening.DRIVER_UNREACHABLE: _driver_unreachable,
    Happening.RECIPIENT_TOLD: _recipient_told,
    Happening.WINDOW_MOVED: _window_moved,
    Happening.HANDED_OVER: _handed_over,
    Happening.MERGED: _merged,
    Happening.NOISE: _noise,
    Happening.TEXTED: _texted,
    Happening.CALLED: _called,
    Happening.CALL_OVER: _call_over,
    Happening.PAGE_FAILED: _page_failed,
    Happening.NOBODY_ON_CALL: _nobody_on_call,
    Happening.STEP_DEFERRED: _step_deferred,
    Happening.STARTED_AGAIN: _started_again,
    Happening.DELAYED: _delayed,
    Happening.NOT_DONE: _not_done,
    Happening.NOTED: _noted,
    Happening.CAUSE_NAMED: _cause_named,
}
