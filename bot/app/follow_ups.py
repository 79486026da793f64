"""The conversation of a follow-up: who asks the recipient of a failed delivery."""

from actions import speech
from bot.app.ground import Ground
from bot.conversations.dialogue import RasaDialogue
from bot.conversations.handoff import Handoff
from bot.notifications.telling import Teller
from bot.recovery.dialogue import AskThroughRasa


def asker_of(ground: Ground, dialogue: RasaDialogue, teller: Teller, handoff: Handoff) -> AskThroughRasa:
    database, clock, sop = ground.database, ground.clock, ground.sop
    return AskThroughRasa(database, clock, sop, dialogue, teller, handoff, ground.words, speech)
