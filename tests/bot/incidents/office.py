"""Stops with broken promises on the real tables, the watch over them, and people who deal with them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlmodel import SQLModel, col

from bot.db import Database
from bot.escalations.models import Escalation, EscalationStop
from bot.incidents.handling import IncidentHandling
from bot.incidents.making import IncidentMaking
from bot.incidents.models import PromiseIncident
from bot.incidents.report import IncidentReport, IncidentReports
from bot.incidents.watch import IncidentWatch
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import StopStatus
from connectors.escalation import EscalationState, Severity
from tests.harness.clock import ManualClock
from tests.harness.protocol import QUIET

END = datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
"""4:00 pm in New York: when the window ends."""
MINUTE = timedelta(minutes=1)
PEOPLE = """
people:
  dana: {name: Dana Cole, slack: U0DANA, phone: "+12125550111"}
  noor: {name: Noor Haddad, phone: "+12125550112"}
"""


class Office:
    def __init__(self, database: Database, folder: Path) -> None:
        file = folder / "sop.yml"
        file.write_text(QUIET.read_text(encoding="utf-8") + PEOPLE, encoding="utf-8")
        self.database = database
        self.clock = ManualClock(END)
        self.sop = ProtocolInForce(file)
        self.watch = self.replica()
        self.handling = IncidentHandling(database, self.clock, self.sop)
        self.making = IncidentMaking(database, self.clock, self.sop, self.handling)
        self.reports = IncidentReports(database, self.sop)

    def replica(self) -> IncidentWatch:
        """A watch as another process has it, or this one after a restart."""
        return IncidentWatch(self.database, self.clock, self.sop)

    async def stop(
        self, status: StopStatus = StopStatus.OUT_FOR_DELIVERY, done: timedelta | None = None, **facts: Any
    ) -> StopRecord:
        """Of Acme, promised from 2 to 4 pm; `done` counts from the window's end."""
        record = StopRecord(
            platform="onfleet",
            platform_ref=uuid4().hex,
            tracking=uuid4().hex[:8].upper(),
            status=status,
            zone="North",
            timezone="America/New_York",
            address_line="14 Elm St 2B",
            postcode="10001",
            recipient_name="Robin Doe",
            completed_at=END + done if done is not None else None,
            changed_at=END,
            confirmed_at=END,
            **{
                "client": "Acme",
                "recipient_phone": "+12125550199",
                "window_start_at": END - timedelta(hours=2),
                "window_end_at": END,
                **facts,
            },
        )
        await self.holds(record)
        return record

    async def becomes(self, stop: StopRecord, **facts: Any) -> None:
        async with self.database.transaction() as session:
            record = await session.get_one(StopRecord, stop.id)
            for name, value in facts.items():
                setattr(record, name, value)

    async def escalates(self, *stops: StopRecord, **facts: Any) -> Escalation:
        escalation = Escalation(
            cause_key=uuid4().hex,
            severity=Severity.BREACHED,
            zone="North",
            client="Acme",
            timezone="America/New_York",
            why="Window ended 4:00 pm, no ETA",
            channel="#dispatch",
            raised_at=END,
            **facts,
        )
        await self.holds(escalation)
        await self.holds(
            *(EscalationStop(escalation_id=escalation.id, stop_id=stop.id, joined_at=END) for stop in stops)
        )
        return escalation

    async def resolves(self, escalation: Escalation, **facts: Any) -> None:
        async with self.database.transaction() as session:
            row = await session.get_one(Escalation, escalation.id)
            row.state, row.resolved_at = EscalationState.RESOLVED, self.clock.now()
            for name, value in facts.items():
                setattr(row, name, value)

    async def later(self, minutes: float = 1) -> None:
        self.clock.move(timedelta(minutes=minutes))
        await self.watch.run()

    async def holds(self, *records: SQLModel) -> None:
        async with self.database.transaction() as session:
            session.add_all(records)

    async def rows(self, table: type[Any], *conditions: Any) -> list[Any]:
        async with self.database.transaction() as session:
            return list(await session.scalars(select(table).where(*conditions)))

    async def incidents(self) -> list[PromiseIncident]:
        rows: list[PromiseIncident] = await self.rows(PromiseIncident)
        return sorted(rows, key=lambda row: row.number or 0)

    async def incident(self, stop: StopRecord | None = None) -> PromiseIncident:
        """The only one, or the only one of this stop."""
        of_stop = [] if stop is None else [col(PromiseIncident.stop_id) == stop.id]
        [found] = await self.rows(PromiseIncident, *of_stop)
        return found  # type: ignore[no-any-return]

    async def report(self, incident_id: UUID, *, for_client: bool = False) -> IncidentReport:
        return await self.reports.read(str(incident_id), for_client=for_client)
