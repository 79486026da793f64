"""Rasa's custom actions: one file per family of intents, built with the bot's services, free of globals."""

from rasa_sdk import Action

from actions import reschedule
from actions.consent import ActionOptOut
from actions.errands.engine import ActionErrand, AskErrand, Errands, ValidateErrandForm
from actions.errands.kinds import errand_kinds
from actions.fallback import ActionAnswerOffer, ActionDefaultFallback, ActionGiveUp
from actions.follow_up import ActionFollowUp
from actions.handoff import ActionHandToDispatcher
from actions.services import ActionServices
from actions.starting import Starter
from actions.track import ActionTrack
from actions.which_stop import AskChosenStops, ValidateWhichStopForm

__all__ = ["ActionServices", "build_actions"]


def build_actions(services: ActionServices) -> list[Action]:
    """Every action that `nlu/domain/` names, ready for `ActionExecutor.register_action`."""
    kinds = (
        ActionTrack,
        AskChosenStops,
        ValidateWhichStopForm,
        ActionHandToDispatcher,
        ActionDefaultFallback,
        ActionGiveUp,
    )
    kinds_of_errands = errand_kinds(services)
    errands = Errands(services, kinds_of_errands)
    return [
        *(kind(services) for kind in kinds),
        *(
            kind(services, kinds_of_errands)
            for kind in (ActionErrand, ActionFollowUp, ValidateErrandForm, AskErrand)
        ),
        ActionAnswerOffer(services, Starter(errands)),
        ActionOptOut(services, errands),
        *reschedule.build(services),
    ]
