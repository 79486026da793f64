"""Bolt's listeners for the App Home: what was opened, turned over or chosen is stored, and drawn by a job."""

from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from connectors.base import Now
from connectors.home import HomeAction, HomeGesture, ReceiveHomeAction
from connectors.slack.mapping import instant
from connectors.slack.payloads import ChosenInHome, HomeEnvelope, HomePress, read

HOME_EVENT = "app_home_opened"
PREVIOUS, NEXT, ZONES, LANGUAGE, LINK = (
    "home_previous",
    "home_next",
    "home_zones",
    "home_language",
    "home_link",
)
"""Action ids. Buttons that only open an address are pressed too, and want an answer."""

_GESTURES = {
    PREVIOUS: HomeGesture.PAGE,
    NEXT: HomeGesture.PAGE,
    ZONES: HomeGesture.ZONES,
    LANGUAGE: HomeGesture.LANGUAGE,
}

Ack = Callable[..., Any]


class HomeGestures:
    def __init__(self, receive: ReceiveHomeAction, now: Now) -> None:
        self._receive = receive
        self._now = now

    def listen(self, app: AsyncApp) -> None:
        app.event(HOME_EVENT)(self.on_opened)
        for action_id in _GESTURES:
            app.action(action_id)(self.on_chosen)
        app.action(LINK)(_only_answered)

    async def on_opened(self, body: dict[str, Any]) -> None:
        envelope = read(HomeEnvelope, body)
        # Slack tells of the messages tab too. Source: app_home_opened.
        if envelope.event.tab == "home":
            await self._receive(
                HomeAction(
                    vendor_id=envelope.event_id,
                    gesture=HomeGesture.OPENED,
                    dispatcher=envelope.event.user,
                    occurred_at=self._now(),
                )
            )

    async def on_chosen(self, ack: Ack, body: dict[str, Any]) -> None:
        press = read(HomePress, body)
        for action in press.actions:
            if action.action_id in _GESTURES:
                await self._receive(self._action(press, action))
        await ack()

    def _action(self, press: HomePress, action: ChosenInHome) -> HomeAction:
        moment = action.action_ts or press.trigger_id or ""
        return HomeAction(
            vendor_id=f"home:{press.user.id}:{action.action_id}:{moment}",
            gesture=_GESTURES[action.action_id],
            dispatcher=press.user.id,
            values=action.chosen,
            occurred_at=instant(action.action_ts, self._now()),
        )


async def _only_answered(ack: Ack) -> None:
    await ack()
