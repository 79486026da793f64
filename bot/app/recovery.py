"""Followed-up failures: the services, in the order in which they need each other, and what the clock calls."""

from typing import TypedDict

from bot.app.ground import Ground
from bot.conversations.notices import Notices
from bot.desk.service import DeskTasks
from bot.drivers.reported import ReportedFailures
from bot.durable.ticks import Tick
from bot.notifications.telling import Teller
from bot.recovery.agreeing import Agreements
from bot.recovery.calls import RecoveryCalls
from bot.recovery.concluding import Conclusions
from bot.recovery.deciding import DispatcherDecisions
from bot.recovery.ending import Endings
from bot.recovery.informing import Informing
from bot.recovery.ladder import Ladder
from bot.recovery.opening import Opening
from bot.recovery.ports import Asker, TellClient
from bot.recovery.service import RecoveryService
from bot.recovery.transitions import Transitions
from bot.recovery.watching import RecoveryWatch
from bot.recovery.writing import SecondTries
from bot.requests.service import RequestService
from bot.services import Services
from bot.stops.finder import StopFinder
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync


class RecoveryServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    recovery: RecoveryService
    recovery_opening: Opening
    recovery_ladder: Ladder
    recovery_watch: RecoveryWatch
    recovery_conclusions: Conclusions
    second_tries: SecondTries


def recovery_services(
    ground: Ground,
    sync: PlatformSync,
    finder: StopFinder,
    stops: StopService,
    requests: RequestService,
    tasks: DeskTasks,
    notices: Notices,
    teller: Teller,
    asker: Asker,
    clients: TellClient,
) -> RecoveryServices:
    database, clock, sop, platforms = ground.database, ground.clock, ground.sop, ground.platforms
    transitions = Transitions(clock, RecoveryCalls(tasks, platforms), clients)
    informing = Informing(clock, sop, notices, teller)
    opening = Opening(database, clock, sop, ReportedFailures(), transitions)
    endings = Endings(sop, transitions, informing)
    tries = SecondTries(database, clock, sop, platforms, sync, stops, transitions, informing)
    agreements = Agreements(database, clock, sop, platforms, finder, stops, requests, transitions, tries)
    DispatcherDecisions(transitions, opening, endings).listen(tasks)
    return RecoveryServices(
        recovery=RecoveryService(database, sop, finder, stops, opening, transitions, agreements),
        recovery_opening=opening,
        recovery_ladder=Ladder(database, clock, sop, asker, transitions, endings),
        recovery_watch=RecoveryWatch(database, clock, sop, platforms, transitions, informing),
        recovery_conclusions=Conclusions(database, platforms, sync, tries, transitions, informing),
        second_tries=tries,
    )


def recovery_ticks(services: Services) -> list[Tick]:
    """Seconds of real time between two rounds stand behind each."""
    return [
        Tick("recovery_opening", services.recovery_opening.open_due, 2),
        Tick("recovery_explained", services.recovery_opening.explain_late, 5),
        Tick("recovery_watch", services.recovery_watch.look, 5),
        Tick("recovery_steps", services.recovery_ladder.ask_for_due, 2),
        Tick("recovery_stranded", services.second_tries.ask_for_stranded, 30),
    ]
