"""Tables of who may see which stop: what was proved, what is claimed, what was talked about, wrong tries."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from bot.db import choice, instant


class AccessLevel(StrEnum):
    LOOK = "look"
    """A tracking number alone: it stands on the parcel for all to read."""
    CHANGE = "change"
    """Tracking number, and postcode or the last four digits of the phone on the order."""


class StopAccess(SQLModel, table=True):
    """A stop that a conversation has proved to know, beside those of its own phone."""

    __tablename__ = "stop_access"

    conversation_id: UUID = Field(foreign_key="conversation.id", primary_key=True)
    stop_id: UUID = Field(foreign_key="stop.id", primary_key=True)
    level: AccessLevel = choice(AccessLevel)
    proved_at: datetime = instant()
    """Wall time."""


class StopFocus(SQLModel, table=True):
    """The stop that a conversation last talked about."""

    __tablename__ = "stop_focus"

    conversation_id: UUID = Field(foreign_key="conversation.id", primary_key=True)
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    """None: the last text was about several."""
    inbound_id: str | None = None
    """The text that it was talked about in."""
    talked_at: datetime = instant()
    """The day's time."""


class ProofClaim(SQLModel, table=True):
    """The halves of a proof that a conversation has given so far."""

    __tablename__ = "proof_claim"

    conversation_id: UUID = Field(foreign_key="conversation.id", primary_key=True)
    tracking: str = ""
    postcode: str = ""
    phone_end: str = ""
    claimed_at: datetime = instant()
    """Wall time."""
    judged_inbound_id: str | None = None
    """The text that was wrong last: judging it again is not another try."""


class ProofAttempt(SQLModel, table=True):
    """Wrong tries of one address, whatever sessions they came in."""

    __tablename__ = "proof_attempt"

    address: str = Field(primary_key=True)
    """With its kind: `sms:+12125550100`, `email:robin@example.org`, `webchat:192.0.2.7`."""
    wrong_tries: int = 0
    first_at: datetime = instant()
    """Wall time of the first of them; a day later they are forgotten."""
    next_allowed_at: datetime | None = instant(nullable=True)
    """Wall time before which nothing is looked up for this address."""
