"""Reports that the calendar makes: their services, and what the clock calls."""

from collections.abc import Mapping
from typing import TypedDict

from bot.app.vendors import mail_identity
from bot.clock import Clock
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.durable.ticks import Tick
from bot.reports.digest import DigestMaker
from bot.reports.mailing import ReportMails
from bot.reports.making import MakesRun, ReportMaker
from bot.reports.models import RunKind
from bot.reports.schedule import ReportSchedule
from bot.reports.service import SlaReports
from bot.reports.sharing import DigestShares
from bot.settings import Settings
from bot.sop import ProtocolInForce
from connectors.email.report_mail import ReportMailer
from connectors.slack.client import SlackDesk


class ReportServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    sla_reports: SlaReports
    report_schedule: ReportSchedule
    report_maker: ReportMaker
    report_mails: ReportMails
    digest_shares: DigestShares


def report_services(
    settings: Settings,
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    boards: DeskBoards,
    slack: SlackDesk | None,
    others: Mapping[RunKind, MakesRun],
) -> ReportServices:
    """`others` make what the calendar wants beside reviews and digests."""
    reports = SlaReports(database, clock, sop)
    digests = DigestMaker(database, clock, sop, boards)
    return ReportServices(
        sla_reports=reports,
        report_schedule=ReportSchedule(database, clock, sop),
        report_maker=ReportMaker(database, clock, sop, reports, digests, others),
        report_mails=ReportMails(database, clock, mailer_of(settings, clock)),
        digest_shares=DigestShares(database, clock, slack),
    )


def report_ticks(schedule: ReportSchedule) -> list[Tick]:
    return [Tick("reports", schedule.run, 15)]


def mailer_of(settings: Settings, clock: Clock) -> ReportMailer | None:
    """None where email is off: mails wait until it is on."""
    if settings.smtp_url is None or not settings.has_email:
        return None
    return ReportMailer(settings.smtp_url.get_secret_value(), mail_identity(settings), now=clock.now)
