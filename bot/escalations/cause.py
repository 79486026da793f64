"""Why a person is needed: what raises an escalation, and what it is about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connectors.escalation import Severity


@dataclass(frozen=True)
class Cause:
    """The same `key` again feeds the open escalation instead of raising a second."""

    key: str
    severity: Severity
    why: str
    timezone: str
    zone: str = ""
    client: str = ""
    """Of several clients their names, comma separated; `clients` has them apart."""
    channel: str | None = None
    """Where it is posted; None: the zone's channel."""
    conversation_id: UUID | None = None
    exposure_usd: int = 0
    answer_by: datetime | None = None
    """By when somebody was promised an answer: if nobody has it by then, dispatchers are called once more."""
    service: str = ""
    minutes_late: int = 0
    """Of its worst stop."""
    clients: frozenset[str] = frozenset()
    platform: str = ""
    """The account it is about; empty: several, or none."""
    route_ref: str | None = None
    """Set where all its stops are on one route of `platform`."""
