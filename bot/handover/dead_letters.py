"""Events that nobody took for too long: set aside, a dispatcher told once, replayed when somebody asks."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.desk.service import DeskTasks, TaskWanted
from bot.handover.models import ClientEvent, Delivery, DeliveryState, Subscription, SubscriptionState
from bot.handover.rules import pauses
from bot.sop import ProtocolInForce
from connectors.desk import TaskFacts, TaskKind


class DeadLetters:
    def __init__(self, clock: Clock, sop: ProtocolInForce, tasks: DeskTasks) -> None:
        self._clock = clock
        self._sop = sop
        self._tasks = tasks

    # --- setting aside ------------------------------------------------------------------------------

    async def set_aside(
        self,
        session: AsyncSession,
        subscription: Subscription,
        delivery: Delivery,
        waited_since: datetime | None,
    ) -> None:
        """Sets one delivery aside, and with `waited_since` all that wait for this system since then or longer."""
        delivery.state = DeliveryState.DEAD
        await session.flush()
        if waited_since is not None:
            await session.execute(
                update(Delivery)
                .where(
                    col(Delivery.subscription_id) == subscription.id,
                    col(Delivery.state) == DeliveryState.PENDING,
                    col(Delivery.due_since) <= waited_since,
                )
                .values(state=DeliveryState.DEAD, last_error=delivery.last_error)
                .execution_options(synchronize_session=False)
            )
        await self._call(session, subscription, delivery.last_error)

    async def disable(
        self, session: AsyncSession, subscription: Subscription, because: str, delivery: Delivery
    ) -> None:
        """Nothing more is tried; what waits is set aside."""
        subscription.state, subscription.disabled_because = SubscriptionState.DISABLED, because
        self._record(session, subscription, "disabled", because=because)
        await self.set_aside(session, subscription, delivery, self._clock.wall())

    async def delivered(self, session: AsyncSession, subscription: Subscription, delivery: Delivery) -> None:
        """The task about this subscription ends once nothing of it is set aside any more."""
        if delivery.due_since > await self._recorded_at(session, delivery):
            await session.flush()
            if not await self._count(session, subscription):
                await self._tasks.close(session, key_of(subscription), "cured")

    async def close(self, session: AsyncSession, subscription: Subscription) -> None:
        """Nobody needs to look at it any more."""
        await self._tasks.close(session, key_of(subscription))

    async def _call(self, session: AsyncSession, subscription: Subscription, error: str) -> None:
        dead = await self._count(session, subscription)
        self._record(session, subscription, "set_aside", dead=dead, error=error)
        host = urlsplit(subscription.url).hostname or ""
        wanted = TaskWanted(
            kind=TaskKind.HAND_OVER_FAILED,
            key=key_of(subscription),
            client=subscription.client,
            timezone=self._sop.current.operator.timezone,
            facts=TaskFacts(
                stops=dead, detail=host, reasons=tuple(filter(None, (error, subscription.disabled_because)))
            ),
        )
        await self._tasks.open_once(session, wanted)

    # --- replaying ----------------------------------------------------------------------------------

    async def replay_dead(self, session: AsyncSession, subscription: Subscription) -> int:
        """Tries everything again that was set aside; gives how many."""
        return await self._again(session, subscription, col(Delivery.state) == DeliveryState.DEAD)

    async def replay_events(
        self, session: AsyncSession, subscription: Subscription, event_ids: Collection[UUID]
    ) -> int:
        """Delivers these again, delivered or not; those that are none of this client's are left out."""
        await self._add_missing(session, subscription, col(ClientEvent.id).in_(list(event_ids)))
        chosen = col(Delivery.event_id).in_(list(event_ids))
        return await self._again(session, subscription, chosen)

    async def replay_since(self, session: AsyncSession, subscription: Subscription, since: datetime) -> int:
        """Delivers again what happened at or after `since` (the day's time) and is of the wanted kinds."""
        happened = col(ClientEvent.occurred_at) >= since
        await self._add_missing(session, subscription, happened)
        chosen = col(Delivery.event_id).in_(
            select(col(ClientEvent.id)).where(happened, col(ClientEvent.client) == subscription.client)
        )
        return await self._again(session, subscription, chosen)

    async def _again(
        self, session: AsyncSession, subscription: Subscription, chosen: ColumnElement[bool]
    ) -> int:
        wall = self._clock.wall()
        changed = await session.execute(
            update(Delivery)
            .where(col(Delivery.subscription_id) == subscription.id, chosen)
            .values(
                state=DeliveryState.PENDING,
                attempts=0,
                due_since=wall,
                next_at=wall,
                last_error="",
                delivered_at=None,
            )
            .returning(col(Delivery.id))
            .execution_options(synchronize_session=False)
        )
        count = len(changed.all())
        # Somebody says that the system is there again: it is asked at once.
        subscription.failures, subscription.paused_until = 0, None
        self._record(session, subscription, "replayed", events=count)
        return count

    async def _add_missing(
        self, session: AsyncSession, subscription: Subscription, chosen: ColumnElement[bool]
    ) -> None:
        """Events from before the subscription have no delivery yet."""
        wall = self._clock.wall()
        wanted = select(ClientEvent).where(chosen, col(ClientEvent.client) == subscription.client)
        if subscription.kinds:
            wanted = wanted.where(col(ClientEvent.kind).in_(subscription.kinds))
        rows = [
            _delivery(subscription, event, wall + pauses(self._sop.current.hand_over)[0], wall)
            for event in await session.scalars(wanted)
        ]
        if rows:
            await session.execute(
                insert(Delivery).on_conflict_do_nothing(index_elements=["subscription_id", "event_id"]), rows
            )

    # --- inside -------------------------------------------------------------------------------------

    async def _count(self, session: AsyncSession, subscription: Subscription) -> int:
        dead = select(func.count()).where(
            col(Delivery.subscription_id) == subscription.id, col(Delivery.state) == DeliveryState.DEAD
        )
        return await session.scalar(dead) or 0

    async def _recorded_at(self, session: AsyncSession, delivery: Delivery) -> datetime:
        return (await session.get_one(ClientEvent, delivery.event_id)).recorded_at

    def _record(self, session: AsyncSession, subscription: Subscription, verb: str, **details: Any) -> None:
        audit.record(session, self._clock.now(), "subscription", str(subscription.id), verb, **details)


def key_of(subscription: Subscription) -> str:
    """Of the dispatcher task about it."""
    return f"hand_over:{subscription.id}"


def _delivery(
    subscription: Subscription, event: ClientEvent, next_at: datetime, due_since: datetime
) -> dict[str, Any]:
    return {
        "subscription_id": subscription.id,
        "event_id": event.id,
        "seq": event.seq,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "due_since": due_since,
        "next_at": next_at,
        "last_error": "",
    }
