"""The demo's port: open from the first second, and kept open while the app behind it starts or starts again.

The supervisor holds the listening socket and the app inherits it. Until the app answers for the first time, a
small page says what is under way; while a killed app starts again, connections wait in the socket's queue.
"""

import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bot.errors import ConfigurationError

PAGE = Path(__file__).parent / "warming.html"
BACKLOG = 512
PIECE_BYTES = 65_536


class Doorway:
    def __init__(self, port: int, stage: Callable[[], str]) -> None:
        """Raises `ConfigurationError` when somebody else has the port."""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind(("127.0.0.1", port))
        except OSError as exc:
            self.socket.close()
            raise ConfigurationError(f"port {port} is taken; choose another with --port") from exc
        self.socket.listen(BACKLOG)
        self._server = _Porter(self.socket, stage)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @property
    def fd(self) -> int:
        """For the app to inherit."""
        return self.socket.fileno()

    def leave_to_the_app(self) -> None:
        """The app answers from now on; calling it again changes nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()

    def close(self) -> None:
        self.leave_to_the_app()
        self.socket.close()


class _Porter(ThreadingHTTPServer):
    """Answers while there is no app, on a socket that it does not own."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, stage: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Waiting, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.stage = stage


class _Waiting(BaseHTTPRequestHandler):
    server: _Porter
    timeout = 5

    def do_GET(self) -> None:
        stage = self.server.stage() or "Starting"
        if self.path.split("?")[0] in ("/", "/demo"):
            page = PAGE.read_text(encoding="utf-8").replace("{{ stage }}", stage)
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", page)
        else:
            status = json.dumps({"ready": False, "parts": {}, "stage": stage})
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "application/json", status)

    def do_POST(self) -> None:
        # Closed with a part of it unread, the connection would be reset and the vendor never see the 503, after
        # which it delivers again.
        length = self.headers.get("Content-Length", "")
        left = int(length) if length.isdecimal() else 0
        while left > 0 and (piece := self.rfile.read(min(left, PIECE_BYTES))):
            left -= len(piece)
        self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", "starting")

    def _answer(self, status: HTTPStatus, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", "2")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: the supervisor's own lines are what a person reads."""
