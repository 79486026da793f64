"""How messages leave: the outbox with who hears of it, and the sender's pace; what the clock does for them."""

from collections.abc import Collection
from typing import TypedDict

from bot.app.ground import Ground
from bot.durable.jobs import send_paced
from bot.durable.outbox import Outbox
from bot.durable.outbox_ports import FailureDesk
from bot.durable.pacing import Pacer
from bot.durable.ticks import Tick
from bot.notifications.failing import UndeliveredNotifications
from bot.notifications.filtering import FilterWatch, PageOperator
from bot.notifications.leaving import NotificationGate
from bot.notifications.rates import segments_per_second
from bot.notifications.unreached import FollowUpsHear
from bot.services import Services
from connectors.base import Channel, ChannelName
from connectors.twilio.segments import segment


class MessagingServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    outbox: Outbox
    pacer: Pacer
    filter_watch: FilterWatch


def messaging_services(
    ground: Ground, channels: dict[ChannelName, Channel], others: FailureDesk, operator: PageOperator
) -> MessagingServices:
    """`others` hears of messages that are no notifications and never arrive."""
    database, clock, sop = ground.database, ground.clock, ground.sop
    failing = UndeliveredNotifications(
        clock, sop, ground.consent, writable(channels), FollowUpsHear(clock), others
    )
    pacer = Pacer(
        database,
        clock,
        ground.settings.twilio_from or "",
        lambda: segments_per_second(sop.current.messaging),
        lambda text: max(segment(text).segments, 1),
    )
    gate = NotificationGate(clock, sop)
    outbox = Outbox(
        database, clock, channels, ground.consent, failing, arrivals=failing, gate=gate, books=pacer
    )
    return MessagingServices(
        outbox=outbox, pacer=pacer, filter_watch=FilterWatch(database, clock, sop, operator)
    )


def writable(channels: Collection[ChannelName]) -> frozenset[ChannelName]:
    """Where somebody can be written to unasked: not into a browser that may be closed."""
    return frozenset(channels) - {ChannelName.WEBCHAT}


def messaging_ticks(services: Services) -> list[Tick]:
    async def send_what_waits_for_the_pace() -> None:
        await send_paced(services.pacer, services.database)

    return [
        Tick("paced_messages", send_what_waits_for_the_pace, 1),
        Tick("filtered_texts", services.filter_watch.look, 60),
    ]
