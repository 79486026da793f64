"""Drivers on the road: what they are asked and told without a dispatcher, and what they write; the services."""

from dataclasses import dataclass
from typing import TypedDict

from bot.app.ground import Ground
from bot.conversations.handoff import Handoff
from bot.conversations.service import ColleagueReplies
from bot.drivers.asking import DriverAsking
from bot.drivers.checking import DriverCheckIns
from bot.drivers.explaining import DriversExplain
from bot.drivers.failures import DriverFailures, FailureReports, Pictures
from bot.drivers.passing import PassOn
from bot.drivers.relaying import RelayedCodes, RelayToDriver
from bot.drivers.texts import DriverTexts
from bot.drivers.unanswered import UnansweredReports
from bot.drivers.unasked import DriverDelays, OtherDriverTexts
from bot.durable.ticks import Tick
from bot.escalations.service import EscalationService
from bot.services import Services


class RoadServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    driver_check_ins: DriverCheckIns
    drivers_explain: DriversExplain
    relayed_codes: RelayedCodes


def relay_of(ground: Ground, texts: DriverTexts) -> RelayToDriver:
    """What takes recipients' words to the driver."""
    return RelayToDriver(ground.clock, ground.sop, texts)


def road_services(ground: Ground, texts: DriverTexts) -> RoadServices:
    database, clock, sop = ground.database, ground.clock, ground.sop
    return RoadServices(
        driver_check_ins=DriverCheckIns(database, clock, sop, DriverAsking(clock, sop, texts)),
        drivers_explain=DriversExplain(database, clock),
        relayed_codes=RelayedCodes(database, clock),
    )


@dataclass(frozen=True)
class RoadReplies:
    """For `ConversationService`, in this order: questions come after the first, shifts after the second."""

    failures: ColleagueReplies
    delays: ColleagueReplies
    other: ColleagueReplies
    unanswered: UnansweredReports
    """For `Services`."""


def road_replies(
    ground: Ground,
    texts: DriverTexts,
    handoff: Handoff,
    escalations: EscalationService,
    pictures: Pictures,
    followed_up: FailureReports | None = None,
) -> RoadReplies:
    clock = ground.clock
    dispatch = PassOn(clock, texts, handoff, escalations)
    failures = DriverFailures(clock, texts, dispatch, pictures, followed_up)
    return RoadReplies(
        failures=failures,
        delays=DriverDelays(clock, texts, dispatch),
        other=OtherDriverTexts(clock, dispatch),
        unanswered=UnansweredReports(ground.database, clock, failures, dispatch),
    )


def road_ticks(services: Services) -> list[Tick]:
    return [
        Tick("drivers_explain", services.drivers_explain.look, 10),
        Tick("driver_check_ins", services.driver_check_ins.look, 15),
        Tick("driver_reports", services.unanswered_reports.look, 30),
        Tick("relayed_codes", services.relayed_codes.forget, 10),
    ]
