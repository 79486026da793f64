"""What the queue calls for manifests."""

from datetime import date

from bot.durable.queue import JobContext, PatientRetry, queue, services_of


@queue.task(name="keep_manifest", pass_context=True, retry=PatientRetry())
async def keep_manifest(context: JobContext, zone: str, day: str) -> None:
    await services_of(context).manifests.keep(zone, date.fromisoformat(day))
