"""What dispatchers command about incidents in Slack: make one, open its report."""

from bot.db import Database
from bot.desk.commands import DeskCommands
from bot.incidents.making import IncidentMaking
from bot.incidents.queries import find_incident
from bot.links import SignedLinks
from bot.stops.models import StopRecord
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand


class IncidentCommands:
    """Registers itself for the commands that it handles. `links` lead dispatchers to a report."""

    def __init__(
        self, database: Database, commands: DeskCommands, making: IncidentMaking, links: SignedLinks
    ) -> None:
        self._database = database
        self._links = links
        commands.on(CommandKind.MAKE_INCIDENT, making.make)
        commands.on(CommandKind.REPORT_INCIDENT, self.report)

    async def report(self, command: DeskCommand) -> CommandAnswer:
        async with self._database.transaction() as session:
            incident = await find_incident(session, command.fields.get("incident", ""))
            if incident is None:
                return CommandAnswer(code=AnswerCode.NOTHING_FOUND)
            stop = await session.get(StopRecord, incident.stop_id) if incident.stop_id else None
        return CommandAnswer(
            code=AnswerCode.REPORT_READY,
            timezone=incident.timezone,
            number=incident.name,
            address_line=stop.address_line if stop else "",
            page_url=self._links.link(incident.id),
        )
