"""A pretended OptimoRoute account with two drivers and three stops, and a clock that only tests move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from connectors.base import DeliveryWindow
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.emulator_store import Json
from tests.connectors.towns import TIMEZONE, Clock, visit

API_KEY = "test-key"
TODAY = "2026-06-08"


@dataclass
class Town:
    """Drivers D-1 and D-2; the orders S-1, S-2, S-3 on D-1's route, windows 10-12, 12-14, 14-16; nothing sent."""

    emulator: OptimoRouteEmulator
    url: str
    clock: Clock
    driver: str
    refs: list[str]

    def order(self, index: int) -> Json:
        return self.emulator.store.order(self.refs[index])

    def data(self, index: int) -> Json:
        found: Json = self.order(index)["data"]
        return found

    def send(self) -> None:
        self.emulator.send_day(TODAY)

    async def ask(self, verb: str, method: str, body: object = None, **query: str) -> Json:
        """One raw call, its body sent as `text/plain` as the typed client does."""
        async with httpx.AsyncClient(base_url=self.url + "/v1/", trust_env=False) as http:
            sent = {"json": body} if body is not None else {}
            headers = {"content-type": "text/plain;charset=UTF-8"}
            params = {"key": API_KEY} | query
            response = await http.request(verb, method, params=params, headers=headers, **sent)  # type: ignore[arg-type]
            answer: Json = response.json()
            return answer


Connect = Callable[..., OptimoRoutePlatform]


def new_emulator(clock: Clock, **options: object) -> OptimoRouteEmulator:
    return OptimoRouteEmulator(API_KEY, now=clock, timezone=TIMEZONE, **options)  # type: ignore[arg-type]


def add_stop(emulator: OptimoRouteEmulator, clock: Clock, number: int, **changes: object) -> str:
    opens = clock.at + timedelta(hours=2 * number - 1)
    given: dict[str, object] = {
        "driver": "D-1",
        **visit(number, opens),
        "fields": {"customField1": "Acme", "customField2": "North", "customField3": f"A-{number}"},
        "notes": "Ring twice",
    }
    return str(emulator.add_order(f"S-{number}", **(given | changes))["id"])  # type: ignore[arg-type]


def window_on(day: str, opens: int, closes: int) -> DeliveryWindow:
    """Hours of the town's summer day, local."""
    start = datetime.fromisoformat(f"{day}T00:00:00-04:00")
    return DeliveryWindow(
        start_at=(start + timedelta(hours=opens)).astimezone(UTC),
        end_at=(start + timedelta(hours=closes)).astimezone(UTC),
    )
