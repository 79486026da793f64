"""A job exists exactly when its change was committed, one conversation stays in order, an error is tried again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from procrastinate.jobs import Job
from sqlalchemy import text

from bot.conversations.models import InboundState, InboundText
from bot.db import Database
from bot.durable.jobs import send_message
from bot.durable.queue import PatientRetry, defer
from connectors.errors import ChannelUnavailableError
from tests.harness.waiting import eventually
from tests.harness.world import World

JOBS = text("SELECT count(*) FROM procrastinate_jobs")


async def jobs(database: Database) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(JOBS) or 0)


async def test_a_rollback_takes_the_job_with_it(database: Database) -> None:
    with pytest.raises(RuntimeError, match="died"):
        async with database.transaction() as session:
            await defer(session, send_message, outbound_id="1")
            assert await session.scalar(JOBS) == 1
            raise RuntimeError("died")
    assert await jobs(database) == 0


async def test_a_job_is_nobodys_before_the_commit(database: Database) -> None:
    async with database.transaction() as session:
        await defer(session, send_message, outbound_id="1")
        assert await jobs(database) == 0
    assert await jobs(database) == 1


async def test_a_conversation_stays_in_order_and_holds_up_no_other(bare_world: World) -> None:
    bare_world.rasa.hold()
    first, second = bare_world.recipient("+12125550101"), bare_world.recipient("+12125550102")
    for body in ("one", "two", "three"):
        await first.texts(body)
    await second.texts("other")

    async def turns() -> list[str]:
        return sorted(bare_world.rasa.turns)

    await eventually(turns, lambda found: found == ["one", "other"], "the first text of each conversation")
    bare_world.rasa.release()
    assert await first.reads_next(3) == ["You said: one", "You said: two", "You said: three"]
    assert await second.reads_next(1) == ["You said: other"]


async def test_the_order_holds_over_a_failure(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("one")
    await recipient.texts("two")
    await bare_world.settled()
    bare_world.rasa.down = False
    await bare_world.retries()
    assert await recipient.reads_next(2) == ["You said: one", "You said: two"]
    assert bare_world.rasa.turns == ["one", "two"]


async def test_a_text_whose_turn_got_lost_is_not_understood_twice(bare_world: World) -> None:
    """The turn was done, its answer never reached us: the replies are read from the tracker."""
    recipient = bare_world.recipient()
    bare_world.rasa.hold()
    await recipient.texts("one")

    async def turns() -> list[str]:
        return list(bare_world.rasa.turns)

    await eventually(turns, lambda found: found == ["one"], "the turn to begin")
    await bare_world.stop_app()
    bare_world.rasa.release()
    await asyncio.sleep(0.05)
    await bare_world.start_app()
    await bare_world.retries()
    assert await recipient.reads_next(1) == ["You said: one"]
    await bare_world.settled()
    assert bare_world.rasa.turns == ["one"]
    assert len(await recipient.reads()) == 1


async def test_a_turn_without_a_word_goes_to_a_dispatcher(bare_world: World) -> None:
    bare_world.rasa.silent = True
    answer = await bare_world.recipient().asks("hello")
    assert "passed it to a dispatcher" in answer
    (inbound,) = await bare_world.rows(InboundText)
    assert inbound.state is InboundState.PARKED
    await bare_world.channel_shows("The bot had no answer", "hello")


WEATHER = ChannelUnavailableError("twilio", "busy", retry_after=timedelta(seconds=7))


def retried_in(error: Exception, attempts: int) -> float | None:
    """Seconds until the next try, or None."""
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="any", attempts=attempts)
    decision = PatientRetry(give_up_after=3).get_retry_decision(exception=error, job=job)
    if decision is None:
        return None
    assert decision.retry_at is not None
    return round((decision.retry_at - datetime.now(UTC)).total_seconds())


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (RuntimeError(), 0, 1),
        (RuntimeError(), 1, 2),
        (RuntimeError(), 2, None),
        (WEATHER, 0, 7),
        (WEATHER, 500, 7),
        (ChannelUnavailableError("twilio", "busy"), 500, 10),
        (ChannelUnavailableError("twilio", "busy", retry_after=timedelta(hours=1)), 0, 30),
        (ChannelUnavailableError("twilio", "busy", retry_after=timedelta(0)), 0, 1),
    ],
)
def test_errors_are_tried_a_few_times_and_the_weather_for_ever(
    error: Exception, attempts: int, seconds: float | None
) -> None:
    assert retried_in(error, attempts) == seconds
