"""By which channels a recipient can be written to: the order of sop.yml, without what is known not to work."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.conversations.consent import ConsentLedger
from bot.conversations.models import ConsentWord
from bot.notifications.address_models import AddressTrouble
from bot.notifications.carrier_codes import MEANINGS
from bot.notifications.ways import TROUBLE_LASTS, Way, is_unusable, ways_by_order, ways_of
from bot.stops.models import StopRecord
from connectors.base import ChannelName
from tests.harness.rows import row_with
from tests.harness.world import World

AT = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
PHONE, EMAIL = "+12125550100", "robin@mail.example"
SMS, WHATSAPP, MAIL = ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.EMAIL
ALL = (SMS, WHATSAPP, MAIL)


def stop(phone: str | None = PHONE, email: str | None = EMAIL) -> StopRecord:
    return row_with(StopRecord, recipient_phone=phone, recipient_email=email)


@pytest.mark.parametrize(
    ("phone", "email", "order", "expected"),
    [
        (PHONE, EMAIL, ALL, [SMS, WHATSAPP, MAIL]),
        (PHONE, EMAIL, (MAIL, SMS), [MAIL, SMS]),
        (PHONE, None, ALL, [SMS, WHATSAPP]),
        (None, EMAIL, ALL, [MAIL]),
        (None, None, ALL, []),
        ("", "", ALL, []),
        (PHONE, EMAIL, (SMS, SMS), [SMS]),
        (PHONE, EMAIL, (ChannelName.WEBCHAT,), []),  # nobody can be found there
    ],
)
def test_the_order_is_kept_and_no_channel_is_used_without_an_address(
    phone: str | None, email: str | None, order: tuple[ChannelName, ...], expected: list[ChannelName]
) -> None:
    assert [way.channel for way in ways_by_order(stop(phone, email), order)] == expected


def trouble(code: str, times: int = 1, age: timedelta = timedelta(0)) -> AddressTrouble:
    return AddressTrouble(channel=SMS, address=PHONE, error_code=code, times=times, last_at=AT - age)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, False),
        (trouble("21614"), True),  # no mobile number
        (trouble("21635"), True),
        (trouble("30006"), True),
        (trouble("30005"), False),  # once may be a mistake
        (trouble("30005", times=2), True),
        (trouble("30003", times=9), False),  # a phone that is switched off
        (trouble("30007", times=9), False),  # said of our words
        (trouble("31999", times=9), False),  # nothing is concluded from what we do not know
        (trouble("30006", age=TROUBLE_LASTS - timedelta(seconds=1)), True),
        (trouble("30006", age=TROUBLE_LASTS), False),
    ],
)
def test_an_address_is_unusable_once_its_carrier_has_said_so_often_enough(
    known: AddressTrouble | None, expected: bool
) -> None:
    assert is_unusable(known, AT) is expected


def test_only_a_code_about_an_address_can_make_one_unusable() -> None:
    of_address = {"bad_number", "landline", "unknown_number", "unreachable", "no_mailbox"}
    assert {m.why for m in MEANINGS.values() if m.unusable_after} <= of_address


async def ways(world: World, channels: tuple[ChannelName, ...] = ALL) -> list[ChannelName]:
    services = world.doorline.services
    async with services.database.transaction() as session:
        found = await ways_of(
            session, stop(), ALL, consent=services.consent, channels=channels, now=world.clock.now()
        )
    return [way.channel for way in found]


async def test_what_is_closed_is_left_out(bare_world: World) -> None:
    services = bare_world.doorline.services
    assert await ways(bare_world) == [SMS, MAIL], "nobody has written on WhatsApp"
    assert await ways(bare_world, channels=(MAIL,)) == [MAIL]
    async with services.database.transaction() as session:
        session.add(trouble("30006"))
    assert await ways(bare_world) == [MAIL]
    async with services.database.transaction() as session:
        await ConsentLedger(bare_world.clock).change(session, EMAIL, ConsentWord.OPTED_OUT, "keyword")
    assert await ways(bare_world) == []


async def test_whatsapp_is_open_for_a_day_after_the_person_wrote_there(bare_world: World) -> None:
    await bare_world.recipient(f"whatsapp:{PHONE}").texts("hola")
    await bare_world.settled()
    assert await ways(bare_world) == [SMS, WHATSAPP, MAIL]
    bare_world.clock.move(timedelta(hours=23, minutes=59))
    assert WHATSAPP in await ways(bare_world)
    bare_world.clock.move(timedelta(minutes=1))
    assert WHATSAPP not in await ways(bare_world)


def test_a_way_is_one_address_on_one_channel() -> None:
    assert Way(SMS, PHONE) != Way(WHATSAPP, PHONE)
