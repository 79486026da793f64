"""What each kind of task asks, in lines. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.desk import Suggestion, TaskFacts, TaskKind, TaskView
from connectors.follow_up_words import REASONS, numeral
from connectors.slack.desk_words import NAME_LIMIT
from connectors.slack.mrkdwn import day_words, duration_words, foreign, moment, window_words

SUGGESTIONS_SHOWN = 4
ADDRESSES_SHOWN = 8

CHANGES = {
    "added": ("was added to", "were added to"),
    "cancelled": ("was taken off", "were taken off"),
    "moved": ("has another window on", "have other windows on"),
    "reassigned": ("went to", "went to"),
    "taken_off": ("is no longer on", "are no longer on"),
}
"""Of one stop, and of several."""

WRITES = {
    "added": "the stop",
    "cancelled": "the cancellation",
    "moved": "the new window",
    "reassigned": "the new driver",
}

FOLLOW_UPS = {
    "by_rule": "For this reason a person decides what becomes of it.",
    "attempts": "It was tried as often as agreed.",
    "nobody_to_ask": "There is nobody to ask: nothing reaches the recipient.",
    "no_answer": "The recipient was asked and has not answered.",
    "ending": "Nobody answered, and what becomes of it is yours to decide.",
    "not_possible": "The platform has no second tries: it is to be entered there by hand.",
    "refused": "The platform refused the second try.",
    "no_window": "No window for a second try can be had.",
    "try_cancelled": "The second try was cancelled on the platform. The recipient still expects it.",
    "code_lost": "The access code did not get to the platform. The driver needs it: ask the recipient again.",
    "request": "The recipient wants what only a dispatcher approves.",
    "pick_up": "The recipient comes for it. It is to be held.",
    "send_back": "It goes back to the sender. Somebody has to send it.",
}
"""Why a failed delivery needs a person, by code: `bot.recovery.models.Why`."""

ABOUT_ROUTES = frozenset(
    {
        TaskKind.DRIVER_UNCONFIRMED,
        TaskKind.OVER_CAPACITY,
        TaskKind.RELEASE_ROUTES,
        TaskKind.MOVE_WINDOWS,
        TaskKind.HAND_OVER_FAILED,
    }
)


def asked_lines(view: TaskView, now: datetime) -> list[str]:
    """The body of an open task; empty lines are the caller's to drop."""
    return _LINES[view.kind](view.facts, view, now)


def subject(view: TaskView) -> str:
    """`14 Elm St 2B for Robin Doe`, or the route, or the day."""
    facts = view.facts
    day = day_words(facts.day) if facts.day else ""
    if view.kind in ABOUT_ROUTES:
        return ", ".join(part for part in (_route(facts), day) if part)
    place = foreign(facts.address_line, NAME_LIMIT) or foreign(facts.tracking or facts.order_ref, NAME_LIMIT)
    name = foreign(facts.recipient_name, NAME_LIMIT)
    if place:
        return f"{place} for {name}" if name else place
    return (_stops(facts.stops) if facts.addresses else "") or _route(facts) or day or name


def done_words(facts: TaskFacts) -> str:
    """`12 of 34 done`, of what was carried out for many stops."""
    if facts.stops_done is None:
        return ""
    return f"{facts.stops_done:,} of {facts.stops:,} done" if facts.stops else f"{facts.stops_done:,} done"


def suggested_lines(facts: TaskFacts) -> list[str]:
    """Who could take it, one driver per line."""
    lines = [f"• {_suggestion(each)}" for each in facts.suggestions[:SUGGESTIONS_SHOWN]]
    return ["Could take it:", *lines] if lines else []


def amount(value: float) -> str:
    """`40`, `12.5`, `1,200`."""
    return f"{value:,.1f}".removesuffix(".0")


def load_words(load: float | None, capacity: float | None) -> str:
    """`40 of 60`, with a warning when it is more; empty when nothing is known."""
    if capacity is None:
        return f"load {amount(load)}" if load else ""
    load = load or 0.0
    return f"{':warning: ' if load > capacity else ''}{amount(load)} of {amount(capacity)}"


def failure_lines(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    """A failure that nobody has explained."""
    return [*_about(view), _how_it_failed(facts, view, now), "Nobody has said why. Which was it?"]


def follow_up_lines(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    """A failure that needs a person: why it does, and what can be had."""
    cause = REASONS[facts.cause] if facts.cause is not None else ""
    how = _how_it_failed(facts, view, now)
    why = next((FOLLOW_UPS[code] for code in facts.reasons if code in FOLLOW_UPS), "")
    place = foreign(facts.place, NAME_LIMIT)
    again = window_words(facts.wanted_window, view.timezone, now) if facts.wanted_window else ""
    return [
        *_about(view),
        " · ".join(part for part in (cause, how[:1].lower() + how[1:] if cause else how) if part),
        why,
        f"Where: {place}" if place else "",
        f"{_window_lead(facts)} *{again}*" if again else "",
    ]


def _window_lead(facts: TaskFacts) -> str:
    return "It was to come" if "try_cancelled" in facts.reasons else "Next window that can be had:"


def _about(view: TaskView) -> list[str]:
    about = subject(view)
    return [f"*{about}*"] if about else []


def _how_it_failed(facts: TaskFacts, view: TaskView, now: datetime) -> str:
    """`3rd try failed 11:40 am, promised 10 am-12 pm`."""
    what = f"{numeral(facts.attempt)} try failed" if facts.attempt > 1 else "Failed"
    at = f" {moment(facts.failed_at, view.timezone, now)}" if facts.failed_at else ""
    promised = f", promised {window_words(facts.window, view.timezone, now)}" if facts.window else ""
    return f"{what}{at}{promised}"


def _stop(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    about = subject(view)
    return [f"*{about}*" if about else "", _windows(facts, view, now)]


def _windows(facts: TaskFacts, view: TaskView, now: datetime) -> str:
    promised = window_words(facts.window, view.timezone, now) if facts.window else ""
    wanted = window_words(facts.wanted_window, view.timezone, now) if facts.wanted_window else ""
    parts = [f"promised {promised}" if promised else "", f"wants *{wanted}*" if wanted else ""]
    line = ", ".join(part for part in parts if part)
    return line[:1].upper() + line[1:]


def _cancel(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    driver = foreign(facts.driver_name, NAME_LIMIT)
    return [*_stop(facts, view, now), f"It is with {driver}." if driver else ""]


def _late_change(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    where = _route(facts) or "a route that is out"
    is_many = facts.stops > 1 and bool(facts.addresses)
    unnamed = f"{foreign(facts.change.replace('_', ' '), NAME_LIMIT)} on"
    verb = CHANGES[facts.change][is_many] if facts.change in CHANGES else unnamed
    if is_many:
        return [f"*{_stops(facts.stops)}* {verb} {where}", *_addresses(facts)]
    return [f"*{subject(view)}* {verb} {where}", _windows(facts, view, now)]


def _driver(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    phone = foreign(facts.driver_phone or "", NAME_LIMIT)
    who = foreign(facts.driver_name, NAME_LIMIT) or "The driver"
    first = foreign(facts.address_line, NAME_LIMIT)
    starts = f"starts {moment(facts.starts_at, view.timezone, now)}" if facts.starts_at else ""
    parts = [f"*{who}*{f' ({phone})' if phone else ''}", foreign(facts.route_name, NAME_LIMIT)]
    parts += [_stops(facts.stops), starts, f"first {first}" if first else ""]
    return [" · ".join(part for part in parts if part)]


def _over_capacity(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    parts = [f"*{_route(facts) or 'A route'}*", load_words(facts.load, facts.capacity), _stops(facts.stops)]
    return [" · ".join(part for part in parts if part)]


def _refused(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    what = WRITES.get(facts.change) or foreign(facts.change.replace("_", " "), NAME_LIMIT)
    where = foreign(facts.platform, NAME_LIMIT) or "The platform"
    line = f"{where} did not take {what}. It is to be done there." if what else ""
    driver = foreign(facts.driver_name, NAME_LIMIT)
    return [*_stop(facts, view, now), *_addresses(facts), line, f"Driver: {driver}" if driver else ""]


def _release(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    parts = [
        f"*{day_words(facts.day)}*" if facts.day else "",
        "1 route" if facts.routes == 1 else f"{facts.routes:,} routes" if facts.routes else "",
        _stops(facts.stops),
        foreign(facts.platform, NAME_LIMIT),
    ]
    return [
        " · ".join(part for part in parts if part),
        "The routes go to their drivers. It cannot be undone.",
    ]


def _move_many(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    minutes = _minutes(facts)
    by = f"{_length(minutes)} {'later' if minutes > 0 else 'earlier'}" if minutes else ""
    parts = [
        f"*{_stops(facts.stops) or 'Windows'}*",
        foreign(facts.route_name, NAME_LIMIT),
        day_words(facts.day) if facts.day else "",
        f"*{by}*" if by else "",
    ]
    return [" · ".join(part for part in parts if part), *_addresses(facts)]


def _hand_over(facts: TaskFacts, view: TaskView, now: datetime) -> list[str]:
    many = f"{facts.stops:,} events are" if facts.stops > 1 else "An event is"
    return [f"{many} set aside: the client's system did not take them." if facts.stops else ""]


_LINES: dict[TaskKind, Callable[[TaskFacts, TaskView, datetime], list[str]]] = {
    TaskKind.NEW_STOP: _stop,
    TaskKind.CHANGE_WINDOW: _stop,
    TaskKind.CANCEL_STOP: _cancel,
    TaskKind.LATE_CHANGE: _late_change,
    TaskKind.DRIVER_UNCONFIRMED: _driver,
    TaskKind.OVER_CAPACITY: _over_capacity,
    TaskKind.WRITE_REFUSED: _refused,
    TaskKind.RELEASE_ROUTES: _release,
    TaskKind.MOVE_WINDOWS: _move_many,
    TaskKind.HAND_OVER_FAILED: _hand_over,
    TaskKind.FAILURE_REASON: failure_lines,
    TaskKind.FOLLOW_UP: follow_up_lines,
}


# --- parts of lines ---------------------------------------------------------------------------------


def _minutes(facts: TaskFacts) -> int:
    """By how much many windows move; where it is not said, as the example of one stop shows."""
    if facts.minutes is not None or facts.window is None or facts.wanted_window is None:
        return facts.minutes or 0
    return int((facts.wanted_window.start_at - facts.window.start_at).total_seconds() // 60)


def _length(minutes: int) -> str:
    return duration_words(timedelta(minutes=abs(minutes)))


def _stops(count: int) -> str:
    return "" if count <= 0 else "1 stop" if count == 1 else f"{count:,} stops"


def _route(facts: TaskFacts) -> str:
    """`Ana's route North 3`, or what of it is known."""
    driver, route = foreign(facts.driver_name, NAME_LIMIT), foreign(facts.route_name, NAME_LIMIT)
    if driver and route and driver != route:
        return f"{driver}'s route {route}"
    return f"{driver}'s route" if driver else route


def _suggestion(suggestion: Suggestion) -> str:
    left = f"{_stops(suggestion.stops_left)} left" if suggestion.stops_left else ""
    if suggestion.stops_left == 0:
        left = "no stops left"
    parts = [
        foreign(suggestion.driver_name, NAME_LIMIT) or foreign(suggestion.driver_ref, NAME_LIMIT),
        foreign(suggestion.zone, NAME_LIMIT),
        left,
        load_words(suggestion.load, suggestion.capacity),
    ]
    return " · ".join(part for part in parts if part)


def _addresses(facts: TaskFacts) -> list[str]:
    shown = [f"• {foreign(address, NAME_LIMIT)}" for address in facts.addresses[:ADDRESSES_SHOWN]]
    hidden = max(facts.stops, len(facts.addresses)) - len(shown)
    return [*shown, f"and {hidden:,} more"] if shown and hidden > 0 else shown
