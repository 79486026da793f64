"""The Reply window: what its button carries, what it shows, what comes back. Pure."""

from typing import Any

from pydantic import ValidationError
from slack_sdk.models.blocks import (
    InputBlock,
    MarkdownTextObject,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.views import View

from connectors.errors import UnreadablePayloadError
from connectors.escalation import EscalationView
from connectors.slack.mrkdwn import foreign, one_line, quoted
from connectors.slack.payloads import ReplyAbout, ReplyPlace

CALLBACK = "reply"
"""Also the action id of the button that opens it."""

WORDS = "words"
"""Block id and action id of the one input."""

WORDS_LIMIT = 1000
"""Characters in one reply; well under the 1,600 that a carrier takes."""

ABOUT_LIMIT = 120
LAST_WORDS_LIMIT = 300

HINT = "It goes out as you write it. Over 160 plain characters a text message is sent in parts."
NO_WORDS = "Write what the recipient should read."
NOT_STORED = "Not sent: Doorline could not keep it. Press Send again in a moment."


def reply_value(view: EscalationView) -> str:
    """What the button carries, so that the window opens without asking anybody; at most 2,000 characters."""
    line = view.lines[0] if view.lines else None
    parts = [line.client, line.address_line or line.tracking, line.person_name] if line else []
    about = ReplyAbout(
        escalation_id=view.escalation_id,
        about=one_line(" · ".join(part for part in parts if part), ABOUT_LIMIT),
        words=one_line(line.last_words if line else "", LAST_WORDS_LIMIT),
    )
    return about.model_dump_json()


def read_about(value: str | None) -> ReplyAbout:
    """Raises `UnreadablePayloadError` for a button that is not ours."""
    try:
        return ReplyAbout.model_validate_json(value or "")
    except ValidationError as exc:
        raise UnreadablePayloadError("a Reply button without its escalation") from exc


def reply_modal(about: ReplyAbout, channel: str, ts: str) -> dict[str, Any]:
    """What `views.open` is given. The place travels in the private metadata and comes back with the words."""
    place = ReplyPlace(escalation_id=about.escalation_id, channel=channel, ts=ts)
    heading = (
        f"*{foreign(about.about, ABOUT_LIMIT)}*" if about.about else "Which stop it is about is not known."
    )
    shown = "\n".join(part for part in (heading, quoted(about.words, LAST_WORDS_LIMIT)) if part)
    modal = View(
        type="modal",
        callback_id=CALLBACK,
        title=PlainTextObject(text="Reply to recipient"),
        submit=PlainTextObject(text="Send"),
        close=PlainTextObject(text="Cancel"),
        private_metadata=place.model_dump_json(),
        blocks=[
            # verbatim: the recipient's words must not become a mention or a link.
            SectionBlock(text=MarkdownTextObject(text=shown, verbatim=True)),
            _words_input(),
        ],
    )
    return dict(modal.to_dict())


def _words_input() -> InputBlock:
    return InputBlock(
        block_id=WORDS,
        label="Your words",
        hint=HINT,
        element=PlainTextInputElement(
            action_id=WORDS, multiline=True, max_length=WORDS_LIMIT, focus_on_load=True
        ),
    )


def read_place(private_metadata: str) -> ReplyPlace:
    """Raises `UnreadablePayloadError` for a window that is not ours."""
    try:
        return ReplyPlace.model_validate_json(private_metadata)
    except ValidationError as exc:
        raise UnreadablePayloadError("a Reply window without its escalation") from exc
