"""Whoever writes by themselves about a delivery that failed joins the follow-up of it, where there is one."""

from rasa_sdk.events import FollowupAction, SlotSet

from actions.services import ActionServices
from actions.turns import Events, closing_forms
from bot.recovery.answers import FollowUpQuestion
from bot.stops.answers import StopAnswer, Turn
from connectors.base import StopStatus


async def follow_up_of(services: ActionServices, turn: Turn, stop: StopAnswer) -> FollowUpQuestion | None:
    if stop.status is not StopStatus.FAILED:
        return None
    return await services.recovery.open_for(turn, stop.stop_id)


def joining(stop_id: str, text: str) -> Events:
    """Ends the form that is open; the follow-up takes `text` as an answer to its question."""
    return [
        *closing_forms(),
        SlotSet("errand_stop", stop_id),
        SlotSet("errand_text", text),
        FollowupAction("action_follow_up"),
    ]
