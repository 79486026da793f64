"""What was delivered and what was not; what somebody wants delivered again; what is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.handover import queries as find
from bot.handover.dead_letters import DeadLetters
from bot.handover.models import ClientEvent, Delivery, DeliveryState, Subscription
from bot.sop import ProtocolInForce

PAGE = 100

PRUNE = text("""
    DELETE FROM client_event WHERE id IN (
        SELECT id FROM client_event WHERE recorded_at < :before AND NOT EXISTS (
            SELECT 1 FROM client_delivery AS delivery
            JOIN client_subscription AS subscription ON subscription.id = delivery.subscription_id
            WHERE delivery.event_id = client_event.id AND delivery.state = 'pending'
                AND subscription.state = 'active'
        ) ORDER BY recorded_at LIMIT 5000
    ) RETURNING id
""")


@dataclass(frozen=True)
class Listed:
    delivery: Delivery
    event: ClientEvent


class Replays:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, dead_letters: DeadLetters
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._dead_letters = dead_letters

    async def deliveries(
        self,
        subscription_id: UUID,
        client: str | None,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int = PAGE,
    ) -> list[Listed]:
        """Newest first, those with a sequence below `before`. Raises `NotFoundError`."""
        async with self._database.transaction() as session:
            await find.subscription(session, subscription_id, client)
            wanted = (
                select(Delivery, ClientEvent)
                .join(ClientEvent, col(ClientEvent.id) == col(Delivery.event_id))
                .where(col(Delivery.subscription_id) == subscription_id)
                .order_by(col(Delivery.seq).desc())
                .limit(limit)
            )
            if state is not None:
                wanted = wanted.where(col(Delivery.state) == state)
            if before is not None:
                wanted = wanted.where(col(Delivery.seq) < before)
            return [Listed(delivery, event) for delivery, event in await session.execute(wanted)]

    async def dead(self) -> list[tuple[Subscription, int]]:
        """The subscriptions that have events set aside, and how many."""
        async with self._database.transaction() as session:
            found = await session.execute(
                select(Subscription, func.count())
                .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
                .where(col(Delivery.state) == DeliveryState.DEAD)
                .group_by(col(Subscription.id))
                .order_by(col(Subscription.client), col(Subscription.created_at))
            )
            return [(subscription, count) for subscription, count in found]

    async def replay(
        self,
        subscription_id: UUID,
        client: str | None,
        *,
        dead: bool = False,
        since: datetime | None = None,
        event_ids: Sequence[UUID] = (),
        actor: str = audit.SYSTEM,
    ) -> int:
        """Delivers again what is asked for; gives how many events.

        Raises `NotFoundError`, `SubscriptionDisabledError`.
        """
        async with self._database.transaction() as session:
            subscription = await find.active(session, subscription_id, client)
            count = 0
            if dead:
                count += await self._dead_letters.replay_dead(session, subscription)
            if since is not None:
                count += await self._dead_letters.replay_since(session, subscription, since)
            if event_ids:
                count += await self._dead_letters.replay_events(session, subscription, event_ids)
            audit.record(
                session,
                self._clock.now(),
                "subscription",
                str(subscription.id),
                "replay_asked",
                actor=actor,
                client=subscription.client,
                events=count,
            )
            return count

    async def prune(self) -> int:
        """Forgets events older than `hand_over.keep_days`, but for what still waits; gives how many."""
        before = self._clock.wall() - timedelta(days=self._sop.current.hand_over.keep_days)
        async with self._database.transaction() as session:
            return len((await session.execute(PRUNE, {"before": before})).all())
