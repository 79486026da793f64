"""Tables of what clients' systems are told: their subscriptions, the events, and each event's way to each of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """The client's system said that it is gone, or its address may not be called."""
    DELETED = "deleted"


class Subscription(SQLModel, table=True):
    """One address of a client's system, and which events it takes."""

    __tablename__ = "client_subscription"
    __table_args__ = (Index("ix_client_subscription_client", "client", "state"),)

    id: UUID = primary_id()
    client: str
    url: str
    kinds: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Empty: every kind."""
    secret: str
    """Sealed (`bot/handover/sealing.py`); what is inside begins with `whsec_`."""
    old_secret: str | None = None
    """Sealed; signs too until `old_secret_until`, so that the client can change over."""
    old_secret_until: datetime | None = instant(nullable=True)
    state: SubscriptionState = choice(SubscriptionState, default=SubscriptionState.ACTIVE)
    disabled_because: str = ""
    """`gone`, `address_refused`."""
    created_at: datetime = instant()
    failures: int = 0
    """Tries in a row in which nobody took anything."""
    paused_until: datetime | None = instant(nullable=True)
    """Wall time of the next try after such a failure."""
    busy_until: datetime | None = instant(nullable=True)
    """Wall time until which one courier has it to itself: events go out one after the other."""
    busy_by: UUID | None = None
    """Which courier."""

    @property
    def is_active(self) -> bool:
        return self.state is SubscriptionState.ACTIVE


class ClientEvent(SQLModel, table=True):
    """Something that a client may hear of. `seq` orders all of them."""

    __tablename__ = "client_event"
    __table_args__ = (
        Index("ix_client_event_client", "client", "seq"),
        Index("ix_client_event_recorded", "recorded_at"),
        UniqueConstraint("source_key"),
    )

    id: UUID = primary_id()
    seq: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False, unique=True)
    )
    client: str
    kind: str
    subject_id: UUID = Field(index=True)
    """Our stop, incident, request or window change."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    occurred_at: datetime = instant()
    """The day's time."""
    recorded_at: datetime = instant()
    """Wall time."""
    source_key: str | None = None
    """What it was derived from, so that it is recorded once: `stop_event:17:status`."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Set aside after the last try; a replay makes it pending again."""


class Delivery(SQLModel, table=True):
    """One event on its way to one subscription."""

    __tablename__ = "client_delivery"
    __table_args__ = (
        UniqueConstraint("subscription_id", "event_id"),
        Index(
            "ix_client_delivery_pending",
            "subscription_id",
            "seq",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_client_delivery_listed", "subscription_id", "state", "seq"),
    )

    id: UUID = primary_id()
    subscription_id: UUID = Field(foreign_key="client_subscription.id")
    event_id: UUID = Field(foreign_key="client_event.id", ondelete="CASCADE", index=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The event's."""
    state: DeliveryState = choice(DeliveryState, default=DeliveryState.PENDING)
    attempts: int = 0
    due_since: datetime = instant()
    """Wall time from which its patience counts: when it was recorded, or replayed."""
    next_at: datetime = instant()
    """Wall time of the next try."""
    last_status: int | None = None
    """HTTP, of the last try; None where there was no answer."""
    last_error: str = ""
    delivered_at: datetime | None = instant(nullable=True)


class ReadingMark(SQLModel, table=True):
    """How far the log of stop events was turned into client events; see `bot/handover/deriving.py`."""

    __tablename__ = "client_event_mark"

    log: str = Field(primary_key=True)
    done_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Everything up to here was looked at."""
    seen_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The newest line at the last look."""
    waits_for: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Transactions (PostgreSQL's virtual ids) that were adding lines at the last look."""
