"""Follow-ups and what recipients were told, as a report and a digest read them from the tables."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.models import Conversation
from bot.db import Database
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.notifications.models import Notification, NotificationState
from bot.recovery.models import RecoveryState
from bot.reports.digest_figures import digest_of
from bot.reports.reading import read_failures
from bot.reports.records import Period
from bot.reports.service import SlaReports
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.sop_notifications import NotificationKind
from connectors.base import ChannelName, FailureReason, StopStatus
from connectors.slack.digest_blocks import digest_blocks
from tests.bot.board.failures import failed
from tests.bot.manifest.day import NEW_YORK, at, stop
from tests.harness.clock import ManualClock

DAY = date(2026, 6, 3)
WEEK = Period(date(2026, 6, 1), date(2026, 6, 7))


@pytest.fixture
def sop() -> ProtocolInForce:
    return ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")


async def tells(session: AsyncSession, stop_id: Any, sent_at: datetime | None, **facts: Any) -> None:
    """One text that left unasked; without `sent_at` it did not. With `kind` its notification too."""
    address = f"+1212555{await _next_number(session):04}"
    talk = Conversation(
        channel=ChannelName.SMS, address=address, our_address="+1", created_at=at("12:00", DAY)
    )
    session.add(talk)
    await session.flush()
    text = OutboundText(
        conversation_id=talk.id,
        purpose=Purpose.PROACTIVE,
        channel=ChannelName.SMS,
        recipient=address,
        text="late",
        stop_id=stop_id,
        state=OutboxState.SENT if sent_at else OutboxState.FAILED,
        created_at=at("12:00", DAY),
        sent_at=sent_at,
    )
    session.add(text)
    if "kind" in facts:
        common: dict[str, Any] = {
            "person": address,
            "day": DAY,
            "decided_at": sent_at,
            "state": NotificationState.REACHED,
        }
        session.add(Notification(stop_id=stop_id, **(common | facts)))
    await session.flush()


async def _next_number(session: AsyncSession) -> int:
    session.info["numbers"] = session.info.get("numbers", 0) + 1
    return int(session.info["numbers"])


async def a_week(database: Database) -> None:
    async with database.transaction() as session:
        again = stop("AGAIN", day=DAY + timedelta(days=1), status=StopStatus.DELIVERED)
        late = stop("LATE", day=DAY, status=StopStatus.DELIVERED, completed_at=at("16:50", DAY))
        unheard = stop("UNHEARD", day=DAY, status=StopStatus.DELIVERED, completed_at=at("16:50", DAY))
        alone = stop(
            "ALONE",
            day=DAY,
            status=StopStatus.FAILED,
            completed_at=at("15:00", DAY),
            failure_reason=FailureReason.REFUSED,
        )
        session.add_all([again, late, unheard, alone])
        await session.flush()
        noon = at("12:00", DAY)
        booked = {"state": RecoveryState.BOOKED, "answered_at": noon + timedelta(minutes=21)}
        await failed(session, "F1", noon, stop_day=DAY, remind=None, reattempt_id=again.id, **booked)
        back = {"state": RecoveryState.SENT_BACK, "reason": FailureReason.REFUSED}
        await failed(session, "F2", noon, stop_day=DAY, remind=None, **back)
        await failed(session, "F3", noon, stop_day=DAY, remind=None, stop_client="Nova", **back)
        earlier = noon - timedelta(days=7)
        await failed(session, "F4", earlier, stop_day=DAY - timedelta(days=7), remind=None, **back)
        await tells(session, late.id, at("15:30", DAY), kind=NotificationKind.RUNNING_LATE)
        await tells(session, late.id, at("16:10", DAY), kind=NotificationKind.APPROACHING)
        await tells(session, unheard.id, at("16:01", DAY), kind=NotificationKind.RUNNING_LATE)
        await tells(session, unheard.id, None)


async def test_a_client_s_review_counts_its_own_follow_ups_and_messages(
    database: Database, sop: ProtocolInForce
) -> None:
    await a_week(database)
    clock = ManualClock(at("08:00", date(2026, 6, 9)))
    figures = (await SlaReports(database, clock, sop).make("Acme", WEEK)).figures
    tries = figures.failures
    assert (tries.failed, tries.followed_up, tries.answered, tries.booked, tries.delivered) == (3, 2, 1, 1, 1)
    assert (tries.sent_back, tries.unanswered, tries.answer.median_minutes) == (1, 1, 20.0)
    assert [(each.reason, each.tries.failed) for each in figures.failures_by_reason] == [
        ("refused", 2),
        ("access_issue", 1),
    ]
    assert figures.failures_before.failed == 1
    assert (figures.told.late, figures.told.late_told, figures.told.messages) == (2, 1, 3)


async def test_the_digest_has_one_line_of_them(database: Database) -> None:
    await a_week(database)
    async with database.snapshot() as session:
        failures = await read_failures(session, None, WEEK)
    now = at("08:00", date(2026, 6, 9))
    view = digest_of([], [], [], WEEK, NEW_YORK, now, failures)
    told = digest_blocks(view.model_copy(update={"still_open": 1}), now)[0]["text"]["text"]
    assert (
        "Second try for 1 of 3 failed deliveries (33.3%) · 1 of 1 that are over were delivered · week before 0%"
        in told
    )


async def test_a_week_without_failures_does_not_speak_of_them(database: Database) -> None:
    view = digest_of([], [], [], WEEK, NEW_YORK, at("08:00", date(2026, 6, 9)), [])
    assert "Second try" not in str(digest_blocks(view, at("08:00", date(2026, 6, 9))))
