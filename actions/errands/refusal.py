"""Cancel, refuse, send it back: confirmed first, then a dispatcher's to carry out."""

import re

from actions.booking import Verdict, is_abandoned
from actions.choice import fold
from actions.errands.answers import is_something_else, one_of, verdict_of
from actions.errands.base import Ask, Done, Errand, ErrandKind, Next, Reschedule, SomethingElse, Unclear
from actions.status import Saying, describe
from connectors.base import StopStatus

_BACK = re.compile(
    r"\b(?:send it back|send back|return it|refuse|devolver|devuelvan?lo|devuelva|regresen?lo)\b"
)
_KEEP = re.compile(r"\b(?:keep|dont cancel|do not cancel|leave it|quedar\w*|quedo|no cancel\w*|dejen?lo)\b")


class Refusal(ErrandKind):
    intent = "cancel_delivery"
    can_be_dropped = False  # "leave it" keeps the parcel: an answer

    async def begin(self, errand: Errand) -> Next:
        stop = errand.about
        if stop.status.is_closed and stop.status is not StopStatus.FAILED:
            return Done((describe(stop, self.services.now(), errand.turn.language),))
        return Ask("agree")

    def ask(self, errand: Errand) -> Saying:
        return Saying("utter_ask_send_back", {"parcel": self.parcel(errand)})

    async def take(self, errand: Errand) -> Next:
        numbered = one_of(errand, 2)
        words = fold(errand.turn.text)
        if numbered == 0 or wants_back(errand.turn.text):
            return await self._ask_dispatch(errand)
        if numbered == 1 or _KEEP.search(words) or is_abandoned(errand.turn.text):
            return self._kept(errand)
        if errand.intent in ("reschedule_delivery", "provide_time"):
            return Reschedule(errand.turn.text)
        match verdict_of(errand):
            case Verdict.YES:
                return await self._ask_dispatch(errand)
            case Verdict.NO:
                return self._kept(errand)
            case Verdict.UNCLEAR:
                return SomethingElse() if is_something_else(errand, also={self.intent}) else Unclear()

    async def _ask_dispatch(self, errand: Errand) -> Next:
        promise = await self.services.requests.ask(errand.began, "send_back", errand.about.stop_id)
        slots = {"parcel": self.parcel(errand), "by": self.by(promise, errand)}
        return Done((Saying("utter_request_send_back", slots),), goes_back=False)

    def _kept(self, errand: Errand) -> Next:
        return Done((Saying("utter_kept", {"parcel": self.parcel(errand)}),))


def wants_back(text: str) -> bool:
    """`send it back`: in as many words."""
    return _BACK.search(fold(text)) is not None
