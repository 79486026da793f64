"""What to say about one stop: which response, filled with what, and whether a person has to look. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actions.speech import name_parcel, say_about, say_age, say_eta, say_instant, say_moment, say_window
from bot.stops.answers import StopAnswer
from connectors.base import DeliveryWindow, FailureReason, StopStatus

ETA_GRACE = timedelta(minutes=5)
"""An ETA that passed longer ago than this without an arrival is no ETA any more."""

ON_THE_VAN = frozenset({StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING})

ACTIONABLE_FAILURES = {
    FailureReason.RECIPIENT_UNAVAILABLE: "nobody_in",
    FailureReason.ACCESS_ISSUE: "no_access",
    FailureReason.ADDRESS_ISSUE: "address",
}
"""Failures that the recipient can do something about; each has words of its own."""


@dataclass(frozen=True)
class Saying:
    response: str
    slots: dict[str, str] = field(default_factory=dict)
    needs_person: str | None = None
    """Why a dispatcher must be asked; the response then also names `{by}`, the promised time."""


def describe(stop: StopAnswer, now: datetime, language: str) -> Saying:
    """The truth about `stop` at `now`, in one response. Never an ETA that the platform did not give."""
    if stop.status.is_closed:
        return _closed(stop, now, language)
    if stop.stale:
        return _stale(stop, now, language)
    if stop.status in ON_THE_VAN:
        return _on_the_van(stop, now, language)
    return _not_out_yet(stop, now, language)


def eta_of(stop: StopAnswer, now: datetime) -> datetime | None:
    """The platform's ETA, unless time has already proved it wrong."""
    return stop.eta_at if stop.eta_at is not None and stop.eta_at >= now - ETA_GRACE else None


def brief(stop: StopAnswer, now: datetime, language: str) -> str:
    """One line of a list to choose from: `Acme, Elm St, about 1 pm`. Client and street only."""
    when = ""
    if (eta := eta_of(stop, now)) is not None and not stop.status.is_closed:
        when = say_about(eta, stop.timezone, now, language)
    elif stop.completed_at is not None:
        when = say_moment(stop.completed_at, stop.timezone, now, language)
    elif stop.window is not None:
        when = say_window(stop.window, stop.timezone, now, language)
    return ", ".join(part for part in (stop.client, street_of(stop.address_line), when) if part)


def street_of(address_line: str) -> str:
    """`Elm St` of `14 Elm St 2B`: neither house number nor apartment."""
    street = address_line.split(",")[0]
    street = re.sub(r"(?i)\s*(?:#|\b(?:apt|apartment|unit|suite|ste|fl|floor|depto|piso)\b).*$", "", street)
    words = street.split()
    while words and any(character.isdigit() for character in words[0]):
        words.pop(0)
    while words and any(character.isdigit() for character in words[-1]) and len(words) > 1:
        words.pop()
    return " ".join(words)


def _on_the_van(stop: StopAnswer, now: datetime, language: str) -> Saying:
    slots = _slots(stop, now, language)
    eta = eta_of(stop, now)
    if eta is None:
        return _without_eta(stop, now, slots)
    slots["eta"] = say_eta(eta, stop.timezone, now, language)
    if stop.window is not None and eta >= stop.window.end_at:
        return Saying("utter_track_late", slots)
    if stop.status is StopStatus.ARRIVING:
        return Saying("utter_track_arriving", slots)
    suffix = "" if stop.window is not None else "_no_window"
    return Saying(f"utter_track_{_distance(stop.stops_away)}{suffix}", slots)


def _distance(stops_away: int | None) -> str:
    if stops_away is None:
        return "out"
    return {0: "next", 1: "one_away"}.get(stops_away, "away")


def _without_eta(stop: StopAnswer, now: datetime, slots: dict[str, str]) -> Saying:
    if stop.window is None:
        return Saying("utter_track_out_no_time", slots)
    if now >= stop.window.end_at:
        return Saying("utter_track_overdue", slots, needs_person="overdue")
    return Saying("utter_track_out_no_eta", slots)


def _not_out_yet(stop: StopAnswer, now: datetime, language: str) -> Saying:
    slots = _slots(stop, now, language)
    if stop.window is None:
        return Saying("utter_track_no_day", slots)
    eta = eta_of(stop, now)
    if eta is None:
        late = now >= stop.window.end_at
        return Saying(
            "utter_track_overdue" if late else "utter_track_planned",
            slots,
            needs_person="overdue" if late else None,
        )
    slots["eta"] = say_eta(eta, stop.timezone, now, language)
    return Saying("utter_track_late" if eta >= stop.window.end_at else "utter_track_planned_eta", slots)


def _stale(stop: StopAnswer, now: datetime, language: str) -> Saying:
    slots = _slots(stop, now, language) | {"age": say_age(now - stop.data_at)}
    if stop.window is not None and _is_later_than_today(stop.window, stop.timezone, now):
        return Saying("utter_track_stale_later", slots)
    if stop.status in ON_THE_VAN and stop.stops_away:
        return Saying("utter_track_stale_away", slots, needs_person="stale")
    if stop.window is None:
        return Saying("utter_track_stale_unknown", slots, needs_person="stale")
    return Saying("utter_track_stale_window", slots, needs_person="stale")


def _closed(stop: StopAnswer, now: datetime, language: str) -> Saying:
    slots = _slots(stop, now, language)
    kind = stop.status.value
    if stop.completed_at is not None:
        slots["when"] = say_instant(stop.completed_at, stop.timezone, now, language)
    elif stop.status in (StopStatus.DELIVERED, StopStatus.FAILED):
        return Saying(f"utter_track_{kind}_no_time", slots)
    if stop.status is StopStatus.FAILED and stop.failure_reason in ACTIONABLE_FAILURES:
        kind = f"failed_{ACTIONABLE_FAILURES[stop.failure_reason]}"
    return Saying(f"utter_track_{kind}", slots)


def _slots(stop: StopAnswer, now: datetime, language: str) -> dict[str, str]:
    slots = {"parcel": name_parcel(stop.client, language)}
    if stop.window is not None:
        slots["window"] = say_window(stop.window, stop.timezone, now, language)
    if stop.stops_away is not None:
        slots["stops"] = str(stop.stops_away)
    return slots


def _is_later_than_today(window: DeliveryWindow, timezone: str, now: datetime) -> bool:
    zone = ZoneInfo(timezone)
    return window.start_at.astimezone(zone).date() > now.astimezone(zone).date()
