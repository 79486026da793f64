"""Sections of `sop.yml` for the dispatch desk: accounts, zones, clients, new stops, shifts, manifests, hand-over."""

from datetime import time
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.sop_notifications import NotificationKind
from bot.sop_parts import LocalWindow, Minutes, Section, TimeZoneName
from bot.sop_reports import Address, Calendar, Every

VENDORS = ("onfleet", "route4me", "optimoroute")


class PlatformAccount(Section):
    """One account of a routing platform. Its keys come from the environment: `<NAME>_API_KEY` and the like."""

    vendor: str = Field(pattern="^(onfleet|route4me|optimoroute)$")
    timezone: TimeZoneName | None = None
    """Where the account is; OptimoRoute tells times without a zone and must have one. None: the operator's."""
    calls_per_second: int | None = Field(default=None, ge=1, le=1000)
    """Less than the vendor allows, where other programs share the account."""
    texts_recipients: frozenset[NotificationKind] = frozenset()
    """What the platform itself tells recipients, as its dashboard is set: no API says so. We keep silent about it."""


class ServiceZone(Section):
    """Where a new stop belongs, by its postcode; the first that fits."""

    name: str = Field(min_length=1)
    postcodes: tuple[Annotated[str, Field(pattern=r"^[0-9A-Za-z -]{1,12}\*?$")], ...] = Field(min_length=1)
    """Whole ones, or beginnings such as `100*`."""
    platform: str | None = None
    """The account that its stops are entered into; None: the client's, or the only one there is."""
    service_day: LocalWindow | None = None
    """When this zone is served; None: the operator's `service_day`."""
    capacity_per_day: int | None = Field(default=None, ge=1, le=100_000)
    """Stops that the zone can take in a day; None is no limit."""


class WindowChanges(StrEnum):
    ALLOWED = "allowed"
    ASK = "ask"
    """A dispatcher decides."""
    NO = "no"


class Way(StrEnum):
    """How a client hears of something without asking."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    """Signed events, to whatever systems of the client have subscribed to them."""


class SummaryFormat(StrEnum):
    TEXT = "text"
    """The mail itself; it is always there."""
    PDF = "pdf"
    CSV = "csv"


class DailySummary(Section):
    """One day in figures, once a day."""

    by: tuple[Way, ...] = Field(default=(Way.EMAIL,), min_length=1)
    at: time = time(18, 30)
    """The operator's time. From noon on it is about the day itself, before noon about the day before."""
    formats: tuple[SummaryFormat, ...] = (SummaryFormat.TEXT,)

    @property
    def calendar(self) -> Calendar:
        return Calendar(every=Every.DAY, at=self.at)


class Tell(Section):
    """What a client is told without asking, and by what way; an empty list: not at all."""

    redelivery: tuple[Way, ...] = (Way.WEBHOOK,)
    """Failed deliveries and what becomes of them."""
    breach: tuple[Way, ...] = (Way.WEBHOOK,)
    """Promised windows that were not kept."""
    daily_summary: DailySummary | None = None

    @property
    def ways(self) -> frozenset[Way]:
        daily = self.daily_summary.by if self.daily_summary is not None else ()
        return frozenset((*self.redelivery, *self.breach, *daily))


def _listed(value: Any) -> Any:
    """One address may stand without brackets."""
    return (value,) if isinstance(value, str) else value or ()


Addresses = Annotated[tuple[Address, ...], BeforeValidator(_listed)]


class Client(Section):
    """What one shipper may do by itself, and what it is told."""

    platform: str | None = None
    email: Addresses = ()
    """Where it is written to, and from where it may ask about its stops; under several clients: about all of them."""
    language: Annotated[str, Field(pattern=r"^(en|es)$")] = "en"
    tell: Tell = Tell()
    may_create_stops: bool = True
    window_changes: WindowChanges = WindowChanges.ALLOWED
    window_cutoff_minutes: Minutes = 120
    """A window that starts, or would start, sooner than this is a dispatcher's to move."""
    window_change_limit: int | None = Field(default=None, ge=0, le=100)
    """Changes of one stop that a client may make by itself; then a dispatcher decides. None is no limit."""
    stops_per_day: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _can_be_written_to(self) -> Self:
        if Way.EMAIL in self.tell.ways and not self.email:
            raise ValueError("expected an address under `email`, because `tell` says email")
        return self


class Intake(Section):
    """New stops."""

    cutoff_minutes: Minutes = 120
    """A window that starts sooner than this needs a dispatcher."""
    days_ahead: int = Field(default=30, ge=1, le=365)
    shortest_window_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    service_minutes: Annotated[int, Field(ge=1, le=240)] = 5
    country: str = Field(default="US", pattern="^[A-Z]{2}$")
    """Where addresses and phone numbers without a country are."""
    csv_rows: int = Field(default=2000, ge=1, le=20_000)
    """Rows that one file may have."""
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 600
    """Calls that one client token may make at `/api/v1`, counted per process."""


class Shifts(Section):
    """Drivers say yes to their routes before they start."""

    enabled: bool = False
    ask_before_minutes: Minutes = 90
    """Before the route's first promised window or planned start, local to the driver."""
    answer_within_minutes: Minutes = 45
    not_before: time = time(5, 30)
    language: str = Field(default="en", pattern="^(en|es)$")


class ManifestRules(Section):
    post_at: time | None = None
    """Local time at which each zone's manifest of the day is posted; None: only when somebody asks."""
    link_days: int = Field(default=7, ge=1, le=90)
    """How long the link to a manifest's page can be opened."""


class HandOver(Section):
    """Events for the clients' own systems."""

    retry_minutes: tuple[Minutes, ...] = (0, 1, 5, 30, 120, 360, 720)
    """Pauses before each try, the first included; after the last one the event is set aside."""
    keep_days: int = Field(default=30, ge=1, le=365)
    private_addresses: bool = False
    """Whether a client's URL may lie in a private network; never where clients are strangers."""

    @model_validator(mode="after")
    def _has_a_try(self) -> Self:
        if not self.retry_minutes:
            raise ValueError("expected at least one pause in `retry_minutes`")
        return self
