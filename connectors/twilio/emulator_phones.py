"""A pretended person with a phone: what they do when it rings, and how they live through our TwiML.

Verbs as twilio.com/docs/voice/twiml documents them: Say, Pause, Gather, Redirect, Hangup. What is not in `VERBS` is
noted as an alert, so that a verb which we never looked at is never silently skipped.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, Field

LETTERS_PER_SECOND = 15
MOST_DOCUMENTS = 40
DEFAULT_GATHER_SECONDS = 5


class Habit(BaseModel):
    """What somebody does when their phone rings. Seconds are pretended ones; the emulator scales them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["answers", "busy", "no-answer", "voicemail", "failed"] = "answers"
    rings_seconds: float = Field(default=3, ge=0)
    """Until they pick up, or turn it away."""
    keys: tuple[str, ...] = ()
    """Pressed at one question each, in order; an empty one lets the question pass. Then none."""
    presses_after_seconds: float = Field(default=2, ge=0)
    hangs_up_after_seconds: float | None = Field(default=None, ge=0)
    """Of talking; None: they listen to the end."""

    @property
    def picks_up(self) -> bool:
        return self.kind in ("answers", "voicemail")


class HungUpError(Exception):
    """Somebody ended the call in the middle of what was going on."""


class Line(Protocol):
    """One call, as the phone sees it."""

    async def wait(self, seconds: float) -> None:
        """Lets pretended seconds pass. Raises `HungUpError` as soon as the call is over."""
        ...

    async def ask(self, url: str, digits: str | None) -> str:
        """The TwiML that `url` answers. Raises `HungUpError` where it answers none."""
        ...

    def hear(self, words: str, language: str) -> None: ...

    def press(self, digits: str) -> None: ...

    def alert(self, text: str, code: int) -> None: ...


@dataclass
class Phone:
    """Runs one document after the other until the call is hung up, by us or by the person."""

    habit: Habit
    line: Line
    url: str
    talked: float = 0.0
    questions: int = field(default=0)

    async def talk(self, document: str | None) -> None:
        """`document` is the first TwiML, or None where `url` is to be asked for it. Raises `HungUpError` at the end
        of a call that was ended by somebody; returns at the end of the last document."""
        content = document if document is not None else await self.line.ask(self.url, None)
        for _ in range(MOST_DOCUMENTS):
            follows = await self._run(content)
            if follows is None:
                return
            self.url, digits = follows
            content = await self.line.ask(self.url, digits)
        self.line.alert("TwiML that never ends", 12200)

    async def _run(self, content: str) -> tuple[str, str | None] | None:
        """Where the call goes on: the URL, and what was pressed; None at the end of the call."""
        root = self._parse(content)
        if root is None:
            return None
        for verb in root:
            do = VERBS.get(verb.tag)
            if do is None:
                self.line.alert(f"this emulator does not know <{verb.tag}>", 12200)
                return None
            follows = await do(self, verb)
            if follows is not None:
                return None if follows is HANGUP else follows
        return None

    def _parse(self, content: str) -> ElementTree.Element | None:
        try:
            # Our own answer, over loopback.
            root = ElementTree.fromstring(content)  # noqa: S314
        except ElementTree.ParseError:
            self.line.alert("Document parse failure", 12100)
            return None
        if root.tag != "Response":
            self.line.alert("the root of TwiML is <Response>", 12100)
            return None
        return root

    async def _pass(self, seconds: float) -> None:
        limit = self.habit.hangs_up_after_seconds
        if limit is not None and self.talked + seconds >= limit:
            await self.line.wait(max(limit - self.talked, 0))
            raise HungUpError("the person hung up")
        self.talked += seconds
        await self.line.wait(seconds)

    async def say(self, verb: ElementTree.Element) -> "Follows":
        words = (verb.text or "").strip()
        self.line.hear(words, verb.get("language", "en-US"))
        await self._pass(len(words) / LETTERS_PER_SECOND)
        return None

    async def pause(self, verb: ElementTree.Element) -> "Follows":
        await self._pass(float(verb.get("length", "1")))
        return None

    async def gather(self, verb: ElementTree.Element) -> "Follows":
        key = self._next_key()
        for nested in verb:
            if nested.tag == "Say":
                words = (nested.text or "").strip()
                self.line.hear(words, nested.get("language", "en-US"))
                # Whoever presses a key does not hear the rest out.
                await self._pass(0 if key else len(words) / LETTERS_PER_SECOND)
            elif nested.tag == "Pause":
                await self._pass(0 if key else float(nested.get("length", "1")))
        if key:
            await self._pass(self.habit.presses_after_seconds)
            self.line.press(key)
            return verb.get("action") or self.url, key
        await self._pass(float(verb.get("timeout", DEFAULT_GATHER_SECONDS)))
        return None

    def _next_key(self) -> str:
        number, self.questions = self.questions, self.questions + 1
        if self.habit.kind == "voicemail" or number >= len(self.habit.keys):
            return ""
        return self.habit.keys[number]

    async def redirect(self, verb: ElementTree.Element) -> "Follows":
        return (verb.text or "").strip() or self.url, None

    async def hangup(self, verb: ElementTree.Element) -> "Follows":
        return HANGUP


HANGUP = ("", None)
Follows = tuple[str, str | None] | None
VERBS: dict[str, Callable[[Phone, ElementTree.Element], Awaitable[Follows]]] = {
    "Say": Phone.say,
    "Pause": Phone.pause,
    "Gather": Phone.gather,
    "Redirect": Phone.redirect,
    "Hangup": Phone.hangup,
}
