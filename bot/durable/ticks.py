"""The clock of the app: APScheduler ticks, a tick claims what is due with SKIP LOCKED and asks for jobs.

Any number of replicas may tick at once: a due row is locked by one of them. A tick that was missed, by a
restart or a busy second, is made up by the next one, because what is due is a row and not a timer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import DatabaseUnavailableError
from connectors.errors import ConnectorError

log = structlog.get_logger()


@dataclass(frozen=True)
class Tick:
    name: str
    run: Callable[[], Awaitable[object]]
    every_seconds: float


class Ticker:
    """Runs each tick at its pace, one at a time per name; an error is logged and the next tick comes anyway."""

    def __init__(self, ticks: list[Tick]) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        for tick in ticks:
            self._scheduler.add_job(
                _guarded(tick),
                "interval",
                seconds=tick.every_seconds,
                id=tick.name,
                max_instances=1,
                coalesce=True,
                # What fell due while nobody ticked is made up for at once.
                next_run_time=datetime.now(UTC),
                misfire_grace_time=None,
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _guarded(tick: Tick) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        try:
            await tick.run()
        except (DatabaseUnavailableError, ConnectorError, OSError) as exc:
            log.warning("tick_skipped", tick=tick.name, error=type(exc).__name__)
        except Exception:
            log.exception("tick_failed", tick=tick.name)

    return run
