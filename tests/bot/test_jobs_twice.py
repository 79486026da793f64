"""A job may run twice: everything that ran in one story runs again, and nothing changes, here or at a vendor."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from bot.audit import AuditLine
from bot.conversations.jobs import handle_message
from bot.conversations.models import InboundText
from bot.durable.jobs import apply_receipt, send_message
from bot.durable.models import InboxEvent, OutboundText
from bot.durable.queue import defer
from bot.escalations.jobs import handle_dispatcher_action, sync_escalation
from bot.escalations.models import Escalation
from bot.requests.jobs import carry_out_request
from bot.requests.models import DispatchRequest
from bot.tables import METADATA
from connectors.base import DeliveryWindow
from tests.harness.handoffs import DANA, SAM, asks_for_a_person, turn_of
from tests.harness.world import World


async def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all our tables, and what stands at the vendors."""
    async with world.doorline.services.database.transaction() as session:
        kept = {
            name: sorted((tuple(row) for row in await session.execute(select(table))), key=repr)
            for name, table in METADATA.tables.items()
        }
    kept["twilio"] = [(message.sid, message.body) for message in world.twilio.messages()]
    kept["slack"] = [(repr(message),) for message in await world.channel()]
    kept["onfleet"] = [(repr(task),) for task in world.onfleet.store.tasks.values()]
    return kept


async def a_story(world: World) -> None:
    """A question, a handoff that is taken, answered and closed, a request that is approved."""
    tracking = await world.has_stop()
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    await recipient.asks("where is it")
    message = await asks_for_a_person(world, recipient)
    await dana.reacts(message, "eyes")
    await world.settled()
    await recipient.texts("hello?")
    await world.settled()
    await world.dispatcher(SAM).replies(message, "Here.")
    await dana.presses(message, "resolve")
    await world.settled()
    stop = await world.stop_record(tracking)
    evening = DeliveryWindow(start_at=world.local("17:00", 1), end_at=world.local("21:00", 1))
    turn = await turn_of(world, recipient, "tomorrow evening")
    await world.doorline.services.requests.ask(turn, "reschedule", str(stop.id), window=evening)
    await world.settled()
    await dana.presses(await world.channel_shows("Move it to"), "approve")
    await world.settled()
    await world.twilio.settled()
    await world.settled()


async def run_all_again(world: World) -> None:
    async with world.doorline.services.database.transaction() as session:
        for text in await session.scalars(select(InboundText)):
            await defer(session, handle_message, inbound_id=str(text.id))
        for message in await session.scalars(select(OutboundText)):
            await defer(session, send_message, outbound_id=str(message.id))
        for event in await session.scalars(select(InboxEvent)):
            job = {"slack.action": handle_dispatcher_action, "twilio.receipt": apply_receipt}.get(
                event.source
            )
            if job is not None:
                await defer(session, job, event_id=str(event.id))
        for escalation in await session.scalars(select(Escalation)):
            await defer(session, sync_escalation, escalation_id=str(escalation.id))
        for request in await session.scalars(select(DispatchRequest)):
            await defer(session, carry_out_request, request_id=str(request.id))
    await world.settled()


async def test_every_job_twice_changes_nothing(bare_world: World) -> None:
    await a_story(bare_world)
    before = await everything(bare_world)
    assert {table: len(before[table]) for table in ("inbound_message", "dispatch_request", "escalation")} == {
        "inbound_message": 3,
        "dispatch_request": 1,
        "escalation": 2,
    }
    bare_world.clock.move(timedelta(seconds=1))
    await run_all_again(bare_world)
    after = await everything(bare_world)
    assert {name: after[name] for name in after if after[name] != before[name]} == {}


async def test_every_tick_twice_does_nothing_the_second_time(bare_world: World) -> None:
    await a_story(bare_world)
    await bare_world.advance(minutes=61)
    await bare_world.tick()
    lines = len(await bare_world.rows(AuditLine))
    for _ in range(3):
        await bare_world.tick()
    assert len(await bare_world.rows(AuditLine)) == lines
