"""What a notification says: a response of `nlu/domain/responses_notifications.yml` and what fills it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.notifications.facts import Due, FollowUp
from bot.sop_notifications import NotificationKind
from connectors.base import DeliveryWindow

Response = tuple[str, dict[str, str]]

MANY = 2
"""From so many stops on they are counted."""


class Speech(Protocol):
    """Times and nouns as recipients read them; `bot.app` hands in those of the actions."""

    def say_estimate(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_instant(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_moment(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_window(self, window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str: ...

    def say_dated_window(
        self, window: DeliveryWindow, timezone: str, now: datetime, language: str
    ) -> str: ...

    def name_parcel(self, client: str, language: str) -> str: ...


@dataclass(frozen=True)
class Scene:
    """Where and when it is said, of whose parcel."""

    client: str
    timezone: str
    now: datetime
    language: str
    follow_up: FollowUp = FollowUp.OFF
    proof_link: str = ""
    """Where what the driver left can be seen; empty where there is nothing to see."""


def response_of(due: Due, scene: Scene, speech: Speech) -> Response:
    """The response's name and its slots; `{parcel}` is always among them."""
    name, slots = _WORDED[due.kind](due, _Spoken(scene, speech))
    return name, {"parcel": speech.name_parcel(scene.client, scene.language), **slots}


@dataclass(frozen=True)
class _Spoken:
    scene: Scene
    speech: Speech

    def eta(self, moment: datetime) -> str:
        return self.speech.say_estimate(moment, self.scene.timezone, self.scene.now, self.scene.language)

    def at(self, moment: datetime) -> str:
        """As it stands after "at", in Spanish with its article."""
        return self.speech.say_instant(moment, self.scene.timezone, self.scene.now, self.scene.language)

    def window(self, window: DeliveryWindow) -> str:
        return self.speech.say_window(window, self.scene.timezone, self.scene.now, self.scene.language)

    def dated(self, window: DeliveryWindow) -> str:
        return self.speech.say_dated_window(window, self.scene.timezone, self.scene.now, self.scene.language)


def _out(due: Due, spoken: _Spoken) -> Response:
    if due.window is not None:
        return "utter_notice_out_window", {"window": spoken.window(due.window)}
    if due.eta_at is not None:
        return "utter_notice_out_eta", {"eta": spoken.eta(due.eta_at)}
    return "utter_notice_out", {}


def _approaching(due: Due, spoken: _Spoken) -> Response:
    (untimed, timed), slots = _how_near(due.stops_away), {}
    if due.stops_away is not None and due.stops_away >= MANY:
        slots["stops"] = str(due.stops_away)
    if due.eta_at is None or due.eta_at <= spoken.scene.now:
        return untimed, slots
    return timed, slots | {"eta": spoken.eta(due.eta_at)}


def _how_near(stops_away: int | None) -> tuple[str, str]:
    """The responses without a time and with one."""
    if stops_away is None:
        return "utter_notice_close", "utter_notice_close_eta"
    if stops_away >= MANY:
        return "utter_notice_stops_away", "utter_notice_stops_away_eta"
    if stops_away == 1:
        return "utter_notice_one_away", "utter_notice_one_away_eta"
    return "utter_notice_next", "utter_notice_next_eta"


def _late(due: Due, spoken: _Spoken) -> Response:
    eta = spoken.eta(due.eta_at) if due.eta_at else ""
    return "utter_notice_late", {"eta": eta, "window": spoken.window(due.window) if due.window else ""}


def _later(due: Due, spoken: _Spoken) -> Response:
    return "utter_notice_later", {"eta": spoken.eta(due.eta_at) if due.eta_at else ""}


def _back(due: Due, spoken: _Spoken) -> Response:
    _, slots = _late(due, spoken)
    return "utter_notice_back_on_time", slots


def _window(due: Due, spoken: _Spoken) -> Response:
    return "utter_notice_window_changed", {"window": spoken.dated(due.window) if due.window else ""}


def _delivered(due: Due, spoken: _Spoken) -> Response:
    when = spoken.at(due.happened_at) if due.happened_at else ""
    if link := spoken.scene.proof_link:
        return "utter_notice_delivered_proof", {"when": when, "link": link}
    return "utter_notice_delivered", {"when": when}


def _failed(due: Due, spoken: _Spoken) -> Response:
    when = spoken.at(due.happened_at) if due.happened_at else ""
    by_person = spoken.scene.follow_up is FollowUp.BY_PERSON
    return ("utter_notice_failed_person" if by_person else "utter_notice_failed"), {"when": when}


def _returned(_due: Due, _spoken: _Spoken) -> Response:
    return "utter_notice_returned", {}


_WORDED: dict[NotificationKind, Callable[[Due, _Spoken], Response]] = {
    NotificationKind.OUT_FOR_DELIVERY: _out,
    NotificationKind.APPROACHING: _approaching,
    NotificationKind.RUNNING_LATE: _late,
    NotificationKind.BACK_ON_TIME: _back,
    NotificationKind.LATER: _later,
    NotificationKind.WINDOW_CHANGED: _window,
    NotificationKind.DELIVERED: _delivered,
    NotificationKind.FAILED: _failed,
    NotificationKind.RETURNED: _returned,
}
