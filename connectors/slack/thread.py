"""Which messages in a thread are meant for the recipient: only those that a person began with `>>`. Pure.

Everything else that dispatchers write there is a note among themselves. In doubt it is a note.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from connectors.slack.modal import WORDS_LIMIT
from connectors.slack.payloads import MessageEnvelope, MessageEvent
from connectors.slack.plain import plain_text, rich_elements, tidy

# Slack escapes what is typed. Three of them are its own mark of a quote over several lines, so exactly two count.
_MARK = re.compile(r"\s*&gt;&gt;(?!&gt;)")
_TYPED_MARK = re.compile(r"\s*>>(?!>)")

BY_PEOPLE = frozenset({None, "thread_broadcast", "file_share"})
"""Subtypes of what a person writes in a thread: plain, also shown in the channel, with files."""


class Hindrance(StrEnum):
    """Why a message that was meant for the recipient is not sent; the dispatcher is told."""

    NO_WORDS = "no_words"
    TOO_LONG = "too_long"
    QUOTED = "quoted"


@dataclass(frozen=True)
class ThreadReply:
    """A `>>` message: `words` go to the recipient unless something hinders, files stay where they are."""

    channel: str
    thread_ts: str
    dispatcher: str
    words: str
    has_files: bool
    hindrance: Hindrance | None


def thread_reply(envelope: MessageEnvelope) -> ThreadReply | None:
    """None for a note, and for whatever no person wrote in a thread of ours."""
    event = envelope.event
    if not _is_by_person(event, envelope.own_users) or not _MARK.match(event.text or ""):
        return None
    words, is_quote = _words(event)
    return ThreadReply(
        channel=event.channel or "",
        thread_ts=event.thread_ts or "",
        dispatcher=event.user or "",
        words=words,
        has_files=bool(event.files),
        hindrance=Hindrance.QUOTED if is_quote else _hindrance(words),
    )


def _is_by_person(event: MessageEvent, own_users: set[str]) -> bool:
    is_in_thread = event.thread_ts is not None and event.thread_ts != event.ts
    in_ours = event.parent_user_id is None or not own_users or event.parent_user_id in own_users
    return (
        event.subtype in BY_PEOPLE
        and event.bot_id is None
        and event.user is not None
        and event.user not in own_users
        and event.channel is not None
        and is_in_thread
        and in_ours
    )


def _words(event: MessageEvent) -> tuple[str, bool]:
    """The words after the mark, and whether Slack took the message for a quote of somebody's words.

    A quoted line that itself begins with `>` has the same markup as a typed `>>`; only the rich text tells.
    """
    rich = rich_elements(event.blocks)
    if rich and rich[0].type != "rich_text_section":
        return "", True
    typed = plain_text(event.text or "", event.blocks)
    mark = _TYPED_MARK.match(typed)
    if mark is None:  # the rich text says something else than the markup: believe the markup
        typed = plain_text(event.text or "")
        mark = _TYPED_MARK.match(typed)
    return (tidy(typed[mark.end() :]) if mark else ""), False


def _hindrance(words: str) -> Hindrance | None:
    if not words:
        return Hindrance.NO_WORDS
    return Hindrance.TOO_LONG if len(words) > WORDS_LIMIT else None
