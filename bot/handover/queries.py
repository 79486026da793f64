"""Finds subscriptions, each locked for the transaction; another client's are as if they were not there."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.errors import DoorlineError, NotFoundError
from bot.handover.models import Subscription, SubscriptionState


class SubscriptionDisabledError(DoorlineError):
    pass


async def subscription(session: AsyncSession, subscription_id: UUID, client: str | None) -> Subscription:
    """Of this client, or of any with None. Raises `NotFoundError`."""
    found = await session.get(Subscription, subscription_id, with_for_update=True)
    is_there = found is not None and found.state is not SubscriptionState.DELETED
    if found is None or not is_there or client not in (None, found.client):
        raise NotFoundError(f"no subscription {subscription_id}")
    return found


async def active(session: AsyncSession, subscription_id: UUID, client: str | None) -> Subscription:
    """Raises `NotFoundError`, `SubscriptionDisabledError`."""
    found = await subscription(session, subscription_id, client)
    if found.state is not SubscriptionState.ACTIVE:
        raise SubscriptionDisabledError(f"subscription {subscription_id} is disabled")
    return found


async def count_of(session: AsyncSession, client: str) -> int:
    # Two at once of one client wait for each other here.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"subscriptions:{client}"}
    )
    own = select(func.count()).where(
        col(Subscription.client) == client, col(Subscription.state) != SubscriptionState.DELETED
    )
    return await session.scalar(own) or 0
