"""Which late stops are told together: one van, one storm, or what a dispatcher has merged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from bot.sla.causes import LateCause, Standing, by_cause, homes_of, told_cause
from bot.sla.findings import EVERY_ROUND, Finding
from bot.sla.rules import Assessment, Cause
from bot.sop_sla import Storm
from bot.stops.models import SlaState
from connectors.escalation import Severity

END = datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
RULES = Storm(causes=3, stops=5, over_below_causes=2)
NOTHING_OPEN = Standing({}, frozenset(), frozenset(), frozenset(), {}, {})
NORTH = "storm:zone:North:2026-06-09"
ACME = "storm:client:Acme:2026-06-09"


def late(
    van: str, number: int = 0, *, zone: str = "North", client: str = "Acme", minutes: int = 10
) -> Finding:
    return Finding(
        stop_id=uuid5(UUID(int=0), f"{van}-{number}"),
        platform="onfleet",
        driver_ref=van,
        route_ref=f"route of {van}",
        client=client,
        zone=zone,
        service_kind="",
        timezone="America/New_York",
        ends_at=END,
        eta_at=END,
        penalty_usd=75,
        was=SlaState.AT_RISK,
        had_risk_since=None,
        assessment=Assessment(SlaState.AT_RISK, Cause.ETA_LATE, f"{van} is {minutes} late", minutes, END),
        watch_at=EVERY_ROUND,
        is_estimated=False,
    )


def vans(count: int, each: int = 2, **facts: Any) -> list[LateCause]:
    return by_cause(late(f"v{van}", number, **facts) for van in range(count) for number in range(each))


def homes(causes: Sequence[LateCause], standing: Standing = NOTHING_OPEN, rules: Storm = RULES) -> set[str]:
    return set(homes_of(causes, standing, rules).values())


def test_the_stops_of_one_van_and_day_are_one_cause_and_of_another_day_another() -> None:
    tomorrow = replace(late("v1", 3), ends_at=datetime(2026, 6, 10, 20, 0, tzinfo=UTC))
    found = by_cause([late("v1", 1), late("v1", 2), tomorrow])
    assert [(cause.key, len(cause.stops)) for cause in found] == [
        ("late:onfleet:v1:2026-06-09", 2),
        ("late:onfleet:v1:2026-06-10", 1),
    ]


@pytest.mark.parametrize(
    ("count", "each", "is_storm"), [(2, 3, False), (3, 1, False), (3, 2, True), (9, 1, True)]
)
def test_a_storm_takes_so_many_vans_and_so_many_stops(count: int, each: int, is_storm: bool) -> None:
    assert (homes(vans(count, each)) == {NORTH}) == is_storm


def test_a_storm_goes_on_until_few_are_left_and_then_what_is_new_is_single() -> None:
    raging = replace(NOTHING_OPEN, storms=frozenset({NORTH}))
    assert homes(vans(2), raging) == {NORTH}
    assert homes(vans(1), raging) == {"late:onfleet:v0:2026-06-09"}


def test_what_a_storm_has_taken_up_stays_with_it_when_it_is_over() -> None:
    (cause,) = vans(1)
    over = replace(NOTHING_OPEN, storms=frozenset({NORTH}), taken_up={cause.stops[0].stop_id: NORTH})
    assert homes([cause], over) == {NORTH}


def test_no_storm_when_it_is_switched_off() -> None:
    assert NORTH not in homes(vans(20), rules=Storm(causes=0))


def test_a_client_whose_vans_are_late_in_several_zones_is_a_storm_too() -> None:
    spread = [late(f"v{van}", number, zone=f"Zone {van}") for van in range(3) for number in range(2)]
    assert homes(by_cause(spread)) == {ACME}
    mixed = [*spread, late("v2", 9, zone="Zone 2", client="Nova")]
    assert ACME not in homes(by_cause(mixed)), "the third van carries another client's stops as well"


def test_what_somebody_has_taken_stays_theirs_in_a_storm() -> None:
    causes = vans(4)
    held = frozenset({causes[0].key})
    found = homes_of(causes, replace(NOTHING_OPEN, single=held, held=held), RULES)
    assert found[causes[0].key] == causes[0].key
    assert set(found.values()) == {NORTH, causes[0].key}


def test_what_was_merged_goes_on_where_it_went_also_over_several_steps() -> None:
    one, other, third = vans(3, 1)
    merged = {one.key: other.key, other.key: third.key}
    assert homes([one], replace(NOTHING_OPEN, merged=merged)) == {third.key}
    in_a_circle = {one.key: other.key, other.key: one.key}
    assert homes([one], replace(NOTHING_OPEN, merged=in_a_circle)) == {one.key, other.key} - {one.key}


def test_a_cause_says_how_urgent_it_is() -> None:
    stops = [late("v1", 1, minutes=12), late("v1", 2, minutes=40, client="Nova")]
    cause = told_cause("late:onfleet:v1:2026-06-09", by_cause(stops), behind=3)
    assert (cause.minutes_late, cause.exposure_usd, cause.severity) == (40, 150, Severity.AT_RISK)
    assert (cause.clients, cause.client) == (frozenset({"Acme", "Nova"}), "Acme, Nova")
    assert (cause.platform, cause.route_ref, cause.zone) == ("onfleet", "route of v1", "North")
    assert cause.why == "v1 is 40 late, driver 3 stops behind plan"


def test_a_storm_sums_up() -> None:
    causes = vans(3)
    cause = told_cause(NORTH, causes)
    assert cause.why == "6 stops in North late on 3 routes, worst: v0 is 10 late"
    assert (cause.zone, cause.route_ref, cause.exposure_usd) == ("North", None, 450)
