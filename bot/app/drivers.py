"""Drivers' shifts: the services, in the order in which they need each other."""

from typing import TypedDict

from actions import speech
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.words import Words
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.drivers.answers import ShiftAnswers
from bot.drivers.calling import ShiftCalls
from bot.drivers.giving import RouteGiving
from bot.drivers.service import ShiftService
from bot.drivers.texts import DriverTexts
from bot.sop import ProtocolInForce
from bot.stops.sync import PlatformSync
from connectors.base import RoutingPlatform


class DriverServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    driver_texts: DriverTexts
    shift_answers: ShiftAnswers
    shifts: ShiftService
    route_giving: RouteGiving


def driver_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    platforms: dict[str, RoutingPlatform],
    sync: PlatformSync,
    consent: ConsentLedger,
    words: Words,
    tasks: DeskTasks,
) -> DriverServices:
    texts = DriverTexts(clock, sop, consent, words, speech)
    calls = ShiftCalls(tasks, platforms)
    return DriverServices(
        driver_texts=texts,
        shift_answers=ShiftAnswers(clock, texts, calls),
        shifts=ShiftService(database, clock, sop, texts, calls),
        route_giving=RouteGiving(database, clock, platforms, sync, texts, calls),
    )
