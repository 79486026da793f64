"""The figures of a report, as its JSON shows them. Percentages have one decimal, amounts are whole US dollars."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, computed_field

from bot.sla.outcomes import Outcome


class Figures(BaseModel):
    model_config = ConfigDict(frozen=True)


class Tally(Figures):
    on_time: int = 0
    late: int = 0
    failed: int = 0
    open: int = 0
    """Their window is not over yet: they count nowhere."""
    excluded: int = 0
    """Of the late and failed ones."""
    late_counted: int = 0
    """Late ones that are not excluded."""
    penalty_usd: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def promised(self) -> int:
        return self.on_time + self.late + self.failed

    @computed_field  # type: ignore[prop-decorator]
    @property
    def counted(self) -> int:
        """Promised ones without the excluded."""
        return self.promised - self.excluded

    @computed_field  # type: ignore[prop-decorator]
    @property
    def on_time_percent(self) -> float | None:
        """None where nothing counts."""
        return _percent(self.on_time, self.counted)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def on_time_percent_with_excluded(self) -> float | None:
        """As if nothing were excluded."""
        return _percent(self.on_time, self.promised)


def _percent(part: int, whole: int) -> float | None:
    """Rounded down, so that 99.96 % is never shown as 100."""
    return (1000 * part // whole) / 10 if whole else None


class TrendWord(StrEnum):
    UP = "up"
    DOWN = "down"
    STEADY = "steady"
    TOO_FEW = "too_few"


class Trend(Figures):
    word: TrendWord
    points: float | None = None
    """Percentage points of the on-time rate against the period before; None: too few to tell."""


class ZoneFigures(Figures):
    name: str
    target_percent: float
    tally: Tally

    @property
    def is_met(self) -> bool | None:
        return is_met(self.tally, self.target_percent)


class Spread(Figures):
    count: int
    median_minutes: float | None = None
    p90_minutes: float | None = None
    """Nine in ten took no longer."""


class SecondTries(Figures):
    """Failed deliveries of one reason, or of all, and what their follow-ups came to."""

    failed: int = 0
    followed_up: int = 0
    asked: int = 0
    """Of the followed up: whose recipient was asked."""
    answered: int = 0
    """Of the asked: by the recipient, on whatever channel."""
    answer: Spread = Spread(count=0)
    """From the question to the answer."""
    booked: int = 0
    """Of the followed up: for which another try was booked."""
    over: int = 0
    """Of the booked: those tries that are over."""
    delivered: int = 0
    """Of those: delivered."""
    picked_up: int = 0
    """Of the followed up: recipients who fetch it themselves."""
    sent_back: int = 0
    unanswered: int = 0
    """Of the asked: settled without a word of the recipient's."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def answered_percent(self) -> float | None:
        return _percent(self.answered, self.asked)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def booked_percent(self) -> float | None:
        return _percent(self.booked, self.followed_up)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def delivered_percent(self) -> float | None:
        """Of the tries that are over."""
        return _percent(self.delivered, self.over)


class ReasonFigures(Figures):
    reason: str
    """A `FailureReason`; empty: nobody has said."""
    tries: SecondTries


class Told(Figures):
    """What recipients were told unasked, of the promised stops."""

    promised: int = 0
    late: int = 0
    late_told: int = 0
    """Of the late: whose recipient heard of it before the window ended."""
    messages: int = 0
    """That were sent unasked."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def late_told_percent(self) -> float | None:
        return _percent(self.late_told, self.late)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def messages_per_stop(self) -> float | None:
        return round(self.messages / self.promised, 2) if self.promised else None


class ZoneRecovery(Figures):
    """One zone's failures of one day, and what the recipients of that day's windows were told."""

    name: str
    tries: SecondTries
    told: Told


class DayFigures(Figures):
    day: date
    target_percent: float | None
    """None on a day without promised stops."""
    tally: Tally
    zones: list[ZoneFigures] = []
    recovery: list[ZoneRecovery] = []
    """Only zones in which something failed or was told."""

    @property
    def is_met(self) -> bool | None:
        return is_met(self.tally, self.target_percent)


def is_met(tally: Tally, target_percent: float | None) -> bool | None:
    """By the exact share, not by its rounded figure; None where nothing counts."""
    if target_percent is None or not tally.counted:
        return None
    return 100 * tally.on_time >= target_percent * tally.counted


class CauseCount(Figures):
    cause: str
    """One of `root_causes` in sop.yml; empty: nobody has said."""
    late: int
    failed: int
    excluded: int
    """Late or failed, and counted only here."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return self.late + self.failed + self.excluded


class ExclusionCount(Figures):
    code: str
    label: str
    stops: int


class Responses(Figures):
    escalations: int
    acknowledged: Spread
    resolved: Spread
    warning: Spread
    unseen: int
    """Late stops of which dispatchers were never told."""


class Recovery(Figures):
    at_risk: int
    recovered: int


class Missed(Figures):
    """One promise that was not kept."""

    stop_id: UUID
    tracking: str
    day: date
    zone: str
    timezone: str
    window_start_at: AwareDatetime
    window_end_at: AwareDatetime
    outcome: Outcome
    completed_at: datetime | None
    minutes_late: int | None
    """After the window's end; None for a failed one, or one that never arrived."""
    cause: str
    exclusion: str
    exclusion_label: str
    penalty_usd: int


class SlaFigures(Figures):
    target_percent: float | None
    total: Tally
    before: Tally
    trend: Trend
    days: list[DayFigures]
    zones: list[ZoneFigures]
    services: list[ZoneFigures]
    """Empty where there is only one."""
    causes: list[CauseCount]
    exclusions: list[ExclusionCount]
    responses: Responses
    responses_before: Responses
    recovery: Recovery
    recovery_before: Recovery
    failures: SecondTries = SecondTries()
    """By the day of the failure, whatever its window was."""
    failures_before: SecondTries = SecondTries()
    failures_by_reason: list[ReasonFigures] = []
    """Most frequent first."""
    told: Told = Told()
    told_before: Told = Told()
    moved: int
    """Promised stops whose window was moved after it was first promised."""
    missed: list[Missed]

    @property
    def is_met(self) -> bool | None:
        return is_met(self.total, self.target_percent)


class SlaReport(Figures):
    """What `--format json` writes. The schema grows; what is there keeps its meaning within one version."""

    schema_version: Literal[1] = 1
    operator: str
    client: str
    start: date
    end: date
    before_start: date
    before_end: date
    is_final: bool
    """False: some windows of the period are not over."""
    definitions: dict[str, str]
    figures: SlaFigures
