"""For the scenarios: somebody who texts and reads, and what their conversation leaves behind."""

import re
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import col

from actions.fallback import likeliest
from bot.requests.models import DispatchRequest, RequestState
from bot.stops.models import StopRecord
from connectors.onfleet.payloads import from_ms
from tests.harness.people import readable
from tests.harness.waiting import eventually
from tests.harness.world import World

DANA = "U0DANA"
LONGEST_ANSWER = 320
"""Two segments of plain characters: what anybody reads on a phone."""


class Talk:
    """One person's conversation. Every answer is held to our manners."""

    def __init__(self, world: World, phone: str = "+12125550100") -> None:
        self._world = world
        self._recipient = world.recipient(phone)

    async def says(self, body: str) -> str:
        """Texts, a few seconds after what came before, and gives the answer."""
        self._world.clock.move(timedelta(seconds=2))
        return well_said(await self._recipient.asks(body))

    async def hears(self, decision: str, *about: str) -> str:
        """A dispatcher presses `approve` or `decline` on the message with these words; gives what comes back."""
        told = len(await self._recipient.reads())
        message = await self._world.channel_shows(*about)
        await self._world.dispatcher(DANA).presses(message, decision)
        await self._world.settled()
        return well_said((await self._recipient.reads_next(told + 1))[told])

    async def everything_read(self) -> str:
        await self._world.settled()
        return "\n".join(await self._recipient.reads())


def well_said(answer: str) -> str:
    assert answer.count("?") <= 1, f"more than one question: {answer}"
    assert "!" not in answer, answer
    assert "{" not in answer, f"an empty slot: {answer}"
    assert len(answer) <= LONGEST_ANSWER, answer
    return answer


def held(world: World, tracking: str) -> tuple[datetime, datetime]:
    """The window that Onfleet itself holds."""
    task = world.task_of(tracking)
    return from_ms(task["completeAfter"]), from_ms(task["completeBefore"])


def window(world: World, start: str, end: str, day: int = 0) -> tuple[datetime, datetime]:
    return world.local(start, day), world.local(end, day)


def notes(world: World, tracking: str) -> str:
    """What the driver reads in Onfleet."""
    return str(world.task_of(tracking)["notes"])


async def requests(world: World) -> list[tuple[str, RequestState]]:
    """Everything that dispatchers were asked to decide: kind and state, oldest first."""
    rows = await world.rows(DispatchRequest)
    return [(row.kind.value, row.state) for row in sorted(rows, key=lambda row: row.asked_at)]


async def asked_about(world: World, kind: str) -> str:
    """The tracking number of the stop that the one open request of this kind is about."""
    (row,) = await world.rows(
        DispatchRequest, col(DispatchRequest.kind) == kind, col(DispatchRequest.state) == RequestState.OPEN
    )
    (stop,) = await world.rows(StopRecord, col(StopRecord.id) == row.stop_id)
    return str(stop.tracking)


async def has_left(world: World, driver: str = "van-7") -> None:
    """The driver is on the way to somebody else first: what is planned for today is on the van."""
    other = await world.has_stop(
        phone="+12125550144", driver=driver, client="Zeta", window=("12:00", "14:00"), eta="12:20"
    )
    world.onfleet.start_task(world.task_of(other)["id"])
    await world.sync()


async def not_understood(world: World, *texts: str, torn_about: str = "") -> list[str]:
    """Of these texts those that the model understands as nothing at all: what follows is the story, not which.

    `torn_about`: only those where two meanings are likely enough to be asked about, and this is one of them.
    """
    found = []
    for body in texts:
        answer = await world.http.post(f"{world.settings.rasa_url}/model/parse", json={"text": body})
        understood = answer.raise_for_status().json()
        guesses = likeliest(understood["intent_ranking"])
        fits = not torn_about or (len(guesses) == 2 and torn_about in guesses)
        if understood["intent"]["name"] == "nlu_fallback" and fits:
            found.append(body)
    assert found, "the model understands every one of these texts"
    return found


async def tables_with(world: World, code: str) -> set[str]:
    """Tables of ours, Rasa's tracker among them, in which a code stands by itself."""
    found = set()
    async with world.doorline.services.database.transaction() as session:
        names = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for name in list(names):
            # Rasa's own table outlives the tests: what others said in it is theirs.
            ours = " WHERE sender_id IN (SELECT id::text FROM conversation)" if name == "events" else ""
            rows = await session.scalars(text(f'SELECT row::text FROM "{name}" AS row{ours}'))
            if any(re.search(rf"(?<![\da-f]){code}(?![\da-f])", row) for row in rows):
                found.add(name)
    return found


async def in_slack(world: World) -> str:
    """All that stands in the dispatchers' channel, threads included."""
    await world.settled()
    messages = await world.channel()
    return "\n".join(readable(each) for message in messages for each in (message, *message["replies"]))


async def becomes(world: World, *states: tuple[str, RequestState]) -> None:
    await eventually(lambda: requests(world), lambda seen: seen == list(states), f"requests {states}")
