"""What changed in the demo since the page was last told, section by section."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel

from bot.web.demo_backend import DemoBackend, WorldUnreachableError
from bot.web.demo_state import ClockState

PAUSE_SECONDS = 0.4
# The page runs the clock on by itself; it is told again when that would be visibly wrong.
_CLOCK_SLACK_SECONDS = 1.5

Changes = dict[str, object]


@dataclass(frozen=True)
class _Section:
    """`every`: looked at in each n-th round."""

    name: str
    look: Callable[[], Awaitable[BaseModel]]
    every: int = 1


@dataclass
class _Told:
    """What one page knows."""

    sections: dict[str, BaseModel] = field(default_factory=dict)
    clock_at: float = 0.0

    def is_news(self, name: str, seen: BaseModel, at: float) -> bool:
        before = self.sections.get(name)
        if isinstance(before, ClockState) and isinstance(seen, ClockState):
            return self._clock_is_off(before, seen, at)
        return before != seen

    def _clock_is_off(self, before: ClockState, seen: ClockState, at: float) -> bool:
        expected = before.now + timedelta(seconds=(at - self.clock_at) * before.speed)
        slack = timedelta(seconds=_CLOCK_SLACK_SECONDS * max(seen.speed, 1))
        return before.speed != seen.speed or abs(seen.now - expected) > slack


async def snapshot(backend: DemoBackend, phone: str) -> Changes:
    """Every section once, for a page that opens; what cannot be read yet is missing."""
    return await _look(_sections(backend, phone), _Told(), 0)


async def changes(backend: DemoBackend, phone: str, pause: float = PAUSE_SECONDS) -> AsyncIterator[Changes]:
    """Sections that changed, for as long as somebody listens; the first lot holds all of them.

    `{"world": {"reachable": …}}` comes first and whenever it changes.
    """
    sections, told, turn = _sections(backend, phone), _Told(), 0
    while True:
        began = time.monotonic()
        if news := await _look(sections, told, turn):
            yield news
        turn += 1
        # A large day takes long to look at: looking is never more than half of what we do.
        await asyncio.sleep(max(pause, time.monotonic() - began))


class _World(BaseModel):
    reachable: bool


def _sections(backend: DemoBackend, phone: str) -> list[_Section]:
    sections = [
        _Section("clock", backend.clock),
        _Section("readiness", backend.readiness, every=2),
        _Section("channel", backend.channel),
        _Section("day", backend.day, every=2),
        _Section("news", backend.news, every=4),
    ]
    if phone:
        sections.append(_Section("phone", lambda: backend.phone(phone)))
    return sections


async def _look(sections: list[_Section], told: _Told, turn: int) -> Changes:
    due = [section for section in sections if turn % section.every == 0 or section.name not in told.sections]
    seen = await asyncio.gather(*(_peek(section) for section in due))
    at = time.monotonic()
    found = {section.name: model for section, model in zip(due, seen, strict=True) if model is not None}
    found["world"] = _World(reachable=all(model is not None for model in seen))
    news = {name: model for name, model in found.items() if told.is_news(name, model, at)}
    if "clock" in news:
        told.clock_at = at
    told.sections |= news
    return {name: model.model_dump(mode="json") for name, model in news.items()}


async def _peek(section: _Section) -> BaseModel | None:
    try:
        return await section.look()
    except WorldUnreachableError:
        return None
