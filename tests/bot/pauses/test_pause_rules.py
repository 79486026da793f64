"""What a maintenance window covers, and what became of what it held back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.escalations.cause import Cause
from bot.pauses.models import Pause, PauseHit
from bot.pauses.rules import (
    About,
    about_cause,
    about_stop,
    covering,
    covers,
    fate_of,
    holds_until,
    runs,
    was_held_by,
)
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.escalation import Severity
from connectors.pauses import HitFate, PauseWhat

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def pause(what: PauseWhat = PauseWhat.EVERYTHING, ref: str = "", **changes: Any) -> Pause:
    values: dict[str, Any] = {
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
        "timezone": "UTC",
        "by": "U0DANA",
        "channel": "#dispatch",
    }
    return Pause(what=what, ref=ref, name=ref, vendor_id=str(uuid4()), created_at=NOON, **values | changes)


ABOUT = about_stop("North", "Acme", "onfleet", "r-1")


@pytest.mark.parametrize(
    ("window", "about", "covered"),
    [
        (pause(), ABOUT, True),
        (pause(), About(), True),
        (pause(PauseWhat.ZONE, "North"), ABOUT, True),
        (pause(PauseWhat.ZONE, "north"), ABOUT, True),
        (pause(PauseWhat.ZONE, "South"), ABOUT, False),
        (pause(PauseWhat.ZONE, ""), About(), False),
        (pause(PauseWhat.CLIENT, "ACME"), ABOUT, True),
        (pause(PauseWhat.CLIENT, "Acme"), About(clients=frozenset({"Acme", "Nova"})), False),
        (pause(PauseWhat.CLIENT, "Acme"), About(), False),
        (pause(PauseWhat.PLATFORM, "onfleet"), ABOUT, True),
        (pause(PauseWhat.PLATFORM, "onfleet"), About(zone="North"), False),
        (pause(PauseWhat.ROUTE, "r-1", platform="onfleet"), ABOUT, True),
        (pause(PauseWhat.ROUTE, "r-1", platform="route4me"), ABOUT, False),
        (pause(PauseWhat.ROUTE, "r-2", platform="onfleet"), ABOUT, False),
    ],
)
def test_what_a_window_covers(window: Pause, about: About, covered: bool) -> None:
    assert covers(window, about) is covered


def cause(**changes: Any) -> Cause:
    values: dict[str, Any] = {
        "key": "late:1",
        "severity": Severity.AT_RISK,
        "why": "ETA 3 pm",
        "timezone": "UTC",
    }
    return Cause(**values | changes)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"client": "Acme", "zone": "North"}, About("North", frozenset({"Acme"}))),
        (
            {"client": "Acme, Nova", "clients": frozenset({"Acme", "Nova"})},
            About("", frozenset({"Acme", "Nova"})),
        ),
        ({"platform": "onfleet", "route_ref": "r-1"}, About("", frozenset(), "onfleet", "r-1")),
        ({"key": "silent:onfleet_west"}, About("", frozenset(), "onfleet_west")),
    ],
)
def test_what_a_cause_is_about(changes: dict[str, Any], about: About) -> None:
    assert about_cause(cause(**changes)) == about


@pytest.mark.parametrize(
    ("window", "now", "is_running"),
    [
        (pause(), NOON - timedelta(seconds=1), False),
        (pause(), NOON, True),
        (pause(), NOON + HOUR - timedelta(seconds=1), True),
        (pause(), NOON + HOUR, False),
        (pause(ends_at=None), NOON + 1000 * HOUR, True),
        (pause(ended_at=NOON), NOON, False),
    ],
)
def test_a_window_is_half_open(window: Pause, now: datetime, is_running: bool) -> None:
    assert runs(window, now) is is_running


def test_of_several_the_one_that_ends_last_has_it() -> None:
    short, long, endless = pause(), pause(ends_at=NOON + 2 * HOUR), pause(ends_at=None)
    assert covering([long, short], ABOUT) is long
    assert covering([endless, long, short], ABOUT) is endless
    assert covering([pause(PauseWhat.ZONE, "South")], ABOUT) is None


@pytest.mark.parametrize(
    ("window", "now", "until"),
    [
        (pause(), NOON, NOON + HOUR),
        (pause(ends_at=None), NOON, NOON + 12 * HOUR),
        (pause(ends_at=None), NOON + 12 * HOUR, NOON + 24 * HOUR),
        (pause(ends_at=None), NOON + 23 * HOUR, NOON + 24 * HOUR),
    ],
)
def test_until_when_steps_wait_and_by_what_that_is_known_again(
    window: Pause, now: datetime, until: datetime
) -> None:
    again = 12 * HOUR
    assert holds_until(window, now, again) == until
    assert was_held_by(window, until, again)
    assert not was_held_by(window, until + HOUR / 2, again)


def stop(**changes: Any) -> StopRecord:
    values: dict[str, Any] = {
        "zone": "North",
        "client": "Acme",
        "platform": "onfleet",
        "route_ref": "r-1",
        "status": StopStatus.OUT_FOR_DELIVERY,
        "window_start_at": NOON,
        "window_end_at": NOON + HOUR,
        "sla_state": SlaState.BREACHED,
    }
    return StopRecord(**values | changes)


def hit(severity: Severity = Severity.AT_RISK) -> PauseHit:
    return PauseHit(
        pause_id=uuid4(), cause_key="k", severity=severity, why="", first_seen_at=NOON, last_seen_at=NOON
    )


DELIVERED = StopStatus.DELIVERED


@pytest.mark.parametrize(
    ("held", "now", "others", "fate"),
    [
        (hit(), stop(), [], HitFate.STILL_TRUE),
        (hit(), stop(), [pause(PauseWhat.ZONE, "North")], HitFate.STILL_PAUSED),
        (hit(), stop(), [pause(PauseWhat.ZONE, "South")], HitFate.STILL_TRUE),
        (hit(), stop(sla_state=SlaState.ON_TRACK), [], HitFate.BACK_ON_TRACK),
        (hit(), stop(status=DELIVERED, completed_at=NOON + HOUR), [], HitFate.DELIVERED_LATE),
        (hit(), stop(status=DELIVERED, completed_at=NOON + HOUR / 2), [], HitFate.SAVED),
        (hit(), stop(status=StopStatus.FAILED), [], HitFate.FAILED),
        (hit(), stop(status=StopStatus.CANCELLED), [], HitFate.GONE),
        (hit(), stop(window_end_at=None), [], HitFate.GONE),
        (hit(Severity.FAILED), stop(status=StopStatus.FAILED), [], HitFate.FAILED),
        (hit(Severity.FAILED), stop(), [], HitFate.UNKNOWN),
        (hit(Severity.PLATFORM_SILENT), None, [], HitFate.LOOKED_AT_AGAIN),
        (hit(), None, [], HitFate.UNKNOWN),
    ],
)
def test_what_became_of_it(
    held: PauseHit, now: StopRecord | None, others: list[Pause], fate: HitFate
) -> None:
    assert fate_of(held, now, others) is fate
