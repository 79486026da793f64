"""What reports are computed from, and for which days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from uuid import UUID

from bot.recovery.models import RecoveryState
from bot.sop import local_day
from connectors.base import DeliveryWindow, FailureReason, StopStatus


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """Local days, both included."""

    start: date
    end: date

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=number) for number in range((self.end - self.start).days + 1)]

    @property
    def before(self) -> Self:
        """The period of the same length that ends the day before."""
        last = self.start - timedelta(days=1)
        return type(self)(last - (self.end - self.start), last)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised for one stop, by `sla` in sop.yml."""

    target_percent: float
    penalty_usd: int
    grace: timedelta


@dataclass(frozen=True, slots=True)
class PromisedStop:
    """One stop with a window, and what dispatchers knew of it. Instants are aware UTC."""

    stop_id: UUID
    tracking: str
    client: str
    zone: str
    service: str
    timezone: str
    window: DeliveryWindow
    """As it stands: a window that was moved before it was over is the promise that counts."""
    was_moved: bool
    status: StopStatus
    completed_at: datetime | None
    terms: Terms
    cause: FailureReason | None = None
    """Of its being late or failing; None: nobody has said."""
    exclusion: str = ""
    """Code of `sla.exclusions`; empty: it counts."""
    raised_at: datetime | None = None
    """When dispatchers were first told that it is in danger; None: never."""
    told_late_at: datetime | None = None
    """When the recipient was first told that it is late, and it reached them; None: never."""
    messages: int = 0
    """That were sent to the recipient unasked."""

    @property
    def day(self) -> date:
        """Local day of the window's end. One that ends at midnight belongs to the day that it closes."""
        return local_day(self.window.end_at - timedelta(microseconds=1), self.timezone)


@dataclass(frozen=True, slots=True)
class FailedTry:
    """One failed delivery and what its follow-up came to. Instants are aware UTC."""

    stop_id: UUID
    zone: str
    timezone: str
    reason: FailureReason | None
    """None: nobody has said."""
    failed_at: datetime
    state: RecoveryState | None = None
    """Of its follow-up; None: it was not followed up."""
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    again: StopStatus | None = None
    """How the stop stands that tries again; None: there is none."""

    @property
    def day(self) -> date:
        """Local day of the failure."""
        return local_day(self.failed_at, self.timezone)


@dataclass(frozen=True, slots=True)
class RaisedEscalation:
    """One escalation of late stops, as it went."""

    escalation_id: UUID
    raised_at: datetime
    acknowledged_at: datetime | None
    """The first time that somebody took it."""
    resolved_at: datetime | None
    stop_ids: frozenset[UUID] = frozenset()
    is_noise: bool = False
    rule: str = ""
    """First word of its cause: what kind of watch raised it."""
