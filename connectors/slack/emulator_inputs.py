"""What a person enters into a modal, as Slack's own form takes it: each kind of input has its own shape.

Source: docs.slack.dev, input block, view submission payload, date picker, time picker, static select.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.slack.emulator_state import SlackError

Element = Mapping[str, Any]

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def entered(element: Element, typed: str | None) -> dict[str, Any]:
    """The input's state. Nothing typed leaves what it began with; an empty text empties it.

    Raises:
        SlackError: no hand could enter this: a day that is none, an option that is not offered.
    """
    kind = element["type"]
    if kind == "datepicker":
        return {"type": kind, "selected_date": _day(_or_initial(typed, element, "initial_date"))}
    if kind == "timepicker":
        return {"type": kind, "selected_time": _time(_or_initial(typed, element, "initial_time"))}
    if kind == "static_select":
        initial = (element.get("initial_option") or {}).get("value")
        return {"type": kind, "selected_option": _option(element, initial if typed is None else typed)}
    return {"type": kind, "value": _or_initial(typed, element, "initial_value")}


def complaint(block: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """What the form itself refuses, before the app is asked; empty when it takes it. It does not mind blanks."""
    element = block["element"]
    value = next((found for name, found in state.items() if name != "type"), None)
    if not value:
        return "" if block.get("optional") else "Please complete this required field."
    if element["type"] != "plain_text_input":
        return ""
    if len(value) > element.get("max_length", 3000) or len(value) < element.get("min_length", 0):
        return "This is too long or too short."
    return ""


def _or_initial(typed: str | None, element: Element, initial: str) -> str | None:
    return (element.get(initial) if typed is None else typed) or None


def _day(text: str | None) -> str | None:
    if text is not None and not is_day(text):
        raise SlackError("no_such_day")
    return text


def _time(text: str | None) -> str | None:
    if text is not None and not TIME.fullmatch(text):
        raise SlackError("no_such_time")
    return text


def _option(element: Element, value: str | None) -> dict[str, Any] | None:
    if not value:
        return None
    for option in element["options"]:
        if option["value"] == value:
            return dict(option)
    raise SlackError("no_such_option")


def is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def input_problems(element: Element) -> list[str]:
    """What Slack would refuse of an input's own fields."""
    initial_day, initial_time = element.get("initial_date"), element.get("initial_time")
    if element["type"] == "datepicker" and initial_day is not None and not is_day(initial_day):
        return ["initial_date must be YYYY-MM-DD"]
    if element["type"] == "timepicker" and initial_time is not None and not TIME.fullmatch(str(initial_time)):
        return ["initial_time must be HH:mm"]
    if element["type"] == "static_select" and not element.get("options") and not element.get("option_groups"):
        return ["static_select needs options"]
    return []
