"""What a dispatcher reads in Slack of an escalation. Pure: a view and the present instant in, text out.

Nothing that another person wrote can mention, link or format; nobody is notified by anything in here.
"""

from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ContextBlock, MarkdownTextObject, SectionBlock

from connectors.escalation import EscalationState, EscalationView
from connectors.slack.cause_words import LATE
from connectors.slack.escalation_buttons import all_stops_button, buttons_of
from connectors.slack.history import not_done_text as not_done_text
from connectors.slack.history import quiet_text as quiet_text
from connectors.slack.history import thread_line as thread_line
from connectors.slack.mrkdwn import foreign, link, moment, pack, quiet, sentence
from connectors.slack.opening import (
    SENTENCE_LIMIT,
    asks,
    cry,
    delayed,
    is_handoff,
    opening,
    place,
    pointer,
    severity_words,
    state_words,
)
from connectors.slack.stop_lines import NAME_LIMIT, stop_lines


def escalation_blocks(view: EscalationView, now: datetime) -> list[dict[str, Any]]:
    """The message as Block Kit: what is wrong, why, the stops, what can be done, what happens next.

    Raises nothing for any view: long texts are shortened, long lists end in `and N more`.
    """
    if view.moved_to:
        return [_section(pointer(view)).to_dict()]
    blocks: list[Block] = [_section(text) for text in pack(opening(view, now))]
    stops = [_section(text) for text in pack(stop_lines(view, now))]
    if stops:
        stops[-1].accessory = all_stops_button(view)
    blocks += stops
    if buttons := buttons_of(view):
        blocks.append(ActionsBlock(elements=buttons))
    if footer := _footer(view, now):
        blocks.append(ContextBlock(elements=[_text(footer)]))
    return [block.to_dict() for block in blocks]


def escalation_text(view: EscalationView, now: datetime) -> str:
    """The same in one line, for notifications and screen readers."""
    if view.moved_to:
        return pointer(view)
    where = ", ".join(place(view))
    if view.state is EscalationState.RAISED:
        words = severity_words(view) + (f": {where}" if where else "")
        parts = [f"{words}.", sentence(foreign(view.why, SENTENCE_LIMIT)), asks(view), cry(view)]
        return " ".join(part for part in parts if part)
    return state_words(view, now) + (f": {where}" if where else "")


def _footer(view: EscalationView, now: datetime) -> str:
    parts = [_how_to(view)]
    if view.next_step and view.state is not EscalationState.RESOLVED:
        at = f" at {moment(view.next_step_at, view.timezone, now)}" if view.next_step_at else ""
        parts.append(f"Next: {quiet(view.next_step)}{at}")
    if view.on_call and view.state is EscalationState.RAISED:
        parts.append(f"On call: {foreign(view.on_call, NAME_LIMIT)}")
    if view.tracking_url:
        parts.append(link(view.tracking_url, "Tracking page"))
    if view.board_url and view.severity in LATE:
        parts.append(link(view.board_url, "Board"))
    parts.append(delayed(view, now))
    return " · ".join(part for part in parts if part)


def _how_to(view: EscalationView) -> str:
    if not view.can_reply or view.state is EscalationState.RESOLVED:
        return ""
    how = f"Only Reply, or &gt;&gt; in the thread, writes to the {view.waiting.value}"
    is_held = view.state is EscalationState.ACKNOWLEDGED and is_handoff(view)
    return f"{how} · Resolve gives it back to the bot" if is_held else how


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=_text(text))


def _text(text: str) -> MarkdownTextObject:
    # verbatim: Slack must not turn a recipient's "@here" or "#north" into a mention or a channel link.
    return MarkdownTextObject(text=text, verbatim=True)
