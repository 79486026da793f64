"""`doorline chat`: a recipient in the terminal, piped or typed, over the web chat or as a phone of the demo."""

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from bot.conversations.models import InboundText
from bot.settings import PROJECT_ROOT
from connectors.base import ChannelName
from connectors.emulation import free_port
from tests.harness.waiting import eventually
from tests.harness.world import World

PATIENCE_SECONDS = 60


async def started(*options: str, var: Path, **streams: Any) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "chat", *options),
        cwd=PROJECT_ROOT,
        env=os.environ | {"DOORLINE_VAR": str(var), "PUBLIC_URL": f"http://127.0.0.1:{free_port()}"},
        **({"stdin": PIPE, "stdout": PIPE, "stderr": PIPE} | streams),
    )


async def piped(*options: str, var: Path, texts: str = "") -> tuple[int | None, str, str]:
    """Exit code, output and complaints of a whole conversation."""
    process = await started(*options, var=var)
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, complaints = await process.communicate(texts.encode())
    return process.returncode, out.decode(), complaints.decode()


@pytest.fixture
def demo_var(bare_world: World, tmp_path: Path) -> Path:
    """A `var/` in which this test's world is announced as a running demo."""
    facts = {"url": bare_world.url, "twilio": {"base": bare_world.bases["twilio"]}}
    (tmp_path / "demo.json").write_text(json.dumps(facts))
    return tmp_path


async def test_a_piped_conversation_reads_like_one(bare_world: World, tmp_path: Path) -> None:
    code, out, complaints = await piped(
        "--url", bare_world.url, var=tmp_path, texts="where is it\n\nmove it\n"
    )
    assert (code, complaints) == (0, "")
    assert out == "> where is it\nYou said: where is it\n> move it\nYou said: move it\n"
    assert {row.channel for row in await bare_world.rows(InboundText)} == {ChannelName.WEBCHAT}


async def test_the_demo_that_runs_here_is_found(bare_world: World, demo_var: Path) -> None:
    code, out, _ = await piped(var=demo_var, texts="hello")
    assert (code, out) == (0, "> hello\nYou said: hello\n")


async def test_a_phone_of_the_demo_sends_real_texts_and_shows_only_what_is_new(
    bare_world: World, demo_var: Path
) -> None:
    await bare_world.recipient("+12125550177").asks("earlier")
    code, out, complaints = await piped("--phone", "+12125550177", var=demo_var, texts="hello\n")
    assert (code, complaints) == (0, "")
    assert out == "> hello\nYou said: hello\n"
    assert {row.channel for row in await bare_world.rows(InboundText)} == {ChannelName.SMS}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "start `doorline demo` or `doorline serve`"),
        (("--phone", "+12125550100"), "start it with `doorline demo`"),
        (("--phone", "5550100"), "expected a number such as +12125550100"),
        (("--url", "nonsense"), "no chat answers at nonsense"),
    ],
)
async def test_without_anybody_there_it_says_what_to_start(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    code, out, complaints = await piped(*options, var=tmp_path, texts="hello\n")
    assert (code, out) == (1, "")
    assert words in complaints
    assert complaints.count("\n") == 1


@pytest.mark.parametrize("ending", ["end of input", "Ctrl-C"])
async def test_a_person_at_the_keyboard_leaves_as_usual(
    bare_world: World, tmp_path: Path, ending: str
) -> None:
    ours, theirs = pty.openpty()
    process = await started("--url", bare_world.url, var=tmp_path, stdin=theirs, stdout=PIPE)
    assert process.stdout is not None
    seen = b""
    try:
        os.write(ours, b"hello\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"You said: hello" not in seen:
                seen += await process.stdout.read(1000)
        if ending == "Ctrl-C":
            process.send_signal(signal.SIGINT)
        else:
            os.write(ours, b"\x04")
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, complaints = await process.communicate()
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, complaints) == (0, b"")


async def test_a_server_that_goes_away_is_noticed(bare_world: World, tmp_path: Path) -> None:
    process = await started("--url", bare_world.url, var=tmp_path)
    assert process.stdin is not None
    process.stdin.write(b"hello\n")

    async def texts() -> int:
        return len(await bare_world.rows(InboundText))

    await eventually(texts, lambda count: count == 1, "the first text", patience=PATIENCE_SECONDS)
    await bare_world.settled()
    await bare_world.stop_app()
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, complaints = await process.communicate(b"anybody?\n")
    assert process.returncode == 1
    assert b"the server has closed the chat" in complaints
