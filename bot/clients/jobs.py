"""What the queue calls for clients' mails. A job may run twice: the row says how far it came."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.durable.queue import JobContext, PatientRetry, defer, queue, services_of


@queue.task(name="send_client_mail", pass_context=True, retry=PatientRetry())
async def send_client_mail(context: JobContext, mail_id: str) -> None:
    await services_of(context).client_mails.send(UUID(mail_id))


async def send_mail(session: AsyncSession, mail_id: UUID) -> None:
    """Once the transaction commits."""
    await defer(session, send_client_mail, lock=f"client_mail:{mail_id}", mail_id=str(mail_id))
