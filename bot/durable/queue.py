"""The one queue: Procrastinate on our own database.

Guarantees, and what they ask of a job:
- A job is deferred on the session's connection: it exists exactly when the change that asked for it was committed.
- Jobs with one `lock` run one after the other, in the order they were deferred, over all workers.
- A job may run twice (a killed worker's job is run again): its first step claims the row it is about, and calls
  to vendors stand between two commits and are reconciled.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.tasks import Task
from sqlalchemy.ext.asyncio import AsyncSession

from bot.db import driver_connection, is_connection_lost, libpq_url
from bot.errors import DatabaseUnavailableError
from connectors.errors import ChannelUnavailableError, PlatformUnavailableError

__all__ = [
    "MAIN_LANE",
    "App",
    "JobContext",
    "PatientRetry",
    "defer",
    "defer_each",
    "lane_of",
    "open_queue",
    "queue",
    "rescue_stalled",
    "services_of",
]

log = structlog.get_logger()

HEARTBEAT_SECONDS = 2.0
STALLED_AFTER_SECONDS = 8.0
LONGEST_WAIT = timedelta(seconds=30)

MAIN_LANE = "default"

queue = App(connector=PsycopgConnector(), import_paths=[])
"""Tasks register here when their `jobs.py` is imported; the app opens it with its database."""


class PatientRetry(BaseRetryStrategy):
    """Waits longer each time. The weather (a vendor down, Rasa loading) never makes a job give up.

    Tries are counted whatever their reason, so an error of our own gives up late rather than early; what a
    given-up job was to do is found again by its row (`Outbox.find_stranded`, `hand_over_due`).
    """

    def __init__(self, give_up_after: int = 20, weather: tuple[type[Exception], ...] = ()) -> None:
        self._give_up_after = give_up_after
        self._weather = (
            ChannelUnavailableError,
            PlatformUnavailableError,
            DatabaseUnavailableError,
            *weather,
        )

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            # This worker is shutting down; another one, or the next start, takes the job.
            return RetryDecision(retry_in={"seconds": 0})
        if not isinstance(exception, self._weather) and job.attempts + 1 >= self._give_up_after:
            return None
        wait = getattr(exception, "retry_after", None) or timedelta(
            seconds=min(2 ** min(job.attempts, 4), 10)
        )
        return RetryDecision(retry_in={"seconds": max(1, round(min(wait, LONGEST_WAIT).total_seconds()))})


def open_queue(url: str) -> App:
    """The same tasks, on the database at `url`; enter it with `async with app.open_async()`."""
    connector = PsycopgConnector(
        conninfo=libpq_url(url),
        min_size=1,
        max_size=12,
        timeout=10,
        # The pool waits twice as long after each failure; given up soon, it begins anew with the next request.
        reconnect_timeout=5,
    )
    return queue.with_connector(connector)


def lane_of(platform: str) -> str:
    """Where the jobs of one account of a routing platform wait: a slow one never takes the places of others."""
    return f"platform:{platform}"


async def defer(
    session: AsyncSession,
    task: Task[..., Any, Any],
    *,
    lock: str | None = None,
    lane: str = MAIN_LANE,
    **args: Any,
) -> None:
    """Asks for a job as part of the session's transaction.

    Raises `DatabaseUnavailableError` when the server is gone.
    """
    await defer_each(session, task, [(lock, args)], lane=lane)


async def defer_each(
    session: AsyncSession,
    task: Task[..., Any, Any],
    wanted: Sequence[tuple[str | None, dict[str, Any]]],
    *,
    lane: str = MAIN_LANE,
) -> None:
    """Many jobs of one task in one statement, each with a lock and arguments of its own.

    Raises `DatabaseUnavailableError` when the server is gone.
    """
    connection = await driver_connection(session)
    await session.flush()
    deferrer = task.configure(queue=lane, connection=connection)
    jobs = [deferrer.make_new_job(**args).evolve(lock=lock) for lock, args in wanted]
    try:
        await deferrer.job_manager.batch_defer_jobs_async(jobs, connection=connection)
    except ConnectorException as exc:
        if is_connection_lost(exc.__cause__):
            raise DatabaseUnavailableError("the database cannot be reached") from exc
        raise


def services_of(context: JobContext) -> Any:
    """What `bot.app` handed to the worker; each `jobs.py` narrows it to the service it needs."""
    return context.additional_context["services"]


async def rescue_stalled(app: App) -> int:
    """Hands the jobs of workers that are gone to the living ones; gives how many.

    Also takes `doing` jobs whose worker's row was pruned already: the heartbeat query no longer finds those
    (procrastinate-org/procrastinate #1518).
    """
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS))
    orphans = await app.connector.execute_query_all_async(
        "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL"
    )
    job_ids = {job.id for job in stalled if job.id is not None} | {int(row["id"]) for row in orphans}
    for job_id in sorted(job_ids):
        await app.job_manager.retry_job_by_id_async(job_id, retry_at=datetime.now(UTC))
        log.warning("stalled_job_retried", job_id=job_id)
    return len(job_ids)
