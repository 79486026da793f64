"""Quiet for a while: until a time, or until so many minutes before the promised window ends."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.escalations import holding
from bot.escalations.deeds.working import open_stops
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.sop import ProtocolInForce
from connectors.escalation import DispatcherAction


class Snooze:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        now, policy = self._clock.now(), self._sop.current.escalations
        stops = await open_stops(session, escalation.id)
        ends = [stop.window_end_at for stop in stops if stop.window_end_at is not None]
        until = until_when(action.fields, ends, now)
        if until is None:
            return Verdict.NOT_POSSIBLE
        was_done = await holding.snooze(
            session, escalation, action.dispatcher, until, policy, now, action.gesture
        )
        return Verdict.APPLIED if was_done else Verdict.ALREADY_HELD


def until_when(fields: Mapping[str, str], ends: Sequence[datetime], now: datetime) -> datetime | None:
    """None where nothing that can be read is asked for, or the instant has passed. Pure.

    Before the window means before the next of `ends` that is still to come: the stop that breaks first.
    """
    if before := fields.get("before_window_minutes", ""):
        coming = min((end for end in ends if end > now), default=None)
        if coming is None or not before.isdigit():
            return None
        until = coming - timedelta(minutes=int(before))
        return until if until > now else None
    try:
        until = datetime.fromisoformat(fields.get("until", ""))
    except ValueError:
        return None
    return until.astimezone(UTC) if until.tzinfo is not None and until > now else None
