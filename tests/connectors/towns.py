"""What the pretended towns of all platforms share: a clock that only tests move, an address, a client's manners."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.base import Address, DeliveryWindow, RoutingPlatform
from connectors.platform_wire import Limits

TIMEZONE = "America/New_York"
NINE_IN_NEW_YORK = datetime(2026, 6, 8, 13, 0, tzinfo=UTC)
QUICK = Limits(per_second=1000, backoff_seconds=0.01)

Platform = TypeVar("Platform", bound=RoutingPlatform)


class Clock:
    def __init__(self, at: datetime = NINE_IN_NEW_YORK) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **passed: float) -> datetime:
        self.at += timedelta(**passed)
        return self.at


def visit(number: int, opens: datetime) -> dict[str, Any]:
    """Where, to whom and when stop `number` goes, by the names of the emulators' parameters; `opens` for 2 hours."""
    return {
        "address": Address(
            line=f"{number} Elm St, 2B",
            city="Norwalk",
            postcode="06850",
            region="CT",
            country="United States",
            latitude=41.12,
            longitude=-73.41,
        ),
        "recipient_name": "Dana Okafor",
        "recipient_phone": f"+1203555{100 + number:04d}",
        "window": DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=2)),
    }


@asynccontextmanager
async def connecting(
    client: Callable[..., Platform], *keys: str, **given: Any
) -> AsyncIterator[Callable[..., Platform]]:
    """Opens clients with what is `given`, unless told otherwise; they are closed at the end."""
    opened: list[Platform] = []

    def connect(**options: Any) -> Platform:
        platform = client(*keys, **({"timezone": TIMEZONE, "limits": QUICK} | given | options))
        opened.append(platform)
        return platform

    try:
        yield connect
    finally:
        for platform in opened:
            await platform.aclose()


class Doorway:
    """One served address behind which every test puts its own vendor: a new port for each takes longer than a test.

    What a vendor does for as long as it is served, calling back, it does not do here.
    """

    def __init__(self) -> None:
        self.url = ""
        self.app: ASGIApp | None = None
        self._own = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_call = scope["type"] == "http" and self.app is not None
        await (self.app if is_call and self.app else self._own)(scope, receive, send)
