"""Every table, imported in one place so that migrations and tests see the whole schema."""

from sqlmodel import SQLModel

from bot import audit
from bot.conversations import models as conversations
from bot.durable import models as durable
from bot.escalations import models as escalations
from bot.stops import models as stops

METADATA = SQLModel.metadata

__all__ = ["METADATA", "audit", "conversations", "durable", "escalations", "stops"]
