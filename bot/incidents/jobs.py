"""What the queue calls for incidents."""

from uuid import UUID

from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from bot.errors import AnswerFirstError


@queue.task(name="fetch_photo", pass_context=True, retry=PatientRetry(weather=(AnswerFirstError,)))
async def fetch_photo(context: JobContext, photo_id: str) -> None:
    await services_of(context).photos.fetch(UUID(photo_id))
