"""A notification that does not arrive: the next channel while it is true, once; nobody left, and a person hears of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.app.clockwork import ticks_of
from bot.conversations.models import Conversation
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.notifications.address_models import AddressTrouble
from bot.notifications.failing import AGAIN_AFTER, Step, Tried, what_next
from bot.notifications.filtering import FEWEST_TEXTS, Share
from bot.notifications.leaving import fits_status, quiet_until
from bot.notifications.models import Notification, NotificationState, NotificationTry
from bot.notifications.ways import Way
from bot.paging.models import OperatorAlert
from bot.recovery.models import Recovery, RecoveryStep
from bot.sop import QuietHours
from bot.sop_notifications import NotificationKind
from bot.sop_recovery import Flow, RungKind
from bot.stops.access_models import AccessLevel, StopAccess, StopFocus
from bot.stops.models import StopRecord
from connectors.base import ChannelName, FailureReason, Receipt, ReceiptStatus, StopStatus
from connectors.emulation import Fault
from tests.harness.rows import row_with
from tests.harness.world import Setting, World

AT = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
SMS = Way(ChannelName.SMS, "+12125550100")
MAIL = Way(ChannelName.EMAIL, "robin@mail.example")
OVER, NOBODY = Step(ends=NotificationState.OUTDATED), Step(ends=NotificationState.UNREACHED)
AGAIN = Step(SMS, is_later=True)

# --- pure -----------------------------------------------------------------------------------------


def tried(*codes: str, way: Way = SMS) -> list[Tried]:
    return [Tried(way, code) for code in codes]


@pytest.mark.parametrize(
    ("tries", "ways", "minutes", "expected"),
    [
        (tried("30006"), [SMS, MAIL], 60, Step(MAIL)),
        (tried("30006"), [MAIL], None, Step(MAIL)),
        (tried("30006"), [SMS], 60, NOBODY),
        (tried("30006"), [], 60, NOBODY),
        (tried("30007"), [SMS, MAIL], 60, Step(MAIL)),  # the same words are never sent by text again
        (tried("30007"), [SMS], 60, NOBODY),
        (tried("31999"), [SMS, MAIL], 60, Step(MAIL)),  # a code that nobody has told us of
        (tried("30003"), [SMS, MAIL], 60, AGAIN),
        (tried("30003", "30003"), [SMS, MAIL], 60, Step(MAIL)),
        (tried("30003", "30003"), [SMS], 60, NOBODY),
        (tried("30003"), [MAIL], 60, Step(MAIL)),  # who has left meanwhile is not written to there
        (tried("30003"), [SMS, MAIL], 3, Step(MAIL)),  # of no use any more when it would be tried again
        (tried("30006"), [SMS, MAIL], 0, OVER),
        (tried("30036"), [SMS, MAIL], -1, OVER),
        (tried("outdated"), [SMS, MAIL], 60, OVER),
        ([*tried("30006"), *tried("5.1.1", way=MAIL)], [SMS, MAIL], 60, NOBODY),
    ],
)
def test_what_follows_a_failure(
    tries: list[Tried], ways: list[Way], minutes: float | None, expected: Step
) -> None:
    until = None if minutes is None else AT + timedelta(minutes=minutes)
    assert what_next(tries, ways, until, AT) == expected


@pytest.mark.parametrize("status", list(StopStatus))
@pytest.mark.parametrize("kind", list(NotificationKind))
def test_of_a_finished_stop_only_its_own_ending_is_told(kind: NotificationKind, status: StopStatus) -> None:
    is_own = (kind.value, status.value) in {(w, w) for w in ("delivered", "failed", "returned")}
    is_ending = kind.value in ("delivered", "failed", "returned")
    assert fits_status(kind, status) is (is_own if is_ending else not status.is_closed)


@pytest.mark.parametrize(
    ("texts", "filtered", "expected"),
    [
        (FEWEST_TEXTS - 1, FEWEST_TEXTS - 1, False),  # too few to say anything
        (FEWEST_TEXTS, 1, False),  # exactly what is allowed
        (FEWEST_TEXTS, 2, True),
        (1000, 50, False),
        (1000, 51, True),
    ],
)
def test_a_share_of_filtered_texts_is_above_when_it_is_more_than_allowed(
    texts: int, filtered: int, expected: bool
) -> None:
    assert Share(texts, filtered).is_above(5) is expected


NEW_YORK = ZoneInfo("America/New_York")


def local(text: str) -> datetime:
    """A time of June 9th or 10th in New York: `9 21:30`."""
    return datetime.strptime(f"2026-06-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("window", "decided", "now", "until"),
    [
        ("9 14:00", "9 12:00", "9 21:59", None),  # about today's delivery
        ("9 14:00", "9 12:00", "9 22:00", "10 07:00"),
        ("10 14:00", "9 12:00", "9 20:59", None),
        ("10 14:00", "9 12:00", "9 21:00", "10 08:00"),
        ("10 14:00", "9 21:30", "9 21:40", None),  # decided as one of the day
        ("10 14:00", "9 21:30", "9 22:00", "10 07:00"),
        ("9 14:00", "9 12:00", "10 07:30", "10 08:00"),  # yesterday's by now
        ("9 14:00", "9 21:50", "10 07:00", "10 08:00"),  # and no hurry any more
        (None, "9 12:00", "9 21:00", "10 08:00"),
    ],
)
def test_what_waited_into_the_quiet_hours_waits_for_their_end(
    window: str | None, decided: str, now: str, until: str | None
) -> None:
    stop = row_with(StopRecord, window_start_at=local(window) if window else None)
    held = quiet_until(stop, "America/New_York", local(decided), QuietHours(), local(now))
    assert held == (local(until) if until else None)


# --- in the world ---------------------------------------------------------------------------------

LANDLINE, SWITCHED_OFF, FILTERED = "+15005550106", "+15005550103", "+15005550107"
WORDS = "Your Acme parcel is on the van."


@pytest.fixture
async def mail_world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    async with World(bare_setting, with_mail=True) as world:
        yield world


async def told(
    world: World,
    phone: str,
    *,
    email: str | None = MAIL.address,
    kind: NotificationKind = NotificationKind.OUT_FOR_DELIVERY,
    useful: timedelta | None = timedelta(hours=2),
) -> str:
    """A stop whose recipient is told something; gives its tracking."""
    tracking = await world.has_stop(phone=phone)
    stop = await world.stop_record(tracking)
    services = world.doorline.services
    async with services.database.transaction() as session:
        record = await session.get_one(StopRecord, stop.id)
        record.recipient_email = email
        record.notice_at = AT + timedelta(days=9)
        until = None if useful is None else world.clock.now() + useful
        await services.teller.tell(session, record, kind, lambda _: WORDS, said={}, useful_until=until)
    await goes_on(world)
    return tracking


async def goes_on(world: World, **duration: float) -> None:
    """Everything that waits leaves, and all receipts come in."""
    world.clock.move(timedelta(**duration))
    ticks = {tick.name: tick.run for tick in ticks_of(world.doorline)}
    for _ in range(2):
        await ticks["held_messages"]()
        await ticks["paced_messages"]()
        await world.settled()
        await world.twilio.settled()
        await world.settled()


async def tries(world: World) -> list[tuple[ChannelName, str]]:
    rows = sorted(await world.rows(NotificationTry), key=lambda row: row.position)
    return [(row.channel, row.error_code) for row in rows]


def texts_to(world: World, phone: str) -> int:
    return sum(WORDS in message.body for message in world.twilio.messages(phone))


async def test_a_landline_is_written_to_by_mail_with_the_same_words_and_only_once(mail_world: World) -> None:
    tracking = await told(mail_world, LANDLINE)
    (mail,) = mail_world.mail.messages(MAIL.address)
    (text,) = mail_world.twilio.messages(LANDLINE)
    assert mail.text.strip() == text.body
    assert mail.subject
    assert await tries(mail_world) == [(ChannelName.SMS, "30006"), (ChannelName.EMAIL, "")]
    (notification,) = await mail_world.rows(Notification)
    assert notification.state is NotificationState.REACHED
    await repeat_receipt(mail_world, ReceiptStatus.UNDELIVERED, "30006")
    await repeat_receipt(mail_world, ReceiptStatus.SENT, None)
    assert len(await tries(mail_world)) == 2
    await may_answer_by_mail(mail_world, tracking)


async def repeat_receipt(world: World, status: ReceiptStatus, code: str | None) -> None:
    (row,) = await world.rows(OutboundText, col(OutboundText.channel) == ChannelName.SMS)
    assert row.vendor_id
    await world.doorline.services.outbox.apply_receipt(
        Receipt(vendor_id=row.vendor_id, status=status, error_code=code, outbound_id=str(row.id))
    )
    await goes_on(world)


async def may_answer_by_mail(world: World, tracking: str) -> None:
    """The mailbox stands on the order: its answer is about that stop, and may change it."""
    stop = await world.stop_record(tracking)
    (conversation,) = await world.rows(Conversation, col(Conversation.channel) == ChannelName.EMAIL)
    (access,) = await world.rows(StopAccess, col(StopAccess.conversation_id) == conversation.id)
    (focus,) = await world.rows(StopFocus, col(StopFocus.conversation_id) == conversation.id)
    assert (access.stop_id, access.level, focus.stop_id) == (stop.id, AccessLevel.CHANGE, stop.id)


async def test_a_number_that_is_a_landline_is_not_texted_the_next_time(mail_world: World) -> None:
    await told(mail_world, LANDLINE)
    await told(mail_world, LANDLINE, kind=NotificationKind.RUNNING_LATE)
    assert texts_to(mail_world, LANDLINE) == 1
    assert len(mail_world.mail.messages(MAIL.address)) == 2
    (known,) = await mail_world.rows(AddressTrouble)
    assert (known.address, known.error_code, known.times) == (LANDLINE, "30006", 1)


async def test_a_phone_that_is_switched_off_is_tried_once_more_later_then_by_mail(mail_world: World) -> None:
    await told(mail_world, SWITCHED_OFF)
    assert texts_to(mail_world, SWITCHED_OFF) == 1
    assert not mail_world.mail.messages(MAIL.address)
    await goes_on(mail_world, seconds=AGAIN_AFTER.total_seconds())
    assert texts_to(mail_world, SWITCHED_OFF) == 2
    assert len(mail_world.mail.messages(MAIL.address)) == 1
    assert await mail_world.rows(AddressTrouble) == [], "nothing is wrong with the number"


async def test_filtered_words_are_not_texted_again(mail_world: World) -> None:
    await told(mail_world, FILTERED)
    await goes_on(mail_world, hours=1)
    assert texts_to(mail_world, FILTERED) == 1
    assert len(mail_world.mail.messages(MAIL.address)) == 1


async def test_what_is_no_use_any_more_goes_by_no_channel_and_is_decided_afresh(mail_world: World) -> None:
    tracking = await told(mail_world, SWITCHED_OFF, useful=timedelta(minutes=10))
    stop = await mail_world.stop_record(tracking)
    assert stop.notice_at is not None
    (row,) = await mail_world.rows(OutboundText, col(OutboundText.state) == OutboxState.QUEUED)
    await goes_on(mail_world, minutes=11)
    assert texts_to(mail_world, SWITCHED_OFF) == 1
    assert not mail_world.mail.messages(MAIL.address)
    (notification,) = await mail_world.rows(Notification)
    assert notification.state is NotificationState.OUTDATED
    (dropped,) = await mail_world.rows(OutboundText, col(OutboundText.id) == row.id)
    assert (dropped.state, dropped.error_code) == (OutboxState.FAILED, "outdated")
    assert (await mail_world.stop_record(tracking)).notice_at is None


async def test_what_waited_until_the_stop_was_over_is_not_sent(mail_world: World) -> None:
    tracking = await told(mail_world, SWITCHED_OFF)
    await mail_world.delivers(tracking)
    await goes_on(mail_world, minutes=5)
    assert texts_to(mail_world, SWITCHED_OFF) == 1
    assert not mail_world.mail.messages(MAIL.address)
    assert [each.state for each in await mail_world.rows(Notification)] == [NotificationState.OUTDATED]


async def test_what_newer_words_have_overtaken_is_not_said_by_the_next_channel(mail_world: World) -> None:
    tracking = await told(mail_world, SWITCHED_OFF, kind=NotificationKind.RUNNING_LATE)
    mail_world.clock.move(timedelta(minutes=1))
    services = mail_world.doorline.services
    stop = await mail_world.stop_record(tracking)
    async with services.database.transaction() as session:
        record = await session.get_one(StopRecord, stop.id)
        kind, until = NotificationKind.BACK_ON_TIME, mail_world.clock.now() + timedelta(hours=1)
        await services.teller.tell(
            session, record, kind, lambda _: "Back on time.", said={}, useful_until=until, way=MAIL
        )
    await goes_on(mail_world, minutes=5)
    assert [
        mail.text.strip().endswith("Back on time.") for mail in mail_world.mail.messages(MAIL.address)
    ] == [True]
    states = {each.kind: each.state for each in await mail_world.rows(Notification)}
    assert states[NotificationKind.RUNNING_LATE] is NotificationState.OUTDATED
    assert states[NotificationKind.BACK_ON_TIME] is NotificationState.REACHED


async def asked(world: World, phone: str, email: str | None) -> None:
    """A delivery failed, its follow-up has begun, and its recipient is asked."""
    tracking = await world.has_stop(phone=phone)
    await world.delivers(tracking, success=False)
    stop = await world.stop_record(tracking)
    services, now = world.doorline.services, world.clock.now()
    async with services.database.transaction() as session:
        recovery = Recovery(
            stop_id=stop.id,
            timezone=stop.timezone,
            reason=FailureReason.RECIPIENT_UNAVAILABLE,
            flow=Flow.WINDOWS,
            failed_at=now,
            opened_at=now,
        )
        session.add(recovery)
        await session.flush()
        for position, kind in enumerate((RungKind.REMIND, RungKind.DISPATCHER, RungKind.DEFAULT)):
            due = now + timedelta(hours=2 * position + 2)
            session.add(RecoveryStep(recovery_id=recovery.id, position=position, kind=kind, due_at=due))
        record = await session.get_one(StopRecord, stop.id)
        record.recipient_email = email
        await services.teller.tell(
            session, record, NotificationKind.FAILED, lambda _: WORDS, said={}, useful_until=None
        )
    await goes_on(world)


async def test_when_nobody_can_be_asked_a_follow_up_goes_to_a_dispatcher_at_once(mail_world: World) -> None:
    await asked(mail_world, LANDLINE, None)
    (notification,) = await mail_world.rows(Notification)
    assert notification.state is NotificationState.UNREACHED
    steps = {step.kind: step for step in await mail_world.rows(RecoveryStep)}
    assert steps[RungKind.REMIND].cancelled_at is not None
    assert steps[RungKind.DISPATCHER].due_at <= mail_world.clock.now()
    assert steps[RungKind.DEFAULT].due_at > mail_world.clock.now()


async def test_a_text_from_before_the_failure_that_bounces_late_does_not_stop_the_follow_up(
    mail_world: World,
) -> None:
    await asked(mail_world, "+12125550100", None)
    (question,) = await mail_world.rows(OutboundText)
    (about_it,) = await mail_world.rows(Notification)
    async with mail_world.doorline.services.database.transaction() as session:
        values = question.model_dump(
            include={"conversation_id", "channel", "recipient", "text", "stop_id", "created_at", "sent_at"}
        )
        earlier = OutboundText(
            **values, purpose=Purpose.PROACTIVE, state=OutboxState.SENT, vendor_id="SM" + "0" * 32
        )
        told_before = Notification(
            **about_it.model_dump(include={"stop_id", "person", "day"}),
            kind=NotificationKind.RUNNING_LATE,
            decided_at=about_it.decided_at - timedelta(hours=1),
            state=NotificationState.REACHED,
        )
        session.add_all([earlier, told_before])
        await session.flush()
        session.add(
            NotificationTry(
                notification_id=told_before.id,
                position=0,
                channel=SMS.channel,
                address=earlier.recipient,
                outbound_id=earlier.id,
            )
        )
    bounced = Receipt(vendor_id="SM" + "0" * 32, status=ReceiptStatus.UNDELIVERED, error_code="30007")
    await mail_world.doorline.services.outbox.apply_receipt(bounced)
    states = {each.kind: each.state for each in await mail_world.rows(Notification)}
    assert states[NotificationKind.RUNNING_LATE] is NotificationState.UNREACHED
    assert states[NotificationKind.FAILED] is NotificationState.REACHED
    assert [step.cancelled_at for step in await mail_world.rows(RecoveryStep)] == [None] * 3


async def test_who_has_heard_of_a_delay_is_looked_at_again(mail_world: World) -> None:
    """On time by the moment at which the text left: nothing else would say so."""
    late = await told(mail_world, "+12125550100", kind=NotificationKind.RUNNING_LATE)
    assert (await mail_world.stop_record(late)).notice_at is None


async def test_a_number_on_which_an_answer_arrives_may_be_written_to_again(bare_world: World) -> None:
    async with bare_world.doorline.services.database.transaction() as session:
        session.add(AddressTrouble(channel=SMS.channel, address=SMS.address, error_code="30006", last_at=AT))
    await bare_world.recipient(SMS.address).asks("where is it")
    await goes_on(bare_world)
    assert await bare_world.rows(AddressTrouble) == []


async def test_who_has_answered_meanwhile_is_not_asked_again_by_another_channel(mail_world: World) -> None:
    await asked(mail_world, SWITCHED_OFF, MAIL.address)
    mail_world.clock.move(timedelta(minutes=1))
    async with mail_world.doorline.services.database.transaction() as session:
        (recovery,) = await session.scalars(select(Recovery))
        recovery.answered_at = mail_world.clock.now()
    await goes_on(mail_world, minutes=5)
    assert texts_to(mail_world, SWITCHED_OFF) == 1
    assert not mail_world.mail.messages(MAIL.address)
    steps = {step.kind: step for step in await mail_world.rows(RecoveryStep)}
    assert steps[RungKind.REMIND].cancelled_at is None, "the ladder is the follow-up's own"


async def test_what_an_outage_kept_into_the_night_leaves_in_the_morning_if_it_is_still_of_use(
    mail_world: World,
) -> None:
    mail_world.twilio.faults.down = True
    lasting = await told(mail_world, "+12125550101", email=None, useful=timedelta(days=1))
    await told(mail_world, "+12125550102", email=None, useful=timedelta(hours=12))
    await goes_on(mail_world, hours=11)
    mail_world.twilio.faults.down = False
    await mail_world.retries()
    assert not texts_to(mail_world, "+12125550101") + texts_to(mail_world, "+12125550102")
    await goes_on(mail_world, hours=8)
    await goes_on(mail_world, hours=1)
    assert texts_to(mail_world, "+12125550101") == 1, lasting
    assert not texts_to(mail_world, "+12125550102")
    (sent,) = mail_world.twilio.messages("+12125550101")
    assert sent.created_at.astimezone(NEW_YORK).hour >= 8


async def test_what_perhaps_had_left_is_held_in_the_night_where_the_carrier_does_not_have_it(
    mail_world: World,
) -> None:
    mail_world.twilio.faults.next(Fault("reset", path_contains="Messages.json"))
    phone = "+12125550101"
    await told(mail_world, phone, email=None, useful=timedelta(days=1))
    (row,) = await mail_world.rows(OutboundText)
    assert row.state is OutboxState.SENDING
    mail_world.clock.move(timedelta(hours=11))
    await mail_world.retries()
    await goes_on(mail_world)
    assert not texts_to(mail_world, phone)
    await goes_on(mail_world, hours=9)
    (sent,) = mail_world.twilio.messages(phone)
    assert sent.created_at.astimezone(NEW_YORK).hour >= 7


async def test_operators_hear_once_that_carriers_filter(bare_world: World) -> None:
    services = bare_world.doorline.services
    await told(bare_world, "+12125550100", email=None)
    (row,) = await bare_world.rows(OutboundText)
    async with services.database.transaction() as session:
        for number in range(30):
            code = "30007" if number < 3 else None
            values = row.model_dump(include={"conversation_id", "channel", "recipient", "text", "created_at"})
            session.add(
                OutboundText(
                    **values, purpose=Purpose.NOTICE, error_code=code, sent_at=bare_world.clock.now()
                )
            )
    for _ in range(2):
        await services.filter_watch.look()
    (alert,) = await bare_world.rows(OperatorAlert)
    assert (alert.reason, alert.over_at) == ("texts_filtered", None)
    bare_world.clock.move(timedelta(hours=2))
    await services.filter_watch.look()
    (alert,) = await bare_world.rows(OperatorAlert)
    assert alert.over_at is not None
