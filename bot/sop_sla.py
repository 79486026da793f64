"""Section `sla` of `sop.yml`: what was promised to whom, when a promise is at risk, and what is a storm of risks."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.sop_parts import Minutes, Section
from connectors.base import FailureReason

ExclusionCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]


class SlaRules(Section):
    """What was promised for one stop. A window's end is exclusive: arriving at it is late."""

    grace_minutes: Minutes = 0
    """A stop that is done this long after its window's end still counts as on time."""
    at_risk_margin_minutes: Minutes
    back_on_track_minutes: Minutes
    confirm_minutes: Minutes
    unconfirmed_margin_minutes: Minutes
    on_time_target_percent: float = Field(gt=0, le=100)
    penalty_usd: int = Field(ge=0, le=100_000)


class SlaChanges(Section):
    """The rules that differ for a client, a zone or a service; what is not named stays."""

    grace_minutes: Minutes | None = None
    at_risk_margin_minutes: Minutes | None = None
    back_on_track_minutes: Minutes | None = None
    confirm_minutes: Minutes | None = None
    unconfirmed_margin_minutes: Minutes | None = None
    on_time_target_percent: float | None = Field(default=None, gt=0, le=100)
    penalty_usd: int | None = Field(default=None, ge=0, le=100_000)

    def changes(self) -> dict[str, int | float]:
        return self.model_dump(include=set(SlaChanges.model_fields), exclude_none=True)


class SlaEntry(SlaChanges):
    """Rules for a combination: those of `client`, `zone` and `service` that are named must all fit."""

    client: str = ""
    zone: str = ""
    service: str = ""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not (self.client or self.zone or self.service):
            raise ValueError("expected a client, a zone or a service; for every stop there is `defaults`")
        return self

    @property
    def specificity(self) -> int:
        return sum(bool(name) for name in (self.client, self.zone, self.service))

    def fits(self, client: str, zone: str, service: str) -> bool:
        pairs = ((self.client, client), (self.zone, zone), (self.service, service))
        return all(not wanted or wanted == found for wanted, found in pairs)


class Storm(Section):
    """When many causes of one zone or client are told as one. `causes: 0` never does."""

    causes: int = Field(default=5, ge=0, le=1000)
    """So many late vans of one zone, or of one client, at a time ..."""
    stops: int = Field(default=12, ge=1, le=100_000)
    """... with so many late stops together."""
    over_below_causes: int = Field(default=3, ge=1, le=1000)
    """It is over when fewer are left: whatever falls behind then is told on its own again."""


class Exclusion(Section):
    """Why a miss does not count against the target."""

    label: str = Field(min_length=1, max_length=75)
    causes: frozenset[FailureReason] = frozenset()
    """Root causes and failure reasons that are excluded without anybody saying so."""


class Estimate(Section):
    """How an arrival is estimated from a route's pace where the platform's own ETA is missing or old."""

    service_minutes: Minutes = 5
    """At a door, where the platform does not say."""
    speed_kmh: float = Field(default=25, gt=1, le=130)
    """Between doors, until the route has shown its own."""
    detour: float = Field(default=1.3, ge=1, le=3)
    """A road is this much longer than the straight line."""
    spread_minutes: Minutes = 5
    spread_percent: int = Field(default=20, ge=0, le=100)
    """The uncertainty: so many minutes, and this share of the time left."""


class SelfWatch(Section):
    """When the watch itself needs somebody."""

    sweep_minutes: int = Field(default=5, ge=1, le=1440)
    channel_minutes: int = Field(default=10, ge=1, le=1440)


DEFAULT_EXCLUSIONS = {
    "recipient_absent": Exclusion(
        label="Recipient was absent", causes=frozenset({FailureReason.RECIPIENT_UNAVAILABLE})
    ),
    "address_changed": Exclusion(
        label="Address was wrong or changed", causes=frozenset({FailureReason.ADDRESS_ISSUE})
    ),
    "refused": Exclusion(label="Recipient refused it", causes=frozenset({FailureReason.REFUSED})),
    "force_majeure": Exclusion(label="Force majeure", causes=frozenset({FailureReason.WEATHER})),
}


class Sla(Section):
    lookahead_minutes: Minutes
    eta_stale_minutes: int = Field(default=20, ge=1, le=1440)
    """An ETA older than this, or of a driver who was not heard of for so long, is not believed alone."""
    defaults: SlaRules
    clients: dict[str, SlaChanges] = Field(default_factory=dict)
    zones: dict[str, SlaChanges] = Field(default_factory=dict)
    services: dict[str, SlaChanges] = Field(default_factory=dict)
    rules: tuple[SlaEntry, ...] = ()
    storm: Storm = Storm()
    exclusions: dict[ExclusionCode, Exclusion] = Field(default_factory=lambda: dict(DEFAULT_EXCLUSIONS))
    estimate: Estimate = Estimate()
    self_watch: SelfWatch = SelfWatch()

    def rules_for(self, client: str, zone: str = "", service: str = "") -> SlaRules:
        """`defaults`, then what `clients`, `zones` and `services` change, then `rules`, the later one wins.

        Of several `rules` that fit, one that names more wins, and of equal ones the later in the file.
        """
        found = [self.clients.get(client), self.zones.get(zone), self.services.get(service)]
        fitting = [entry for entry in self.rules if entry.fits(client, zone, service)]
        changes: dict[str, int | float] = {}
        for entry in [*found, *sorted(fitting, key=lambda entry: entry.specificity)]:
            if entry is not None:
                changes |= entry.changes()
        return self.defaults.model_copy(update=changes) if changes else self.defaults

    def excluded_by_itself(self, reason: FailureReason | None) -> str:
        """Code of the first exclusion that covers this root cause or failure reason; empty: it counts."""
        return next((code for code, each in self.exclusions.items() if reason in each.causes), "")
