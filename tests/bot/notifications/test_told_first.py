"""What recipients are told before they ask: through the real app, the platform and the carrier pretended at the wire."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.conversations.models import Conversation
from bot.notifications.models import Notification, NotificationState, NotificationTry
from bot.stops.access_models import StopFocus
from tests.harness.protocol import SHIPPED
from tests.harness.world import Setting, World

OURS = "+12125550100"


@pytest.fixture
async def world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    """Everything as it is shipped: nobody has to be asked."""
    async with World(bare_setting, sop=SHIPPED) as world:
        yield world


class Van:
    """A driver with stops of other people before ours."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before: list[str] = []
        self.ours = ""

    async def is_loaded(self, before: int) -> None:
        for number in range(before):
            phone = f"+1212555020{number}"
            tracking = await self._world.has_stop(
                phone=phone, eta=None, address=f"{number} Oak Ave", on_route=False
            )
            self._before.append(tracking)
        self.ours = await self._world.has_stop(phone=OURS, eta=None, on_route=False)
        await self._world.tick()

    async def leaves(self) -> None:
        task = self._world.task_of(self._before[0])
        self._world.onfleet.set_duty(task["worker"], True, self._world.clock.now())
        self._world.onfleet.start_task(task["id"])
        await self.drives(0.5)

    async def finishes_one(self) -> None:
        self._world.onfleet.complete_task(self._world.task_of(self._before.pop(0))["id"])
        following = self._before[0] if self._before else self.ours
        self._world.onfleet.start_task(self._world.task_of(following)["id"])
        await self.drives(0.5)

    async def expects_ours_at(self, clock: str) -> None:
        self._world.onfleet.set_eta(self._world.task_of(self.ours)["id"], self._world.local(clock))
        await self.drives(0.5)

    async def drives(self, minutes: float) -> None:
        """Is heard of, and lets what is due be told."""
        world = self._world
        worker = world.task_of(self.ours)["worker"]
        world.clock.move(timedelta(minutes=minutes))
        world.onfleet.move_worker(worker, 40.75, -74.0, world.clock.now())
        await world.sync()
        await world.tick()


async def test_a_delivery_is_told_from_the_van_to_the_door(world: World) -> None:
    recipient, van = world.recipient(OURS), Van(world)
    await van.is_loaded(before=5)
    await van.expects_ours_at("15:20")
    assert await recipient.reads() == []

    await van.leaves()
    told = await recipient.reads_next(1)
    assert told == [
        "QuickShip: Your Acme parcel is on the van. Window 2-4 pm. Ask here any time. Reply STOP to opt out."
    ]

    await van.expects_ours_at("16:25")
    await van.drives(2)
    assert await recipient.reads() == told
    await van.drives(11)
    told = await recipient.reads_next(2)
    assert told[1] == (
        "Your Acme parcel is running late: about 4:25 pm instead of 2-4 pm. Sorry. Reply here to change anything."
    )

    await van.expects_ours_at("15:30")
    await van.drives(11)
    told = await recipient.reads_next(3)
    assert told[2] == "Your Acme parcel will be on time after all: about 3:30 pm, window 2-4 pm."

    await van.drives(11)
    assert await recipient.reads() == told
    await van.finishes_one()
    await van.finishes_one()
    assert await recipient.reads() == told, "few stops are left, but hours"
    await van.drives(125)
    told = await recipient.reads_next(4)
    assert told[3] == (
        "Your Acme parcel is close: 3 stops before yours, about 3:30 pm. Anything the driver should know? Reply here."
    )

    assert await recipient.asks("leave it at the door") == "You said: leave it at the door"
    [conversation] = await world.rows(Conversation, Conversation.address == OURS)
    [focus] = await world.rows(StopFocus, StopFocus.conversation_id == conversation.id)
    assert focus.stop_id == (await world.stop_record(van.ours)).id

    for _ in range(3):
        await van.finishes_one()
    world.onfleet.complete_task(world.task_of(van.ours)["id"], photos=1)
    await van.drives(0.5)
    told = await recipient.reads_next(6)
    assert told[5].startswith("Your Acme parcel was delivered at 2:")
    assert "/proof/" in told[5]
    await van.drives(30)
    assert await recipient.reads() == told


async def test_who_comes_back_is_told_what_is_still_news(world: World) -> None:
    recipient, van = world.recipient(OURS), Van(world)
    await van.is_loaded(before=5)
    await recipient.texts("STOP")
    await world.settled()
    await van.leaves()
    before = await recipient.reads()
    world.clock.move(timedelta(minutes=2))
    await world.tick()
    assert await recipient.reads() == before
    await recipient.texts("START")
    await world.settled()
    await world.tick()
    told = await recipient.reads_next(len(before) + 1)
    assert "Your Acme parcel is on the van. Window 2-4 pm." in told[-1]


async def test_what_was_said_is_kept_and_each_try_with_it(world: World) -> None:
    van = Van(world)
    await van.is_loaded(before=1)
    await van.leaves()
    await world.recipient(OURS).reads_next(1)
    await world.settled()
    stop = await world.stop_record(van.ours)
    [notification] = await world.rows(Notification, Notification.stop_id == stop.id)
    assert notification.state is NotificationState.REACHED
    assert notification.person == OURS
    [attempt] = await world.rows(NotificationTry, NotificationTry.notification_id == notification.id)
    assert attempt.address == OURS
    assert stop.notice_at is not None
