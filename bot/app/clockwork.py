"""What the clock does, and how often. Each tick claims what is due; several replicas may tick at once."""

from datetime import timedelta

from bot.app.building import Doorline
from bot.app.clients import client_ticks
from bot.app.drivers_road import road_ticks
from bot.app.incidents import incident_ticks
from bot.app.intake import intake_ticks
from bot.app.messaging import messaging_ticks
from bot.app.notifications import notification_ticks
from bot.app.oncall import on_call_ticks
from bot.app.paging import paging_ticks
from bot.app.recovery import recovery_ticks
from bot.app.reports import report_ticks
from bot.app.slack import home_ticks
from bot.durable.jobs import send_due, send_stranded
from bot.durable.queue import rescue_stalled
from bot.durable.ticks import Tick
from connectors.twilio.client import TwilioChannel

CATCH_UP_REACHES_BACK = timedelta(days=1)
CATCH_UP_OVERLAP = timedelta(minutes=15)
"""Texts may be listed late; each round looks at this much of the last one again."""


def ticks_of(doorline: Doorline) -> list[Tick]:
    """Seconds of real time between two rounds stand behind each."""
    services = doorline.services

    async def reload_protocol() -> None:
        services.sop.reload_if_changed()

    async def rescue() -> None:
        await rescue_stalled(doorline.queue)

    async def sweep() -> None:
        await services.sweep.run()

    async def send_what_was_stranded() -> None:
        await send_stranded(services.outbox, services.database)

    async def send_what_was_held() -> None:
        await send_due(services.outbox, services.database)

    ticks = [
        Tick("steps", services.escalations.fire_due_steps, 1),
        Tick("sweep", sweep, 5),
        Tick("self_watch", services.self_watch.look, 20),
        Tick("stranded_deeds", services.deed_writer.ask_for_stranded, 60),
        Tick("promises", services.promises.tell_still_waiting, 5),
        Tick("incidents", services.incidents.close_settled, 10),
        Tick("moot", services.deciding.expire_moot, 5),
        Tick("holding", services.waiting.send_due_holding_answers, 1),
        Tick("hand_over", services.waiting.hand_over_due, 10),
        Tick("held_messages", send_what_was_held, 5),
        Tick("codes", services.forgetting.forget_codes, 60),
        Tick("feeds", services.feeds.ask_for_due_reads, 1),
        Tick("events", services.feeds.ask_for_due_events, 1),
        Tick("silence", services.feeds.watch_silence, 10),
        Tick("shifts", services.shifts.look, 15),
        Tick("client_events", services.client_history.run, 2),
        Tick("couriers", services.couriers.start_due, 1),
        Tick("client_events_kept", services.replays.prune, 3600),
        Tick("manifests", services.manifests.ask_for_due, 5),
        Tick("late_changes", services.late_changes.run, 10),
        Tick("protocol", reload_protocol, 2),
        Tick("desk_expiry", services.desk_tasks.expire_due, 5),
        Tick("desk_stranded", services.desk_posts.ask_for_stranded, 60),
        Tick("rescue", rescue, 3),
        Tick("stranded", send_what_was_stranded, 60),
    ]
    ticks += intake_ticks(services)
    ticks += road_ticks(services)
    ticks += notification_ticks(services.notifications)
    ticks += on_call_ticks(services)
    ticks += paging_ticks(services.calls)
    ticks += home_ticks(services.homes)
    ticks += incident_ticks(services)
    ticks += recovery_ticks(services)
    ticks += report_ticks(services.report_schedule)
    ticks += client_ticks(services)
    twilio = doorline.vendors.twilio
    if twilio is not None:

        async def catch_up() -> None:
            await catch_up_texts(doorline, twilio)

        ticks.append(Tick("catch_up", catch_up, 20))
    # Last: what the others had to say leaves in the same round.
    return [*ticks, *messaging_ticks(services)]


async def catch_up_texts(doorline: Doorline, twilio: TwilioChannel) -> None:
    """Fetches texts whose webhook never reached us: Twilio gives up after a few tries, its list does not.

    The first time it looks back to before we went down, however long ago that was, a day at most.
    """
    began_at = doorline.clock.now()
    overlap = CATCH_UP_OVERLAP * max(1.0, doorline.clock.speed)
    last = doorline.last_catch_up or await doorline.services.receive.last_received_at() or began_at
    since = max(last - overlap, began_at - CATCH_UP_REACHES_BACK)
    for message in await twilio.list_inbound(since):
        await doorline.services.receive(message)
    doorline.last_catch_up = began_at
