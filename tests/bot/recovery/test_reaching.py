"""Which channel an answer comes by and a word goes out by, and as of when a word is read."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from bot.conversations.models import Conversation
from bot.recovery.models import Recovery
from bot.recovery.ports import AskResult
from bot.sop_recovery import RungKind
from bot.stops.models import StopRecord
from connectors.base import ChannelName
from tests.bot.recovery.conftest import RECOVERY
from tests.bot.recovery.story import Story
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World

LANDLINE, MAILBOX = "+15005550106", "robin@mail.example"


@pytest.fixture
async def with_mail(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Story]:
    sop = protocol_of(tmp_path, {}, recovery=RECOVERY)
    async with World(bare_setting, sop=sop, with_mail=True) as world:
        yield Story(world)


async def test_a_bare_code_is_one_on_every_channel_where_it_was_asked_for(story: Story) -> None:
    tracking = await story.fails("gate locked")
    asked_by_text = await story.turn("hello")
    # The second channel was tried since: the follow-up names that one.
    async with story.world.doorline.services.database.transaction() as session:
        mailed = Conversation(
            channel=ChannelName.EMAIL,
            address=MAILBOX,
            our_address="",
            language="en",
            created_at=story.now(),
        )
        session.add(mailed)
        await session.flush()
        recovery = await session.merge(await story.of(tracking))
        recovery.conversation_id = mailed.id
    turn = await story.turn("4471")
    assert turn.conversation_id == asked_by_text.conversation_id
    assert turn.text == "code 4471"


async def test_a_bare_code_is_one_for_who_wrote_of_it_before_being_asked(story: Story) -> None:
    story.asker.results = [AskResult.BUSY]
    tracking = await story.fails("gate locked")
    service, stop = story.world.doorline.services.recovery, await story.world.stop_record(tracking)
    stranger = await story.turn("what happened", phone="+12125550177")
    assert await service.open_for(stranger, str(stop.id)) is None
    assert (await story.turn("4471", phone="+12125550177")).text == "4471"
    assert await service.open_for(await story.turn("what happened"), str(stop.id)) is not None
    assert (await story.turn("4471")).text == "code 4471"


async def test_what_waits_for_the_morning_names_the_day_as_of_then(story: Story) -> None:
    tracking = await story.fails()
    await story.world.advance(hours=10)  # 10 pm
    services, window = story.world.doorline.services, story.window("12:00", "17:00")
    recovery, stop = await story.of(tracking), await story.world.stop_record(tracking)
    async with services.database.transaction() as session:
        informing = services.recovery_conclusions._informing
        await informing.inform(session, recovery, stop, "utter_recovery_told_booked", window)
    await story.world.advance(hours=10, minutes=1)
    (told,) = [text for text in await story.world.recipient().reads() if "12-5 pm" in text]
    assert "is today, 12-5 pm" in told


async def test_who_could_not_be_asked_by_text_hears_of_the_end_by_mail(with_mail: Story) -> None:
    story, services = with_mail, with_mail.world.doorline.services
    tracking = await story.fails(phone=LANDLINE)
    for _ in range(2):
        await story.world.tick()
        await story.world.twilio.settled()
    (asked,) = story.world.twilio.messages(LANDLINE)
    (by_text,) = await story.world.rows(Conversation, col(Conversation.channel) == ChannelName.SMS)
    async with services.database.transaction() as session:
        recovery = await session.get_one(Recovery, (await story.of(tracking)).id)
        recovery.conversation_id = by_text.id
        stop = await session.get_one(StopRecord, recovery.stop_id)
        stop.recipient_email = MAILBOX
        informing = services.recovery_conclusions._informing
        await informing.inform(session, recovery, stop, "utter_recovery_told_sent_back")
    await story.world.tick()
    (mail,) = story.world.mail.messages(MAILBOX)
    assert "goes back" in mail.text
    assert story.world.twilio.messages(LANDLINE) == [asked]


async def test_without_rasa_the_question_goes_out_in_plain_words_and_the_ladder_goes_on(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    async with World(bare_setting, sop=protocol_of(tmp_path, {}, recovery=RECOVERY)) as world:
        ladder = world.doorline.services.recovery_ladder
        asker, story = ladder._asker, Story(world)
        ladder._asker = asker
        world.rasa.down = True
        tracking = await story.fails()
        assert await story.world.recipient().reads() == []
        for _ in range(5):
            await world.advance(minutes=12)
            await world.retries()
            await world.tick()
        (asked,) = await story.world.recipient().reads()
        assert "nobody was in" in asked
        steps = await story.steps(tracking)
        assert steps[RungKind.ASK].result == "sent"
        assert steps[RungKind.REMIND].fired_at is None
        assert steps[RungKind.REMIND].due_at >= steps[RungKind.ASK].due_at + timedelta(hours=2)
