"""Follow-ups whose day has come: their owner is reminded of each, once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.desk.jobs import tell_command_answer
from bot.durable.queue import defer
from bot.incidents.models import FollowUp, PromiseIncident
from bot.incidents.naming import PERSON
from bot.incidents.watch import record
from bot.sop import Protocol, ProtocolInForce
from connectors.desk import AnswerCode, CommandAnswer

log = structlog.get_logger()

BATCH = 100
AHEAD = timedelta(days=1)
"""Somewhere it is tomorrow already."""


class FollowUpReminders:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    async def run(self) -> int:
        """One round; gives how many owners were told. Each row is marked with the job that tells of it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            rows = await session.execute(
                select(FollowUp, PromiseIncident)
                .join(PromiseIncident, col(PromiseIncident.id) == col(FollowUp.incident_id))
                .where(
                    col(FollowUp.done_at).is_(None),
                    col(FollowUp.reminded_at).is_(None),
                    col(FollowUp.due_on) <= (now + AHEAD).date(),
                )
                .order_by(col(FollowUp.due_on), col(FollowUp.id))
                .limit(BATCH)
                .with_for_update(of=FollowUp, skip_locked=True)
            )
            due = [(each, incident) for each, incident in rows if self._is_due(each, incident, now)]
            return sum([await self._remind(session, each, incident, now) for each, incident in due])

    def _is_due(self, follow_up: FollowUp, incident: PromiseIncident, now: datetime) -> bool:
        """From the morning of its day on, where the incident happened."""
        local = now.astimezone(ZoneInfo(incident.timezone))
        opens = self._sop.current.service_day.start
        return (follow_up.due_on, opens) <= (local.date(), local.time())

    async def _remind(
        self, session: AsyncSession, follow_up: FollowUp, incident: PromiseIncident, now: datetime
    ) -> bool:
        sop = self._sop.current
        follow_up.reminded_at = now
        record(session, incident.id, now, "follow_up_reminded", owner=follow_up.owner)
        slack = _slack_of(follow_up.owner, sop)
        if slack is None:
            # The report and the API show it as not done; nobody is texted about paperwork.
            log.info("follow_up_owner_without_slack", follow_up_id=str(follow_up.id))
            return False
        answer = CommandAnswer(
            code=AnswerCode.FOLLOW_UP_DUE,
            timezone=incident.timezone,
            number=incident.name,
            detail=follow_up.what,
        )
        await defer(
            session,
            tell_command_answer,
            channel=sop.escalations.channel_for(incident.zone),
            dispatcher=slack,
            answer=answer.model_dump_json(),
        )
        return True


def _slack_of(owner: str, sop: Protocol) -> str | None:
    if not owner.startswith(PERSON):
        return owner
    person = sop.people.get(owner.removeprefix(PERSON))
    return person.slack if person is not None else None
