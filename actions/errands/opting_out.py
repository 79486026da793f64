"""No more messages: asked back where the model understood so and the words alone do not say it."""

import re
from enum import StrEnum

from actions.booking import Verdict
from actions.choice import fold, pick_number
from actions.errands.answers import is_something_else, verdict_of
from actions.errands.base import Ask, Done, Errand, ErrandKind, Next, SomethingElse, Unclear
from actions.services import ActionServices
from actions.status import Saying
from bot.conversations.leaving import Leaving, leaving
from bot.conversations.wrong_number import is_wrong_number
from bot.stops.answers import Scope, Turn

_END = re.compile(
    r"^end\W*$|\b(?:end (?:them|it|all)|stop|no more|no mas|terminar\w*|acabar\w*|quitar\w*|basta)\b"
)
_KEEP = re.compile(
    r"\b(?:keep|leave (?:them|it) on|seguir|sigan|mantener\w*|dejarlos|conservar\w*"
    r"|(?:dont|do not|no) (?:want to )?(?:end|stop|terminen?|quiten?))\b"
)


class OptOutAnswer(StrEnum):
    END = "end"
    KEEP = "keep"
    UNCLEAR = "unclear"


def says_so(text: str) -> bool:
    """Whether a text itself asks for silence. The model alone is not believed: what it costs cannot be taken back."""
    return leaving(text) is not Leaving.NO or is_wrong_number(text)


def read_opt_out_answer(text: str) -> OptOutAnswer:
    """What somebody answers to "1 to end them, 2 to keep them"; a bare yes or no is for the model to read."""
    numbered = pick_number(text, 2)
    if len(numbered) == 1:
        return OptOutAnswer.KEEP if numbered[0] else OptOutAnswer.END
    words = fold(text)
    if _KEEP.search(words):
        return OptOutAnswer.KEEP
    return OptOutAnswer.END if says_so(text) or _END.search(words) else OptOutAnswer.UNCLEAR


async def leave(services: ActionServices, turn: Turn, asked: str) -> Saying:
    """Ends all messages to whoever wrote `turn`; `asked` are the words that asked for it.

    Whoever says that the number is wrong is no recipient of ours: dispatchers hear which stop has it.
    """
    stops = await _stops_of(services, turn) if is_wrong_number(asked) else []
    for stop_id in stops:
        await services.handoff.ask_dispatcher(turn, "wrong_number", stop_id)
    await services.consent.opt_out(turn.model_copy(update={"text": asked}))
    response = "utter_opted_out_wrong_number" if stops else "utter_opted_out"
    return Saying(response, {"operator": services.operator})


async def _stops_of(services: ActionServices, turn: Turn) -> list[str]:
    question = await services.finder.stops_in_question(turn, Scope.COMING)
    return [stop.stop_id for stop in question.stops]


class OptingOut(ErrandKind):
    intent = "opt_out"
    needs_stop = False

    async def begin(self, errand: Errand) -> Next:
        return Ask("sure")

    def ask(self, errand: Errand) -> Saying:
        return Saying("utter_ask_opt_out", {"operator": self.services.operator})

    async def take(self, errand: Errand) -> Next:
        match read_opt_out_answer(errand.turn.text):
            case OptOutAnswer.END:
                return await self._leave(errand)
            case OptOutAnswer.KEEP:
                return self._kept()
        match verdict_of(errand):
            case Verdict.YES:
                return await self._leave(errand)
            case Verdict.NO:
                return self._kept()
            case Verdict.UNCLEAR:
                return SomethingElse() if is_something_else(errand, also={self.intent}) else Unclear()

    async def _leave(self, errand: Errand) -> Next:
        asked = f"{errand.began.text} / {errand.turn.text}"
        return Done((await leave(self.services, errand.turn, asked),), goes_back=False)

    def _kept(self) -> Next:
        return Done((Saying("utter_messages_kept"),))
