"""Reports that dispatchers ask for in Slack: answered with a link that can be opened for a while."""

import json
from datetime import date

from bot.links import ForgedLinkError, SignedTexts
from bot.reports.errors import BadPeriodError, UnknownClientError
from bot.reports.records import Period
from bot.reports.service import SlaReports
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand


class ReportLinks:
    """Links to one client's review of one period."""

    def __init__(self, signed: SignedTexts) -> None:
        self._signed = signed

    def link(self, client: str, period: Period) -> str:
        about = [client, period.start.isoformat(), period.end.isoformat()]
        return self._signed.link(json.dumps(about, ensure_ascii=False))

    def open(self, token: str) -> tuple[str, Period]:
        """Raises `ExpiredLinkError` or `ForgedLinkError`."""
        try:
            client, start, end = json.loads(self._signed.open(token))
        except ValueError as exc:
            raise ForgedLinkError from exc
        return client, _period(start, end)


class AskForReport:
    """`/doorline report sla CLIENT FROM TO`. It is made once before the link is given: what cannot be made is said."""

    def __init__(self, reports: SlaReports, links: ReportLinks) -> None:
        self._reports = reports
        self._links = links

    async def __call__(self, command: DeskCommand) -> CommandAnswer:
        fields = command.fields
        period = _period(fields["start"], fields["end"])
        try:
            report = await self._reports.make(fields["client"], period)
        except UnknownClientError:
            return CommandAnswer(code=AnswerCode.NOTHING_FOUND)
        except BadPeriodError as exc:
            return CommandAnswer(code=AnswerCode.NOT_READABLE, detail=str(exc))
        return CommandAnswer(
            code=AnswerCode.REVIEW_READY,
            number=report.client,
            page_url=self._links.link(report.client, period),
        )


def _period(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))
