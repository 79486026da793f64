"""What dispatchers do about an escalation in Slack: the deeds, in the order in which they need each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from actions import speech
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.words import Words
from bot.db import Database
from bot.drivers.asking import DriverAsking
from bot.drivers.question_replies import DriverQuestionReplies
from bot.drivers.texts import DriverTexts
from bot.escalations.choices import Choices
from bot.escalations.deeds.asking_platform import MoveWindow, PlatformAsking, Reassign
from bot.escalations.deeds.contacting import ContactDriver
from bot.escalations.deeds.ending import MarkNoise, NameCause, Resolve
from bot.escalations.deeds.handing_over import HandOver
from bot.escalations.deeds.merging import Merge
from bot.escalations.deeds.recipient_texts import RecipientTexts
from bot.escalations.deeds.snoozing import Snooze
from bot.escalations.deeds.telling import TellRecipients
from bot.escalations.deeds.working import Deeds
from bot.escalations.deeds.writing import DeedWriter
from bot.escalations.desk import DeskKeeper
from bot.escalations.view import NO_SOURCES, ViewSources
from bot.sop import ProtocolInForce
from bot.stops.sync import PlatformSync
from connectors.base import RoutingPlatform
from connectors.escalation import DispatcherVerb


@dataclass(frozen=True)
class DeedServices:
    deeds: Deeds
    """For `Gestures`."""
    deed_writer: DeedWriter
    """For `Services`, by this name; its `ask_for_stranded` for the clock."""
    driver_replies: DriverQuestionReplies
    """For `ConversationService`, before the answers about shifts."""
    choices: Choices
    """For `connectors.slack.escalation_windows.WindowEdge`."""


def deed_services(
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    platforms: Mapping[str, RoutingPlatform],
    sync: PlatformSync,
    consent: ConsentLedger,
    words: Words,
    driver_texts: DriverTexts,
    desk_keeper: DeskKeeper,
    sources: ViewSources = NO_SOURCES,
) -> DeedServices:
    texts = RecipientTexts(clock, sop, consent, words, speech)
    asking = PlatformAsking(clock, sop, platforms)
    driver_asking = DriverAsking(clock, sop, driver_texts)
    return DeedServices(
        deeds={
            DispatcherVerb.SNOOZE: Snooze(clock, sop),
            DispatcherVerb.REASSIGN: Reassign(asking),
            DispatcherVerb.CONTACT_DRIVER: ContactDriver(clock, sop, driver_asking),
            DispatcherVerb.TELL_RECIPIENTS: TellRecipients(clock, sop, texts),
            DispatcherVerb.MOVE_WINDOW: MoveWindow(clock, asking),
            DispatcherVerb.HAND_OVER: HandOver(clock, sop),
            DispatcherVerb.MERGE: Merge(clock, sop),
            DispatcherVerb.MARK_NOISE: MarkNoise(clock),
            DispatcherVerb.RESOLVE: Resolve(clock, sop),
            DispatcherVerb.NAME_CAUSE: NameCause(clock, sop),
        },
        deed_writer=DeedWriter(database, clock, platforms, sync, texts, desk_keeper),
        driver_replies=DriverQuestionReplies(clock, driver_texts),
        choices=Choices(database, clock, sop, platforms, sources),
    )
