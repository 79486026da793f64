"""How long Slack waits for the app: for an answer, and for a window after a gesture. Shortened here."""

import asyncio

from connectors.emulation import serving
from tests.connectors.slack.conftest import Switchboard
from tests.connectors.slack.slack_world import Clock, SlackWorld, make_view, pretended_slack, wait_until
from tests.connectors.slack.test_slack_emulator import bot, modal, refused
from tests.connectors.slack.test_slack_events import DANA, REACTIONS, Listener, as_dana


async def test_an_app_that_does_not_answer_in_time_is_told_again(
    world: SlackWorld, slack_board: Switchboard, clock: Clock
) -> None:
    slack = pretended_slack(clock, subscriptions=REACTIONS, patience_seconds=0.2)
    slack_board.app = slack.app
    answers = asyncio.Event()
    listener = Listener(keeps=answers)
    async with serving(listener.app) as slack.events_url:
        dana = {"user": DANA, "channel": "C0NORTH001"}
        typed = await world.control("command", {**dana, "text": "help"})
        assert (typed["status"], typed["text"]) == (None, "failed with the error operation_timeout")
        posted = await world.desk.post("#dispatch-north", make_view())
        await as_dana(world).reactions_add(channel=posted.channel, name="eyes", timestamp=posted.ts)
        await wait_until(lambda: len(listener.requests) == 3)
        answers.set()
        await wait_until(lambda: not slack.events.undelivered)
    _, first, second, *_ = [headers for headers, _ in listener.requests]
    assert "x-slack-retry-num" not in first
    assert (second["x-slack-retry-num"], second["x-slack-retry-reason"]) == ("1", "http_timeout")
    await slack.events.stop()


async def test_a_trigger_lives_as_long_as_slack_waits(
    world: SlackWorld, slack_board: Switchboard, clock: Clock
) -> None:
    impatient = pretended_slack(clock, patience_seconds=0.0)
    slack_board.app = impatient.app
    trigger = impatient.api.views.issue_trigger("U0DANA0001")
    assert await refused(bot(world).views_open(trigger_id=trigger, view=modal())) == "expired_trigger_id"
