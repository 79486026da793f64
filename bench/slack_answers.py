"""How soon Slack is answered while texts are handled. `python -m bench.slack_answers`

The real app with its worker and clock, a process of its own, on a real PostgreSQL; signed requests as Slack sends them:
buttons, reactions, commands, opened homes. 20 texts a second come in and are answered meanwhile. Rasa is pretended, and
answers at once: what is measured is whether Slack waits for our own work. Slack itself gives an app three seconds.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import count
from time import perf_counter
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.results import keep, show, summary
from bench.stage import Stage, open_stage
from connectors.emulation import serving

BAR_P99_MS = 500.0
TEXTS_PER_SECOND = 20
GESTURES_PER_SECOND = 10
PHONES = [f"+1212555{number:04d}" for number in range(200, 300)]
CHANNEL, DISPATCHER = "C0DISPATCH", "U0DANA"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
DRAIN_SECONDS = 60.0

Body = tuple[str, str]
"""What Slack posts, and its content type."""

_numbers = count(1)


class PretendedRasa:
    """Rasa's HTTP API as far as we call it: one reply to every text, at once."""

    def __init__(self) -> None:
        self._trackers: dict[str, list[dict[str, Any]]] = {}
        self.app = Starlette(
            routes=[
                Route("/status", self._status),
                Route("/model/parse", self._parse, methods=["POST"]),
                Route("/webhooks/rest/webhook", self._turn, methods=["POST"]),
                Route("/conversations/{sender}/tracker", self._tracker),
            ]
        )

    async def _status(self, _request: Request) -> Response:
        return JSONResponse({"model_file": "pretended.tar.gz"})

    async def _parse(self, request: Request) -> Response:
        text = (await request.json())["text"]
        return JSONResponse({"text": text, "intent": {"name": "nlu_fallback", "confidence": 1.0}})

    async def _turn(self, request: Request) -> Response:
        turn = await request.json()
        reply = {"recipient_id": turn["sender"], "text": "On its way."}
        user = {"event": "user", "text": turn["message"], "metadata": turn["metadata"]}
        self._trackers[turn["sender"]] = [user, {"event": "bot", "text": reply["text"]}]
        return JSONResponse([reply])

    async def _tracker(self, request: Request) -> Response:
        return JSONResponse({"events": self._trackers.get(request.path_params["sender"], [])})


# --- what Slack sends ------------------------------------------------------------------------------


def button() -> Body:
    """About an escalation that is not there: it is stored and handled like any other."""
    number = next(_numbers)
    return _interaction(
        {
            "type": "block_actions",
            "container": {"type": "message", "message_ts": "1718048000.000100", "channel_id": CHANNEL},
            "channel": {"id": CHANNEL, "name": "dispatch"},
            "actions": [
                {
                    "action_id": "acknowledge",
                    "block_id": "b",
                    "type": "button",
                    "value": str(uuid4()),
                    "action_ts": f"1718048000.{number:06d}",
                }
            ],
        }
    )


def reaction() -> Body:
    item = {"type": "message", "channel": CHANNEL, "ts": "1718048000.000100"}
    return _event({"type": "reaction_added", "user": DISPATCHER, "reaction": "eyes", "item": item})


def opened_home() -> Body:
    return _event({"type": "app_home_opened", "user": DISPATCHER, "tab": "home", "channel": "D0DANA"})


def command() -> Body:
    form = {
        "command": "/doorline",
        "text": f"stop T{next(_numbers)}",
        "user_id": DISPATCHER,
        "channel_id": CHANNEL,
        "trigger_id": f"{next(_numbers)}.1.x",
        "team_id": "T0DOORLINE",
    }
    return urlencode(form), FORM


def _interaction(payload: dict[str, Any]) -> Body:
    person = {"id": DISPATCHER, "team_id": "T0DOORLINE"}
    whole = {"user": person, "team": {"id": "T0DOORLINE"}, "trigger_id": f"{next(_numbers)}.1.x", **payload}
    return urlencode({"payload": json.dumps(whole)}), FORM


def _event(event: dict[str, Any]) -> Body:
    number = next(_numbers)
    envelope = {
        "type": "event_callback",
        "team_id": "T0DOORLINE",
        "event_id": f"Ev{number:010d}",
        "event": {"event_ts": f"1718048100.{number:06d}", **event},
        "authorizations": [{"team_id": "T0DOORLINE", "user_id": "U0DOORLINE", "is_bot": True}],
    }
    return json.dumps(envelope), JSON


GESTURES: dict[str, Callable[[], Body]] = {
    "button": button,
    "reaction": reaction,
    "command": command,
    "opened home": opened_home,
}


# --- the measurement ----------------------------------------------------------------------------------


async def measure(seconds: int) -> int:
    rasa = PretendedRasa()
    async with serving(rasa.app) as rasa_url, open_stage(PHONES, rasa_url=rasa_url) as stage:
        await asyncio.sleep(3)  # the first read of the platform, the registration of webhooks
        load = os.getloadavg()[0]
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            texting = asyncio.create_task(_texts(stage, seconds))
            timings, refused = await _gestures(stage, http, seconds)
            webhooks = await texting
        answered = await _answered(stage, len(webhooks))
        homes = stage.slack.api.calls["views.publish"]
    rows = {name: summary(values) for name, values in timings.items()}
    rows["all of Slack's"] = summary([each for values in timings.values() for each in values])
    rows["texts' webhooks"] = summary(webhooks)
    show(
        f"Slack answered while {TEXTS_PER_SECOND} texts/s are handled, {seconds} s, Rasa pretended (ms)", rows
    )
    p99 = rows["all of Slack's"]["p99"]
    is_met = p99 < BAR_P99_MS and not refused and answered == len(webhooks)
    figures = {
        "unit": "ms",
        "rasa": "pretended",
        "bar_p99": BAR_P99_MS,
        "met": is_met,
        "seconds": seconds,
        "texts_per_second": TEXTS_PER_SECOND,
        "texts_answered": f"{answered} of {len(webhooks)}",
        "slack_requests_refused": refused,
        "homes_published": homes,
        "load_before": round(load, 1),
        "answers": rows,
    }
    file = keep("slack_answers", figures)
    print(
        f"p99 {p99:.0f} ms, the bar is {BAR_P99_MS:.0f} ms; {refused} refused; {answered} of {len(webhooks)} texts"
        f" answered; load before {load:.1f}; written to {file.relative_to(file.parents[2])}"
    )
    return 0 if is_met else 1


async def _texts(stage: Stage, seconds: int) -> list[float]:
    """Seconds until our webhook had answered, for each text."""

    async def one(number: int) -> float:
        began_at = perf_counter()
        result = await stage.twilio.text(PHONES[number % len(PHONES)], "where is my delivery")
        if result.webhook_status != 200:
            raise RuntimeError(f"the texts' webhook answered {result.webhook_status}")
        return perf_counter() - began_at

    return [await each async for each in _paced(one, TEXTS_PER_SECOND, seconds)]


async def _gestures(
    stage: Stage, http: httpx.AsyncClient, seconds: int
) -> tuple[dict[str, list[float]], int]:
    """Seconds until Slack had its answer, by gesture, and how many were not answered with 200."""
    names = list(GESTURES)
    verifier = SignatureVerifier("bench")

    async def one(number: int) -> tuple[str, float, bool]:
        name = names[number % len(names)]
        body, content_type = GESTURES[name]()
        headers = _signed(verifier, body) | {"content-type": content_type}
        began_at = perf_counter()
        answer = await http.post(f"{stage.url}/connectors/slack/events", content=body, headers=headers)
        return name, perf_counter() - began_at, answer.status_code == 200

    timings: dict[str, list[float]] = {name: [] for name in names}
    refused = 0
    async for each in _paced(one, GESTURES_PER_SECOND, seconds):
        name, length, is_taken = await each
        timings[name].append(length)
        refused += not is_taken
    return timings, refused


def _signed(verifier: SignatureVerifier, body: str) -> dict[str, str]:
    timestamp = str(int(time.time()))
    signature = verifier.generate_signature(timestamp=timestamp, body=body)
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature or ""}


async def _paced(
    one: Callable[[int], Coroutine[Any, Any, Any]], per_second: int, seconds: int
) -> AsyncIterator[asyncio.Task[Any]]:
    """Begins one after the other on time, however long each takes; then gives them all."""
    began_at, begun = perf_counter(), []
    for number in range(per_second * seconds):
        await asyncio.sleep(max(0.0, began_at + number / per_second - perf_counter()))
        begun.append(asyncio.create_task(one(number)))
    for task in begun:
        yield task


async def _answered(stage: Stage, texts: int) -> int:
    """How many replies reached the carrier, after the queue had time to end its work."""
    deadline = perf_counter() + DRAIN_SECONDS
    while len(stage.twilio.arrivals) < texts and perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return min(len(stage.twilio.arrivals), texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    sys.exit(asyncio.run(measure(options.seconds)))


if __name__ == "__main__":
    main()
