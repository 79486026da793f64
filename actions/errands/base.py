"""What an errand is: it begins with a text about one stop, may ask questions, and ends with something said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actions.services import ActionServices
from actions.speech import name_parcel, say_instant
from actions.status import Saying
from bot.errors import NotFoundError
from bot.stops.answers import HandoffPromise, Scope, StopAnswer, Turn

SURE = 0.6
"""A text whose intent is this likely is taken for something else that is wanted now, not for an answer."""


@dataclass(frozen=True)
class Errand:
    """One errand under way, and the text at hand."""

    turn: Turn
    intent: str
    confidence: float
    began: Turn
    """The text that began it; the same as `turn` at first."""
    stop: StopAnswer | None
    step: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> StopAnswer:
        if self.stop is None:
            raise NotFoundError("an errand about a stop was begun without one")
        return self.stop


@dataclass(frozen=True)
class Ask:
    """The question of `step` comes next; `data` is kept until then."""

    step: str
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The errand is over."""

    says: tuple[Saying, ...] = ()
    goes_back: bool = True
    """Whether a form that this interrupted goes on; not where it has become pointless."""


@dataclass(frozen=True)
class Reschedule:
    """The errand turns into another window for the stop; `text` names the wish, or nothing yet."""

    text: str = ""
    unwanted: str = ""
    """A text that names the day that does not suit."""
    says: tuple[Saying, ...] = ()


class SomethingElse:
    """The text is no answer to the question: something else is wanted now."""


class Unclear:
    """The text may be an answer, and it cannot be told which."""


class Restart:
    """The errand is pointless by now: its form is closed, and the text means what it would mean without it."""


Next = Ask | Done | Reschedule | SomethingElse | Unclear | Restart


class ErrandKind:
    """One kind of errand, built with the bot's services."""

    intent: str
    scope: Scope = Scope.COMING
    needs_stop = True
    can_be_dropped = True
    """Whether "never mind" and "leave it" end it, whatever was asked."""

    def __init__(self, services: ActionServices) -> None:
        self.services = services

    async def begin(self, errand: Errand) -> Next:
        """The stop is known, or none is needed; the text that began it is at hand."""
        raise NotImplementedError

    async def take(self, errand: Errand) -> Next:
        """An answer to the question of `errand.step`."""
        raise NotImplementedError

    def ask(self, errand: Errand) -> Saying:
        """The question of `errand.step`."""
        raise NotImplementedError

    # --- shared ---------------------------------------------------------------------------------

    def parcel(self, errand: Errand) -> str:
        return name_parcel(errand.about.client, errand.turn.language)

    def by(self, promise: HandoffPromise, errand: Errand) -> str:
        """The promised time, as it is said."""
        return say_instant(promise.respond_by, promise.timezone, self.services.now(), errand.turn.language)

    async def hand_over(self, errand: Errand, reason: str, response: str) -> Saying:
        """Asks a dispatcher; `response` says so and names `{by}`."""
        stop_id = errand.stop.stop_id if errand.stop is not None else None
        promise = await self.services.handoff.ask_dispatcher(errand.began, reason, stop_id)
        return Saying(response, {"by": self.by(promise, errand)})
