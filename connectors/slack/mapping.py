"""Slack's gestures turned into what a dispatcher meant by them. Pure."""

from datetime import UTC, datetime, timedelta

from connectors.errors import UnreadablePayloadError
from connectors.escalation import DispatcherAction, DispatcherVerb
from connectors.slack.modal import WORDS, read_place
from connectors.slack.payloads import (
    ButtonPress,
    Message,
    MessageEnvelope,
    PressedButton,
    ReactionEnvelope,
    ViewSubmission,
)
from connectors.slack.plain import tidy
from connectors.slack.thread import ThreadReply

REACTIONS = {
    ("reaction_added", "eyes"): DispatcherVerb.ACKNOWLEDGE,
    ("reaction_removed", "eyes"): DispatcherVerb.WITHDRAW,
    ("reaction_added", "white_check_mark"): DispatcherVerb.RESOLVE,
}
"""Every other reaction is decoration."""

BUTTONS = {
    verb.value: verb
    for verb in (
        DispatcherVerb.ACKNOWLEDGE,
        DispatcherVerb.RESOLVE,
        DispatcherVerb.APPROVE,
        DispatcherVerb.DECLINE,
    )
}
"""Buttons that mean something by themselves; Reply opens a window first."""

# Slack delivers nothing older than two hours, delayed events aside. Source: Events API, retries.
OLDEST_DELIVERY = timedelta(hours=2)


def reaction_action(envelope: ReactionEnvelope, now: datetime) -> DispatcherAction | None:
    """What a reaction means; None when it means nothing to us or is our own bot's."""
    event = envelope.event
    name = event.reaction.split("::")[0]  # eyes::skin-tone-4 is still eyes
    verb = REACTIONS.get((event.type, name))
    if verb is None or event.item.type != "message" or event.user in envelope.own_users:
        return None
    if event.item.channel is None or event.item.ts is None:
        raise UnreadablePayloadError("a reaction to a message without its channel and ts")
    return DispatcherAction(
        vendor_id=envelope.event_id,
        verb=verb,
        dispatcher=event.user,
        channel=event.item.channel,
        message_ts=event.item.ts,
        gesture=f"reaction:{name}" if event.type == "reaction_added" else f"reaction_removed:{name}",
        occurred_at=instant(event.event_ts, now),
    )


def took_back_resolution(envelope: ReactionEnvelope) -> bool:
    """Somebody took their check mark off a message of ours, perhaps hoping to open it again."""
    event = envelope.event
    is_check = event.reaction.split("::")[0] == "white_check_mark"
    return event.type == "reaction_removed" and is_check and event.item_user in envelope.own_users


def thread_action(envelope: MessageEnvelope, reply: ThreadReply, now: datetime) -> DispatcherAction:
    return DispatcherAction(
        vendor_id=envelope.event_id,
        verb=DispatcherVerb.REPLY,
        dispatcher=reply.dispatcher,
        channel=reply.channel,
        message_ts=reply.thread_ts,
        words=reply.words,
        gesture="thread:reply",
        occurred_at=instant(envelope.event.event_ts or envelope.event.ts, now),
    )


def modal_action(submission: ViewSubmission, now: datetime) -> DispatcherAction:
    """The words of a Reply window. Sent again after an error, the window is still the same gesture."""
    view = submission.view
    place = read_place(view.private_metadata)
    return DispatcherAction(
        vendor_id=f"modal:{view.id}:{view.hash}",
        verb=DispatcherVerb.REPLY,
        dispatcher=submission.user.id,
        channel=place.channel,
        message_ts=place.ts,
        escalation_id=place.escalation_id,
        words=tidy(submission.text(WORDS, WORDS)),
        gesture="modal:reply",
        occurred_at=now,
    )


def button_actions(press: ButtonPress, now: datetime) -> list[DispatcherAction]:
    """The pressed buttons that are ours; a payload carries one in practice."""
    return [
        button_action(press, button, BUTTONS[button.action_id], now)
        for button in press.actions
        if button.action_id in BUTTONS
    ]


def button_action(
    press: ButtonPress, button: PressedButton, verb: DispatcherVerb, now: datetime
) -> DispatcherAction:
    channel, message_ts = place_of(press)
    moment = button.action_ts or press.trigger_id
    if moment is None:
        raise UnreadablePayloadError("a button without its moment")
    return DispatcherAction(
        # Slack gives a press no id of its own; nobody presses the same button twice in a microsecond.
        vendor_id=f"button:{channel}:{message_ts}:{press.user.id}:{button.action_id}:{moment}",
        verb=verb,
        dispatcher=press.user.id,
        channel=channel,
        message_ts=message_ts,
        escalation_id=button.value or None,
        gesture=f"button:{button.action_id}",
        response_url=press.response_url,
        occurred_at=instant(button.action_ts, now),
    )


def place_of(press: ButtonPress) -> tuple[str, str]:
    """Channel and ts of the message whose button was pressed."""
    channel = press.container.channel_id or (press.channel.id if press.channel else None)
    if channel is None or press.container.message_ts is None:
        raise UnreadablePayloadError("a button without its channel or its message")
    return channel, press.container.message_ts


def instant(ts: str | None, now: datetime) -> datetime:
    """Slack's `1700000000.000100` as aware UTC; `now` when it is missing, unreadable or cannot be true.

    An instant from the future, or from before anything that Slack still delivers, was read off a wrong clock.
    """
    try:
        at = datetime.fromtimestamp(float(ts or ""), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if now - OLDEST_DELIVERY <= at <= now else now


def to_ts(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


def carries(message: Message, event_type: str, key: str, value: str) -> bool:
    """Whether our own mark stands in the message's metadata."""
    metadata = message.metadata
    return metadata.event_type == event_type and metadata.event_payload.get(key) == value
