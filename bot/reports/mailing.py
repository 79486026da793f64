"""Mails that carry reports: their words, and their files."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.reports import wording
from bot.reports.letters import Letters, SendsFiles
from bot.reports.models import ReportFile, ReportMail
from bot.reports.report import SlaReport
from connectors.base import MailedFile

__all__ = ["ReportMails", "SendsFiles", "subject_of", "text_of"]

_letters = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    autoescape=False,  # noqa: S701
)
"""Plain text: nothing is to be escaped."""


def subject_of(report: SlaReport) -> str:
    return f"Service level report for {report.client}: {wording.span(report.start, report.end)}"


def text_of(report: SlaReport) -> str:
    return _letters.get_template("mail.txt").render(report=report, words=wording)


class ReportMails(Letters[ReportMail]):
    kind = "report_mail"

    def __init__(self, database: Database, clock: Clock, sender: SendsFiles | None) -> None:
        super().__init__(database, clock, sender, ReportMail)

    async def files_of(self, session: AsyncSession, mail: ReportMail) -> tuple[MailedFile, ...]:
        files = await session.scalars(
            select(ReportFile).where(col(ReportFile.run_id) == mail.run_id).order_by(col(ReportFile.name))
        )
        return tuple(
            MailedFile(name=each.name, media_type=each.media_type, content=each.content) for each in files
        )

    def facts_of(self, mail: ReportMail) -> dict[str, Any]:
        return {"run_id": str(mail.run_id)}
