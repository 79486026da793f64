"""The windows of commands: what they ask, what a form alone can find wrong, and what comes back. Pure.

Nothing of business is judged here: whether a window is possible is decided once it is stored.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from slack_sdk.models.blocks import (
    DatePickerElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
    TimePickerElement,
)
from slack_sdk.models.views import View

from connectors.desk import CommandKind, DeskCommand
from connectors.errors import UnreadablePayloadError
from connectors.slack.cause_words import CAUSES
from connectors.slack.mrkdwn import one_line
from connectors.slack.payloads import CommandPlace, ViewSubmission
from connectors.slack.plain import tidy
from connectors.slack.slash import is_date

PREFIX = "command_"
"""How the callback ids of these windows begin."""

TEXT_LIMIT, LONG_LIMIT = 150, 500
OPTIONS = 100
OPTION_LIMIT = 75
"""Source: Block Kit reference, static select and option object."""

MISSING = "This is needed."
NO_DATE = "Write the day as 2026-06-09."
NO_TIME = "Write the time as 16:30."
ENDS_FIRST = "It must end after it starts."
NOT_STORED = "Not done: Doorline could not keep it. Send it again in a moment."

TITLES = {
    CommandKind.NEW_STOP: ("New stop", "Enter"),
    CommandKind.MOVE_WINDOW: ("Move a window", "Move"),
    CommandKind.CANCEL_STOP: ("Cancel a stop", "Cancel the stop"),
    CommandKind.MAKE_INCIDENT: ("Make an incident", "Make it"),
}

FIELDS = {
    CommandKind.NEW_STOP: (
        "client",
        "address",
        "city",
        "postcode",
        "recipient_name",
        "phone",
        "date",
        "start",
        "end",
        "order_ref",
        "email",
        "notes",
        "access_code",
    ),
    CommandKind.MOVE_WINDOW: ("stop", "date", "start", "end", "reason"),
    CommandKind.CANCEL_STOP: ("stop", "reason"),
    CommandKind.MAKE_INCIDENT: ("kind", "stop", "root_cause", "words"),
}
"""In the order in which they are asked: block id, action id and name of the field are one."""

OPTIONAL = frozenset({"city", "phone", "order_ref", "email", "notes", "access_code", "reason", "root_cause"})
DATES, TIMES = frozenset({"date"}), frozenset({"start", "end"})
LONG = frozenset({"notes", "reason", "words"})
CHOICES = {
    "kind": {
        "missing": "Parcel missing",
        "damaged": "Parcel damaged",
        "breach": "Late: outside its window",
        "failed_delivery": "Delivery failed",
        "other": "Something else",
    },
    "root_cause": {cause.value: words for cause, words in CAUSES.items()},
}

LABELS = {
    "client": "Client",
    "address": "Street address",
    "city": "City",
    "postcode": "Postcode",
    "recipient_name": "Recipient",
    "phone": "Phone",
    "email": "Email",
    "date": "Day",
    "start": "Window starts",
    "end": "Window ends",
    "order_ref": "Order number",
    "notes": "Notes for the driver",
    "access_code": "Access code",
    "stop": "Tracking or order number",
    "reason": "Reason",
    "kind": "What it is",
    "root_cause": "Root cause",
    "words": "What happened",
}

HINTS = {
    "address": "With the unit: 14 Elm St 2B",
    "access_code": "Only the driver sees it.",
    "start": "Local time.",
    "root_cause": "Leave it open when it is not known yet.",
    "words": "It stands in the incident's report. No access codes, no phone numbers.",
}
OF_MESSAGE = "Left empty, it is the stop that the message is about."


def command_modal(
    kind: CommandKind,
    channel: str,
    *,
    clients: Sequence[str] = (),
    stop: str = "",
    place: CommandPlace | None = None,
) -> dict[str, Any]:
    """What `views.open` is given. `clients` are offered where there are any; `stop` is filled in already.

    `place` is the message that the window was opened on: the stop may be left empty then.
    """
    title, submit = TITLES[kind]
    place = place or CommandPlace(channel=channel)
    modal = View(
        type="modal",
        callback_id=f"{PREFIX}{kind.value}",
        title=PlainTextObject(text=title),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text="Back"),
        private_metadata=place.model_dump_json(exclude_defaults=True),
        blocks=[_input(name, clients, stop, place) for name in FIELDS[kind]],
    )
    return dict(modal.to_dict())


def _input(name: str, clients: Sequence[str], stop: str, place: CommandPlace) -> InputBlock:
    is_told = name == "stop" and bool(place.message_ts)
    return InputBlock(
        block_id=name,
        label=LABELS[name],
        hint=OF_MESSAGE if is_told else HINTS.get(name),
        optional=is_told or name in OPTIONAL,
        element=_element(name, clients, stop),
    )


def _element(name: str, clients: Sequence[str], stop: str) -> InputInteractiveElement:
    if name in DATES:
        return DatePickerElement(action_id=name)
    if name in TIMES:
        return TimePickerElement(action_id=name)
    if name in CHOICES:
        return StaticSelectElement(
            action_id=name,
            options=[
                Option(text=PlainTextObject(text=words), value=value)
                for value, words in CHOICES[name].items()
            ],
        )
    options = [client for client in clients if 0 < len(client) <= OPTION_LIMIT]
    if name == "client" and len(options) == len(clients) and 0 < len(options) <= OPTIONS:
        return StaticSelectElement(
            action_id=name,
            options=[Option(text=PlainTextObject(text=client), value=client) for client in options],
        )
    return PlainTextInputElement(
        action_id=name,
        multiline=name in LONG,
        max_length=LONG_LIMIT if name in LONG else TEXT_LIMIT,
        initial_value=one_line(stop, TEXT_LIMIT) or None if name == "stop" else None,
    )


# --- what comes back --------------------------------------------------------------------------------


def modal_command(kind: CommandKind, submission: ViewSubmission, now: datetime) -> DeskCommand:
    """Raises `UnreadablePayloadError` for a window that is not ours."""
    try:
        place = CommandPlace.model_validate_json(submission.view.private_metadata)
    except ValidationError as exc:
        raise UnreadablePayloadError("a command's window without its place") from exc
    told = place.model_dump(exclude={"channel"}) if kind is CommandKind.MAKE_INCIDENT else {}
    return DeskCommand(
        # Sent again after an error, or delivered twice, the window is still the same command.
        vendor_id=f"modal:{submission.view.id}:{submission.view.hash}",
        kind=kind,
        dispatcher=submission.user.id,
        channel=place.channel,
        fields={name: tidy(submission.text(name, name)) for name in FIELDS[kind]} | told,
        occurred_at=now,
    )


def form_errors(command: DeskCommand) -> dict[str, str]:
    """What is wrong with the form itself, by field; empty when it can be stored."""
    fields = command.fields
    optional = OPTIONAL | ({"stop"} if fields.get("message_ts") else set())
    asked = FIELDS[command.kind]
    errors = {name: MISSING for name in asked if fields.get(name) == "" and name not in optional}
    errors |= {name: MISSING for name in CHOICES.keys() & fields.keys() if _is_unknown(name, fields[name])}
    errors |= {name: NO_DATE for name in DATES & fields.keys() if fields[name] and not is_date(fields[name])}
    errors |= {name: NO_TIME for name in TIMES & fields.keys() if fields[name] and not is_time(fields[name])}
    if fields.keys() >= TIMES and not errors.keys() & TIMES and fields["end"] <= fields["start"]:
        errors["end"] = ENDS_FIRST
    return errors


def _is_unknown(name: str, value: str) -> bool:
    return bool(value) and value not in CHOICES[name]


def is_time(text: str) -> bool:
    """Whether it is `HH:MM` on a clock of 24 hours."""
    return bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII))
