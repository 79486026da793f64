"""What a dispatcher tells recipients: in the language in which everything else is told unasked."""

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from actions import speech
from bot.conversations.consent import ConsentLedger
from bot.db import Database
from bot.durable.models import OutboundText
from bot.escalations.deeds.recipient_texts import Message, Order, RecipientTexts, Told
from bot.sop import ProtocolInForce
from tests.bot.notifications.scenes import NOON
from tests.bot.notifications.test_looking import WORDS, a_held_conversation, a_record
from tests.harness.clock import ManualClock
from tests.harness.protocol import protocol_with

PHONE = "+12125550100"


@pytest.mark.parametrize(("language", "expected"), [("es", "su paquete"), ("en", "your Acme parcel")])
async def test_a_stranger_is_told_of_a_delay_in_the_language_of_the_clients_notices(
    database: Database, tmp_path: Path, language: str, expected: str
) -> None:
    clock = ManualClock(NOON)
    sop = protocol_with(tmp_path, {"  apart_minutes:": f"  language: {language}\n  apart_minutes:"})
    texts = RecipientTexts(clock, ProtocolInForce(sop), ConsentLedger(clock), WORDS, speech)
    async with database.transaction() as session:
        stop = a_record(PHONE)
        session.add(stop)
        escalation_id = await a_held_conversation(session, clock, "+12125550199")
        order = Order(escalation_id, Message.RUNNING_LATE, "U1")
        assert await texts.tell(session, stop, order) is Told.SENT
        said = await session.scalar(
            select(col(OutboundText.text)).where(col(OutboundText.recipient) == PHONE)
        )
    assert expected in (said or "")
