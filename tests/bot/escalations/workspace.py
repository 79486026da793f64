"""A dispatchers' workspace in memory, for machines that try hundreds of orders; over loopback it is Slack's emulator."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from connectors.errors import ChannelUnavailableError, OutcomeUnknownError
from connectors.escalation import EscalationView, PostedMessage


class Trouble(Enum):
    NONE = auto()
    LOST_BEFORE = auto()
    """It did not get through."""
    LOST_AFTER = auto()
    """It was done, and the answer was lost."""


@dataclass
class Post:
    channel: str
    ts: str
    view: EscalationView
    notes: list[str] = field(default_factory=list)


class Workspace:
    """Fulfils `DispatchDesk`. `troubles` befall the coming calls that write, one each."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.troubles: list[Trouble] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """Happens once while the next call that writes is under way."""

    def of(self, escalation_id: str) -> list[Post]:
        return [post for post in self.posts if post.view.escalation_id == escalation_id]

    async def post(self, channel: str, view: EscalationView) -> PostedMessage:
        trouble = await self._meets()
        self.posts.append(Post(channel, f"{len(self.posts) + 1}.0", view))
        self._answer(trouble)
        return PostedMessage(channel=channel, ts=self.posts[-1].ts)

    async def update(self, message: PostedMessage, view: EscalationView) -> None:
        trouble = await self._meets()
        self._at(message).view = view
        self._answer(trouble)

    async def post_in_thread(
        self, message: PostedMessage, text: str, note_id: str, mention: str = ""
    ) -> None:
        trouble = await self._meets()
        self._at(message).notes.append(note_id)
        self._answer(trouble)

    async def find_posted(self, channel: str, escalation_id: str, since: datetime) -> PostedMessage | None:
        found = [post for post in self.of(escalation_id) if post.channel == channel]
        return PostedMessage(channel=channel, ts=found[0].ts) if found else None

    async def find_in_thread(self, message: PostedMessage, note_id: str) -> bool:
        return note_id in self._at(message).notes

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        return None

    def _at(self, message: PostedMessage) -> Post:
        return next(post for post in self.posts if (post.channel, post.ts) == (message.channel, message.ts))

    async def _meets(self) -> Trouble:
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        trouble = self.troubles.pop(0) if self.troubles else Trouble.NONE
        if trouble is Trouble.LOST_BEFORE:
            raise ChannelUnavailableError("slack", "away")
        return trouble

    def _answer(self, trouble: Trouble) -> None:
        if trouble is Trouble.LOST_AFTER:
            raise OutcomeUnknownError("slack", "no answer")
