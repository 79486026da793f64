"""Figures of what recipients were told unasked, for the reviews and for whoever measures a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import TIMESTAMP, Interval, Row, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.notifications.models import NotificationState
from bot.sop_notifications import NotificationKind

_PERIOD = (
    bindparam("since", type_=TIMESTAMP(timezone=True)),
    bindparam("until", type_=TIMESTAMP(timezone=True)),
    bindparam("client", type_=Text()),
)

_TOLD = text("""
    SELECT told.kind, told.state, count(DISTINCT told.id) AS told, count(attempt.outbound_id) AS tries
    FROM notification AS told
    JOIN stop ON stop.id = told.stop_id
    LEFT JOIN notification_try AS attempt ON attempt.notification_id = told.id
    WHERE told.decided_at >= :since AND told.decided_at < :until AND :client IN ('', stop.client)
    GROUP BY told.kind, told.state
""").bindparams(*_PERIOD)

_STOPS = text("""
    SELECT count(*) FROM stop
    WHERE window_end_at >= :since AND window_end_at < :until AND status <> 'cancelled'
      AND (recipient_phone IS NOT NULL OR recipient_email IS NOT NULL) AND :client IN ('', client)
""").bindparams(*_PERIOD)

_LATE = text("""
    SELECT count(*) AS late, count(*) FILTER (WHERE EXISTS (
        SELECT 1 FROM notification WHERE notification.stop_id = stop.id
          AND kind = 'running_late' AND state = 'reached' AND decided_at < stop.window_end_at
    )) AS told
    FROM stop
    WHERE window_end_at >= :since AND window_end_at < :until AND status NOT IN ('cancelled', 'failed', 'returned')
      AND coalesce(completed_at, :now) >= window_end_at + :late_by AND :client IN ('', client)
      AND (recipient_phone IS NOT NULL OR recipient_email IS NOT NULL)
""").bindparams(
    *_PERIOD, bindparam("now", type_=TIMESTAMP(timezone=True)), bindparam("late_by", type_=Interval())
)


@dataclass(frozen=True)
class ToldFigures:
    """Of the stops whose windows end in a period, and of what was decided in it."""

    stops: int
    """With somebody to write to."""
    told: int
    """Notifications that were sent, or tried."""
    texts: int
    """Messages to carriers: more than one where the next channel was tried."""
    by_kind: dict[NotificationKind, int] = field(default_factory=dict)
    unreached: int = 0
    outdated: int = 0
    """Dropped before they left: they were not true any more."""
    late: int = 0
    """Stops that came, or are, later than their window by so much that it should have been told."""
    late_told_in_time: int = 0
    """Of these, whose recipients heard of it before their window was over."""

    @property
    def texts_per_stop(self) -> float:
        return self.texts / self.stops if self.stops else 0.0

    @property
    def share_told_in_time(self) -> float | None:
        """0 to 1; None where nothing was late."""
        return self.late_told_in_time / self.late if self.late else None


async def read_figures(
    session: AsyncSession,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    client: str = "",
    late_by: timedelta = timedelta(minutes=10),
) -> ToldFigures:
    """Half open; all clients without one. `late_by` is `running_late.minutes` of `sop.yml`."""
    period = {"since": since, "until": until, "client": client}
    rows = (await session.execute(_TOLD, period)).all()
    stops = int(await session.scalar(_STOPS, period) or 0)
    late = (await session.execute(_LATE, period | {"now": now, "late_by": late_by})).one()
    return figures_from(rows, stops, late.late, late.told)


def figures_from(rows: Sequence[Row[Any]], stops: int, late: int, late_told: int) -> ToldFigures:
    """`rows` have `kind`, `state`, `told` and `tries`."""
    by_kind: dict[NotificationKind, int] = {}
    left = [row for row in rows if row.state != NotificationState.OUTDATED]
    for row in left:
        kind = NotificationKind(row.kind)
        by_kind[kind] = by_kind.get(kind, 0) + row.told
    return ToldFigures(
        stops=stops,
        told=sum(row.told for row in left),
        texts=sum(row.tries for row in left),
        by_kind=by_kind,
        unreached=sum(row.told for row in rows if row.state == NotificationState.UNREACHED),
        outdated=sum(row.told for row in rows if row.state == NotificationState.OUTDATED),
        late=late,
        late_told_in_time=late_told,
    )
