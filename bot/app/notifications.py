"""What recipients are told unasked: the services, in the order in which they need each other."""

from collections.abc import Collection
from typing import TypedDict

from actions import speech
from bot.app.ground import Ground
from bot.durable.ticks import Tick
from bot.links import SignedLinks
from bot.notifications.service import NotificationService
from bot.notifications.telling import Teller
from connectors.base import ChannelName


class NotificationServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    teller: Teller
    notifications: NotificationService


def notification_services(
    ground: Ground, channels: Collection[ChannelName], proof_links: SignedLinks
) -> NotificationServices:
    """`channels` are those that are switched on."""
    teller = Teller(ground.clock, ground.sop, ground.consent, ground.words, frozenset(channels))
    service = NotificationService(
        ground.database, ground.clock, ground.sop, teller, ground.words, speech, proof_links
    )
    return NotificationServices(teller=teller, notifications=service)


def notification_ticks(notifications: NotificationService) -> list[Tick]:
    """Seconds of real time between two rounds stand behind each."""
    return [Tick("notifications", notifications.look, 2)]
