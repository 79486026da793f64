"""The terminal's side of `doorline chat`: lines in, replies out."""

import asyncio
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from bot.chat.wires import Wire, chat_wire, phone_wire, server_url

ANSWER_SECONDS = 30.0
"""How long a piped text waits for its answer."""
QUIET_SECONDS = 0.7
"""After an answer: a second message may follow the first."""
LONGEST_TEXT = 1600
PROMPT = "> "


class Terminal:
    """Lines in, replies out. With a person at the keyboard both at any time; piped, each text awaits its answer."""

    def __init__(self, wire: Wire, source: TextIO = sys.stdin, out: TextIO = sys.stdout) -> None:
        self._wire = wire
        self._source = source
        self._out = out
        self._is_live = source.isatty()
        self._answers = 0
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Until the input ends, or the line does."""
        typing, hearing = asyncio.create_task(self._type()), asyncio.create_task(self._hear())
        try:
            await asyncio.wait({typing, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (typing, hearing):
                task.cancel()
            ended = await asyncio.gather(typing, hearing, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, Exception):
                raise problem

    async def _type(self) -> None:
        self._prompt()
        async for line in _lines(self._source):
            text = line.strip()[:LONGEST_TEXT]
            if text:
                await self._say(text)
            self._prompt()
        self._write("\n" if self._is_live else "")

    async def _say(self, text: str) -> None:
        if not self._is_live:
            self._write(f"{PROMPT}{text}\n")
        before = self._answers
        await self._wire.say(text)
        if not self._is_live:
            await self._await_answer(before)

    async def _await_answer(self, before: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while self._answers == before:
                    self._came.clear()
                    await self._came.wait()
        if self._answers == before:
            self._write("(no answer yet)\n")
            return
        seen = before
        while seen != self._answers:
            seen = self._answers
            await asyncio.sleep(QUIET_SECONDS)

    async def _hear(self) -> None:
        async for reply in self._wire.replies():
            # The line that is being typed stays the last one on the screen.
            self._write(("\r" if self._is_live else "") + _printable(reply) + "\n")
            self._answers += 1
            self._came.set()
            self._prompt()

    def _prompt(self) -> None:
        self._write(PROMPT if self._is_live else "")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _printable(text: str) -> str:
    """Without what would steer the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


async def _lines(source: TextIO) -> AsyncIterator[str]:
    """Lines as they are typed. Read in a thread that ends with the process: a terminal cannot be read otherwise
    without blocking, nor can that reading be taken back."""
    loop, came, lines = asyncio.get_running_loop(), asyncio.Event(), deque[str]()

    def hand_over(line: str) -> None:
        lines.append(line)
        came.set()

    def read() -> None:
        with suppress(RuntimeError):
            while line := source.readline():
                loop.call_soon_threadsafe(hand_over, line)
            loop.call_soon_threadsafe(hand_over, "")

    threading.Thread(target=read, daemon=True).start()
    while True:
        await came.wait()
        came.clear()
        while lines:
            line = lines.popleft()
            if not line:
                return
            yield line


async def talk(announcement: Path, public_url: str, phone: str | None, url: str | None) -> None:
    """The whole command. Raises `ConfigurationError` when there is nobody to talk to."""
    if phone is not None:
        async with phone_wire(announcement, phone) as wire:
            await Terminal(wire).run()
        return
    async with chat_wire(url or server_url(announcement, public_url)) as chat:
        await Terminal(chat).run()
