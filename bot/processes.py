"""Child processes that do not outlive us, and servers that run until told to stop."""

import ctypes
import random
import signal
import socket
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def dies_with_parent() -> None:
    """Runs in a child before its program starts: the kernel ends it when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end(process: "subprocess.Popen[bytes]", seconds: float = 8.0) -> None:
    """Asks a child to stop, and ends it when it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)


BELOW_THE_EPHEMERAL = range(20_000, 32_000)
"""The system lends ports above these to outgoing connections: one that is freed for a moment could be gone."""


def free_port(wanted: int | None = None) -> int:
    """`wanted` when nobody listens there, else one that stays ours to use even if it is closed for a while."""
    candidates = [wanted] if wanted is not None else []
    for port in [*candidates, *random.sample(BELOW_THE_EPHEMERAL, 50)]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port on 127.0.0.1")
