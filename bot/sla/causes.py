"""Pure: which late stops are one cause, which causes are one storm, and how much each matters.

Severity says what is the case: at risk, or breached. How urgent it is follows from two figures of the cause, on which
the policy's conditions decide: `minutes_late` of its worst stop, and `exposure_usd`, the penalties of all its stops
that are late or will be.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from bot.escalations.cause import Cause
from bot.escalations.rules import severity_of
from bot.sla.findings import Finding
from bot.sla.rules import with_behind
from bot.sop_sla import Storm

STORM = "storm:"
"""How the cause keys of storms begin: `storm:zone:North:2026-06-09`, `storm:client:Acme:2026-06-09`."""


@dataclass(frozen=True)
class LateCause:
    """The late stops of one van, or of one storm."""

    key: str
    stops: Sequence[Finding]

    @property
    def zones(self) -> frozenset[str]:
        return frozenset(stop.zone for stop in self.stops)

    @property
    def clients(self) -> frozenset[str]:
        return frozenset(stop.client for stop in self.stops if stop.client)

    @property
    def day(self) -> date | None:
        return self.stops[0].day

    @property
    def storm_keys(self) -> list[str]:
        """The storms that it can be part of: its zone's, else its client's, if all its stops are of that one."""
        zones = [f"{STORM}zone:{zone}:{self.day}" for zone in self.zones if zone and len(self.zones) == 1]
        clients = [f"{STORM}client:{name}:{self.day}" for name in self.clients if len(self.clients) == 1]
        return zones + clients


@dataclass(frozen=True)
class Standing:
    """What of lateness is open already, by cause key."""

    merged: Mapping[str, str]
    """Causes that a dispatcher or a storm has put into another open one."""
    single: frozenset[str]
    """Causes with an open escalation of their own."""
    held: frozenset[str]
    """Those of them that somebody has taken or snoozed: they keep them."""
    storms: frozenset[str]
    taken_up: Mapping[UUID, str]
    """Stops that are told in an open storm, with its key."""
    shown: Mapping[str, str]
    """What dispatchers see of the open ones, as `rules.digest_of` has it."""


def by_cause(findings: Iterable[Finding]) -> list[LateCause]:
    late: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        late[finding.cause_key].append(finding)
    return [LateCause(key, stops) for key, stops in sorted(late.items())]


def homes_of(causes: Sequence[LateCause], standing: Standing, rules: Storm) -> dict[str, str]:
    """For each cause the key under which it is told: its own, that of its storm, or that of what it was merged into.

    A storm begins with `causes` causes of `stops` stops together, and is over with fewer than `over_below_causes`.
    What a storm has taken up stays with it; once it is over, what is new is told on its own again.
    """
    homes = {cause.key: _merged_into(cause.key, standing.merged) for cause in causes}
    raging = _raging(causes, standing, rules)
    for cause in causes:
        if homes[cause.key] == cause.key and cause.key not in standing.held:
            homes[cause.key] = _storm_of(cause, standing, raging) or cause.key
    return homes


def _storm_of(cause: LateCause, standing: Standing, raging: Collection[str]) -> str | None:
    if cause.key not in standing.single:
        for stop in cause.stops:
            if (key := standing.taken_up.get(stop.stop_id)) is not None:
                return key
    return next((key for key in cause.storm_keys if key in raging), None)


def _merged_into(key: str, merged: Mapping[str, str]) -> str:
    seen = {key}
    while (further := merged.get(key)) is not None and further not in seen:
        key = further
        seen.add(key)
    return key


def _raging(causes: Sequence[LateCause], standing: Standing, rules: Storm) -> set[str]:
    if not rules.causes:
        return set()
    members: dict[str, list[LateCause]] = defaultdict(list)
    for cause in causes:
        for key in cause.storm_keys:
            members[key].append(cause)
    return {key for key, found in members.items() if _rages(key, found, standing.storms, rules)}


def _rages(key: str, members: Sequence[LateCause], storms: Collection[str], rules: Storm) -> bool:
    if key in storms:
        return len(members) >= rules.over_below_causes
    return len(members) >= rules.causes and sum(len(each.stops) for each in members) >= rules.stops


def by_home(causes: Sequence[LateCause], homes: Mapping[str, str]) -> dict[str, list[LateCause]]:
    told: dict[str, list[LateCause]] = defaultdict(list)
    for cause in causes:
        told[homes[cause.key]].append(cause)
    return told


def worst_of(causes: Sequence[LateCause]) -> Finding:
    return max(
        (stop for cause in causes for stop in cause.stops), key=lambda stop: stop.assessment.minutes_late
    )


def told_cause(key: str, causes: Sequence[LateCause], behind: int = 0) -> Cause:
    """What an escalation is raised or fed with; `behind` is of its worst stop's driver."""
    stops = [stop for cause in causes for stop in cause.stops]
    worst = worst_of(causes)
    why = with_behind(worst.assessment.why, behind)
    clients = frozenset(stop.client for stop in stops if stop.client)
    zones = {stop.zone for stop in stops}
    is_storm = key.startswith(STORM)
    routes = {(stop.platform, stop.route_ref) for stop in stops}
    return Cause(
        key=key,
        severity=severity_of({stop.assessment.state for stop in stops}),
        why=f"{_storm_words(key, causes)}, worst: {why}" if is_storm else why,
        timezone=worst.timezone,
        zone=worst.zone if not is_storm or len(zones) == 1 else "",
        client=", ".join(sorted(clients)),
        exposure_usd=sum(stop.penalty_usd for stop in stops),
        service=_only({stop.service_kind for stop in stops}) or "",
        minutes_late=worst.assessment.minutes_late,
        clients=clients,
        platform=_only({stop.platform for stop in stops}) or "",
        route_ref=next(iter(routes))[1] if len(routes) == 1 else None,
    )


def _storm_words(key: str, causes: Sequence[LateCause]) -> str:
    _, kind, rest = key.split(":", 2)
    name = rest.rpartition(":")[0]
    stops = sum(len(cause.stops) for cause in causes)
    of = f"in {name}" if kind == "zone" else f"of {name}"
    vans = f"{len(causes)} route{'s' if len(causes) > 1 else ''}"
    return f"{stops} stop{'s' if stops > 1 else ''} {of} late on {vans}"


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None
