"""What the rules of notifications decide by: the stop as it stands, what was said of it, and what may be said."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from bot.sop import Protocol, QuietHours
from bot.sop_notifications import (
    Approaching,
    BackOnTime,
    ClientNotifications,
    Later,
    NotificationKind,
    RunningLate,
)
from connectors.base import ChannelName, DeliveryWindow, StopStatus

ENDINGS = {
    StopStatus.DELIVERED: NotificationKind.DELIVERED,
    StopStatus.FAILED: NotificationKind.FAILED,
    StopStatus.RETURNED: NotificationKind.RETURNED,
}
ON_THE_ROAD = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)


class FollowUp(StrEnum):
    """Who tells the recipient of a failed try."""

    OFF = "off"
    """Nobody else: nothing follows failures up."""
    AWAITED = "awaited"
    """The follow-up of this failure is not there yet."""
    ASKS = "asks"
    """Its first question says it."""
    BY_PERSON = "by_person"
    """A dispatcher decides, and the recipient is asked nothing for now."""


@dataclass(frozen=True)
class StopNow:
    """One stop at one look. Instants are aware UTC, by the day's time."""

    stop_id: UUID
    status: StopStatus
    timezone: str
    window: DeliveryWindow | None = None
    believed_window: DeliveryWindow | None = None
    """What the recipient was promised last, or read on the order; None where nothing is known."""
    window_since: datetime | None = None
    """Since when the window is this one; None where it has not changed lately."""
    eta_at: datetime | None = None
    """None where there is none, or one that is too old to be told."""
    is_fresh: bool = False
    """The platform has vouched for this stop, and the driver was heard of, lately enough to tell it."""
    stops_away: int | None = None
    meters_away: float | None = None
    status_since: datetime | None = None
    """Since when it has this status; None where it was so when it was seen first, or that was long ago."""
    late_since: datetime | None = None
    """Since when an unbroken run of looks has found the ETA too late to keep silent."""
    on_time_since: datetime | None = None
    """Since when it has found the ETA within the window, after the recipient was told that it is late."""
    near_since: datetime | None = None
    """Since when it has been near enough to say so."""
    moved_since: datetime | None = None
    """Since when it has found the ETA far from the one that the recipient was told."""
    completed_at: datetime | None = None
    follow_up: FollowUp = FollowUp.OFF
    platform_kinds: frozenset[NotificationKind] = frozenset()
    """What the platform tells this recipient by itself."""


@dataclass(frozen=True)
class Said:
    kind: NotificationKind
    at: datetime
    eta_at: datetime | None = None
    window: DeliveryWindow | None = None
    has_reached: bool = False
    """A carrier took it, and has not said that it failed."""
    is_not_today: bool = False
    """A dispatcher said that it does not come on that day."""


@dataclass(frozen=True)
class History:
    """What was said to the recipient of one stop; what never left is not in it."""

    said: tuple[Said, ...] = ()
    """Of this stop, oldest first."""
    told_today_stop: int = 0
    """On the local day of the look."""
    told_today_person: int = 0
    written_at: datetime | None = None
    """When this person last got a text that answers none of theirs."""
    is_opted_out: bool = False
    """There is no address left that may be written to."""
    is_held: bool = False
    """A dispatcher holds the conversation with this person: what is said in it is theirs."""

    def last(self, *kinds: NotificationKind) -> Said | None:
        return next((said for said in reversed(self.said) if said.kind in kinds), None)


@dataclass(frozen=True)
class Rules:
    """`notifications` of `sop.yml` for one client, with the quiet hours."""

    kinds: frozenset[NotificationKind]
    channels: tuple[ChannelName, ...]
    language: str
    approaching: Approaching
    running_late: RunningLate
    back_on_time: BackOnTime
    later: Later
    most_per_stop: int
    most_per_person: int
    apart: timedelta
    fresh: timedelta
    platform_quiet: timedelta
    quiet_hours: QuietHours = field(default_factory=QuietHours)


@dataclass(frozen=True)
class Due:
    """One thing to be said now, and what it says."""

    kind: NotificationKind
    useful_until: datetime
    """Afterwards it would not be true, or come in the quiet hours: it is not sent any more."""
    window: DeliveryWindow | None = None
    eta_at: datetime | None = None
    stops_away: int | None = None
    happened_at: datetime | None = None
    """Of an ending."""


def rules_for(protocol: Protocol, client: str) -> Rules:
    """What `clients` of `notifications` names for this client, else what is so for everybody."""
    common = protocol.notifications
    own = common.clients.get(client, ClientNotifications())
    most = own.most_per_stop_and_day
    return Rules(
        kinds=common.kinds if own.kinds is None else own.kinds,
        channels=own.channels or common.channels,
        language=own.language or common.language,
        approaching=own.approaching or common.approaching,
        running_late=own.running_late or common.running_late,
        back_on_time=own.back_on_time or common.back_on_time,
        later=own.later or common.later,
        most_per_stop=common.most_per_stop_and_day if most is None else most,
        most_per_person=common.most_per_person_and_day,
        apart=timedelta(minutes=common.apart_minutes),
        fresh=timedelta(minutes=common.fresh_minutes),
        platform_quiet=timedelta(minutes=common.platform_quiet_minutes),
        quiet_hours=protocol.quiet_hours,
    )
