"""The inputs of an escalation's windows, within Block Kit's limits. Pure.

Block id, action id and the name of the field are one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from slack_sdk.models.blocks import (
    DatePickerElement,
    InputBlock,
    InputInteractiveElement,
    MarkdownTextObject,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
    TimePickerElement,
)

from connectors.escalation import EscalationLine, EscalationView
from connectors.slack.mrkdwn import one_line, window_words

OPTIONS = 100
OPTION_TEXT, OPTION_VALUE = 75, 150
"""Source: Block Kit reference, static select and option object."""

ALL = "all"
"""Value of the option that means every stop that is still open."""

Offered = Iterable[tuple[str, str]]
"""Value and text of each option."""


def section(text: str) -> SectionBlock:
    # verbatim: what other people wrote must not become a mention or a link.
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))


def ask(
    name: str,
    label: str,
    element: InputInteractiveElement,
    *,
    hint: str | None = None,
    optional: bool = False,
) -> InputBlock:
    return InputBlock(block_id=name, label=label, hint=hint, optional=optional, element=element)


def select(name: str, offered: Offered, initial: str = "") -> StaticSelectElement:
    """What does not fit is left out: nothing here is ever the only way."""
    by_value = dict(offered)
    options = [option for value, text in by_value.items() if (option := _option(value, text)) is not None]
    options = options[:OPTIONS]
    chosen = next((option for option in options if option.value == initial), None)
    return StaticSelectElement(action_id=name, options=options, initial_option=chosen)


def _option(value: str, text: str) -> Option | None:
    if not 0 < len(value) <= OPTION_VALUE:
        return None
    return Option(value=value, text=PlainTextObject(text=one_line(text, OPTION_TEXT) or value[:OPTION_TEXT]))


def words(name: str, limit: int, initial: str | None = None) -> PlainTextInputElement:
    return PlainTextInputElement(action_id=name, multiline=True, max_length=limit, initial_value=initial)


def day_picker(name: str, at: datetime, timezone: str) -> DatePickerElement:
    return DatePickerElement(action_id=name, initial_date=f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d}")


def time_picker(name: str, at: datetime | None, timezone: str) -> TimePickerElement:
    initial = f"{at.astimezone(ZoneInfo(timezone)):%H:%M}" if at is not None else None
    return TimePickerElement(action_id=name, initial_time=initial)


def stop_options(lines: Sequence[EscalationLine], view: EscalationView, now: datetime) -> Offered:
    for line in lines:
        window = f" · {window_words(line.window, view.timezone, now)}" if line.window else ""
        yield line.stop_id, f"{line.address_line or line.tracking or 'address unknown'}{window}"


def several_stops(lines: Sequence[EscalationLine], view: EscalationView, now: datetime) -> Offered:
    """All of them first, which is what is mostly meant."""
    yield ALL, "The stop" if len(lines) == 1 else f"All {len(lines)} open stops"
    if len(lines) > 1:
        yield from stop_options(lines, view, now)
