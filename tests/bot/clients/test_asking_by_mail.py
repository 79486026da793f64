"""Clients ask by mail: about their own stops only, believed only where a trusted server vouches for the sender."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import col

from bot.escalations.models import Escalation
from bot.recovery.models import Recovery, RecoveryState
from bot.sop_recovery import Flow
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus
from connectors.escalation import Severity
from tests.bot.clients.shipping import a_stop, protocol_of
from tests.harness.people import readable
from tests.harness.world import Setting, World

AUTHSERV = "mx.quickship.example"
CLIENTS = """
clients:
  Acme: {email: [Ops@acme.example, boss@acme.example]}
  Nova: {email: ops@nova.example}
  Sol: {email: hola@sol.example, language: es}
"""
VOUCHED = {"headers": (("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=acme.example"),)}
FORGED = {"headers": (("Authentication-Results", f"{AUTHSERV}; dmarc=fail header.from=acme.example"),)}
SELF_WRITTEN = {"headers": (("Authentication-Results", "mx.acme.example; dmarc=pass"),)}


@pytest.fixture
async def desk(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    """Tuesday noon: of Acme PO-10 delivered, PO-20 on its way, PO-30 failed; of Nova PO-77 failed."""
    protocol_of(tmp_path, CLIENTS)
    world = World(bare_setting, sop=tmp_path / "sop.yml", with_mail=True, with_app=False)
    async with world:
        await world.start_app(email_trusted_authserv=AUTHSERV)
        await keep(
            world,
            a_stop(10, late=-240),
            a_stop(20, status=StopStatus.OUT_FOR_DELIVERY, completed_at=None, eta_at=world.local("15:20")),
            a_stop(30, late=-250, **FAILED),
            a_stop(77, client="Nova", recipient_name="Kim Poe", late=-250, **FAILED),
        )
        yield world


FAILED = {"status": StopStatus.FAILED, "failure_reason": FailureReason.RECIPIENT_UNAVAILABLE}


async def keep(world: World, *rows: StopRecord | Recovery) -> None:
    async with world.doorline.services.database.transaction() as session:
        session.add_all(rows)


async def test_a_client_hears_where_its_stops_are_in_its_thread(desk: World) -> None:
    answer = await desk.writer("ops@acme.example").asks(
        "status of PO-10 and po-20, and T30?", subject="Orders", **VOUCHED
    )
    assert answer.subject == "Re: Orders"
    assert answer.text.splitlines() == [
        "PO-10 (T10): delivered, 12 pm on Tue Jun 9.",
        "PO-20 (T20): on the way, about 3:20 pm on Tue Jun 9. Window Tue Jun 9, 2-4 pm.",
        "PO-30 (T30): not delivered, nobody was there.",
    ]
    again = await desk.writer("ops@acme.example").asks("which failed today?", **VOUCHED)
    assert again.in_reply_to
    assert again.text.splitlines() == [
        "Tue Jun 9, failed deliveries: 1",
        "PO-30 (T30): not delivered, nobody was there.",
    ]


async def test_another_clients_number_is_answered_as_one_that_nobody_has(desk: World) -> None:
    answer = await desk.writer("boss@acme.example").asks("status of PO-77, T77 and PO-99?", **VOUCHED)
    assert answer.text.splitlines() == [
        "PO-77: no delivery of yours that we know.",
        "T77: no delivery of yours that we know.",
        "PO-99: no delivery of yours that we know.",
    ]


@pytest.mark.parametrize("headers", [FORGED, SELF_WRITTEN, {}], ids=["forged", "says so itself", "nothing"])
async def test_a_mail_that_nobody_vouches_for_hears_nothing_of_stops(
    desk: World, headers: dict[str, tuple[tuple[str, str], ...]]
) -> None:
    answer = await desk.writer("ops@acme.example").asks("status of PO-10? summary, which failed", **headers)
    assert answer.text.startswith("We could not verify that this mail comes from your address")
    assert "PO-10" not in answer.text


async def test_a_summary_and_a_follow_up_are_told(desk: World) -> None:
    failed = (await desk.rows(StopRecord, col(StopRecord.tracking) == "T30"))[0]
    second = a_stop(31, status=StopStatus.PLANNED, completed_at=None)
    await keep(desk, second)
    recovery = Recovery(
        stop_id=failed.id,
        client="Acme",
        timezone="America/New_York",
        reason=FailureReason.RECIPIENT_UNAVAILABLE,
        flow=Flow.WINDOWS,
        state=RecoveryState.BOOKED,
        reattempt_id=second.id,
        failed_at=desk.clock.now(),
        opened_at=desk.clock.now(),
        preference={"choice": "reattempt", "note": "gate 4471#"},
    )
    await keep(desk, recovery)
    writer = desk.writer("ops@acme.example")
    followed = await writer.asks("what about the re-deliveries?", **VOUCHED)
    assert followed.text.splitlines()[1] == "PO-30 (T30): second try Tue Jun 9, 2-4 pm."
    summary = await writer.asks("summary", **VOUCHED)
    assert summary.text.splitlines()[:3] == ["Tue Jun 9: 4 deliveries.", "Delivered: 1", "On time: 1"]
    assert "4471" not in followed.text + summary.text


async def test_a_client_is_answered_in_the_language_it_writes(desk: World) -> None:
    vouched = {"headers": (("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=sol.example"),)}
    none = await desk.writer("hola@sol.example").asks("¿cuáles fallaron hoy?", **vouched)
    assert none.text.strip() == "mar 9 jun: ninguna entrega fallida."
    known = await desk.writer("ops@acme.example").asks("¿dónde está el pedido PO-10?", **VOUCHED)
    assert known.text.strip() == "PO-10 (T10): se entregó, 12 pm del mar 9 jun."


async def test_what_is_not_understood_reaches_a_dispatcher_and_the_client_is_told_so(desk: World) -> None:
    writer = desk.writer("ops@acme.example")
    answer = await writer.asks("Please cancel PO-20, the order was wrong", **VOUCHED)
    assert answer.text.splitlines()[0].startswith("PO-20 (T20): on the way")
    assert answer.text.splitlines()[1].startswith("A dispatcher has the rest and answers here by")
    [escalation] = await desk.rows(Escalation, col(Escalation.severity) == Severity.RECIPIENT_WAITING)
    message = await desk.channel_shows("A client asks by mail")
    shown = readable(message)
    assert shown.startswith(":red_circle: *Client waiting*")
    assert "writes to the client" in shown
    assert "Robin" not in shown
    await desk.dispatcher().reacts(message, "eyes")
    await desk.channel_shows("has it")
    before = len(writer.mailbox())
    # A dispatcher has it now: the bot is silent, whatever is asked.
    await writer.writes("status of PO-10?", **VOUCHED)
    await desk.settled()
    assert len(writer.mailbox()) == before
    assert escalation.client == "Acme"


async def test_thanks_are_not_answered_and_a_recipient_is_still_a_recipient(desk: World) -> None:
    writer = desk.writer("ops@acme.example")
    await writer.writes("Thanks!", **VOUCHED)
    await desk.settled()
    assert writer.mailbox() == []
    # Somebody whose address stands under no client meets the dialogue, vouched for or not.
    stranger = await desk.writer("robin@mail.example").asks("status of PO-10?", **VOUCHED)
    assert "delivered" not in stranger.text
