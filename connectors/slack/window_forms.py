"""The windows of an escalation: what each shows and asks. Pure; what comes back is read by `window_inputs.py`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from connectors.choices import DriverChoice, OtherEscalation, WindowChoices
from connectors.escalation import EscalationLine, EscalationState
from connectors.slack.cause_words import CAUSES, LATE, SEVERITIES
from connectors.slack.mrkdwn import foreign, pack, sentence
from connectors.slack.opening import SENTENCE_LIMIT, driver_said, place, severity_words
from connectors.slack.payloads import WindowPlace
from connectors.slack.stop_lines import stop_line, stops_of
from connectors.slack.window_kinds import Window
from connectors.slack.window_parts import (
    ALL,
    ask,
    day_picker,
    section,
    select,
    several_stops,
    stop_options,
    time_picker,
    words,
)
from connectors.slack.window_words import (
    BEFORE_WINDOW,
    DEEDS,
    DRIVER_WORDS,
    FOR_MINUTES,
    MESSAGES,
    NO_CHOICE,
    NOTE,
    OWN_WORDS,
    TITLES,
)

PREFIX = "escalation_"
"""How the callback ids of these windows begin; the kind follows."""

PAGE = 40
"""Stops on one page of a long list; 40 of them at their longest are well under a window's 100 blocks."""

Blocks = list[Block]


def window(kind: Window, choices: WindowChoices, where: WindowPlace, now: datetime) -> dict[str, Any]:
    """What `views.open` is given, or what the window before it turns into."""
    blocks = _FORMS[kind](choices, where, now)
    title, submit = TITLES[kind]
    is_open_ended = bool(blocks) and not (kind is Window.STOPS and _is_last_page(choices, where.page))
    if not blocks:
        blocks = [section(NO_CHOICE[kind])]
    view = View(
        type="modal",
        callback_id=f"{PREFIX}{kind.value}",
        title=PlainTextObject(text=title),
        submit=PlainTextObject(text=submit) if is_open_ended else None,
        close=PlainTextObject(text="Back"),
        private_metadata=where.model_dump_json(),
        blocks=blocks,
    )
    return dict(view.to_dict())


# --- each window ------------------------------------------------------------------------------------


def _more(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    offered = [(kind.value, words) for kind, words in DEEDS.items() if _is_possible(kind, choices)]
    if not offered:
        return []
    stops = stops_of(choices.view)[:PAGE]
    listed = pack(stop_line(line, choices.view, now) for line in stops)
    more = len(stops_of(choices.view)) - len(stops)
    return [
        _heading(choices),
        *(section(text) for text in listed),
        *([section(f"and {more} more: the message's list shows all of them.")] if more > 0 else []),
        ask("deed", "What to do", select("deed", offered)),
    ]


def _stops(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    stops = stops_of(choices.view)
    start = where.page * PAGE
    shown = stops[start : start + PAGE]
    listed = pack(stop_line(line, choices.view, now) for line in shown)
    return [
        section(f"*{start + 1} to {start + len(shown)} of {len(stops)}*"),
        *(section(text) for text in listed),
    ]


def _snooze(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    lengths = [(str(minutes), _length(minutes)) for minutes in FOR_MINUTES]
    coming = any(line.window and line.window.end_at > now for line in _open_lines(choices))
    before = (
        [(f"before_{m}", f"Until {m} min before the window ends") for m in BEFORE_WINDOW] if coming else []
    )
    return [
        _heading(choices),
        ask("for", "For how long", select("for", [*lengths, *before]), optional=True),
        ask(
            "until",
            "Or until",
            time_picker("until", None, where.timezone),
            hint="Local time. Nobody is called before then; it opens again by itself.",
            optional=True,
        ),
    ]


def _reassign(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    lines = _open_lines(choices)
    if not choices.drivers or not lines:
        return []
    offered = [(driver.driver_ref, _driver(driver)) for driver in choices.drivers]
    return [
        _heading(choices),
        ask("driver", "To", select("driver", offered)),
        ask("stop_ids", "Which", select("stop_ids", several_stops(lines, choices.view, now), ALL)),
    ]


def _contact(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    if not choices.has_driver:
        return []
    name = foreign(choices.view.driver_name, 60)
    said = driver_said(choices.view, now)
    hint = "Left empty, the driver is asked whether it is on time, and what is in the way. The answer comes here."
    return [
        _heading(choices),
        *([section(sentence(f"{name or 'The driver'}: {said}"))] if said else []),
        ask("words", "Your question", words("words", DRIVER_WORDS), hint=hint, optional=True),
    ]


def _tell(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    lines = _open_lines(choices)
    if not lines:
        return []
    hint = (
        "In their language. A time is told only where the platform has one. Nobody gets the same text twice."
    )
    own_hint = "Goes out as you write it, in no other language."
    return [
        _heading(choices),
        ask("message", "Message", select("message", MESSAGES.items(), "running_late"), hint=hint),
        ask("words", "Your own words", words("words", OWN_WORDS), hint=own_hint, optional=True),
        ask("stop_ids", "To whom", select("stop_ids", several_stops(lines, choices.view, now), ALL)),
    ]


def _move(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    lines = _open_lines(choices)
    if not choices.can_move_window or not lines:
        return []
    first, zone = lines[0], where.timezone
    window = first.window
    return [
        _heading(choices),
        ask("stop_id", "Stop", select("stop_id", stop_options(lines, choices.view, now), first.stop_id)),
        ask("date", "Day", day_picker("date", window.start_at if window else now, zone)),
        ask("start", "Window starts", time_picker("start", window.start_at if window else None, zone)),
        ask("end", "Window ends", time_picker("end", window.end_at if window else None, zone)),
        ask("tell", "Recipient", select("tell", _TELL.items(), "yes"), hint="Once the platform has it."),
        ask("reason", "Reason", words("reason", NOTE), optional=True),
    ]


_TELL = {"yes": "Tell them the new window", "no": "Do not text them"}


def _hand_over(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    if not choices.zones:
        return []
    offered = [(zone, zone) for zone in choices.zones]
    hint = "It is posted in their channel, open, and their steps begin. This message becomes a pointer."
    return [
        _heading(choices),
        ask("zone", "To", select("zone", offered), hint=hint),
        ask("note", "Note", words("note", NOTE), optional=True),
    ]


def _merge(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    if not choices.others:
        return []
    offered = [(other.escalation_id, _other(other)) for other in choices.others]
    hint = "Its stops go there; this message ends, and nobody is called for it any more."
    return [_heading(choices), ask("into", "Into", select("into", offered), hint=hint)]


def _noise(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    text = "It should not have been raised. It ends for good and is counted in the weekly digest."
    return [_heading(choices), section(text)]


def _resolve(choices: WindowChoices, where: WindowPlace, now: datetime) -> Blocks:
    causes = [(cause.value, CAUSES[cause]) for cause in choices.root_causes]
    known = choices.view.root_cause.value if choices.view.root_cause else ""
    note = ask("note", "Note", words("note", NOTE), optional=True)
    if choices.view.severity not in LATE:
        return [_heading(choices), note]
    counts = [(code, label or code.replace("_", " ")) for code, label in choices.exclusions.items()]
    exclusion = ask(
        "exclusion",
        "Does not count because",
        select("exclusion", counts),
        hint="Left empty, it counts against the on-time target.",
        optional=True,
    )
    return [
        _heading(choices),
        ask("root_cause", "Root cause", select("root_cause", causes, known)),
        *([exclusion] if counts else []),
        note,
    ]


_FORMS: dict[Window, Callable[[WindowChoices, WindowPlace, datetime], Blocks]] = {
    Window.MORE: _more,
    Window.STOPS: _stops,
    Window.SNOOZE: _snooze,
    Window.REASSIGN: _reassign,
    Window.CONTACT: _contact,
    Window.TELL: _tell,
    Window.MOVE: _move,
    Window.HAND_OVER: _hand_over,
    Window.MERGE: _merge,
    Window.NOISE: _noise,
    Window.RESOLVE: _resolve,
    Window.CAUSE: _resolve,
}


# --- parts ------------------------------------------------------------------------------------------


def _heading(choices: WindowChoices) -> Block:
    view = choices.view
    first = " · ".join([f"*{severity_words(view)}*", *place(view)])
    why = sentence(foreign(view.why, SENTENCE_LIMIT))
    return section(f"{first}\n{why}".strip())


def _open_lines(choices: WindowChoices) -> list[EscalationLine]:
    return [line for line in stops_of(choices.view) if line.stop_id in choices.open_stop_ids]


def _is_possible(kind: Window, choices: WindowChoices) -> bool:
    if choices.view.state is EscalationState.RESOLVED:
        return False
    lines = _open_lines(choices)
    return {
        Window.TELL: bool(lines),
        Window.CONTACT: choices.has_driver,
        Window.MOVE: choices.can_move_window and bool(lines),
        Window.REASSIGN: bool(choices.drivers and lines),
        Window.HAND_OVER: bool(choices.zones),
        Window.MERGE: bool(choices.others),
    }.get(kind, True)


def _is_last_page(choices: WindowChoices, page: int) -> bool:
    return (page + 1) * PAGE >= len(stops_of(choices.view))


def _length(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 60 else ("1 hour" if minutes == 60 else f"{minutes // 60} hours")


def _driver(driver: DriverChoice) -> str:
    load = "" if driver.stops_left is None else f"{driver.stops_left} stops left"
    duty = "off duty" if driver.on_duty is False else ""
    return " · ".join(part for part in (driver.name or driver.driver_ref, load, driver.zone, duty) if part)


def _other(other: OtherEscalation) -> str:
    stops = "1 stop" if other.stops == 1 else f"{other.stops} stops"
    parts = (SEVERITIES[other.severity], other.zone, other.address_line, other.client, stops)
    return " · ".join(part for part in parts if part)
