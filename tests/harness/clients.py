"""Shippers' programs that call the API of a world's app, each with a token of its own."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx

from tests.harness.waiting import eventually
from tests.harness.world import World

JSON = dict[str, Any]


class Program:
    """One client's program; `client=None` is an operator's."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token

    @classmethod
    async def of(cls, world: World, client: str | None = "Acme") -> "Program":
        _, token = await world.doorline.services.client_tokens.give_out(client, "test")
        return cls(world, token)

    async def calls(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        url = f"{self.world.url}/api/v1{path}"
        return await self.world.http.request(method, url, headers=headers, **request)

    async def asks_for(self, stop: JSON, key: str | None = None) -> httpx.Response:
        return await self.calls("POST", "/stops", json=stop, headers={"Idempotency-Key": key or str(uuid4())})

    async def request(self, request_id: str) -> JSON:
        answer = await self.calls("GET", f"/stop-requests/{request_id}")
        found: JSON = answer.raise_for_status().json()
        return found

    async def enters(self, stop: JSON) -> JSON:
        """Asks for a stop, waits until it is in the plan; gives the stop as the API shows it."""
        asked = await self.asks_for(stop)
        assert asked.status_code == 202, asked.text
        await self.world.settled()
        request = await self.request(asked.json()["id"])
        assert request["state"] == "entered", request
        found: JSON = (await self.calls("GET", f"/stops/{request['stop_id']}")).raise_for_status().json()
        return found

    async def moves(self, stop_id: str, start: datetime, end: datetime, **more: Any) -> httpx.Response:
        body = {"start_at": start.isoformat(), "end_at": end.isoformat(), **more}
        return await self.calls("PATCH", f"/stops/{stop_id}/window", json=body)

    async def applied(self, change: httpx.Response) -> JSON:
        """The change once the platform holds it, also where that takes longer than its answer waits."""
        assert change.status_code in (HTTPStatus.OK, HTTPStatus.ACCEPTED), change.text
        kind = "cancellations" if change.json()["kind"] == "cancel" else "window-changes"

        async def look() -> JSON:
            found: JSON = (await self.calls("GET", f"/{kind}/{change.json()['id']}")).json()
            return found

        return await eventually(look, lambda found: found["state"] == "applied", "the change")

    async def uploads(self, content: bytes, **request: Any) -> httpx.Response:
        headers = {"Content-Type": "text/csv", **request.pop("headers", {})}
        return await self.calls("POST", "/stops/csv", content=content, headers=headers, **request)


def a_stop(world: World, start: str = "17:00", end: str = "19:00", day: int = 0, **changes: Any) -> JSON:
    """A stop that nothing speaks against; times are New York's. `address` replaces parts of the address."""
    address = {
        "line": "14 Elm Street, Apt 2B",
        "city": "New York",
        "postcode": "10001",
        **changes.pop("address", {}),
    }
    return {
        "recipient_name": "Robin Doe",
        "phone": "(212) 555-0100",
        "address": address,
        "window": {
            "start_at": world.local(start, day).isoformat(),
            "end_at": world.local(end, day).isoformat(),
        },
        "order_ref": "A-1001",
        **changes,
    }


def tasks_of_order(world: World, order_ref: str) -> list[JSON]:
    """Onfleet's own records of the stops that carry this order number, however they carry it."""
    return [task for task in world.onfleet.store.tasks.values() if order_ref in str(task)]
