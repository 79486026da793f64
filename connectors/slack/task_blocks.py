"""A dispatcher task as one message: what is asked, why it is a person's to decide, and the buttons. Pure.

It calls nobody and mentions nobody but those who acted. Once settled it is two lines.
"""

import re
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, MarkdownTextObject, SectionBlock

from connectors.desk import TaskFacts, TaskKind, TaskState, TaskView
from connectors.slack.desk_words import KINDS, NAME_LIMIT, SENTENCE_LIMIT, outcome_words, reason_words
from connectors.slack.mrkdwn import foreign, mention, moment, pack, quoted, sentence
from connectors.slack.task_buttons import buttons_of
from connectors.slack.task_facts import asked_lines, done_words, subject, suggested_lines

SIGNS = {
    TaskKind.NEW_STOP: ":inbox_tray:",
    TaskKind.CHANGE_WINDOW: ":clock3:",
    TaskKind.CANCEL_STOP: ":no_entry_sign:",
    TaskKind.LATE_CHANGE: ":arrows_counterclockwise:",
    TaskKind.DRIVER_UNCONFIRMED: ":bust_in_silhouette:",
    TaskKind.OVER_CAPACITY: ":scales:",
    TaskKind.WRITE_REFUSED: ":pencil2:",
    TaskKind.RELEASE_ROUTES: ":rocket:",
    TaskKind.MOVE_WINDOWS: ":clock3:",
    TaskKind.HAND_OVER_FAILED: ":electric_plug:",
    TaskKind.FAILURE_REASON: ":grey_question:",
    TaskKind.FOLLOW_UP: ":package:",
}

STATE_SIGNS = {
    TaskState.CARRYING_OUT: ":hourglass_flowing_sand:",
    TaskState.APPROVED: ":white_check_mark:",
    TaskState.DECLINED: ":no_entry:",
    TaskState.DONE: ":white_check_mark:",
    TaskState.EXPIRED: ":white_circle:",
}

FOLLOWED_UP = frozenset({TaskKind.FAILURE_REASON, TaskKind.FOLLOW_UP})

ASKED_BY = {"api": "the client's system", "csv": "a file of the client's", "email": "the client by email"}


def task_blocks(view: TaskView, now: datetime) -> list[dict[str, Any]]:
    """The message as Block Kit. Raises nothing for any view: long texts are shortened, long lists cut."""
    lines = _open_lines(view, now) if view.state is TaskState.OPEN else _ended_lines(view, now)
    blocks: list[Block] = [SectionBlock(text=_text(text)) for text in pack(lines)]
    if (buttons := buttons_of(view)) is not None:
        blocks.append(buttons)
    footer = _footer(view, now) if view.state is TaskState.OPEN else ""
    if footer:
        blocks.append(ContextBlock(elements=[_text(footer)]))
    return [block.to_dict() for block in blocks]


def task_text(view: TaskView, now: datetime) -> str:
    """The same in one line, for notifications and screen readers."""
    head = ": ".join(part for part in (KINDS[view.kind], ", ".join(_place(view))) if part)
    if view.state is not TaskState.OPEN:
        return f"{_ending(view, now)} ({head})"
    return " ".join(part for part in (sentence(head), sentence(subject(view))) if part)


def _open_lines(view: TaskView, now: datetime) -> list[str]:
    lines = [
        " · ".join([f"{SIGNS[view.kind]} *{KINDS[view.kind]}*", *_place(view)]),
        *asked_lines(view, now),
        _why(view),
        _said(view.facts),
        _wrote(view.facts),
        *suggested_lines(view.facts),
        _approvals(view),
    ]
    return [line for line in lines if line]


def _ended_lines(view: TaskView, now: datetime) -> list[str]:
    detail = sentence(foreign(view.facts.detail, SENTENCE_LIMIT)) if view.outcome else ""
    done = done_words(view.facts)
    about = [KINDS[view.kind], *_place(view), subject(view), done]
    lines = [
        f"{STATE_SIGNS[view.state]} {_ending(view, now)}",
        " · ".join(part for part in about if part),
        _why(view) if done else "",
        detail,
    ]
    return [line for line in lines if line]


def _place(view: TaskView) -> list[str]:
    return [part for part in (foreign(view.zone, NAME_LIMIT), foreign(view.client, NAME_LIMIT)) if part]


def _why(view: TaskView) -> str:
    """Why it is a person's; of a change on the road, why the driver does not know of it."""
    if view.kind in FOLLOWED_UP:
        return ""  # its own lines say it
    why = reason_words(view.facts.reasons)
    label = "The driver was not told" if view.kind is TaskKind.LATE_CHANGE else "Why"
    return f"*{label}:* {sentence(why)}" if why else ""


def _said(facts: TaskFacts) -> str:
    detail = foreign(facts.detail, SENTENCE_LIMIT)
    platform = foreign(facts.platform, NAME_LIMIT)
    return f'{platform or "It"} said: "{detail}"' if detail and platform else detail


def _wrote(facts: TaskFacts) -> str:
    return quoted(facts.words, SENTENCE_LIMIT)


# --- who and when -----------------------------------------------------------------------------------


def _approvals(view: TaskView) -> str:
    if view.approvals_needed < 2:
        return ""
    counted = f"{len(view.approved_by)} of {view.approvals_needed} approvals"
    if not view.approved_by:
        return f"Takes {view.approvals_needed} people."
    return f"{counted}: {_people(view.approved_by)}. Somebody else must approve it too."


def _people(dispatchers: tuple[str, ...]) -> str:
    """`<@U1> and <@U2>`."""
    return " and ".join(mention(dispatcher) for dispatcher in dispatchers[:4])


def _ending(view: TaskView, now: datetime) -> str:
    at = f" · {moment(view.settled_at, view.timezone, now)}" if view.settled_at else ""
    outcome = outcome_words(view.outcome) if view.outcome else ""
    if view.state is TaskState.EXPIRED:
        return f"{outcome or 'No longer needed'}{at}"
    return " · ".join(part for part in (_acted(view), outcome) if part) + at


def _acted(view: TaskView) -> str:
    who = _people(view.approved_by) or (mention(view.settled_by) if view.settled_by else "")
    last = mention(view.settled_by) if view.settled_by else ""
    match view.state:
        case TaskState.CARRYING_OUT:
            return f"{f'{who or last} decided it' if who or last else 'Decided'} · being carried out"
        case TaskState.APPROVED:
            verb = "Decided" if view.kind in FOLLOWED_UP else "Approved"
            return f"{verb} by {who or last}" if who or last else verb
        case TaskState.DECLINED:
            return f"Declined by {last}" if last else "Declined"
        case _:
            verb = "Answered" if view.kind is TaskKind.FAILURE_REASON else "Done"
            return f"{verb} by {last}" if last else verb


def _footer(view: TaskView, now: datetime) -> str:
    facts = view.facts
    references = [foreign(facts.tracking, NAME_LIMIT), foreign(facts.order_ref, NAME_LIMIT)]
    by = f"Answer by {moment(facts.answer_by, view.timezone, now)}" if facts.answer_by else ""
    return " · ".join(part for part in (by, _asker(facts.asked_by), *dict.fromkeys(references)) if part)


def _asker(asked_by: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{5,}", asked_by):
        return f"Asked by {mention(asked_by)}"
    name = ASKED_BY.get(asked_by) or foreign(asked_by, NAME_LIMIT)
    return f"Asked by {name}" if name else ""


def _text(text: str) -> MarkdownTextObject:
    # verbatim: nothing that somebody else wrote may become a mention or a channel link.
    return MarkdownTextObject(text=text, verbatim=True)
