"""Conversations with recipients: the services, in the order in which they need each other."""

from collections.abc import Sequence
from typing import TypedDict

from actions import speech
from bot.app.ground import Ground
from bot.conversations.dialogue import RasaDialogue
from bot.conversations.forgetting import Forgetting
from bot.conversations.handoff import Handoff
from bot.conversations.notices import Notices
from bot.conversations.quiet import quiet_hours
from bot.conversations.receiving import ReceiveTexts
from bot.conversations.service import ColleagueReplies, ConversationService, Pictures
from bot.conversations.waiting import WaitingRoom
from bot.escalations.service import EscalationService
from bot.faq import Faq


class ConversationServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    dialogue: RasaDialogue
    receive: ReceiveTexts
    conversations: ConversationService
    waiting: WaitingRoom
    forgetting: Forgetting
    handoff: Handoff
    faq: Faq


def notices_of(ground: Ground) -> Notices:
    return Notices(ground.clock, ground.consent, ground.words, speech, quiet_hours(ground.sop))


def conversation_services(
    ground: Ground,
    dialogue: RasaDialogue,
    escalations: EscalationService,
    handoff: Handoff,
    pictures: Pictures,
    colleagues: Sequence[ColleagueReplies],
) -> ConversationServices:
    database, clock, sop = ground.database, ground.clock, ground.sop
    return ConversationServices(
        dialogue=dialogue,
        receive=ReceiveTexts(database, clock, sop),
        conversations=ConversationService(
            database,
            clock,
            sop,
            dialogue,
            ground.consent,
            handoff,
            escalations,
            ground.words,
            pictures,
            colleagues,
        ),
        waiting=WaitingRoom(database, clock, ground.consent, handoff, ground.words),
        forgetting=Forgetting(database, clock),
        handoff=handoff,
        faq=Faq(lambda: sop.current.faq),
    )
