"""The append-only audit log: who did what to which thing, when. Incident reports are read from it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.db import instant

SYSTEM = "doorline"


class AuditLine(SQLModel, table=True):
    """Never updated, never deleted except by `doorline erase`. Details hold ids and decisions, no message text."""

    __tablename__ = "audit_line"
    __table_args__ = (Index("ix_audit_line_subject", "subject_kind", "subject_id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    at: datetime = instant(index=True)
    subject_kind: str
    """`stop`, `escalation`, `conversation`, `message`, `platform`."""
    subject_id: str
    actor: str
    """A dispatcher's Slack id, `recipient`, a platform's name, or `doorline`."""
    verb: str
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))


def record(
    session: AsyncSession,
    at: datetime,
    subject_kind: str,
    subject_id: str,
    verb: str,
    *,
    actor: str = SYSTEM,
    **details: Any,
) -> None:
    """Adds one line to the transaction under way: it commits with the change that it tells of."""
    session.add(
        AuditLine(
            at=at, subject_kind=subject_kind, subject_id=subject_id, actor=actor, verb=verb, details=details
        )
    )


async def timeline(session: AsyncSession, subject_kind: str, subject_id: str) -> list[AuditLine]:
    """All lines about one thing, oldest first."""
    lines = await session.scalars(
        select(AuditLine)
        .where(col(AuditLine.subject_kind) == subject_kind, col(AuditLine.subject_id) == subject_id)
        .order_by(col(AuditLine.id))
    )
    return list(lines)
