"""Procrastinate's worker, made prompt: whatever may run, runs now and not at the next poll.

Its own worker looks for jobs when one is inserted, or at the next poll. Two jobs wait for that poll in vain: the one
whose lock has just become free (its insertion was announced long ago), and the one that is announced while a
look is under way (the announcement is forgotten when that look ends).
"""

from procrastinate.job_context import JobContext, JobResult
from procrastinate.jobs import Job, Notification, Status
from procrastinate.retry import RetryDecision
from procrastinate.worker import Worker


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
        await super()._persist_job_status(job, status, retry_decision, context, job_result)
        if job.lock is not None:
            self._look_again = True
            self._new_job_event.set()
