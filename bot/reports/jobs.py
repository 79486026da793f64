"""What the queue calls for reports. Each may run twice: the row says how far it came."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.durable.queue import JobContext, PatientRetry, defer, queue, services_of
from bot.reports.models import DigestCharts


@queue.task(name="make_report", pass_context=True, retry=PatientRetry())
async def make_report(context: JobContext, run_id: str) -> None:
    await services_of(context).report_maker.make(UUID(run_id))


@queue.task(name="send_report_mail", pass_context=True, retry=PatientRetry())
async def send_report_mail(context: JobContext, mail_id: str) -> None:
    await services_of(context).report_mails.send(UUID(mail_id))


@queue.task(name="share_digest_charts", pass_context=True, retry=PatientRetry())
async def share_digest_charts(context: JobContext, run_id: str) -> None:
    await services_of(context).digest_shares.share(UUID(run_id))


async def share_charts(session: AsyncSession, charts: DigestCharts) -> None:
    """Once the transaction commits, and after whatever waits to be done to the post itself."""
    await defer(session, share_digest_charts, lock=f"desk:{charts.board_id}", run_id=str(charts.run_id))


async def send_mail(session: AsyncSession, mail_id: UUID) -> None:
    """Once the transaction commits."""
    await defer(session, send_report_mail, lock=f"report_mail:{mail_id}", mail_id=str(mail_id))
