"""Clients' systems hear of their stops: once, in order, signed; what they do not take is kept for them."""

import asyncio
import json
from datetime import timedelta

from sqlmodel import col

from bot.audit import AuditLine
from bot.handover import cli
from bot.handover.models import ClientEvent, DeliveryState, Subscription, SubscriptionState
from bot.stops.answers import IncidentKind
from bot.stops.models import StopEvent
from connectors.desk import TaskState
from connectors.emulation import Fault
from tests.bot.handover.shippers import Shippers
from tests.harness.turns import says
from tests.harness.waiting import eventually

# --- what is told -----------------------------------------------------------------------------------


async def test_a_stop_is_told_from_its_beginning_to_its_end(shippers: Shippers) -> None:
    await shippers.subscribes()
    world = shippers.world
    tracking = await world.has_stop(eta="15:20")
    await shippers.settles()
    stop = await world.stop_record(tracking)
    world.onfleet.start_task(stop.platform_ref)
    await world.sync()
    world.onfleet.set_eta(stop.platform_ref, world.local("15:29"))
    await world.sync()
    world.onfleet.set_eta(stop.platform_ref, world.local("15:45"))
    await world.sync()
    await world.delivers(tracking)
    await shippers.settles()
    assert shippers.received().types == [
        "stop.created",
        "stop.out_for_delivery",
        "stop.eta_changed",
        "stop.delivered",
    ]
    events = list(shippers.received().events.values())
    assert [event["data"]["status"] for event in events] == [
        "assigned",
        "out_for_delivery",
        "out_for_delivery",
        "delivered",
    ]
    assert events[2]["data"]["eta_at"] == "2026-06-09T19:45:00Z"
    sequences = [event["data"]["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    assert events[0]["data"]["window"] == {
        "start_at": "2026-06-09T18:00:00Z",
        "end_at": "2026-06-09T20:00:00Z",
    }


async def test_nobodys_phone_name_or_notes_are_told(shippers: Shippers) -> None:
    await shippers.subscribes()
    await shippers.world.has_stop(phone="+12125550100", name="Robin Doe")
    await shippers.settles()
    told = json.dumps(list(shippers.received().events.values()))
    assert "stop.created" in told
    for secret in ("2125550100", "Robin", "Elm"):
        assert secret not in told


async def test_a_moved_window_is_told_with_the_one_before(shippers: Shippers) -> None:
    await shippers.subscribes("stop.window_changed")
    world = shippers.world
    tracking = await world.has_stop(eta=None)
    task = world.onfleet.store.tasks[(await world.stop_record(tracking)).platform_ref]
    task["completeBefore"] += 3_600_000
    task["timeLastModified"] += 60_000
    world.onfleet.store.tasks[task["id"]] = task
    await world.sync()
    await shippers.settles()
    (event,) = shippers.received().events.values()
    assert event["data"]["window_before"]["end_at"] == "2026-06-09T20:00:00Z"
    assert event["data"]["window"]["end_at"] == "2026-06-09T21:00:00Z"


async def test_a_client_hears_of_its_own_stops_only(shippers: Shippers) -> None:
    await shippers.subscribes(client="Acme")
    await shippers.subscribes(client="Nova")
    await shippers.world.has_stop(client="Acme")
    await shippers.settles()
    assert shippers.received("Acme").types == ["stop.created"]
    assert shippers.received("Nova").types == []


async def test_only_the_wanted_kinds_are_told(shippers: Shippers) -> None:
    await shippers.subscribes("stop.delivered", "stop.failed")
    tracking = await shippers.world.has_stop()
    await shippers.world.delivers(tracking)
    await shippers.settles()
    assert shippers.received().types == ["stop.delivered"]


async def test_an_exception_is_told_when_it_opens_and_when_it_is_resolved(shippers: Shippers) -> None:
    await shippers.subscribes("exception.opened", "exception.resolved")
    world = shippers.world
    tracking = await world.has_stop()
    await world.delivers(tracking)
    stop = await world.stop_record(tracking)
    turn = await says(world, world.recipient(), "it never came")
    await world.doorline.services.incidents.open(turn, IncidentKind.MISSING, str(stop.id))
    await shippers.settles()
    message = await world.channel_shows("Says the parcel is missing")
    await world.dispatcher().presses(message, "resolve")
    await world.settled()
    await world.tick()
    await shippers.settles()
    assert shippers.received().types == ["exception.opened", "exception.resolved"]
    opened, resolved = (event["data"] for event in shippers.received().events.values())
    assert (opened["state"], resolved["state"]) == ("open", "closed")
    assert opened["stop_id"] == str(stop.id)


async def test_a_line_of_the_log_that_is_committed_late_is_not_skipped(shippers: Shippers) -> None:
    """Ids are given out before they are committed: a smaller one may appear after a larger one was read."""
    await shippers.subscribes("stop.failed", "stop.cancelled")
    world, services = shippers.world, shippers.world.doorline.services
    stop = await world.stop_record(await world.has_stop())

    def line(status: str) -> StopEvent:
        changes = {"status": ["assigned", status]}
        return StopEvent(stop_id=stop.id, at=world.clock.now(), source="test", changes=changes)

    async with services.database.transaction() as slow:
        slow.add(line("failed"))
        await slow.flush()
        async with services.database.transaction() as quick:
            quick.add(line("cancelled"))
        for _ in range(3):
            await shippers.settles()
        assert shippers.received().types == []
    await shippers.settles()
    assert shippers.received().types == ["stop.failed", "stop.cancelled"]


# --- a system that does not take it -----------------------------------------------------------------


async def test_a_system_that_is_down_gets_everything_in_order_once_it_is_back(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.system.faults.down = True
    for number in range(3):
        await shippers.happens(number=number)
    await shippers.settles()
    # One try for all of them: a system that is down is left alone.
    assert [each.attempts for each in await shippers.deliveries()] == [1, 0, 0]
    await shippers.waits(seconds=59)
    assert [each.attempts for each in await shippers.deliveries()] == [1, 0, 0]
    await shippers.waits(seconds=8)
    assert [each.attempts for each in await shippers.deliveries()] == [2, 0, 0]
    shippers.system.faults.down = False
    await shippers.waits(minutes=6)
    events = list(shippers.received().events.values())
    assert [event["data"]["number"] for event in events] == [0, 1, 2]
    assert shippers.received().repeated == 0


async def test_a_lost_answer_is_sent_again_under_the_same_id(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.system.faults.next(Fault("status", status=502, after_work=True))
    await shippers.happens()
    await shippers.settles()
    await shippers.waits(minutes=2)
    assert (len(shippers.received().events), shippers.received().repeated) == (1, 1)


async def test_after_the_last_try_it_is_set_aside_and_a_dispatcher_told_once(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    shippers.system.faults.down = True
    await shippers.happens()
    await shippers.happens()
    await shippers.settles()
    for minutes in (2, 6, 34, 34):
        await shippers.waits(minutes=minutes)
    assert {each.state for each in await shippers.deliveries()} == {DeliveryState.DEAD}
    (task,) = await shippers.tasks()
    assert (task.state, task.client, task.told.stops, task.told.reasons) == (
        TaskState.OPEN,
        "Acme",
        2,
        ("http_503",),
    )
    shippers.system.faults.down = False
    answer = await shippers.calls("POST", f"/{subscription}/replay", json={"dead": True})
    assert (answer.status_code, answer.json()) == (202, {"events": 2})
    await shippers.settles()
    assert len(shippers.received().events) == 2
    (task,) = await shippers.tasks()
    assert (task.state, task.outcome) == (TaskState.EXPIRED, "cured")


async def test_one_event_that_is_refused_holds_up_no_other(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.received().refuses = frozenset({"stop.failed"})
    await shippers.happens("stop.failed")
    await shippers.happens("stop.delivered")
    await shippers.settles()
    assert shippers.received().types == ["stop.delivered"]
    for minutes in (2, 6, 34):
        await shippers.waits(minutes=minutes)
    dead, delivered = await shippers.deliveries()
    assert (dead.state, dead.attempts, dead.last_status) == (DeliveryState.DEAD, 4, 400)
    assert delivered.state is DeliveryState.DELIVERED


async def test_a_slow_client_delays_no_other(shippers: Shippers) -> None:
    await shippers.subscribes(client="Acme")
    await shippers.subscribes(client="Nova")
    shippers.system.faults.next(Fault("slow", seconds=3, path_contains="/hooks/Acme"))
    await shippers.happens(client="Acme")
    for _ in range(5):
        await shippers.happens(client="Nova")
    couriers = shippers.world.doorline.services.couriers
    await couriers.start_due()

    async def novas() -> int:
        return len(shippers.received("Nova").events)

    await eventually(novas, lambda count: count == 5, "Nova's events", patience=2)
    assert shippers.received("Acme").events == {}
    await couriers.settled()
    assert len(shippers.received("Acme").events) == 1


async def test_410_ends_the_subscription_until_it_is_enabled_again(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    shippers.received().gone = True
    await shippers.happens()
    await shippers.happens()
    await shippers.settles()
    (row,) = await shippers.world.rows(Subscription)
    assert (row.state, row.disabled_because) == (SubscriptionState.DISABLED, "gone")
    assert {each.state for each in await shippers.deliveries()} == {DeliveryState.DEAD}
    assert (await shippers.calls("POST", f"/{subscription}/test")).status_code == 409
    assert (await shippers.calls("POST", f"/{subscription}/replay", json={"dead": True})).status_code == 409
    await shippers.happens()
    assert len(await shippers.deliveries()) == 2
    shippers.received().gone = False
    assert (await shippers.calls("POST", f"/{subscription}/enable")).json()["state"] == "active"
    await shippers.calls("POST", f"/{subscription}/replay", json={"dead": True})
    await shippers.settles()
    assert len(shippers.received().events) == 2


async def test_too_many_requests_pauses_as_long_as_it_is_asked_for(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.system.faults.next(Fault("status", status=429, headers=(("retry-after", "1200"),)))
    await shippers.happens()
    await shippers.settles()
    await shippers.waits(minutes=19)
    assert shippers.received().types == []
    await shippers.waits(minutes=2)
    assert shippers.received().types == ["stop.delivered"]


async def test_a_process_that_was_killed_in_the_middle_is_followed_by_the_next(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.system.faults.next(Fault("slow", seconds=30))
    await shippers.happens()
    couriers = shippers.world.doorline.services.couriers
    await couriers.start_due()
    await asyncio.sleep(0.5)
    # Killed: nothing is given back, the lease stands.
    for task in list(couriers._under_way.values()):
        task.cancel()
    await asyncio.sleep(0.1)
    await shippers.settles()
    assert shippers.received().types == []
    await shippers.waits(seconds=61)
    assert shippers.received().types == ["stop.delivered"]


async def test_a_restart_loses_and_repeats_nothing(shippers: Shippers) -> None:
    await shippers.subscribes()
    shippers.system.faults.down = True
    await shippers.happens()
    await shippers.settles()
    await shippers.world.restart_app()
    shippers.system.faults.down = False
    await shippers.waits(minutes=2)
    await shippers.waits(minutes=2)
    assert (shippers.received().types, shippers.received().repeated) == (["stop.delivered"], 0)


# --- by API -----------------------------------------------------------------------------------------


async def test_while_the_secret_changes_both_are_good_and_then_the_new_one_only(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    old = shippers.received().secret
    new = (await shippers.calls("POST", f"/{subscription}/rotate")).json()["secret"]
    assert new.startswith("whsec_")
    assert new != old
    await shippers.happens()
    await shippers.settles()
    shippers.received().secret = new
    await shippers.happens()
    await shippers.settles()
    assert (len(shippers.received().events), shippers.received().forged) == (2, 0)
    shippers.received().secret = old
    await shippers.waits(hours=24, seconds=1)
    await shippers.happens()
    await shippers.settles()
    assert (len(shippers.received().events), shippers.received().forged) == (2, 1)


async def test_secrets_are_sealed_in_the_database(shippers: Shippers) -> None:
    await shippers.subscribes()
    (row,) = await shippers.world.rows(Subscription)
    assert "whsec_" not in row.secret
    assert shippers.received().secret.removeprefix("whsec_") not in row.secret


async def test_a_test_is_a_signed_ping(shippers: Shippers) -> None:
    subscription = await shippers.subscribes("stop.failed")
    answer = await shippers.calls("POST", f"/{subscription}/test")
    await shippers.settles()
    assert (answer.status_code, shippers.received().types) == (202, ["ping"])
    listed = (await shippers.calls("GET", f"/{subscription}/deliveries?state=delivered")).json()
    assert [(each["type"], each["attempts"], each["last_status"]) for each in listed["deliveries"]] == [
        ("ping", 1, 204)
    ]


async def test_what_happened_before_the_subscription_can_be_replayed(shippers: Shippers) -> None:
    began = shippers.world.clock.now()
    await shippers.happens(number=1)
    subscription = await shippers.subscribes()
    await shippers.settles()
    assert shippers.received().types == []
    since = {"since": (began - timedelta(minutes=1)).isoformat()}
    assert (await shippers.calls("POST", f"/{subscription}/replay", json=since)).json() == {"events": 1}
    await shippers.settles()
    ((event_id, event),) = shippers.received().events.items()
    assert event["data"]["number"] == 1
    again = {"event_ids": [event_id]}
    assert (await shippers.calls("POST", f"/{subscription}/replay", json=again)).json() == {"events": 1}
    await shippers.settles()
    assert (len(shippers.received().events), shippers.received().repeated) == (1, 1)


async def test_another_clients_events_cannot_be_replayed(shippers: Shippers) -> None:
    await shippers.happens(client="Nova")
    subscription = await shippers.subscribes()
    (event,) = await shippers.world.rows(ClientEvent)
    wanted = {"event_ids": [f"evt_{event.id.hex}"], "since": "2026-01-01T00:00:00Z"}
    assert (await shippers.calls("POST", f"/{subscription}/replay", json=wanted)).json() == {"events": 0}


async def test_another_clients_subscription_is_not_there(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("POST", "/enable"),
        ("GET", "/deliveries"),
    ):
        answer = await shippers.calls(method, f"/{subscription}{path}", "Nova")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    assert (await shippers.calls("GET", "", "Nova")).json() == {"subscriptions": []}
    assert len((await shippers.calls("GET", "", "operator")).json()["subscriptions"]) == 1


async def test_an_ended_subscription_gets_nothing_more(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    shippers.system.faults.down = True
    await shippers.happens()
    await shippers.settles()
    assert (await shippers.calls("DELETE", f"/{subscription}")).status_code == 204
    assert (await shippers.calls("DELETE", f"/{subscription}")).status_code == 404
    shippers.system.faults.down = False
    await shippers.happens()
    await shippers.waits(minutes=10)
    assert shippers.received().types == []
    lines = await shippers.world.rows(AuditLine, col(AuditLine.subject_kind) == "subscription")
    assert [line.verb for line in lines] == ["subscribed", "ended"]


async def test_an_address_that_cannot_be_called_is_refused_with_its_reason(shippers: Shippers) -> None:
    for url, code in (
        ("http://hooks.acme.example/", "not_https"),
        ("https://dana:x@hooks.acme.example/", "has_password"),
        ("nonsense", "not_a_url"),
    ):
        answer = await shippers.calls("POST", "", json={"url": url})
        assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (422, code)


async def test_nonsense_is_answered_as_a_problem(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    for body in ({}, {"dead": False}, {"event_ids": ["x"]}, {"since": "yesterday"}, {"more": 1}):
        answer = await shippers.calls("POST", f"/{subscription}/replay", json=body)
        assert answer.status_code == 422, body
    for wanted in (
        {"url": "https://a.example", "events": ["ping"]},
        {"url": 1},
        {"url": "https://a.example", "events": ["x"]},
    ):
        assert (await shippers.calls("POST", "", json=wanted)).status_code == 422, wanted
    assert (await shippers.calls("GET", f"/{subscription}/deliveries?before=-1")).status_code == 422


async def test_old_events_are_forgotten_but_for_those_that_wait(shippers: Shippers) -> None:
    await shippers.subscribes()
    await shippers.happens()
    await shippers.settles()
    await shippers.waits(hours=24 * 29)
    shippers.system.faults.down = True
    await shippers.happens()
    assert await shippers.world.doorline.services.replays.prune() == 0
    shippers.world.clock.move(timedelta(days=2))
    assert await shippers.world.doorline.services.replays.prune() == 1
    assert len(await shippers.world.rows(ClientEvent)) == 1


async def test_the_command_lists_what_is_set_aside_and_sends_it_again(shippers: Shippers) -> None:
    subscription = await shippers.subscribes()
    shippers.received().gone = True
    await shippers.happens()
    await shippers.settles()
    await shippers.calls("POST", f"/{subscription}/enable")
    shippers.received().gone = False
    url, sop = shippers.world.setting.database_url, shippers.world.doorline.services.sop
    ((listed, count),) = await cli.run(url, sop, lambda replays: replays.dead())
    assert (str(listed.id), count) == (subscription, 1)
    assert "Acme" in list(cli.table_of([(listed, count)]).columns[1].cells)
    assert await cli.run(url, sop, lambda replays: cli.replay_dead(replays, None)) == 1
    # The command's clock is the real one, later than the story's.
    await shippers.waits(days=365)
    assert shippers.received().types == ["stop.delivered"]
