"""Every broken promise has exactly one incident, whoever looks and how often, and it follows what becomes of it."""

import asyncio
from datetime import timedelta
from uuid import UUID

from bot.audit import AuditLine
from bot.incidents.models import BrokenKind, BrokenState
from bot.incidents.review import incidents_between, incidents_of_stops
from bot.incidents.watch import BATCH, REACHES_BACK
from connectors.base import FailureReason, StopStatus
from tests.bot.incidents.office import END, MINUTE, Office

DELIVERED, FAILED = StopStatus.DELIVERED, StopStatus.FAILED


async def test_every_breach_and_every_failed_delivery_has_one_and_nothing_else_has(office: Office) -> None:
    late = await office.stop(DELIVERED, 25 * MINUTE)
    overdue = await office.stop()
    failed = await office.stop(FAILED, -30 * MINUTE, failure_reason=FailureReason.RECIPIENT_UNAVAILABLE)
    unpromised = await office.stop(FAILED, -MINUTE, window_start_at=None, window_end_at=None)
    back = await office.stop(StopStatus.RETURNED, -MINUTE)
    await office.stop(DELIVERED, -MINUTE)
    await office.stop(DELIVERED, 300 * MINUTE, window_start_at=None, window_end_at=None)
    await office.stop(StopStatus.CANCELLED, 25 * MINUTE)
    await office.stop(window_end_at=END + MINUTE)
    assert await office.watch.run() == 5
    assert await office.watch.run() == 0
    found = {row.stop_id: (row.kind, row.minutes_late) for row in await office.incidents()}
    assert found == {
        late.id: (BrokenKind.BREACH, 25),
        overdue.id: (BrokenKind.BREACH, 0),
        failed.id: (BrokenKind.FAILED_DELIVERY, 0),
        unpromised.id: (BrokenKind.FAILED_DELIVERY, 0),
        back.id: (BrokenKind.FAILED_DELIVERY, 0),
    }


async def test_replicas_that_look_at_once_and_restarts_open_each_once(office: Office) -> None:
    for _ in range(30):
        await office.stop()
    opened = await asyncio.gather(*(office.replica().run() for _ in range(4)))
    assert sum(opened) == 30
    assert await office.replica().run() == 0
    rows = await office.incidents()
    assert len({row.stop_id for row in rows}) == len(rows) == 30
    assert min(row.number or 0 for row in rows) == 1001
    told = [line for line in await office.rows(AuditLine) if line.verb == "opened"]
    assert len(told) == 30


async def test_more_than_one_batch_is_found_in_one_round(office: Office) -> None:
    for _ in range(BATCH + 1):
        await office.stop()
    assert await office.watch.run() == BATCH + 1


async def test_what_happened_while_doorline_was_down_is_found_for_a_fortnight(office: Office) -> None:
    known = await office.stop(DELIVERED, 25 * MINUTE)
    office.clock.at = END + REACHES_BACK
    assert await office.watch.run() == 1
    assert (await office.incident()).stop_id == known.id
    await office.stop(DELIVERED, 25 * MINUTE)
    office.clock.move(timedelta(seconds=1))
    assert await office.watch.run() == 0


async def test_lateness_grows_and_ends_with_the_delivery(office: Office) -> None:
    stop = await office.stop()
    await office.watch.run()
    await office.later(12)
    assert (await office.incident()).minutes_late == 12
    await office.becomes(stop, status=DELIVERED, completed_at=END + 13 * MINUTE)
    await office.later(30)
    incident = await office.incident()
    assert (incident.minutes_late, incident.finished_at) == (13, END + 13 * MINUTE)
    assert (incident.exposure_usd, incident.state) == (75, BrokenState.OPEN)


async def test_a_window_that_is_moved_before_it_is_over_breaks_nothing(office: Office) -> None:
    stop = await office.stop()
    office.clock.at = END - MINUTE
    assert await office.watch.run() == 0
    await office.becomes(stop, window_end_at=END + timedelta(days=1))
    office.clock.at = END + timedelta(hours=3)
    assert await office.watch.run() == 0


async def test_a_window_that_is_moved_afterwards_is_a_second_promise(office: Office) -> None:
    stop = await office.stop()
    await office.watch.run()
    await office.later(10)
    await office.becomes(stop, window_end_at=END + timedelta(hours=24))
    await office.later(10)
    assert (await office.incident()).minutes_late == 10
    await office.later(24 * 60)
    first, second = await office.incidents()
    assert (first.promised_end_at, second.promised_end_at) == (END, END + timedelta(hours=24))


async def test_a_failed_stop_whose_window_is_moved_has_not_failed_again(office: Office) -> None:
    stop = await office.stop(FAILED, -MINUTE, failure_reason=FailureReason.REFUSED)
    await office.watch.run()
    await office.becomes(stop, window_end_at=END + timedelta(hours=24))
    await office.later(1)
    assert len(await office.incidents()) == 1
    await office.becomes(stop, completed_at=END + timedelta(hours=23))
    office.clock.at = END + timedelta(hours=24)
    await office.later(1)
    assert len(await office.incidents()) == 2


async def test_news_that_come_late_withdraw_it(office: Office) -> None:
    stop = await office.stop()
    await office.watch.run()
    await office.becomes(stop, status=DELIVERED, completed_at=END - MINUTE)
    await office.later()
    incident = await office.incident()
    assert (incident.state, incident.exposure_usd) == (BrokenState.WITHDRAWN, 0)
    async with office.database.transaction() as session:
        assert await incidents_of_stops(session, [stop.id]) == []


async def test_a_breach_that_then_fails_is_one_incident(office: Office) -> None:
    stop = await office.stop()
    await office.watch.run()
    await office.becomes(
        stop, status=FAILED, completed_at=END + 40 * MINUTE, failure_reason=FailureReason.VEHICLE
    )
    await office.later()
    incident = await office.incident()
    assert (incident.kind, incident.minutes_late) == (BrokenKind.FAILED_DELIVERY, 0)
    assert (incident.root_cause, incident.exposure_usd) == (FailureReason.VEHICLE, 75)
    assert incident.state is BrokenState.CLOSED


async def test_the_cause_comes_from_the_platform_and_excludes_by_the_rules(office: Office) -> None:
    await office.stop(FAILED, 10 * MINUTE, failure_reason=FailureReason.RECIPIENT_UNAVAILABLE)
    await office.watch.run()
    incident = await office.incident()
    assert (incident.root_cause, incident.exclusion) == (
        FailureReason.RECIPIENT_UNAVAILABLE,
        "recipient_absent",
    )
    assert (incident.penalty_usd, incident.exposure_usd, incident.state) == (75, 0, BrokenState.CLOSED)


async def test_what_dispatchers_say_in_the_escalation_is_taken_over(office: Office) -> None:
    stop = await office.stop(DELIVERED, 25 * MINUTE)
    escalation = await office.escalates(stop)
    await office.watch.run()
    incident = await office.incident()
    assert (incident.escalation_id, incident.root_cause, incident.state) == (
        escalation.id,
        None,
        BrokenState.OPEN,
    )
    await office.resolves(
        escalation,
        root_cause=FailureReason.TRAFFIC,
        exclusion="force_majeure",
        resolution_note="Bridge closed",
        resolved_by="U0DANA",
    )
    await office.later()
    incident = await office.incident()
    assert (incident.root_cause, incident.exclusion, incident.note) == (
        FailureReason.TRAFFIC,
        "force_majeure",
        "Bridge closed",
    )
    assert (incident.exposure_usd, incident.state) == (0, BrokenState.CLOSED)


async def test_an_escalation_nobody_has_finished_keeps_it_open(office: Office) -> None:
    stop = await office.stop(DELIVERED, 25 * MINUTE)
    await office.escalates(stop, root_cause=FailureReason.TRAFFIC)
    await office.watch.run()
    await office.later(4 * 24 * 60)
    incident = await office.incident()
    assert (incident.root_cause, incident.state) == (FailureReason.TRAFFIC, BrokenState.OPEN)
    assert incident.look_at is not None


async def test_what_was_merged_is_dealt_with_where_it_went(office: Office) -> None:
    stop = await office.stop(DELIVERED, 25 * MINUTE)
    into = await office.escalates(root_cause=FailureReason.DEPOT)
    merged = await office.escalates(stop)
    await office.resolves(merged, merged_into=into.id)
    await office.watch.run()
    incident = await office.incident()
    assert (incident.escalation_id, incident.root_cause) == (into.id, FailureReason.DEPOT)


async def test_a_settled_incident_is_left_alone(office: Office) -> None:
    await office.stop(FAILED, -MINUTE, failure_reason=FailureReason.DAMAGED)
    await office.watch.run()
    await office.later(4 * 24 * 60)
    incident = await office.incident()
    assert (incident.state, incident.look_at) == (BrokenState.CLOSED, None)


async def test_the_review_reads_what_ended_in_its_period_of_its_client(office: Office) -> None:
    first = await office.stop(DELIVERED, 25 * MINUTE)
    other = await office.stop(DELIVERED, 5 * MINUTE, client="Nova", window_end_at=END + MINUTE)
    early = await office.stop(
        DELIVERED,
        -23 * 60 * MINUTE,
        window_end_at=END - timedelta(days=1),
        window_start_at=END - timedelta(days=1, hours=2),
    )
    escalation = await office.escalates(first)
    await office.holds(
        AuditLine(
            at=END + 3 * MINUTE,
            subject_kind="escalation",
            subject_id=str(escalation.id),
            actor="U0DANA",
            verb="acknowledged",
        )
    )
    await office.watch.run()
    await office.resolves(escalation)

    async def read(client: str | None, start: timedelta, end: timedelta) -> list[UUID]:
        async with office.database.transaction() as session:
            facts = await incidents_between(session, client, END + start, END + end)
        return [each.stop_id for each in facts]

    day, nothing = timedelta(days=1), timedelta(0)
    assert await read(None, -2 * day, day) == [early.id, first.id, other.id]
    assert await read("Acme", -2 * day, day) == [early.id, first.id]
    assert await read("Acme", nothing, MINUTE) == [first.id]
    assert await read("Acme", -day, nothing) == [early.id]
    async with office.database.transaction() as session:
        [facts] = await incidents_of_stops(session, [first.id])
    assert (facts.kind, facts.minutes_late, facts.exposure_usd) == ("breach", 25, 75)
    assert (facts.raised_at, facts.acknowledged_at, facts.resolved_at) == (END, END + 3 * MINUTE, END)
