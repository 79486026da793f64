"""What people say of an incident and plan about it: it stays, it is audited, and the incident closes with it."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.durable.queue import open_queue
from bot.errors import NotFoundError
from bot.incidents.handling import FollowUpChange, NotInProtocolError, Said
from bot.incidents.models import BrokenKind, BrokenState, FollowUp, PromiseIncident
from bot.incidents.reminding import FollowUpReminders
from connectors.base import FailureReason, StopStatus
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand
from tests.bot.incidents.office import END, MINUTE, Office

DANA, NOOR = "U0DANA", "person:noor"
DAY = date(2026, 6, 12)


async def a_breach(office: Office) -> PromiseIncident:
    await office.stop(StopStatus.DELIVERED, 25 * MINUTE)
    await office.watch.run()
    return await office.incident()


async def verbs(office: Office, incident: PromiseIncident) -> list[tuple[str, str]]:
    lines = await office.rows(AuditLine, col(AuditLine.subject_id) == str(incident.id))
    return [(line.verb, line.actor) for line in sorted(lines, key=lambda line: line.id)]


async def test_a_cause_closes_it_and_excludes_it_by_the_rules(office: Office) -> None:
    incident = await a_breach(office)
    said = await office.handling.say(incident.id, Said(FailureReason.WEATHER), DANA)
    assert (said.state, said.exclusion, said.exposure_usd) == (BrokenState.CLOSED, "force_majeure", 0)
    assert await verbs(office, incident) == [
        ("opened", "doorline"),
        ("cause_said", DANA),
        ("closed", "doorline"),
    ]


async def test_what_a_person_said_outlasts_what_the_escalation_says_later(office: Office) -> None:
    stop = await office.stop(StopStatus.DELIVERED, 25 * MINUTE)
    escalation = await office.escalates(stop)
    await office.watch.run()
    incident = await office.incident()
    await office.handling.say(incident.id, Said(FailureReason.DEPOT, exclusion=""), DANA)
    await office.resolves(escalation, root_cause=FailureReason.WEATHER, exclusion="force_majeure")
    await office.later()
    incident = await office.incident()
    assert (incident.root_cause, incident.exclusion, incident.exposure_usd) == (FailureReason.DEPOT, "", 75)


async def test_what_sop_does_not_know_changes_nothing(office: Office) -> None:
    incident = await a_breach(office)
    with pytest.raises(NotInProtocolError):
        await office.handling.say(incident.id, Said(FailureReason.TRAFFIC, exclusion="bad_karma"), DANA)
    for owner in ("person:nobody", "Dana", "", "U", "W0x"):
        with pytest.raises(NotInProtocolError):
            await office.handling.plan(incident.id, "Call them", owner, DAY, DANA)
    after = await office.incident()
    assert (after.root_cause, await office.rows(FollowUp)) == (None, [])


async def test_it_stays_open_until_everything_planned_is_done(office: Office) -> None:
    incident = await a_breach(office)
    first = await office.handling.plan(incident.id, "Call them, code 4471#", DANA, DAY, DANA)
    second = await office.handling.plan(incident.id, "New route", NOOR, DAY, DANA)
    assert first.what == "Call them, code ••••"
    await office.handling.say(incident.id, Said(FailureReason.TRAFFIC), DANA)
    await office.handling.change_plan(first.id, FollowUpChange(done=True), DANA)
    assert (await office.incident()).state is BrokenState.OPEN
    await asyncio.gather(
        *(office.handling.change_plan(second.id, FollowUpChange(done=True), who) for who in (DANA, NOOR))
    )
    assert (await office.incident()).state is BrokenState.CLOSED
    told = [verb for verb, _ in await verbs(office, incident)]
    assert (told.count("follow_up_done"), told.count("closed")) == (2, 1)


async def test_a_plan_opens_a_closed_incident_again(office: Office) -> None:
    incident = await a_breach(office)
    closed = await office.handling.say(incident.id, Said(close=True), DANA)
    assert (closed.state, closed.closed_by) == (BrokenState.CLOSED, DANA)
    await office.handling.plan(incident.id, "Call them", DANA, DAY, DANA)
    again = await office.incident()
    assert (again.state, again.closed_at, again.closed_by) == (BrokenState.OPEN, None, None)


async def test_nothing_is_planned_about_an_incident_that_is_not_there(office: Office) -> None:
    stop = await office.stop()
    for deed in (
        office.handling.plan(stop.id, "Call them", DANA, DAY, DANA),
        office.handling.say(stop.id, Said(close=True), DANA),
        office.handling.change_plan(stop.id, FollowUpChange(done=True), DANA),
    ):
        with pytest.raises(NotFoundError):
            await deed


# --- made by hand ---------------------------------------------------------------------------------


def command(vendor_id: str = "V1", **fields: str) -> DeskCommand:
    return DeskCommand(
        vendor_id=vendor_id,
        kind=CommandKind.MAKE_INCIDENT,
        dispatcher=DANA,
        channel="C0DISPATCH",
        fields=fields,
        occurred_at=END,
    )


def answered(answer: CommandAnswer) -> tuple[AnswerCode, str]:
    return answer.code, answer.number


async def test_one_made_of_a_message_is_about_its_stop_and_made_once(office: Office) -> None:
    stop = await office.stop(StopStatus.DELIVERED, -MINUTE)
    await office.escalates(stop, slack_channel="C0DISPATCH", slack_ts="17.1")
    wanted = command(
        kind="damaged", words="Box crushed, code 4471#", message_channel="C0DISPATCH", message_ts="17.1"
    )
    both = await asyncio.gather(*(office.making.make(wanted) for _ in range(2)))
    assert {answered(each) for each in both} == {(AnswerCode.INCIDENT_MADE, "INC-1001")}
    incident = await office.incident()
    assert (incident.stop_id, incident.kind, incident.client) == (stop.id, BrokenKind.DAMAGED, "Acme")
    assert (incident.note, incident.opened_by) == ("Box crushed, code ••••", DANA)
    assert await verbs(office, incident) == [("opened", DANA), ("note_written", DANA)]
    again = await office.making.make(command("V2", kind="damaged", stop=stop.tracking.lower()))
    assert answered(again) == (AnswerCode.INCIDENT_ALREADY_THERE, "INC-1001")


async def test_a_breach_that_the_watch_knows_gets_no_second_one(office: Office) -> None:
    stop = await office.stop(StopStatus.DELIVERED, 25 * MINUTE)
    await office.watch.run()
    incident = await office.incident()
    made = await office.making.make(command(kind="breach", stop=stop.tracking))
    assert answered(made) == (AnswerCode.INCIDENT_ALREADY_THERE, incident.name)


async def test_a_breach_that_a_dispatcher_saw_first_becomes_the_watchs(office: Office) -> None:
    stop = await office.stop()
    office.clock.at = END - MINUTE
    await office.making.make(command(kind="breach", root_cause="vehicle", stop=stop.tracking))
    assert await office.watch.run() == 0
    office.clock.at = END + 10 * MINUTE
    assert await office.watch.run() == 1
    await office.later()
    incident = await office.incident()
    assert (incident.by_hand, incident.root_cause, incident.minutes_late) == (
        False,
        FailureReason.VEHICLE,
        11,
    )
    assert incident.exposure_usd == 75


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stop": "NOBODY"},
        {"escalation_id": "none"},
        {"message_channel": "C1", "message_ts": "1.2"},
    ],
)
async def test_of_nothing_nothing_is_made(office: Office, fields: dict[str, str]) -> None:
    answer = await office.making.make(command(**fields))
    assert answer.code is AnswerCode.NOTHING_FOUND
    assert await office.incidents() == []


async def test_one_about_several_clients_is_no_clients(office: Office) -> None:
    stops = [await office.stop(), await office.stop(client="Nova")]
    escalation = await office.escalates(*stops)
    await office.resolves(escalation, client="Acme, Nova")
    await office.making.make(command(kind="other", escalation_id=str(escalation.id)))
    incident = await office.incident()
    assert (incident.stop_id, incident.escalation_id, incident.client) == (None, escalation.id, "")
    assert (await office.report(incident.id)).headline == "Made an incident by dispatch: other."


# --- reminders ------------------------------------------------------------------------------------


async def told(office: Office) -> list[dict[str, Any]]:
    async with open_queue(office.database.url).open_async() as queue:
        jobs = await queue.job_manager.list_jobs_async(task="tell_command_answer")
        return [dict(job.task_kwargs) for job in jobs]


async def test_an_owner_is_reminded_once_in_the_morning_of_the_day(office: Office) -> None:
    incident = await a_breach(office)
    planned = await office.handling.plan(incident.id, "Call Acme", "person:dana", DAY, DANA)
    await office.handling.plan(incident.id, "Not in Slack", NOOR, DAY, DANA)
    done = await office.handling.plan(incident.id, "Done before", DANA, DAY, DANA)
    await office.handling.change_plan(done.id, FollowUpChange(done=True), DANA)
    reminders = [FollowUpReminders(office.database, office.clock, office.sop) for _ in range(3)]
    office.clock.at = END.replace(day=12, hour=12) - timedelta(seconds=1)
    assert await reminders[0].run() == 0
    office.clock.move(timedelta(seconds=1))
    assert sum(await asyncio.gather(*(each.run() for each in reminders))) == 1
    assert await reminders[0].run() == 0
    [job] = await told(office)
    answer = CommandAnswer.model_validate_json(job["answer"])
    assert (job["dispatcher"], answer.code, answer.number, answer.detail) == (
        DANA,
        AnswerCode.FOLLOW_UP_DUE,
        incident.name,
        "Call Acme",
    )
    await office.handling.change_plan(planned.id, FollowUpChange(due_on=DAY + timedelta(days=1)), DANA)
    office.clock.move(timedelta(days=1))
    assert await reminders[0].run() == 1
