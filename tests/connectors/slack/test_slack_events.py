"""The emulator delivering to the real bolt app: signed, retried, through a kill of either side."""

import asyncio
import json
from pathlib import Path

import httpx
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.emulation import serving
from connectors.errors import StorageUnavailableError
from connectors.escalation import DispatcherVerb, EscalationState
from connectors.slack.emulator import SlackEmulator
from tests.connectors.slack.slack_world import (
    BOT_TOKEN,
    Clock,
    SlackWorld,
    make_view,
    pretended_slack,
    wait_until,
)

DANA = "U0DANA0001"


def as_dana(world: SlackWorld) -> AsyncWebClient:
    return AsyncWebClient(token=f"xoxp-{DANA}", base_url=world.api)


async def test_a_dispatchers_eyes_reach_us_and_taking_them_off_too(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    dana = as_dana(listening)
    await dana.reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
    await wait_until(lambda: len(listening.receiver.actions) == 1)
    await dana.reactions_remove(channel=posted.channel, name="eyes", timestamp=posted.ts)
    await wait_until(lambda: len(listening.receiver.actions) == 2)
    first, second = listening.receiver.actions
    assert (first.verb, second.verb) == (DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.WITHDRAW)
    assert (first.dispatcher, first.channel, first.message_ts) == (DANA, posted.channel, posted.ts)
    assert (await listening.channel())[0]["reactions"] == []


async def test_a_check_mark_with_a_skin_tone_neighbour_resolves(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    order = {"channel": posted.channel, "ts": posted.ts, "user": DANA}
    await listening.control("react", {**order, "name": "eyes::skin-tone-3"})
    await listening.control("react", {**order, "name": "white_check_mark"})
    await wait_until(lambda: len(listening.receiver.actions) == 2)
    verbs = {action.verb for action in listening.receiver.actions}
    assert verbs == {DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.RESOLVE}


async def test_our_own_reactions_are_no_news(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    bot = AsyncWebClient(token=BOT_TOKEN, base_url=listening.api)
    await bot.reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
    await wait_until(lambda: not listening.emulator.events.undelivered)
    assert listening.receiver.arrivals == 0
    assert listening.emulator.events.given_up == []


async def test_a_pressed_button_carries_the_escalation(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    order = {"channel": posted.channel, "ts": posted.ts, "user": DANA}
    pressed = await listening.control("press", {**order, "action_id": "acknowledge"})
    assert pressed == {"ok": True, "status": 200, "view": None}
    (action,) = listening.receiver.actions
    assert (action.escalation_id, action.dispatcher, action.message_ts) == ("E-1", DANA, posted.ts)
    assert action.response_url is not None
    async with httpx.AsyncClient(trust_env=False) as http:
        for use in range(6):
            answer = await http.post(action.response_url, json={"text": f"Dana has it already. {use}"})
            assert answer.status_code == (200 if use < 5 else 404)
    ephemerals = (await listening.control("ephemerals"))["ephemerals"]
    assert [e["user"] for e in ephemerals] == [DANA] * 5


async def test_a_button_that_is_gone_cannot_be_pressed(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    await listening.desk.update(posted, make_view(state=EscalationState.RESOLVED, outcome="Delivered"))
    order = {"channel": posted.channel, "ts": posted.ts, "user": DANA, "action_id": "acknowledge"}
    assert (await listening.control("press", order))["error"] == "no_such_button"


async def test_a_response_url_ends_after_half_an_hour(listening: SlackWorld) -> None:
    posted = await listening.desk.post("#dispatch-north", make_view())
    order = {"channel": posted.channel, "ts": posted.ts, "user": DANA, "action_id": "acknowledge"}
    await listening.control("press", order)
    url = listening.receiver.actions[0].response_url or ""
    listening.clock.pass_by(minutes=31)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(url, json={"text": "late"})).status_code == 404


async def test_slack_comes_back_while_our_database_is_away(listening: SlackWorld) -> None:
    listening.receiver.refusals = [StorageUnavailableError("down")] * 3
    posted = await listening.desk.post("#dispatch-north", make_view())
    await as_dana(listening).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
    await wait_until(lambda: listening.receiver.actions)
    assert listening.receiver.arrivals == 4
    await wait_until(lambda: not listening.emulator.events.undelivered)
    assert listening.emulator.events.given_up == []


async def test_slack_gives_up_after_three_retries(listening: SlackWorld) -> None:
    listening.receiver.refusals = [StorageUnavailableError("down")] * 4
    posted = await listening.desk.post("#dispatch-north", make_view())
    await as_dana(listening).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
    await wait_until(lambda: listening.emulator.events.given_up)
    assert listening.receiver.arrivals == 4
    assert listening.receiver.actions == []


REACTIONS = frozenset({"reaction_added", "reaction_removed"})
"""Where an app's deliveries are counted, it has subscribed to nothing else."""


class Listener:
    """Any app's edge, written against Slack's documentation alone."""

    def __init__(self, *answers: Response, keeps: asyncio.Event | None = None) -> None:
        """Without answers it takes all with 200; with `keeps` it does not answer before that is set."""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self._keeps = keeps
        self._answers = list(answers)
        self.app = Starlette(routes=[Route("/", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.requests.append((dict(request.headers), await request.body()))
        if self._keeps is not None:
            await self._keeps.wait()
        return self._answers.pop(0) if self._answers else Response()


async def test_retries_say_their_number_and_why(world: SlackWorld) -> None:
    listener = Listener(Response(status_code=500), Response(status_code=503))
    async with serving(listener.app) as url:
        world.emulator.events_url = url
        world.emulator.subscriptions = REACTIONS
        posted = await world.desk.post("#dispatch-north", make_view())
        await as_dana(world).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
        await wait_until(lambda: len(listener.requests) == 3)
        await wait_until(lambda: not world.emulator.events.undelivered)
    numbers = [headers.get("x-slack-retry-num") for headers, _ in listener.requests]
    assert numbers == [None, "1", "2"]
    assert listener.requests[2][0]["x-slack-retry-reason"] == "http_error"
    assert len({body for _, body in listener.requests}) == 1


async def test_an_app_may_decline_retries(world: SlackWorld) -> None:
    listener = Listener(Response(status_code=500, headers={"x-slack-no-retry": "1"}))
    async with serving(listener.app) as url:
        world.emulator.events_url = url
        world.emulator.subscriptions = REACTIONS
        posted = await world.desk.post("#dispatch-north", make_view())
        await as_dana(world).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
        await wait_until(lambda: world.emulator.events.given_up)
    assert len(listener.requests) == 1


async def test_the_envelope_is_slacks(world: SlackWorld) -> None:
    listener = Listener()
    async with serving(listener.app) as url:
        world.emulator.events_url = url
        world.emulator.subscriptions = REACTIONS
        posted = await world.desk.post("#dispatch-north", make_view())
        await as_dana(world).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
        await wait_until(lambda: listener.requests)
    envelope = json.loads(listener.requests[0][1])
    assert envelope["type"] == "event_callback"
    assert envelope["event_id"].startswith("Ev")
    assert envelope["authorizations"][0]["is_bot"] is True
    event = envelope["event"]
    assert (event["type"], event["user"], event["reaction"]) == ("reaction_added", DANA, "eyes")
    assert event["item"] == {"type": "message", "channel": posted.channel, "ts": posted.ts}
    assert event["item_user"] == "U0DOORLINE"


async def test_a_killed_slack_still_has_its_messages_and_goes_on_delivering(
    tmp_path: Path, clock: Clock
) -> None:
    def emulator(retry_scale: float) -> SlackEmulator:
        return pretended_slack(
            clock, ledger_path=tmp_path / "slack.db", retry_scale=retry_scale, subscriptions=REACTIONS
        )

    first = emulator(retry_scale=1000.0)  # it will not come to its second retry
    first.events_url = "http://127.0.0.1:9/nobody-listens"
    async with serving(first.app) as url:
        bot = AsyncWebClient(token=BOT_TOKEN, base_url=f"{url}/api/")
        ts = (await bot.chat_postMessage(channel="C0NORTH001", text="here"))["ts"]
        dana = AsyncWebClient(token=f"xoxp-{DANA}", base_url=f"{url}/api/")
        await dana.reactions_add(channel="C0NORTH001", name="eyes", timestamp=ts)
        await wait_until(lambda: list(first.events.undelivered.values()) == [2])

    second = emulator(retry_scale=0.001)
    assert second.events_url == "http://127.0.0.1:9/nobody-listens"
    listener = Listener()
    async with serving(listener.app) as app_url:
        second.events_url = app_url
        async with serving(second.app) as url:
            await wait_until(lambda: listener.requests)
            bot = AsyncWebClient(token=BOT_TOKEN, base_url=f"{url}/api/")
            (message,) = (await bot.conversations_history(channel="C0NORTH001"))["messages"]
            assert message["reactions"] == [{"name": "eyes", "users": [DANA], "count": 1}]
            later = (await bot.chat_postMessage(channel="C0NORTH001", text="there"))["ts"]
            assert later > ts
    assert listener.requests[0][0]["x-slack-retry-num"] == "2"
