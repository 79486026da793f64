"""What `bot.app` wires together and hands to the edges, the queue and the clock."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.dialogue import Dialogue
from bot.conversations.handoff import Handoff
from bot.conversations.service import ConversationService
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.outbox import Outbox
from bot.escalations.desk import DeskKeeper
from bot.escalations.service import EscalationService
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce
from bot.stops.inbound import FeedWatch
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync


@dataclass(frozen=True)
class Services:
    database: Database
    clock: Clock
    sop: ProtocolInForce
    words: Words
    dialogue: Dialogue
    consent: ConsentLedger
    outbox: Outbox
    conversations: ConversationService
    handoff: Handoff
    stops: StopService
    sync: PlatformSync
    feeds: FeedWatch
    sweep: Sweep
    escalations: EscalationService
    desk_keeper: DeskKeeper
