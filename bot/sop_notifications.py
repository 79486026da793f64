"""Sections `notifications` and `messaging` of `sop.yml`: what recipients are told unasked, when, and by what way."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bot.sop_parts import Minutes, Section
from connectors.base import ChannelName


class NotificationKind(StrEnum):
    OUT_FOR_DELIVERY = "out_for_delivery"
    APPROACHING = "approaching"
    RUNNING_LATE = "running_late"
    BACK_ON_TIME = "back_on_time"
    LATER = "later"
    """Within its window still, but later than the time that was named."""
    WINDOW_CHANGED = "window_changed"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"


class Approaching(Section):
    """Whichever is reached first."""

    stops_away: Annotated[int, Field(ge=0, le=20)] | None = 3
    minutes: Annotated[int, Field(ge=1, le=240)] | None = 20
    meters: Annotated[int, Field(ge=50, le=50_000)] | None = None
    """Of the driver to the address, where the platform knows where the driver is."""
    not_before_minutes: Annotated[int, Field(ge=1, le=600)] = 45
    """However few stops are left: nobody is near who takes longer than this."""


class RunningLate(Section):
    minutes: Minutes = 10
    """Told when the ETA is at least so much later than the window's end."""
    confirm_minutes: Minutes = 5
    """... and has been so for as long."""
    again_minutes: Minutes = 30
    """Told again when the ETA has moved by so much from what was said."""
    earlier_confirm_minutes: Minutes = 15
    """... and, where it is earlier than what was said, has been so for as long: people who wait plan by it."""


class BackOnTime(Section):
    minutes: Minutes = 10
    """Told when the ETA is at least so much before the window's end."""
    confirm_minutes: Minutes = 5
    """... and has been before it for as long."""
    close_confirm_minutes: Minutes = 30
    """Nearer to the end it must have been for as long: the next traffic light may make it late again."""


class Later(Section):
    minutes: Minutes = 20
    """Told when the ETA is by so much later than the time that was named, and within the window still."""
    confirm_minutes: Minutes = 5


class ClientNotifications(Section):
    """What one client has otherwise; what is not named stays as it is for everybody."""

    kinds: frozenset[NotificationKind] | None = None
    channels: tuple[ChannelName, ...] | None = Field(default=None, min_length=1)
    approaching: Approaching | None = None
    running_late: RunningLate | None = None
    back_on_time: BackOnTime | None = None
    later: Later | None = None
    language: Annotated[str, Field(pattern=r"^(en|es)$")] | None = None
    most_per_stop_and_day: Annotated[int, Field(ge=0, le=50)] | None = None


class Notifications(Section):
    enabled: bool = False
    kinds: frozenset[NotificationKind] = frozenset(NotificationKind)
    channels: tuple[ChannelName, ...] = Field(
        default=(ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.EMAIL), min_length=1
    )
    """In this order: the next one when one does not arrive. One on which the recipient has no address is left out."""
    language: Annotated[str, Field(pattern=r"^(en|es)$")] = "en"
    """Of who has not written to us yet."""
    approaching: Approaching = Approaching()
    running_late: RunningLate = RunningLate()
    back_on_time: BackOnTime = BackOnTime()
    later: Later = Later()
    most_per_stop_and_day: int = Field(default=5, ge=0, le=50)
    most_per_person_and_day: int = Field(default=8, ge=0, le=100)
    apart_minutes: Minutes = 10
    """Between two of them to one person; what ends a stop (delivered, failed, returned) does not wait."""
    fresh_minutes: Minutes = 20
    """What happened longer ago is not told as if it were new."""
    platform_quiet_minutes: Minutes = 15
    """After the platform has texted the recipient itself."""
    clients: dict[str, ClientNotifications] = Field(default_factory=dict)


class NumberType(StrEnum):
    """Of the sender, as carriers limit it. Source: Twilio, sender rates."""

    LONG_CODE = "long_code"
    LOW_VOLUME_10DLC = "low_volume_10dlc"
    STANDARD_10DLC = "standard_10dlc"
    TOLL_FREE = "toll_free"
    SHORT_CODE = "short_code"


class Messaging(Section):
    """How fast texts may leave. Answers never wait for what is told unasked."""

    number_type: NumberType = NumberType.LOW_VOLUME_10DLC
    segments_per_second: Annotated[float, Field(gt=0, le=1000)] | None = None
    """None: what carriers allow for the type of number."""
    filtered_alert_percent: int = Field(default=5, ge=1, le=100)
    """So many filtered texts (30007) of an hour call the operator."""
