"""What dispatchers read beside the message itself: its history in the thread, and what only one of them sees. Pure."""

from datetime import datetime
from enum import StrEnum

from connectors.escalation import Happening, HappeningFacts, Refusal
from connectors.slack.cause_words import cause_words
from connectors.slack.deed_history import DEEDS
from connectors.slack.deed_history import subject as _subject
from connectors.slack.deed_history import who as _who
from connectors.slack.desk_words import reason_words
from connectors.slack.modal import WORDS_LIMIT
from connectors.slack.mrkdwn import (
    foreign,
    link,
    mention,
    moment,
    punctuality,
    quiet,
    quoted,
    sentence,
    window_words,
)

NAME_LIMIT = 60
SHORT_WORDS_LIMIT = 140
LINE_LIMIT = 300
SENTENCE_LIMIT = 240
TRANSCRIPT_LINES = 20


# --- history in the thread ----------------------------------------------------------------------------


def thread_line(kind: Happening, facts: HappeningFacts, now: datetime) -> str:
    """One line of the escalation's history. Slack shows the time of the line itself."""
    line = _HISTORY[kind](facts, now)
    return line[:1].upper() + line[1:] if not line.startswith("<") else line


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
    cause = f"Cause: {cause_words(facts.root_cause)}." if facts.root_cause else ""
    return " ".join(part for part in (first, outcome, cause) if part)


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
    late = f", {punctuality(facts.completed_at, facts.window)}" if facts.window else ""
    return f"{_subject(facts)}delivered {moment(facts.completed_at, facts.timezone, now)}{late}."


def _failed(facts: HappeningFacts, now: datetime) -> str:
    reason = f", {foreign(facts.words, SHORT_WORDS_LIMIT)}" if facts.words else ""
    return sentence(f"{_subject(facts)}delivery failed{reason}")


def _recipient_wrote(facts: HappeningFacts, now: datetime) -> str:
    who = foreign(facts.person, SHORT_WORDS_LIMIT) or "recipient"
    return f'{_subject(facts)}{who} wrote "{foreign(facts.words, LINE_LIMIT)}"'


def _transcript(facts: HappeningFacts, now: datetime) -> str:
    lines = [foreign(line, LINE_LIMIT) for line in facts.words.splitlines()[-TRANSCRIPT_LINES:]]
    shown = [f"> {line}" for line in lines if line]
    return "\n".join(["The conversation so far:", *shown]) if shown else "Nothing was said before this."


def _replied(facts: HappeningFacts, now: datetime) -> str:
    words = quoted(facts.words, WORDS_LIMIT)
    return (
        f"{_who(facts)} wrote to the recipient:\n{words}"
        if words
        else f"{_who(facts)} wrote to the recipient."
    )


def _reply_not_sent(facts: HappeningFacts, now: datetime) -> str:
    why = _NOT_SENT.get(facts.words, "")
    if not why and facts.words:
        why = foreign(facts.words, SENTENCE_LIMIT)
    whose = f"the words of {_who(facts)}" if facts.dispatcher else "the last message"
    return sentence(f"{_subject(facts)}{whose} did not reach the recipient{f': {why}' if why else ''}")


_NOT_SENT = {
    "opted_out": "they asked for no more messages. Only a call can reach them",
    "undeliverable": "the carrier cannot deliver to this address. Try a call",
    "no_phone": "there is no number of theirs",
}


def _approved(facts: HappeningFacts, now: datetime) -> str:
    return f"{_who(facts)} approved it. {sentence(foreign(facts.words, SENTENCE_LIMIT))}".strip()


def _not_carried_out(facts: HappeningFacts, now: datetime) -> str:
    why = foreign(facts.words, SENTENCE_LIMIT) or "The platform did not do it"
    return f"{_who(facts)} approved it. {sentence(why)} It is still to be decided."


def _declined(facts: HappeningFacts, now: datetime) -> str:
    return f"{_who(facts)} declined it. {sentence(foreign(facts.words, SENTENCE_LIMIT))}".strip()


def _told_still_waiting(facts: HappeningFacts, now: datetime) -> str:
    by = f", with an answer by {moment(facts.until, facts.timezone, now)}" if facts.until else ""
    return f"Nobody took it in time. The recipient was told that it takes longer{by}."


def _photo_came(facts: HappeningFacts, now: datetime) -> str:
    is_link = facts.words.startswith(("https://", "http://"))
    where = f" {link(facts.words, 'Look at it')}" if is_link else ""
    return f"{_subject(facts)}the recipient sent a photo.{where}"


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
    Happening.TRANSCRIPT: _transcript,
    Happening.REPLIED: _replied,
    Happening.REPLY_NOT_SENT: _reply_not_sent,
    Happening.APPROVED: _approved,
    Happening.NOT_CARRIED_OUT: _not_carried_out,
    Happening.DECLINED: _declined,
    Happening.TOLD_STILL_WAITING: _told_still_waiting,
    Happening.PHOTO_CAME: _photo_came,
    **DEEDS,
}


def not_done_text(code: str, address_line: str = "") -> str:
    """To whom asked for it: the platform said no, or what is asked for cannot be done there."""
    why = reason_words((code,)) if code else ""
    where = foreign(address_line, NAME_LIMIT)
    return sentence(f"Not done{f' for {where}' if where else ''}{f': {why}' if why else ''}")


# --- answers that only one dispatcher sees ---------------------------------------------------------------


def quiet_text(refusal: Refusal, holder: str | None = None, unsent: str = "") -> str:
    """Why a gesture changed nothing. `holder` is the Slack id of whoever has the escalation or decided.

    `unsent` are the words of a refused reply: they are handed back, or the dispatcher would write them again.
    """
    is_named = bool(holder) and not str(holder).startswith("person:")
    has_it = f"{mention(holder or '')} has it" if is_named else "Somebody has it"
    decided = (
        f"{mention(holder or '')} has decided this already." if is_named else "This has been decided already."
    )
    text = {
        Refusal.ALREADY_HELD: f"{has_it} already.",
        Refusal.RESOLVED: "This one is resolved.",
        Refusal.NOT_A_DISPATCHER: "You are not on the list of dispatchers, so nothing was changed.",
        Refusal.NOT_YOURS: f"{has_it}, so it stays as it is.",
        Refusal.NOTHING_TO_WITHDRAW: "Nobody has this one, so there is nothing to let go of.",
        Refusal.NOTHING_TO_DECIDE: "There is nothing to decide here.",
        Refusal.ALREADY_DECIDED: decided,
        Refusal.NOBODY_TO_REPLY_TO: "Nobody waits for an answer on this one, so nothing was sent.",
        Refusal.OPTED_OUT: "They asked for no more messages, so nothing was sent. Only a call can reach them.",
        Refusal.REACTION_NOT_ENOUGH: (
            "By now a reaction is not enough to take this one. Press Acknowledge, or answer the text or the call."
        ),
        Refusal.NOT_POSSIBLE: "That is not possible for this one, so nothing was changed.",
    }[refusal]
    words = quoted(unsent, WORDS_LIMIT)
    return f"{text}\nYour words, not sent:\n{words}" if words else text


class Hint(StrEnum):
    """What the edge itself explains to one dispatcher, right after the gesture."""

    NO_WORDS = "no_words"
    TOO_LONG = "too_long"
    QUOTED = "quoted"
    FILES_STAY = "files_stay"
    STAYS_RESOLVED = "stays_resolved"
    WINDOW_FAILED = "window_failed"
    DEED_WINDOW_FAILED = "deed_window_failed"


def hint_text(hint: Hint) -> str:
    return {
        Hint.NO_WORDS: "Nothing was sent: write the words for the recipient after the &gt;&gt;.",
        Hint.TOO_LONG: f"Nothing was sent: that is longer than {WORDS_LIMIT:,} characters.",
        Hint.QUOTED: "Nothing was sent: Slack made that a quote. Use the Reply button.",
        Hint.FILES_STAY: "Files stay in this thread: only words go to the recipient.",
        Hint.STAYS_RESOLVED: "What is resolved stays resolved. Taking the check mark off changes nothing.",
        Hint.WINDOW_FAILED: (
            "The Reply window did not open and nothing was sent. Press Reply again,"
            " or begin a message in the thread with &gt;&gt;."
        ),
        Hint.DEED_WINDOW_FAILED: "The window did not open and nothing was changed. Press the button again.",
    }[hint]
