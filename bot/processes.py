"""Child processes that do not outlive us, and servers that run until told to stop."""

import ctypes
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


def free_port(wanted: int | None = None) -> int:
    """`wanted` when nobody listens there, else one that the system chooses."""
    for port in (wanted, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
