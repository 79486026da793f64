"""Last week in figures, as dispatchers see it in their channel: one post, and two charts in its thread."""

from datetime import date
from enum import StrEnum

from connectors.base import FailureReason, Record
from connectors.pauses import PauseNotice


class DigestChart(StrEnum):
    ON_TIME = "on_time"
    """On-time share of each day against the target."""
    ESCALATIONS = "escalations"
    """Escalations of each day, those marked as noise apart."""


class DigestDay(Record):
    day: date
    on_time_percent: float | None = None
    """None: nothing counted on that day."""
    target_percent: float | None = None
    escalations: int = 0
    noise: int = 0
    """Of the escalations: those that a dispatcher marked so."""


class DigestWeek(Record):
    """Of the stops whose window ended in the week, and of the escalations that were raised in it. Whole US dollars."""

    promised: int = 0
    counted: int = 0
    """Promised ones without the excluded."""
    on_time: int = 0
    late: int = 0
    """Late and failed ones that count."""
    failed: int = 0
    excluded: int = 0
    penalty_usd: int = 0
    on_time_percent: float | None = None
    escalations: int = 0
    noise: int = 0
    acknowledged_minutes: float | None = None
    """Median; None: nobody took any."""
    not_taken: int = 0
    """Escalations that nobody took, whoever or whatever ended them."""
    warning_minutes: float | None = None
    """Median, from the alert to the end of the window."""
    unseen: int = 0
    """Late stops of which dispatchers were never told."""
    at_risk: int = 0
    recovered: int = 0
    """Of those at risk: delivered in time all the same."""
    followed_up: int = 0
    """Failed deliveries that were followed up, by the day of the failure."""
    booked_again: int = 0
    """Of those: another try was booked."""
    again_over: int = 0
    """Of those tries: how many are over."""
    again_delivered: int = 0


class DigestClient(Record):
    name: str
    promised: int
    late: int
    """Late and failed ones that count."""
    failed: int
    on_time_percent: float | None
    target_percent: float | None
    is_met: bool | None
    """None where nothing counts."""
    penalty_usd: int


class DigestCause(Record):
    cause: FailureReason | None
    """None: nobody has said."""
    stops: int
    """Late and failed ones, the excluded too."""


class DigestNoise(Record):
    """How often one kind of watch was marked as noise."""

    rule: str
    """First word of what raised it: `late`, `platform`."""
    marked: int
    raised: int


class DigestPause(Record):
    pause: PauseNotice
    held: int
    """Stops, and causes without stops, that it held back."""


class DigestTrend(StrEnum):
    UP = "up"
    DOWN = "down"
    STEADY = "steady"
    """Chance alone would often bring the difference."""
    TOO_FEW = "too_few"


class DigestView(Record):
    """One week against the one before it. Days are the operator's, a stop's day is its own."""

    start: date
    end: date
    """The last day of it."""
    timezone: str
    target_percent: float | None
    """None: nothing was promised."""
    is_met: bool | None
    trend: DigestTrend
    points: float | None
    """Percentage points of the on-time share against the week before."""
    week: DigestWeek
    before: DigestWeek
    still_open: int = 0
    """Windows of the week that are not over: they count nowhere yet."""
    days: tuple[DigestDay, ...] = ()
    clients: tuple[DigestClient, ...] = ()
    """The one that is farthest from its target first."""
    causes: tuple[DigestCause, ...] = ()
    """The most frequent first."""
    noise: tuple[DigestNoise, ...] = ()
    """Only what was marked at least once; the noisiest first."""
    pauses: tuple[DigestPause, ...] = ()
    """In the order in which they began."""

    @property
    def is_empty(self) -> bool:
        """Nothing was promised, raised or paused."""
        return not (self.week.promised or self.still_open or self.week.escalations or self.pauses)
