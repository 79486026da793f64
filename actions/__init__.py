"""Rasa's custom actions: one file per family of intents, built with the bot's services, free of globals."""

from rasa_sdk import Action

from actions import reschedule
from actions.consent import ActionOptOut
from actions.fallback import ActionAnswerOffer, ActionDefaultFallback, ActionGiveUp
from actions.handoff import ActionHandToDispatcher
from actions.services import ActionServices
from actions.track import ActionChoose, ActionTrack
from actions.which_stop import AskChosenStops, ValidateWhichStopForm

__all__ = ["ActionServices", "build_actions"]


def build_actions(services: ActionServices) -> list[Action]:
    """Every action that `nlu/domain/` names, ready for `ActionExecutor.register_action`."""
    kinds = (
        ActionTrack,
        ActionChoose,
        AskChosenStops,
        ValidateWhichStopForm,
        ActionHandToDispatcher,
        ActionOptOut,
        ActionDefaultFallback,
        ActionGiveUp,
        ActionAnswerOffer,
    )
    return [*(kind(services) for kind in kinds), *reschedule.build(services)]
