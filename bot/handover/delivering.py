"""Takes events to the clients' systems: one after the other per subscription, all subscriptions side by side.

A tick finds the subscriptions that have something due and starts a courier for each; a courier goes on until nothing
is due. What is due is a row, so a killed process loses nothing: its lease on the subscription runs out and another
process goes on. A slow system holds up its own courier and nobody else's.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.errors import DatabaseUnavailableError
from bot.handover import rules
from bot.handover.dead_letters import DeadLetters
from bot.handover.models import ClientEvent, Delivery, DeliveryState, Subscription, SubscriptionState
from bot.handover.sealing import Seal
from bot.sop import ProtocolInForce
from connectors.hand_over import ClientSystems, EventPost, PostAnswer

log = structlog.get_logger()

COURIERS = 100
"""At once in one process; the connector's own limit is the same."""
LEASE = timedelta(seconds=60)
"""Several times as long as one call may take."""

DUE = text("""
    SELECT subscription.id FROM client_subscription AS subscription
    WHERE subscription.state = 'active'
        AND coalesce(subscription.paused_until <= :wall, true)
        AND coalesce(subscription.busy_until <= :wall, true)
        AND EXISTS (
            SELECT 1 FROM client_delivery AS delivery
            WHERE delivery.subscription_id = subscription.id
                AND delivery.state = 'pending' AND delivery.next_at <= :wall
        )
    LIMIT 1000
""")


@dataclass(frozen=True)
class Parcel:
    """One delivery under way, as it was claimed."""

    subscription: Subscription
    delivery: Delivery
    event: ClientEvent


class Couriers:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        systems: ClientSystems,
        seal: Seal,
        dead_letters: DeadLetters,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._systems = systems
        self._seal = seal
        self._dead_letters = dead_letters
        self._luck = luck
        self._id = uuid4()
        """Of this process's couriers, on the leases that they hold."""
        self._places = asyncio.Semaphore(COURIERS)
        self._under_way: dict[UUID, asyncio.Task[None]] = {}

    async def start_due(self) -> int:
        """Starts a courier for every subscription that has something due and none yet; gives how many."""
        async with self._database.transaction() as session:
            due = list(await session.scalars(DUE, {"wall": self._clock.wall()}))
        fresh = [subscription_id for subscription_id in due if subscription_id not in self._under_way]
        for subscription_id in fresh:
            self._under_way[subscription_id] = asyncio.create_task(self._run(subscription_id))
        return len(fresh)

    async def settled(self) -> None:
        """Waits until no courier of this process is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def aclose(self) -> None:
        """What is under way is broken off and tried again by whoever comes next."""
        for courier in list(self._under_way.values()):
            courier.cancel()
        await self.settled()
        with suppress(DatabaseUnavailableError):
            await self._give_back()
        await self._systems.aclose()

    async def _give_back(self) -> None:
        async with self._database.transaction() as session:
            await session.execute(
                update(Subscription)
                .where(col(Subscription.busy_by) == self._id)
                .values(busy_until=None, busy_by=None)
                .execution_options(synchronize_session=False)
            )

    async def _run(self, subscription_id: UUID) -> None:
        try:
            async with self._places:
                while parcel := await self._claim(subscription_id):
                    await self._conclude(parcel, await self._post(parcel))
        except DatabaseUnavailableError as exc:
            log.warning("courier_stopped", subscription_id=str(subscription_id), error=type(exc).__name__)
        except Exception:
            # The lease runs out, and the next courier tries the same again.
            log.exception("courier_failed", subscription_id=str(subscription_id))
        finally:
            del self._under_way[subscription_id]

    # --- one delivery -----------------------------------------------------------------------------

    async def _claim(self, subscription_id: UUID) -> Parcel | None:
        """The next due delivery, its try counted; None when there is none, or somebody else has them."""
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            subscription = await session.scalar(
                select(Subscription)
                .where(
                    col(Subscription.id) == subscription_id,
                    col(Subscription.state) == SubscriptionState.ACTIVE,
                    or_(col(Subscription.paused_until).is_(None), col(Subscription.paused_until) <= wall),
                    or_(
                        col(Subscription.busy_until).is_(None),
                        col(Subscription.busy_until) <= wall,
                        col(Subscription.busy_by) == self._id,
                    ),
                )
                .with_for_update()
            )
            if subscription is None:
                return None
            delivery = await _next_due(session, subscription_id, wall)
            if delivery is None:
                subscription.busy_until = subscription.busy_by = None
                return None
            subscription.busy_until, subscription.busy_by = wall + LEASE, self._id
            delivery.attempts += 1
            event = await session.get_one(ClientEvent, delivery.event_id)
            return Parcel(subscription, delivery, event)

    async def _post(self, parcel: Parcel) -> PostAnswer:
        subscription, event = parcel.subscription, parcel.event
        secrets = [subscription.secret]
        if subscription.old_secret_until is not None and subscription.old_secret_until > self._clock.wall():
            secrets += [subscription.old_secret] if subscription.old_secret else []
        return await self._systems.post(
            EventPost(
                event_id=event_id_of(event),
                url=subscription.url,
                secrets=tuple(self._seal.open(secret) for secret in secrets),
                kind=event.kind,
                occurred_at=event.occurred_at,
                data=data_of(event),
            )
        )

    async def _conclude(self, parcel: Parcel, answer: PostAnswer) -> None:
        async with self._database.transaction() as session:
            subscription = await session.get_one(Subscription, parcel.subscription.id, with_for_update=True)
            delivery = await session.get_one(Delivery, parcel.delivery.id, with_for_update=True)
            if subscription.busy_by != parcel.subscription.busy_by:
                return  # The lease ran out while the answer was on its way, and another courier has it.
            delivery.last_status, delivery.last_error = answer.status, answer.error
            verdict = rules.judge(
                answer,
                delivery.attempts,
                subscription.failures,
                delivery.due_since,
                self._clock.wall(),
                self._sop.current.hand_over,
                self._luck(),
            )
            await self._apply(session, subscription, delivery, verdict)

    async def _apply(
        self, session: AsyncSession, subscription: Subscription, delivery: Delivery, verdict: rules.Verdict
    ) -> None:
        wall = self._clock.wall()
        subscription.failures = subscription.failures + 1 if verdict.pause_until is not None else 0
        subscription.paused_until = verdict.pause_until
        delivery.next_at = verdict.next_at or delivery.next_at
        if verdict.is_delivered:
            delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, wall
            await self._dead_letters.delivered(session, subscription, delivery)
        if verdict.is_gone:
            await self._dead_letters.disable(session, subscription, "gone", delivery)
        elif verdict.is_dead:
            too_old = wall - rules.patience(self._sop.current.hand_over)
            waited_for = too_old if verdict.pause_until is not None else None
            await self._dead_letters.set_aside(session, subscription, delivery, waited_for)
        if verdict.pause_until is not None or verdict.is_gone:
            subscription.busy_until = subscription.busy_by = None
        log.info(
            "event_handed_over",
            delivery_id=str(delivery.id),
            state=delivery.state.value,
            attempts=delivery.attempts,
            error=delivery.last_error,
        )


async def _next_due(session: AsyncSession, subscription_id: UUID, wall: datetime) -> Delivery | None:
    return await session.scalar(
        select(Delivery)
        .where(
            col(Delivery.subscription_id) == subscription_id,
            col(Delivery.state) == DeliveryState.PENDING,
            col(Delivery.next_at) <= wall,
        )
        .order_by(col(Delivery.seq))
        .limit(1)
    )


def event_id_of(event: ClientEvent) -> str:
    """As clients know it: the same over all tries and replays."""
    return f"evt_{event.id.hex}"


def data_of(event: ClientEvent) -> dict[str, Any]:
    """`sequence` rises in the order in which things happened: a client drops what is older than what it has."""
    return {"id": event_id_of(event), "client": event.client, "sequence": event.seq} | event.facts
