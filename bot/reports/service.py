"""Makes the reports that somebody asks for, or the calendar."""

import asyncio
from collections.abc import Sequence
from datetime import date

from bot.clock import Clock
from bot.db import Database
from bot.incidents.review import incidents_between
from bot.reports.errors import BadPeriodError, UnknownClientError
from bot.reports.figures import DEFINITIONS, figures_of
from bot.reports.reading import IncidentsBetween, known_clients, read_failures, read_stops
from bot.reports.records import Period
from bot.reports.report import SlaReport
from bot.reports.terms import TermsBook
from bot.sop import ProtocolInForce

LONGEST_DAYS = 366


class SlaReports:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        incidents: IncidentsBetween = incidents_between,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._incidents = incidents

    async def make(self, client: str, period: Period, *, is_known: bool = False) -> SlaReport:
        """From one snapshot. The same records give the same report, whenever it is made once the period is over.

        With `is_known` the client may have nothing at all yet.

        Raises:
            BadPeriodError: it ends before it begins, ends after today, or is too long.
            UnknownClientError: neither sop.yml nor any stop knows the name.
        """
        self.check(period)
        now, protocol = self._clock.now(), self._sop.current
        book = TermsBook(protocol.sla)
        async with self._database.snapshot() as session:
            own = [client] if is_known else []
            name = known_as(client, [*own, *protocol.clients, *await known_clients(session)])
            stops, escalations = await read_stops(session, name, period, book, self._incidents)
            failures = await read_failures(session, name, period)
        figures = await asyncio.to_thread(figures_of, stops, escalations, period, now, book.labels, failures)
        return SlaReport(
            operator=protocol.operator.name,
            client=name,
            start=period.start,
            end=period.end,
            before_start=period.before.start,
            before_end=period.before.end,
            is_final=not figures.total.open,
            definitions=DEFINITIONS,
            figures=figures,
        )

    def check(self, period: Period) -> None:
        """Raises `BadPeriodError`."""
        today = self.today()
        if period.start > period.end:
            raise BadPeriodError(f"the period ends before it begins: {period.start} to {period.end}")
        if period.end > today:
            raise BadPeriodError(f"the period lies ahead: it ends on {period.end}, today is {today}")
        if len(period.days) > LONGEST_DAYS:
            raise BadPeriodError(f"expected at most {LONGEST_DAYS} days, found {len(period.days)}")

    def today(self) -> date:
        """Where the operator is."""
        return self._clock.now().astimezone(self._sop.current.zone).date()


def known_as(client: str, known: Sequence[str]) -> str:
    """The name as it is written everywhere. Raises `UnknownClientError`."""
    if client in known:
        return client
    alike = sorted({name for name in known if name.casefold() == client.casefold()})
    if len(alike) != 1:
        raise UnknownClientError(client, sorted(set(known)))
    return alike[0]
