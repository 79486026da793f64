"""Subscriptions of the clients' systems: made, changed over to a new secret, tested, ended, listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.errors import DoorlineError
from bot.handover import queries as find
from bot.handover.dead_letters import DeadLetters
from bot.handover.events import event_row
from bot.handover.kinds import EventKind
from bot.handover.models import ClientEvent, Delivery, DeliveryState, Subscription, SubscriptionState
from bot.handover.sealing import Seal, new_secret
from bot.sop import ProtocolInForce
from connectors.hand_over import ClientSystems

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
SUBSCRIPTIONS_PER_CLIENT = 20


class UrlRefusedError(DoorlineError):
    """`why` is a code of `ClientSystems.why_not`."""

    def __init__(self, why: str) -> None:
        super().__init__(f"events cannot be posted there: {why}")
        self.why = why


class TooManySubscriptionsError(DoorlineError):
    pass


@dataclass(frozen=True)
class Revealed:
    """A subscription with its secret, which is told when it is made and never again."""

    subscription: Subscription
    secret: str


class HandOverService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        systems: ClientSystems,
        seal: Seal,
        dead_letters: DeadLetters,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._systems = systems
        self._seal = seal
        self._dead_letters = dead_letters

    # --- subscriptions ------------------------------------------------------------------------------

    async def subscribe(
        self, client: str, url: str, kinds: Sequence[EventKind], actor: str = audit.SYSTEM
    ) -> Revealed:
        """Events that happen from now on go there. No kinds: all of them.

        Raises `UrlRefusedError`, `TooManySubscriptionsError`.
        """
        if why := self._systems.why_not(url):
            raise UrlRefusedError(why)
        secret = new_secret()
        subscription = Subscription(
            id=uuid4(),
            client=client,
            url=url,
            kinds=sorted({kind.value for kind in kinds}),
            secret=self._seal.close(secret),
            created_at=self._clock.now(),
        )
        async with self._database.transaction() as session:
            if await find.count_of(session, client) >= SUBSCRIPTIONS_PER_CLIENT:
                raise TooManySubscriptionsError(f"{client} has {SUBSCRIPTIONS_PER_CLIENT} subscriptions")
            session.add(subscription)
            self._record(session, subscription, "subscribed", actor, kinds=subscription.kinds)
        return Revealed(subscription, secret)

    async def subscriptions(self, client: str | None) -> list[Subscription]:
        """Of one client, or of all with None; oldest first, without those that were ended."""
        wanted = select(Subscription).where(col(Subscription.state) != SubscriptionState.DELETED)
        if client is not None:
            wanted = wanted.where(col(Subscription.client) == client)
        async with self._database.transaction() as session:
            return list(
                await session.scalars(wanted.order_by(col(Subscription.created_at), col(Subscription.id)))
            )

    async def get(self, subscription_id: UUID, client: str | None) -> Subscription:
        """Raises `NotFoundError`, also for another client's."""
        async with self._database.transaction() as session:
            return await find.subscription(session, subscription_id, client)

    async def rotate(self, subscription_id: UUID, client: str | None, actor: str = audit.SYSTEM) -> Revealed:
        """A new secret; for a day the old one signs too. Raises `NotFoundError`."""
        secret = new_secret()
        async with self._database.transaction() as session:
            subscription = await find.subscription(session, subscription_id, client)
            subscription.old_secret = subscription.secret
            subscription.old_secret_until = self._clock.wall() + OLD_SECRET_SIGNS_FOR
            subscription.secret = self._seal.close(secret)
            self._record(session, subscription, "secret_changed", actor)
        return Revealed(subscription, secret)

    async def end(self, subscription_id: UUID, client: str | None, actor: str = audit.SYSTEM) -> None:
        """Nothing is sent there any more, also what waits. Raises `NotFoundError`."""
        async with self._database.transaction() as session:
            subscription = await find.subscription(session, subscription_id, client)
            subscription.state = SubscriptionState.DELETED
            await session.flush()
            await session.execute(
                delete(Delivery).where(
                    col(Delivery.subscription_id) == subscription.id,
                    col(Delivery.state) != DeliveryState.DELIVERED,
                )
            )
            await self._dead_letters.close(session, subscription)
            self._record(session, subscription, "ended", actor)

    async def enable(
        self, subscription_id: UUID, client: str | None, actor: str = audit.SYSTEM
    ) -> Subscription:
        """Takes a disabled one into use again; what was set aside waits for a replay. Raises `NotFoundError`."""
        async with self._database.transaction() as session:
            subscription = await find.subscription(session, subscription_id, client)
            if subscription.state is SubscriptionState.DISABLED:
                subscription.state, subscription.disabled_because = SubscriptionState.ACTIVE, ""
                subscription.failures, subscription.paused_until = 0, None
                self._record(session, subscription, "enabled", actor)
            return subscription

    async def ping(self, subscription_id: UUID, client: str | None) -> UUID:
        """Puts a `ping` on its way to this subscription alone; gives the delivery's id.

        Raises `NotFoundError`, `SubscriptionDisabledError`.
        """
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            subscription = await find.active(session, subscription_id, client)
            facts = {"subscription_id": str(subscription.id)}
            row = event_row(subscription.client, EventKind.PING, subscription.id, facts, self._clock.now())
            added = await session.execute(
                insert(ClientEvent)
                .values(row | {"recorded_at": wall})
                .returning(col(ClientEvent.id), col(ClientEvent.seq))
            )
            made = added.one()
            delivery = Delivery(
                id=uuid4(),
                subscription_id=subscription.id,
                event_id=made.id,
                seq=made.seq,
                due_since=wall,
                next_at=wall,
            )
            session.add(delivery)
            # Who tests wants to know now.
            subscription.paused_until = None
            return delivery.id

    # --- inside -------------------------------------------------------------------------------------

    def _record(
        self, session: AsyncSession, subscription: Subscription, verb: str, actor: str, **details: Any
    ) -> None:
        audit.record(
            session,
            self._clock.now(),
            "subscription",
            str(subscription.id),
            verb,
            actor=actor,
            client=subscription.client,
            **details,
        )
