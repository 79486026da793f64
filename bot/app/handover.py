"""Events for the clients' own systems: the services, in the order in which they need each other."""

from typing import TypedDict

from bot.clock import Clock
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.handover.dead_letters import DeadLetters
from bot.handover.delivering import Couriers
from bot.handover.deriving import Deriving
from bot.handover.events import ClientEvents
from bot.handover.replaying import Replays
from bot.handover.sealing import Seal
from bot.handover.service import HandOverService
from bot.sop import ProtocolInForce
from connectors.client_webhooks.client import ClientWebhooks


class HandOverServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    client_events: ClientEvents
    client_history: Deriving
    couriers: Couriers
    hand_over: HandOverService
    replays: Replays


def hand_over_services(
    key: str, database: Database, clock: Clock, sop: ProtocolInForce, tasks: DeskTasks
) -> HandOverServices:
    """`key` is SECRET_KEY. Not to be used before the process's event loop runs."""
    systems = ClientWebhooks(lambda: sop.current.hand_over.private_addresses)
    events, seal = ClientEvents(clock, sop), Seal(key)
    dead_letters = DeadLetters(clock, sop, tasks)
    return HandOverServices(
        client_events=events,
        client_history=Deriving(database, clock, events),
        couriers=Couriers(database, clock, sop, systems, seal, dead_letters),
        replays=Replays(database, clock, sop, dead_letters),
        hand_over=HandOverService(database, clock, sop, systems, seal, dead_letters),
    )
