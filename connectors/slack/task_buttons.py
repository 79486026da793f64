"""A task's buttons: what they are called, what they carry, and what a press of one means. Pure."""

from datetime import datetime

from pydantic import ValidationError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ConfirmObject, MarkdownTextObject

from connectors.base import FailureReason
from connectors.desk import Choice, Suggestion, TaskAction, TaskKind, TaskView
from connectors.errors import UnreadablePayloadError
from connectors.follow_up_words import REASONS
from connectors.slack.mapping import instant, place_of
from connectors.slack.mrkdwn import foreign_within, one_line, sentence
from connectors.slack.payloads import ButtonPress, PressedButton, TaskPress
from connectors.slack.task_facts import SUGGESTIONS_SHOWN

PREFIX = "task_"
"""How the action ids of a task's buttons begin; those of the escalations' are verbs by themselves."""

LABEL_LIMIT = 60
VALUE_LIMIT = 2000
CONFIRMED_LIMIT = 230

LABELS = {
    Choice.APPROVE: "Approve",
    Choice.DECLINE: "Decline",
    Choice.DONE: "Done",
    Choice.ASSIGN: "Give it to",
    Choice.REASON: "",
    Choice.AGAIN: "Try again",
    Choice.SEND_BACK: "Send back",
    Choice.HOLD: "Hold for pick-up",
}

OWN_LABELS = {
    (TaskKind.NEW_STOP, Choice.DONE): "Entered by hand",
    (TaskKind.CHANGE_WINDOW, Choice.DONE): "Moved by hand",
    (TaskKind.CANCEL_STOP, Choice.DONE): "Cancelled by hand",
    (TaskKind.LATE_CHANGE, Choice.DONE): "Seen",
    (TaskKind.DRIVER_UNCONFIRMED, Choice.DONE): "Driver is coming",
    (TaskKind.OVER_CAPACITY, Choice.DONE): "Dealt with",
    (TaskKind.WRITE_REFUSED, Choice.APPROVE): "Try again",
    (TaskKind.WRITE_REFUSED, Choice.DONE): "Done by hand",
    (TaskKind.RELEASE_ROUTES, Choice.APPROVE): "Send the routes",
    (TaskKind.MOVE_WINDOWS, Choice.APPROVE): "Move them",
    (TaskKind.HAND_OVER_FAILED, Choice.APPROVE): "Send again",
    (TaskKind.HAND_OVER_FAILED, Choice.DONE): "Dealt with",
    (TaskKind.FAILURE_REASON, Choice.DONE): "Dealt with",
    (TaskKind.FOLLOW_UP, Choice.DONE): "Dealt with",
}

CLIENT_ASKS = frozenset({TaskKind.NEW_STOP, TaskKind.CHANGE_WINDOW, TaskKind.CANCEL_STOP})
CANNOT_BE_UNDONE = frozenset({TaskKind.RELEASE_ROUTES, TaskKind.MOVE_WINDOWS})


def buttons_of(view: TaskView) -> ActionsBlock | None:
    """The likeliest first; None when nothing is left to decide."""
    buttons = [button for choice in dict.fromkeys(view.choices) for button in _buttons(view, choice)]
    return ActionsBlock(elements=buttons) if buttons else None


def _buttons(view: TaskView, choice: Choice) -> list[ButtonElement]:
    if choice is Choice.ASSIGN:
        suggested = view.facts.suggestions[:SUGGESTIONS_SHOWN]
        return [_assign(view, number, each) for number, each in enumerate(suggested) if _fits(view, each)]
    if choice is Choice.REASON:
        return [_cause(view, number, each) for number, each in enumerate(dict.fromkeys(view.facts.causes))]
    label = OWN_LABELS.get((view.kind, choice), LABELS[choice])
    button = ButtonElement(text=label, action_id=f"{PREFIX}{choice.value}", value=_value(view))
    if choice in (Choice.APPROVE, Choice.AGAIN):
        button.style = "primary"
    button.confirm = _confirm(view, choice)
    return [button]


def _assign(view: TaskView, number: int, suggestion: Suggestion) -> ButtonElement:
    name = suggestion.driver_name.strip() or suggestion.driver_ref
    return ButtonElement(
        text=f"{LABELS[Choice.ASSIGN]} {one_line(name, LABEL_LIMIT)}",
        action_id=f"{PREFIX}{Choice.ASSIGN.value}_{number}",
        value=_value(view, suggestion.driver_ref),
    )


def _cause(view: TaskView, number: int, cause: FailureReason) -> ButtonElement:
    return ButtonElement(
        text=REASONS[cause],
        action_id=f"{PREFIX}{Choice.REASON.value}_{number}",
        value=_value(view, cause.value),
    )


def _fits(view: TaskView, suggestion: Suggestion) -> bool:
    return len(_value(view, suggestion.driver_ref)) <= VALUE_LIMIT


def _value(view: TaskView, value: str = "") -> str:
    return TaskPress(task_id=view.task_id, value=value).model_dump_json()


def _confirm(view: TaskView, choice: Choice) -> ConfirmObject | None:
    """A thumb is easily a button too far where somebody outside is told, or nothing can be taken back."""
    about = sentence(foreign_within(_about(view), CONFIRMED_LIMIT))
    if choice is Choice.DECLINE and view.kind in CLIENT_ASKS:
        return _asks("Decline this?", f"{about} The client is told no.", "Decline")
    if choice is Choice.SEND_BACK:
        return _asks("Send it back?", f"{about} The client and the recipient are told.", LABELS[choice])
    if choice is Choice.APPROVE and view.kind in CANNOT_BE_UNDONE:
        label = OWN_LABELS[(view.kind, choice)]
        return _asks(f"{label}?", f"{about} It cannot be undone.", label)
    return None


def _about(view: TaskView) -> str:
    facts = view.facts
    return facts.address_line or facts.route_name or facts.tracking or view.zone or view.client


def _asks(title: str, text: str, yes: str) -> ConfirmObject:
    return ConfirmObject(
        title=title, text=MarkdownTextObject(text=text.strip(), verbatim=True), confirm=yes, deny="Back"
    )


# --- a press ----------------------------------------------------------------------------------------


def task_actions(press: ButtonPress, now: datetime) -> list[TaskAction]:
    """The pressed buttons of tasks; a payload carries one in practice.

    Raises:
        UnreadablePayloadError: a button that is not ours.
    """
    ours = [button for button in press.actions if button.action_id.startswith(PREFIX)]
    return [_action(press, button, now) for button in ours]


def _action(press: ButtonPress, button: PressedButton, now: datetime) -> TaskAction:
    channel, message_ts = place_of(press)
    at = button.action_ts or press.trigger_id
    try:
        carried = TaskPress.model_validate_json(button.value or "")
        choice = Choice(button.action_id.removeprefix(PREFIX).split("_")[0])
    except (ValidationError, ValueError) as exc:
        raise UnreadablePayloadError("a task's button without its task") from exc
    if at is None:
        raise UnreadablePayloadError("a button without its moment")
    return TaskAction(
        # Slack gives a press no id of its own; nobody presses the same button twice in a microsecond.
        vendor_id=f"button:{channel}:{message_ts}:{press.user.id}:{button.action_id}:{at}",
        task_id=str(carried.task_id),
        choice=choice,
        value=carried.value,
        dispatcher=press.user.id,
        channel=channel,
        message_ts=message_ts,
        occurred_at=instant(button.action_ts, now),
    )
