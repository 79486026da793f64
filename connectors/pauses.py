"""Maintenance windows, as dispatchers see them: what is paused, and what was held back when it is over."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime

from connectors.base import Record
from connectors.escalation import Severity


class PauseWhat(StrEnum):
    CLIENT = "client"
    ZONE = "zone"
    ROUTE = "route"
    PLATFORM = "platform"
    EVERYTHING = "everything"


class PauseNotice(Record):
    """One maintenance window: planned, running or over."""

    pause_id: str
    number: int
    """By which dispatchers name it."""
    what: PauseWhat
    name: str = ""
    """Of the client, zone, route or account; empty for everything."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    """None: until somebody lifts it."""
    timezone: str
    why: str = ""
    by: str
    """Dispatcher id."""
    ended_at: AwareDatetime | None = None
    ended_by: str | None = None
    """Who lifted it; None when its time was over."""
    is_reminder: bool = False
    """It says that one without an end still runs."""
    as_of: AwareDatetime | None = None
    """Of a reminder."""


class HitFate(StrEnum):
    """What became of something that was held back."""

    STILL_TRUE = "still_true"
    """It is raised as usual from now on."""
    STILL_PAUSED = "still_paused"
    """Another maintenance window covers it."""
    DELIVERED_LATE = "delivered_late"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It told of something that happens once: nothing raises it a second time."""
    LOOKED_AT_AGAIN = "looked_at_again"
    """It is raised if it is still so: a platform without news."""
    SAVED = "saved"
    """Delivered in time."""
    BACK_ON_TRACK = "back_on_track"
    GONE = "gone"
    """Cancelled, returned, or without a window."""


class PauseHitLine(Record):
    """One stop, or one cause without stops, that would have been raised."""

    severity: Severity
    why: str
    """As it stood last."""
    client: str = ""
    where: str = ""
    """Address or tracking number; empty without a stop."""
    first_seen_at: AwareDatetime
    fate: HitFate


class PauseReport(Record):
    """What a maintenance window held back, told once, at its end."""

    pause: PauseNotice
    counts: Mapping[HitFate, int] = {}
    lines: tuple[PauseHitLine, ...] = ()
    """The ones that need somebody first; as many as are worth reading."""
    more: int = 0
    """Those beyond `lines`."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())
