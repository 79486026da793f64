"""Text in -> reply handed to Twilio, while nothing else happens. `python -m bench.answer_time`

From the moment at which the carrier posts the text to the moment at which our reply reaches it, over the real app,
the real Rasa and PostgreSQL, each a process of its own, with the vendors pretended on loopback.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import text

from bench.results import keep, show, summary
from bench.stage import Stage, open_stage
from bot.db import Database

BAR_P50_MS = 250.0
PATIENCE_SECONDS = 30.0
PHONES = [f"+1212555{number:04d}" for number in range(100, 120)]
BODIES = (
    "where is my delivery",
    "is it coming today",
    "thanks",
    "when will my package get here",
    "ok thank you",
)

STAGES = text(
    """
    SELECT extract(epoch FROM reply.created_at - inbound.received_at) AS understood,
           extract(epoch FROM reply.attempted_at - reply.created_at) AS taken_up,
           extract(epoch FROM reply.sent_at - reply.attempted_at) AS handed_over
    FROM outbound_message AS reply JOIN inbound_message AS inbound ON inbound.id = reply.in_reply_to
    WHERE reply.purpose = 'answer' AND reply.sent_at IS NOT NULL
    ORDER BY inbound.received_at DESC LIMIT :count
    """
)


@dataclass(frozen=True)
class Timing:
    webhook: float
    """Seconds until our webhook had answered."""
    answer: float
    """Seconds until the reply was at the carrier."""


async def measure(texts: int, warm_up: int) -> int:
    async with open_stage(PHONES) as stage:
        await asyncio.sleep(3)  # the first read of the platform, the registration of webhooks
        timings = [await _one_text(stage, *_nth(number)) for number in range(warm_up + texts)]
        stages = await _stages(stage, texts)
    timings = timings[warm_up:]
    rows = {
        "reply at the carrier": summary([timing.answer for timing in timings]),
        "webhook answered": summary([timing.webhook for timing in timings]),
        **{name: summary(values) for name, values in stages.items()},
    }
    show(f"Text in -> reply handed to Twilio, idle, {texts} texts (ms)", rows)
    p50 = rows["reply at the carrier"]["p50"]
    file = keep("answer_time", {"unit": "ms", "bar_p50": BAR_P50_MS, "met": p50 < BAR_P50_MS, "stages": rows})
    print(f"p50 {p50:.0f} ms, the bar is {BAR_P50_MS:.0f} ms; written to {file.relative_to(file.parents[2])}")
    return 0 if p50 < BAR_P50_MS else 1


def _nth(number: int) -> tuple[str, str]:
    """Everybody writes in turn, as many people do: each conversation stays short."""
    return PHONES[number % len(PHONES)], BODIES[number // len(PHONES) % len(BODIES)]


async def _one_text(stage: Stage, phone: str, body: str) -> Timing:
    """One text, and then quiet until its receipts have come in."""
    seen = len(stage.twilio.arrivals)
    began_at = perf_counter()
    result = await stage.twilio.text(phone, body)
    webhook = perf_counter() - began_at
    if result.webhook_status != 200:
        raise RuntimeError(f"the webhook answered {result.webhook_status}")
    while len(stage.twilio.arrivals) == seen:
        await asyncio.sleep(0.001)
        if perf_counter() - began_at > PATIENCE_SECONDS:
            raise RuntimeError(f"no reply within {PATIENCE_SECONDS:.0f} s")
    arrived_at = stage.twilio.arrivals[seen][1]
    await stage.twilio.settled()
    await asyncio.sleep(0.15)
    return Timing(webhook, arrived_at - began_at)


async def _stages(stage: Stage, count: int) -> dict[str, list[float]]:
    """Where the time goes, by the instants in our own tables."""
    database = Database(stage.database_url)
    async with database.transaction() as session:
        rows = list(await session.execute(STAGES, {"count": count}))
    await database.close()
    return {
        "... stored until understood": [float(row.understood) for row in rows],
        "... reply queued until taken up": [float(row.taken_up) for row in rows],
        "... taken up until acknowledged": [float(row.handed_over) for row in rows],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--warm-up", type=int, default=10)
    options = parser.parse_args()
    sys.exit(asyncio.run(measure(options.texts, options.warm_up)))


if __name__ == "__main__":
    main()
