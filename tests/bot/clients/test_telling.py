"""What clients are told without asking: by event at once, by mail together, by the ways that each has chosen, once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from bot.clients.models import ClientMail, ClientNews
from bot.db import Database
from bot.durable.queue import open_queue
from bot.handover.models import ClientEvent
from bot.incidents.models import BrokenState, PromiseIncident
from bot.recovery.models import RecoveryState
from bot.reports.models import MailState, ReportFile, ReportMail, ReportRun, RunState
from connectors.base import FailureReason, StopStatus
from connectors.email.emulator import MailEmulator
from connectors.emulation import Fault
from connectors.errors import ChannelUnavailableError
from tests.bot.clients.shipping import Shipping, a_stop, mailboxes, protocol_of
from tests.harness.clock import ManualClock
from tests.harness.codes import DOOR_CODE

CLIENTS = """
clients:
  Acme:
    email: [ops@acme.example, boss@acme.example]
    tell:
      redelivery: [email, webhook]
      breach: [email]
      daily_summary: {by: [email, webhook], at: "18:30", formats: [text, csv]}
  Nova: {}
  Sol: {email: hola@sol.example, language: es, tell: {redelivery: [email]}}
  Mute: {tell: {redelivery: [], breach: []}}
"""


@pytest.fixture
async def mail() -> AsyncIterator[MailEmulator]:
    async with mailboxes(ManualClock()) as emulator:
        yield emulator


@pytest.fixture
async def shipping(
    database: Database, database_url: str, tmp_path: Path, mail: MailEmulator
) -> AsyncIterator[Shipping]:
    async with open_queue(database_url).open_async():
        yield Shipping(database, ManualClock(), protocol_of(tmp_path, CLIENTS), mail)


# --- what is told -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "events", "mails"),
    [
        ("Acme", ["recovery.opened"], 2),
        ("Nova", ["recovery.opened"], 0),
        ("Sol", [], 1),
        ("Mute", [], 0),
        ("", [], 0),
        ("Unnamed", ["recovery.opened"], 0),
    ],
    ids=["both ways", "by default", "by mail only", "nothing", "no client", "not in sop.yml"],
)
async def test_each_client_is_told_by_the_ways_that_it_has_chosen(
    shipping: Shipping, client: str, events: list[str], mails: int
) -> None:
    recovery = await shipping.fails(1, client)
    await shipping.tells("recovery.opened", recovery)
    await shipping.waits(minutes=11)
    assert await shipping.kinds(client) == events
    assert len(await shipping.rows(ClientMail)) == mails


async def test_the_same_fact_twice_is_told_once_and_another_window_is_another_fact(
    shipping: Shipping,
) -> None:
    recovery = await shipping.fails(1)
    window = {"start_at": "2026-06-10T20:00:00Z", "end_at": "2026-06-10T22:00:00Z"}
    later = {"start_at": "2026-06-11T20:00:00Z", "end_at": "2026-06-11T22:00:00Z"}
    for _ in range(2):
        await shipping.tells("recovery.opened", recovery)
        await shipping.tells("recovery.reattempt_booked", recovery, window=window)
    await shipping.tells("recovery.reattempt_booked", recovery, window=later)
    told = ["recovery.opened", "recovery.reattempt_booked", "recovery.reattempt_booked"]
    assert await shipping.kinds() == told
    assert len(await shipping.rows(ClientNews)) == 3


@pytest.mark.parametrize("client", ["Acme", "Nova", "Sol"])
async def test_a_window_that_was_told_before_is_news_again_once_it_is_booked_again(
    shipping: Shipping, client: str
) -> None:
    recovery = await shipping.fails(1, client)
    first = {"start_at": "2026-06-10T20:00:00Z", "end_at": "2026-06-10T22:00:00Z"}
    shorter = {"start_at": "2026-06-10T20:00:00Z", "end_at": "2026-06-10T21:00:00Z"}
    for window in (first, first, shorter, first, first, shorter, first):
        await shipping.tells("recovery.reattempt_booked", recovery, window=window)
    told: Sequence[ClientNews | ClientEvent] = await shipping.rows(ClientNews)
    told = told or await shipping.rows(ClientEvent)
    ordered = sorted(told, key=lambda row: row.seq or 0)
    assert [row.facts["window"] for row in ordered] == [first, shorter, first, shorter, first]


async def test_an_event_says_what_the_tables_say_and_no_words_of_anybody(shipping: Shipping) -> None:
    second = a_stop(2, status=StopStatus.PLANNED, completed_at=None)
    await shipping.keeps(second)
    recovery = await shipping.fails(
        1,
        state=RecoveryState.BOOKED,
        reattempt_id=second.id,
        words=f"dog bit me, code {DOOR_CODE}",
        preference={"choice": "reattempt", "note": f"gate {DOOR_CODE}#", "place": "behind the planter"},
    )
    written = {"start_at": "2026-06-09T14:00:00-04:00", "end_at": "2026-06-09T16:00:00-04:00"}
    said = {"words": "secret", "phone": "+12125550100", "window": written}
    await shipping.tells("recovery.reattempt_booked", recovery, **said)
    [event] = await shipping.rows(ClientEvent)
    assert event.facts["window"] == {"start_at": "2026-06-09T18:00:00Z", "end_at": "2026-06-09T20:00:00Z"}
    assert (event.facts["second_tracking"], event.facts["choice"]) == ("T2", "reattempt")
    assert (event.facts["order_ref"], event.facts["reason"]) == ("PO-1", "recipient_unavailable")
    assert DOOR_CODE not in str(event.facts)
    for secret in ("planter", "dog", "secret", "Robin", "+1212"):
        assert secret not in str(event.facts)


async def test_a_kind_that_is_no_news_is_refused(shipping: Shipping) -> None:
    recovery = await shipping.fails(1)
    with pytest.raises(ValueError, match=r"stop\.delivered"):
        await shipping.tells("stop.delivered", recovery)


# --- one mail for many ------------------------------------------------------------------------------


async def test_many_failures_are_one_mail_with_a_line_each(shipping: Shipping) -> None:
    for number in range(30):
        await shipping.tells("recovery.opened", await shipping.fails(number))
    await shipping.waits(minutes=9)
    assert shipping.letters() == []
    await shipping.waits(minutes=1)
    [letter] = shipping.letters()
    assert letter.subject == "QuickShip: 30 failed deliveries"
    assert letter.text.count("not delivered, nobody was there") == 30
    assert len(shipping.letters("boss@acme.example")) == 1
    await shipping.waits(hours=2)
    assert len(shipping.letters()) == 1


async def test_two_replicas_make_one_mail_and_one_whose_job_is_gone_is_asked_for_again(
    shipping: Shipping,
) -> None:
    for number in range(3):
        await shipping.tells("recovery.opened", await shipping.fails(number, "Sol"))
    shipping.clock.move(timedelta(minutes=10))
    assert sum(await asyncio.gather(shipping.round.run(), shipping.round.run())) == 1
    before = await shipping.jobs("send_client_mail")
    assert await shipping.round.run() == 0
    assert await shipping.jobs("send_client_mail") == before
    shipping.clock.move(timedelta(minutes=10))
    assert await shipping.round.run() == 0
    assert await shipping.jobs("send_client_mail") == before + 1


async def test_a_stop_has_one_line_that_says_where_it_stands(shipping: Shipping) -> None:
    recovery = await shipping.fails(1)
    await shipping.tells("recovery.opened", recovery)
    window = {"start_at": "2026-06-10T20:00:00Z", "end_at": "2026-06-10T22:00:00Z"}
    await shipping.tells("recovery.reattempt_booked", recovery, window=window)
    await shipping.waits(minutes=10)
    [letter] = shipping.letters()
    assert letter.subject == "QuickShip: one failed delivery"
    assert letter.text.splitlines()[0] == "PO-1 (T1): second try Wed Jun 10, 4-6 pm."
    await shipping.tells("recovery.sent_back", recovery)
    await shipping.waits(minutes=10)
    assert shipping.letters()[-1].text.splitlines()[0] == "PO-1 (T1): is going back to you."


async def test_a_client_reads_its_language(shipping: Shipping) -> None:
    await shipping.tells("recovery.with_dispatcher", await shipping.fails(1, "Sol"))
    await shipping.waits(minutes=10)
    [letter] = shipping.letters("hola@sol.example")
    assert letter.subject == "QuickShip: una entrega fallida"
    assert letter.text.startswith("PO-1 (T1): no se entregó, no había nadie. La central decide cómo sigue.")


async def test_a_mail_whose_answer_was_lost_leaves_again_as_the_same_mail(shipping: Shipping) -> None:
    await shipping.tells("recovery.opened", await shipping.fails(1, "Sol"))
    shipping.clock.move(timedelta(minutes=10))
    assert await shipping.round.run() == 1
    assert await shipping.round.run() == 0
    [mail] = await shipping.rows(ClientMail)
    shipping.mail.faults.next(Fault("reset", after_work=True, path_contains="DATA"))
    with pytest.raises(ChannelUnavailableError):
        await shipping.mails.send(mail.id)
    for _ in range(2):
        await shipping.mails.send(mail.id)
    [letter] = shipping.letters("hola@sol.example")
    assert letter.copies == 2
    assert "List-Unsubscribe" not in dict(letter.headers)
    assert [each.state for each in await shipping.rows(ClientMail)] == [MailState.SENT]


async def test_who_has_taken_the_address_out_is_not_written_to(shipping: Shipping, tmp_path: Path) -> None:
    await shipping.tells("recovery.opened", await shipping.fails(1, "Sol"))
    protocol_of(
        tmp_path, CLIENTS.replace("email: hola@sol.example, language: es, tell: {redelivery: [email]}", "")
    )
    assert shipping.sop.reload_if_changed()
    await shipping.waits(minutes=10)
    assert await shipping.rows(ClientMail) == []
    assert [news for news in await shipping.rows(ClientNews) if news.told_at is None] == []


# --- breaches ---------------------------------------------------------------------------------------


async def test_a_broken_promise_is_told_once_in_the_way_its_client_chose(shipping: Shipping) -> None:
    for number, client in enumerate(("Acme", "Nova", "Mute"), start=1):
        await shipping.keeps(
            a_stop(number, client=client, status=StopStatus.OUT_FOR_DELIVERY, completed_at=None)
        )
    shipping.clock.move(timedelta(hours=4, minutes=5))
    await shipping.incidents.run()
    assert await shipping.breaches.run() == 2
    assert await shipping.breaches.run() == 0
    await shipping.incidents.run()
    assert await shipping.breaches.run() == 0
    assert (await shipping.kinds("Acme"), await shipping.kinds("Nova")) == ([], ["sla.breached"])
    await shipping.waits(minutes=10)
    [letter] = shipping.letters()
    assert letter.subject == "QuickShip: one delivery missed its window"
    assert letter.text.startswith("PO-1 (T1): not delivered within its window, Tue Jun 9, 2-4 pm.")
    [event] = await shipping.rows(ClientEvent)
    assert event.facts["promised"] == {"start_at": "2026-06-09T18:00:00Z", "end_at": "2026-06-09T20:00:00Z"}
    assert event.facts["tracking"] == "T2"
    assert "Robin" not in str(event.facts)


async def test_an_old_a_withdrawn_and_a_hand_made_breach_are_no_news(shipping: Shipping) -> None:
    stop = a_stop(1, client="Nova")
    await shipping.keeps(stop)
    now = shipping.clock.now()
    cases: list[dict[str, Any]] = [
        {"opened_at": now - timedelta(hours=13), "promised_end_at": now - timedelta(days=1)},
        {"opened_at": now, "promised_end_at": now, "state": BrokenState.WITHDRAWN},
        {"opened_at": now, "by_hand": True},
        {"opened_at": now, "kind": "failed_delivery", "promised_end_at": now + timedelta(days=1)},
    ]
    for case in cases:
        values: dict[str, Any] = {
            "kind": "breach",
            "stop_id": stop.id,
            "client": "Nova",
            "timezone": "UTC",
            "opened_by": "doorline",
        }
        await shipping.keeps(PromiseIncident(**(values | case)))
    assert await shipping.breaches.run() == 0


# --- a day in figures -------------------------------------------------------------------------------


async def a_day(shipping: Shipping) -> None:
    """Nine stops of Acme, one of Nova."""
    await shipping.keeps(
        *(a_stop(number) for number in range(10, 14)),
        a_stop(20, late=45),
        a_stop(30, status=StopStatus.OUT_FOR_DELIVERY, completed_at=None),
        a_stop(31, status=StopStatus.CANCELLED),
        a_stop(40, client="Nova"),
    )
    await shipping.fails(50, state=RecoveryState.BOOKED)
    await shipping.fails(51, state=RecoveryState.WITH_DISPATCHER)
    await shipping.fails(52, "Nova")


async def test_a_day_in_figures(shipping: Shipping) -> None:
    await a_day(shipping)
    shipping.clock.move(timedelta(hours=3))
    summary = (await shipping.days.read("Acme", shipping.clock.now().date())).summary
    assert (
        summary.stops,
        summary.delivered,
        summary.on_time,
        summary.late,
        summary.failed,
        summary.open,
    ) == (
        8,
        5,
        4,
        1,
        2,
        1,
    )
    assert [(each.reason, each.stops) for each in summary.failures] == [
        (FailureReason.RECIPIENT_UNAVAILABLE, 2)
    ]
    after = summary.follow_ups
    assert (after.opened, after.open, after.with_dispatcher, after.booked) == (2, 1, 1, 1)


async def test_the_daily_summary_is_mailed_once_at_its_time_with_its_file(shipping: Shipping) -> None:
    await a_day(shipping)
    raw: list[bytes] = []
    accept = shipping.mail.relay.accept

    async def watched(sender: str, recipients: list[str], content: bytes) -> None:
        raw.append(content)
        await accept(sender, recipients, content)

    shipping.mail.relay.accept = watched
    assert await shipping.schedule.run() == 0
    shipping.clock.move(timedelta(hours=6, minutes=29))
    assert await shipping.schedule.run() == 0
    shipping.clock.move(timedelta(minutes=1))
    assert await shipping.schedule.run() == 1
    assert await shipping.schedule.run() == 0
    [run] = [each for each in await shipping.rows(ReportRun) if each.state is RunState.MAKING]
    for _ in range(2):
        await shipping.maker.make(run.id)
    for waiting in await shipping.rows(ReportMail):
        await shipping.report_mails.send(waiting.id)
    [letter] = shipping.letters()
    assert letter.subject == "QuickShip: Acme deliveries, Tue Jun 9"
    assert letter.text.splitlines()[:8] == [
        "Tue Jun 9: 8 deliveries.",
        "Delivered: 5",
        "On time: 4",
        "Late: 2",
        "Failed: 2",
        "- nobody was there: 2",
        "Second tries booked: 1",
        "Failed and still being followed up: 1",
    ]
    assert len(shipping.letters("boss@acme.example")) == 1
    assert [each.name for each in await shipping.rows(ReportFile)] == [
        "sla-acme-2026-06-09-to-2026-06-09.csv"
    ]
    [event] = await shipping.rows(ClientEvent)
    assert (event.kind, event.facts["delivered"], event.facts["day"]) == ("summary.daily", 5, "2026-06-09")
    names = [part.get_filename() for part in message_from_bytes(raw[0]).walk() if part.get_filename()]
    assert names == ["sla-acme-2026-06-09-to-2026-06-09.csv"]


async def test_a_day_on_which_nothing_was_promised_is_not_mailed(shipping: Shipping) -> None:
    await shipping.schedule.run()
    shipping.clock.move(timedelta(hours=7))
    await shipping.schedule.run()
    for run in await shipping.rows(ReportRun):
        await shipping.maker.make(run.id)
    assert await shipping.rows(ReportMail) == []
    assert RunState.EMPTY in {run.state for run in await shipping.rows(ReportRun)}
