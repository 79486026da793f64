"""What waited for its turn is looked at once more before it leaves: is it still true, and is now the moment?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from bot.db import Database
from bot.durable.models import OutboundText
from bot.durable.outbox_ports import MAY_LEAVE, Judgement
from bot.escalations.models import Escalation
from bot.notifications.facts import Said
from bot.notifications.leaving import HELD_AGAIN, NotificationGate, says_what_is_so
from bot.notifications.models import Notification
from bot.notifications.service import NotificationService
from bot.sop import ProtocolInForce
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow
from connectors.escalation import EscalationState
from tests.bot.notifications.scenes import NOON, at, rules, window
from tests.bot.notifications.test_looking import a_held_conversation, has_stops, service
from tests.harness.clock import ManualClock
from tests.harness.protocol import SHIPPED

Kind = NotificationKind
TWO_TO_FOUR, FIVE_TO_SEVEN = window("14:00", "16:00"), window("17:00", "19:00")


@pytest.mark.parametrize(
    ("kind", "said_eta", "said_window", "eta", "now_window", "expected"),
    [
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "16:25", TWO_TO_FOUR, True),
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "16:00", TWO_TO_FOUR, True),  # at the end is not within
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "15:59", TWO_TO_FOUR, False),  # on time by now
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "16:54", TWO_TO_FOUR, True),
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "16:55", TWO_TO_FOUR, False),  # would be told again
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, "16:25", FIVE_TO_SEVEN, False),  # promised anew
        (Kind.RUNNING_LATE, "16:25", TWO_TO_FOUR, None, TWO_TO_FOUR, True),  # nothing newer is known
        (Kind.RUNNING_LATE, None, None, "15:00", TWO_TO_FOUR, True),  # said without a time
        (Kind.BACK_ON_TIME, "15:50", TWO_TO_FOUR, "15:59", TWO_TO_FOUR, True),
        (Kind.BACK_ON_TIME, "15:50", TWO_TO_FOUR, "16:00", TWO_TO_FOUR, False),  # late again
        (Kind.APPROACHING, "15:20", None, "15:39", TWO_TO_FOUR, True),
        (Kind.APPROACHING, "15:20", None, "15:40", TWO_TO_FOUR, False),
        (Kind.WINDOW_CHANGED, None, FIVE_TO_SEVEN, None, FIVE_TO_SEVEN, True),
        (Kind.WINDOW_CHANGED, None, FIVE_TO_SEVEN, None, TWO_TO_FOUR, False),  # and back
        (Kind.OUT_FOR_DELIVERY, None, TWO_TO_FOUR, None, None, False),
        (Kind.FAILED, None, None, "15:20", TWO_TO_FOUR, True),
    ],
)
def test_only_what_is_still_so_may_leave(
    kind: NotificationKind,
    said_eta: str | None,
    said_window: DeliveryWindow | None,
    eta: str | None,
    now_window: DeliveryWindow | None,
    expected: bool,
) -> None:
    said = Said(kind, NOON, at(said_eta) if said_eta else None, said_window)
    assert says_what_is_so(said, now_window, at(eta) if eta else None, rules()) is expected


async def a_late_text(database: Database, clock: ManualClock, **changes: Any) -> NotificationService:
    """One stop that is 25 minutes late, told so, and the text still waits."""
    await has_stops(database, 1, eta_at=at("16:25"), **changes)
    looking = service(database, clock)
    await looking.look()
    clock.move(timedelta(minutes=5))
    await looking.look()
    return looking


async def judged(database: Database, clock: ManualClock) -> Judgement:
    async with database.transaction() as session:
        row = (await session.scalars(select(OutboundText))).one()
        told = (await session.scalars(select(Notification))).one()
        assert told.kind is Kind.RUNNING_LATE
        return await NotificationGate(clock, ProtocolInForce(SHIPPED)).judge(session, row)


async def test_who_is_on_time_by_now_is_not_told_of_a_delay(database: Database) -> None:
    clock = ManualClock(NOON)
    await a_late_text(database, clock)
    assert await judged(database, clock) == MAY_LEAVE
    async with database.transaction() as session:
        await session.execute(update(StopRecord).values(eta_at=at("15:30")))
    assert (await judged(database, clock)).is_overtaken


async def test_a_stop_with_a_zone_that_nobody_knows_is_told_of_all_the_same(database: Database) -> None:
    clock = ManualClock(NOON)
    await a_late_text(database, clock, timezone="Mars/Olympus")
    assert await judged(database, clock) == MAY_LEAVE


async def test_what_was_about_to_leave_waits_while_a_dispatcher_holds_the_conversation(
    database: Database,
) -> None:
    clock = ManualClock(NOON)
    await a_late_text(database, clock)
    async with database.transaction() as session:
        phone = (await session.scalars(select(col(StopRecord.recipient_phone)))).one()
        handoff_id = await a_held_conversation(session, clock, phone or "")
    assert await judged(database, clock) == Judgement(not_before=clock.now() + HELD_AGAIN)
    async with database.transaction() as session:
        (await session.get_one(Escalation, handoff_id)).state = EscalationState.RESOLVED
    assert await judged(database, clock) == MAY_LEAVE
