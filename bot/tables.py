"""Every table, imported in one place so that migrations and tests see the whole schema."""

from sqlmodel import SQLModel

from bot import audit
from bot.clients import models as clients
from bot.conversations import chat
from bot.conversations import models as conversations
from bot.desk import models as desk
from bot.drivers import models as drivers
from bot.durable import models as durable
from bot.escalations import models as escalations
from bot.escalations.deeds import models as deeds
from bot.handover import models as handover
from bot.home import models as home
from bot.incidents import models as incidents
from bot.intake import models as intake
from bot.manifest import models as manifest
from bot.notifications import address_models as notification_addresses
from bot.notifications import models as notifications
from bot.oncall import models as oncall
from bot.paging import models as paging
from bot.pauses import models as pauses
from bot.recovery import models as recovery
from bot.reports import models as reports
from bot.requests import models as requests
from bot.sla import models as sla
from bot.stops import access_models as stop_access
from bot.stops import following as stop_following
from bot.stops import models as stops

METADATA = SQLModel.metadata

__all__ = [
    "METADATA",
    "audit",
    "chat",
    "clients",
    "conversations",
    "deeds",
    "desk",
    "drivers",
    "durable",
    "escalations",
    "handover",
    "home",
    "incidents",
    "intake",
    "manifest",
    "notification_addresses",
    "notifications",
    "oncall",
    "paging",
    "pauses",
    "recovery",
    "reports",
    "requests",
    "sla",
    "stop_access",
    "stop_following",
    "stops",
]
