"""Whatever somebody texts: taken, answered or rightly left unanswered, and nothing breaks on the way.

`DOORLINE_ANY_TEXTS=2000` makes it thorough: some minutes.
"""

import asyncio
import os
import time
from collections import Counter
from functools import partial
from random import Random

import pytest
from sqlmodel import col
from structlog.testing import capture_logs

from bot.conversations.models import InboundState, InboundText
from bot.durable.models import OutboundText
from tests.harness.noise import any_text
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa

TEXTS = int(os.environ.get("DOORLINE_ANY_TEXTS", "200"))
PEOPLE = 40
AT_ONCE = 10
ROUNDS_PER_PHONE = 10
"""Then everybody takes another: a conversation that a dispatcher holds is not the bot's any more."""
SEED = 20_261_122
SECONDS_PER_TEXT = 1.5
"""On a slow machine with much else to do; a turn alone takes a tenth of it."""
SETTLED = {InboundState.ANSWERED, InboundState.SILENT, InboundState.HELD}
"""Answered; opted out or a keyword that the carrier answers; a dispatcher's."""


async def test_any_text_is_answered_or_rightly_left_and_breaks_nothing(world: World) -> None:
    for number in range(0, PEOPLE, 2):
        await world.has_stop(phone=phone_of(number, 0))
    rasa_log = world.setting.var / "rasa.log"
    rasa_said = rasa_log.stat().st_size
    rng, began = Random(SEED), time.monotonic()
    with capture_logs() as logs:
        for round_ in range(TEXTS // PEOPLE):
            await everybody_texts(world, rng, round_)
    took = time.monotonic() - began

    texts = await world.rows(InboundText)
    states = Counter(text.state.value for text in texts)
    print(f"{len(texts)} texts in {took:.0f} s: {dict(states)}")  # noqa: T201 - what one runs it for
    assert [text.text[:200] for text in texts if text.state not in SETTLED] == []
    assert len(texts) == TEXTS
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    with rasa_log.open(encoding="utf-8", errors="replace") as log:
        log.seek(rasa_said)
        assert "Traceback" not in log.read()
    await answers_are_fit_to_be_read(world, texts)
    assert took < TEXTS * SECONDS_PER_TEXT


def phone_of(number: int, round_: int) -> str:
    return f"+1212555{number + PEOPLE * (round_ // ROUNDS_PER_PHONE):04}"


async def everybody_texts(world: World, rng: Random, round_: int) -> None:
    """One text each; some people at once, and the next ones when those are settled. Every second has a stop."""
    for first in range(0, PEOPLE, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        texts = [(number, any_text(rng)) for number in numbers]
        await asyncio.gather(
            *(
                world.recipient(phone_of(number, round_)).texts(text, sid=f"SM{number:016x}{round_:016x}")
                for number, text in texts
            )
        )
        await eventually(
            partial(world.rows, InboundText, col(InboundText.state) == InboundState.RECEIVED),
            lambda waiting: not waiting,
            "everybody's text to be settled",
            patience=120,
        )


async def answers_are_fit_to_be_read(world: World, texts: list[InboundText]) -> None:
    """Every answered text has its one answer, and no answer shows what is behind it."""
    sent = await world.rows(OutboundText)
    answers = [message for message in sent if message.in_reply_to is not None]
    answered = {text.id for text in texts if text.state is InboundState.ANSWERED}
    assert {message.in_reply_to for message in answers} >= answered
    for message in answers:
        assert message.text.strip()
        for leak in ("utter_", "action_", "{operator", "{parcel", "None", "Traceback"):
            assert leak not in message.text, message.text
