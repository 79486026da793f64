"""Pure: how far a call is, how it ended, and what a text of somebody on call says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.conversations.keywords import folded
from bot.paging.models import Outcome, Page, PageState
from connectors.voice import AnsweredBy, CallReport, CallStatus

# --- calls --------------------------------------------------------------------------------------

_RANKS = {
    PageState.QUEUED: 0,
    PageState.CALLING: 1,
    PageState.RINGING: 2,
    PageState.ANSWERED: 3,
    PageState.SENT: 3,
    PageState.OVER: 4,
}
_STATES = {
    CallStatus.QUEUED: PageState.CALLING,
    CallStatus.RINGING: PageState.RINGING,
    CallStatus.ANSWERED: PageState.ANSWERED,
}
_OUTCOMES = {
    CallStatus.BUSY: Outcome.BUSY,
    CallStatus.NO_ANSWER: Outcome.NO_ANSWER,
    CallStatus.FAILED: Outcome.FAILED,
    CallStatus.CANCELED: Outcome.STOPPED,
}


def state_after(state: PageState, reported: CallStatus) -> PageState:
    """Reports come in any order: a state only rises."""
    new = PageState.OVER if reported.is_over else _STATES[reported]
    return new if _RANKS[new] > _RANKS[state] else state


def outcome_of(page: Page, report: CallReport) -> Outcome:
    """How a call that is over ended. What somebody pressed counts before everything; a mailbox is nobody."""
    if page.outcome is Outcome.ACKNOWLEDGED:
        return Outcome.ACKNOWLEDGED
    if page.stop_asked_at is not None:
        return Outcome.STOPPED
    if AnsweredBy.MACHINE in (page.answered_by, report.answered_by):
        return Outcome.VOICEMAIL
    return _OUTCOMES.get(report.status, Outcome.HUNG_UP)


# --- answers by text ------------------------------------------------------------------------------

ANSWERABLE = timedelta(hours=12)
"""An older page is not what a text is about."""
STILL_CURIOUS = timedelta(hours=2)
"""For so long who answers a page that somebody else took, or that is over, hears so."""
TALKING = timedelta(minutes=30)
"""For so long after a page other words are about it, and a question which one is meant stands."""


class Meaning(StrEnum):
    TAKE = "take"
    MORE = "more"
    NUMBER = "number"
    """Of the question which one is meant; 1 and 2 mean the above where nothing was asked."""
    WORDS = "words"


@dataclass(frozen=True)
class TextAnswer:
    meaning: Meaning
    number: int | None = None
    is_explicit: bool = False
    """It can be about nothing else than a page."""


def _phrases(listed: str) -> frozenset[str]:
    return frozenset(listed.split("|"))


_EXPLICIT = _phrases(
    "take|take it|ill take it|i take it|i got it|ive got it|i have it|got it|on it|im on it|mine|ack|acknowledge"
    "|lo tomo|la tomo|tomo|yo lo tomo|lo tengo|la tengo|me encargo|yo me encargo|yo voy|es mio|es mia"
)
_YES = _phrases("ok|okay|k|yes|yep|yeah|sure|si|vale|listo|dale|de acuerdo|uno|one")
_MORE = _phrases("more|more info|details|what is it|tell me more|mas|mas info|detalles|que es|dos|two")


def read_answer(text: str) -> TextAnswer:
    """Only a whole text that says nothing else is an answer; all else is words."""
    if "\N{THUMBS UP SIGN}" in text and not folded(text):
        return TextAnswer(Meaning.TAKE)
    words = folded(text)
    if words in _EXPLICIT:
        return TextAnswer(Meaning.TAKE, is_explicit=True)
    if words in _YES:
        return TextAnswer(Meaning.TAKE, number=1 if words in ("uno", "one") else None)
    if words in _MORE:
        return TextAnswer(Meaning.MORE, number=2 if words in ("dos", "two") else None)
    if words.isascii() and words.isdigit() and len(words) == 1:
        number = int(words)
        meaning = {1: Meaning.TAKE, 2: Meaning.MORE}.get(number, Meaning.NUMBER)
        return TextAnswer(meaning, number=number)
    return TextAnswer(Meaning.WORDS)


def chosen(pages: list[Page], answer: TextAnswer, now: datetime) -> Page | None:
    """The page that a number picks, where it was asked which one is meant."""
    if answer.number is None:
        return None
    return next(
        (
            page
            for page in pages
            if page.option == answer.number
            and page.asked_which_at is not None
            and page.asked_which_at >= now - TALKING
        ),
        None,
    )
