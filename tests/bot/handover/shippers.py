"""What the stories about the hand-over need: clients with tokens, their systems, and time."""

from typing import Any
from uuid import uuid4

import httpx
from sqlmodel import col

from bot.desk.models import DeskTask
from bot.handover.models import Delivery
from connectors.client_webhooks.emulator import ClientSystemEmulator, Received
from connectors.desk import TaskKind
from tests.harness.world import World


class Shippers:
    def __init__(self, world: World, system: ClientSystemEmulator, base: str) -> None:
        self.world, self.system, self.base = world, system, base
        self._tokens: dict[str, str] = {}

    async def calls(self, method: str, path: str, client: str = "Acme", **more: Any) -> httpx.Response:
        """One call of `/api/v1/subscriptions` with the client's token."""
        if client not in self._tokens:
            tokens = self.world.doorline.services.client_tokens
            whose = None if client == "operator" else client
            self._tokens[client] = (await tokens.give_out(whose, "test"))[1]
        url = f"{self.world.url}/api/v1/subscriptions{path}"
        headers = {"Authorization": f"Bearer {self._tokens[client]}"}
        return await self.world.http.request(method, url, headers=headers, **more)

    async def subscribes(self, *events: str, client: str = "Acme", name: str = "") -> str:
        """The client's system takes these events from now on; gives the subscription's id."""
        url = f"{self.base}/hooks/{name or client}"
        answer = await self.calls("POST", "", client, json={"url": url, "events": list(events)})
        assert answer.status_code == 201, answer.text
        self.received(name or client).secret = answer.json()["secret"]
        return str(answer.json()["id"])

    def received(self, client: str = "Acme") -> Received:
        return self.system.systems[client]

    async def settles(self) -> None:
        """Everything that can be derived and delivered now is."""
        couriers = self.world.doorline.services.couriers
        history = self.world.doorline.services.client_history
        await history.run()
        while await couriers.start_due():
            await couriers.settled()
        await couriers.settled()

    async def waits(self, **duration: float) -> None:
        await self.world.advance(**duration)
        await self.settles()

    async def happens(self, kind: str = "stop.delivered", client: str = "Acme", **facts: Any) -> None:
        """Records an event straight away, as the rest of Doorline does."""
        services = self.world.doorline.services
        async with services.database.transaction() as session:
            await services.client_events.record(session, client, kind, uuid4(), facts)

    async def deliveries(self, **conditions: Any) -> list[Delivery]:
        found = await self.world.rows(Delivery, *[getattr(Delivery, k) == v for k, v in conditions.items()])
        return sorted(found, key=lambda delivery: delivery.seq)

    async def tasks(self) -> list[DeskTask]:
        await self.world.settled()
        return await self.world.rows(DeskTask, col(DeskTask.kind) == TaskKind.HAND_OVER_FAILED)
