"""What one line of an escalation's history tells, gathered from its note and the stop that it is about."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from bot.escalations.models import Escalation, EscalationNote
from bot.escalations.naming import name_of
from bot.sop_oncall import Person
from bot.stops.models import StopRecord
from connectors.escalation import Happening, HappeningFacts


async def facts_of(
    session: AsyncSession, note: EscalationNote, people: Mapping[str, Person]
) -> HappeningFacts:
    """As things were written down; of the stop, as they are now."""
    escalation = await session.get_one(Escalation, note.escalation_id)
    stop = await session.get(StopRecord, note.stop_id) if note.stop_id is not None else None
    known = {
        "timezone": escalation.timezone,
        "dispatcher": note.dispatcher,
        "until": note.until,
        "words": note.words,
        "person": note.person or name_of(note.dispatcher, people),
        "root_cause": escalation.root_cause if note.kind is Happening.RESOLVED else None,
    }
    about_stop = (
        {
            "address_line": stop.address_line,
            "eta_at": stop.eta_at,
            "window": stop.window,
            "completed_at": stop.completed_at,
            "words": note.words or (stop.failure_note if note.kind is Happening.FAILED else ""),
        }
        if stop is not None
        else {}
    )
    return HappeningFacts.model_validate({**known, **about_stop, **note.facts})
