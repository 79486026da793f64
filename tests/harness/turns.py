"""What an action has at hand when a text comes in, for tests that call services as actions do."""

from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.stops.answers import Turn
from tests.harness.people import Recipient
from tests.harness.world import World


async def turn_of(world: World, recipient: Recipient, language: str = "en") -> Turn:
    """The newest text of this phone, as a turn."""
    await world.settled()
    (conversation,) = await world.rows(Conversation, col(Conversation.address) == recipient.phone)
    texts = await world.rows(InboundText, col(InboundText.conversation_id) == conversation.id)
    newest = max(texts, key=lambda text: (text.received_at, text.waiting_since))
    return Turn(
        conversation_id=str(conversation.id),
        inbound_id=str(newest.id),
        text=newest.text,
        language=language,
        photos=len(newest.media),
    )


async def says(world: World, recipient: Recipient, text: str, language: str = "en") -> Turn:
    """Texts, and gives the turn. Time passes, so that the newest text is the newest."""
    await world.advance(seconds=1)
    await recipient.texts(text)
    return await turn_of(world, recipient, language)


async def shows(
    world: World, recipient: Recipient, text: str = "", content: bytes | None = None, language: str = "en"
) -> Turn:
    """Sends a picture, and gives the turn."""
    await world.advance(seconds=1)
    await recipient.sends_photo(text, content)
    return await turn_of(world, recipient, language)
