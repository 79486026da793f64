"""Procrastinate's worker, made prompt and made to last.

Prompt: its own worker looks for jobs when one is inserted, or at the next poll. Two jobs wait for that poll in vain:
the one whose lock has just become free (its insertion was announced long ago), and the one that is announced while
a look is under way (the announcement is forgotten when that look ends).

Lasting: a job that ends while the database is away would stay `doing` on a worker that lives, and nobody would
take it for stalled: its lock, and so a conversation, would be held for ever. Its outcome is written until it is kept.
"""

import asyncio
from typing import Any

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext, JobResult
from procrastinate.jobs import Job, Notification, Status
from procrastinate.retry import RetryDecision
from procrastinate.worker import Worker

from bot.db import is_connection_lost

log = structlog.get_logger()

PAUSE_SECONDS = 1.0
"""Between two tries while the database is away."""


async def work_forever(app: App, **options: Any) -> None:
    """Runs a worker, and the next one when it ends because the database went away; ends when cancelled."""
    while True:
        try:
            await PromptWorker(app, install_signal_handlers=False, **options).run()  # type: ignore[no-untyped-call]
            log.warning("worker_ended")
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            log.warning("worker_restarts", error=type(exc).__name__, exc_info=not _is_weather(exc))
        await asyncio.sleep(PAUSE_SECONDS)


def _is_weather(error: Exception) -> bool:
    return isinstance(error, ConnectorException) and is_connection_lost(error.__cause__)


class PromptWorker(Worker):
    _look_again = False

    async def _fetch_and_process_jobs(self) -> None:
        self._look_again = True
        while self._look_again and not self._stop_event.is_set():
            self._look_again = False
            await super()._fetch_and_process_jobs()  # type: ignore[no-untyped-call]

    async def _handle_notification(self, *, channel: str, notification: Notification) -> None:
        self._look_again = True
        await super()._handle_notification(channel=channel, notification=notification)

    async def _persist_job_status(
        self,
        job: Job,
        status: Status,
        retry_decision: RetryDecision | None,
        context: JobContext,
        job_result: JobResult | None,
    ) -> None:
        while True:
            try:
                await super()._persist_job_status(job, status, retry_decision, context, job_result)
                break
            except ConnectorException as exc:
                # Whoever shuts down leaves the job to the heartbeat: no worker of this id lives on.
                if self._stop_event.is_set() or not is_connection_lost(exc.__cause__):
                    raise
                log.warning("job_outcome_waits", job_id=job.id)
                await asyncio.sleep(PAUSE_SECONDS)
        if job.lock is not None:
            self._look_again = True
            self._new_job_event.set()
