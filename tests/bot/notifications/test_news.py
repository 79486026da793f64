"""What a stop's events, and what was said elsewhere, tell of its window: nobody hears as news what they know."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.conversations.models import Conversation
from bot.db import Database
from bot.notifications.models import Notification
from bot.notifications.news import News, news_from
from bot.notifications.reading import read_library, sight_of
from bot.notifications.telling import facts_said, told_by_person
from bot.recovery.models import Recovery, RecoveryState
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from bot.settings import PROJECT_ROOT
from bot.sop import load_protocol
from bot.sop_notifications import NotificationKind
from bot.sop_recovery import Flow
from bot.stops.models import PlatformFeed, StopEvent, StopRecord
from connectors.base import ChannelName, DeliveryWindow, FailureReason, StopStatus
from tests.bot.notifications.scenes import NEW_YORK, NOON, at, window

PHONE = "+12125550100"
OLD, NEW = window("14:00", "16:00"), window("17:00", "21:00")
SOP = load_protocol(PROJECT_ROOT / "bot" / "sop.yml")


def moved(before: DeliveryWindow | None, after: DeliveryWindow | None) -> dict[str, Any]:
    def iso(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    changes = {
        "window_start_at": [iso(before.start_at if before else None), iso(after.start_at if after else None)],
        "window_end_at": [iso(before.end_at if before else None), iso(after.end_at if after else None)],
    }
    return {name: values for name, values in changes.items() if values[0] != values[1]}


@pytest.mark.parametrize(
    ("events", "now", "expected"),
    [
        ([], OLD, News()),
        (
            [(NOON, {"status": [None, "out_for_delivery"]})],
            OLD,
            News(),
        ),  # seen first: since when, nobody knows
        ([(NOON, {"status": ["assigned", "out_for_delivery"]})], OLD, News(status_since=NOON)),
        ([(NOON, moved(OLD, NEW))], NEW, News(window_since=NOON, first_window=OLD)),
        ([(NOON, moved(None, NEW))], NEW, News(window_since=NOON)),  # nothing was promised before
        (
            [(at("11:00"), moved(OLD, NEW)), (NOON, moved(NEW, OLD))],
            OLD,
            News(window_since=NOON, first_window=OLD),  # there and back: they know the one it is
        ),
        (
            [(NOON, moved(OLD, window("14:00", "18:00")))],
            window("14:00", "18:00"),
            News(window_since=NOON, first_window=OLD),  # only its end moved
        ),
    ],
)
def test_what_events_tell(events: list[Any], now: DeliveryWindow, expected: News) -> None:
    assert news_from(events, now) == expected


# --- with what was said elsewhere ---------------------------------------------------------------


async def a_moved_stop(session: AsyncSession) -> StopRecord:
    stop = StopRecord(
        platform="onfleet",
        platform_ref="task-1",
        tracking="abc123",
        status=StopStatus.ASSIGNED,
        client="Acme",
        zone="North",
        timezone=NEW_YORK,
        address_line="14 Elm St",
        postcode="10001",
        recipient_name="Robin Doe",
        recipient_phone=PHONE,
        window_start_at=NEW.start_at,
        window_end_at=NEW.end_at,
        changed_at=NOON,
        confirmed_at=NOON,
    )
    session.add_all([stop, PlatformFeed(platform="onfleet", read_at=NOON, next_read_at=NOON, begun_at=NOON)])
    await session.flush()
    session.add(StopEvent(stop_id=stop.id, at=NOON, source="onfleet:poll", changes=moved(OLD, NEW)))
    await session.flush()
    return stop


async def believed(session: AsyncSession, stop: StopRecord) -> DeliveryWindow | None:
    await session.flush()
    now = NOON + timedelta(minutes=5)
    library = await read_library(session, [stop], now)
    return sight_of(stop, library, SOP, now).stop.believed_window


async def test_who_was_told_nothing_believes_what_stood_on_the_order(database: Database) -> None:
    async with database.transaction() as session:
        assert await believed(session, await a_moved_stop(session)) == OLD


async def test_what_a_recipient_booked_is_no_news_to_them(database: Database) -> None:
    async with database.transaction() as session:
        stop = await a_moved_stop(session)
        new = NEW.model_dump(mode="json")
        audit.record(session, NOON, "stop", str(stop.id), "window_changed", actor="recipient", new=new)
        assert await believed(session, stop) == NEW


@pytest.mark.parametrize(("state", "expected"), [(RequestState.APPROVED, NEW), (RequestState.DECLINED, OLD)])
async def test_what_a_dispatcher_granted_is_no_news_either(
    database: Database, state: RequestState, expected: DeliveryWindow
) -> None:
    async with database.transaction() as session:
        stop = await a_moved_stop(session)
        conversation = Conversation(channel=ChannelName.SMS, address=PHONE, our_address="", created_at=NOON)
        session.add(conversation)
        await session.flush()
        session.add(
            DispatchRequest(
                kind=RequestKind.RESCHEDULE,
                conversation_id=conversation.id,
                stop_id=stop.id,
                wanted={"window": NEW.model_dump(mode="json"), "words": ""},
                state=state,
                stop_status=StopStatus.ASSIGNED,
                asked_at=NOON,
                answer_by=NOON,
                decided_at=NOON,
            )
        )
        assert await believed(session, stop) == expected


async def test_nor_is_what_they_chose_for_the_second_try(database: Database) -> None:
    async with database.transaction() as session:
        again = await a_moved_stop(session)
        failed = StopRecord(**again.model_dump(exclude={"id"}) | {"platform_ref": "task-0"})
        session.add(failed)
        await session.flush()
        session.add(
            Recovery(
                stop_id=failed.id,
                timezone=NEW_YORK,
                reason=FailureReason.RECIPIENT_UNAVAILABLE,
                flow=Flow.WINDOWS,
                state=RecoveryState.BOOKED,
                failed_at=NOON,
                opened_at=NOON,
                settled_at=NOON,
                reattempt_id=again.id,
                preference={"window": NEW.model_dump(mode="json")},
            )
        )
        assert await believed(session, again) == NEW


async def test_what_a_dispatcher_told_counts_as_said(database: Database) -> None:
    async with database.transaction() as session:
        stop = await a_moved_stop(session)
        said = facts_said(None, NEW)
        session.add(told_by_person(stop, NotificationKind.WINDOW_CHANGED, said, NOON))
        assert await believed(session, stop) == NEW
        library = await read_library(session, [stop], NOON)
        sight = sight_of(stop, library, SOP, NOON)
        assert [said.kind for said in sight.history.said] == [NotificationKind.WINDOW_CHANGED]
        assert sight.history.told_today_person == 1


async def test_what_never_left_was_not_said(database: Database) -> None:
    async with database.transaction() as session:
        stop = await a_moved_stop(session)
        told = told_by_person(stop, NotificationKind.WINDOW_CHANGED, facts_said(None, NEW), NOON)
        session.add(Notification.model_validate(told.model_dump() | {"state": "outdated"}))
        assert await believed(session, stop) == OLD
