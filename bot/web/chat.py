"""The chat page, and the widget that any web site embeds with one script tag.

The files of the widget are served with leave for other origins to load them; they hold nothing of anybody.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.responses import HTMLResponse

from bot.web.pages import CONTENT_SECURITY_POLICY, STATIC, page

FOLDER = STATIC / "chat"
JAVASCRIPT = "text/javascript; charset=utf-8"
FOR_EVERYBODY = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}
A_MINUTE = {"Cache-Control": "public, max-age=60"}
"""The loader: it names the version of everything else."""


def router(name: Callable[[], str], public_url: str) -> APIRouter:
    """`GET /chat`, `/chat/widget.js` and what the widget loads; `name` is who the recipient hears from."""
    routes = APIRouter(prefix="/chat", include_in_schema=False)

    @routes.get("")
    async def show_chat() -> HTMLResponse:
        response = page("chat.html", name=name())
        response.headers["Content-Security-Policy"] = _policy(public_url)
        return response

    @routes.get("/widget.js")
    async def widget() -> Response:
        settings = json.dumps({"version": _version(), "name": name()})
        loader = (FOLDER / "widget.js").read_text(encoding="utf-8").replace('"{{ settings }}"', settings)
        return Response(loader, media_type=JAVASCRIPT, headers=FOR_EVERYBODY | A_MINUTE)

    @routes.get("/assets/{version}/{file}")
    async def asset(version: str, file: str) -> Response:
        script = _modules().get(file)
        if script is None:
            return Response(status_code=HTTPStatus.NOT_FOUND, headers=FOR_EVERYBODY)
        # A page that was opened before an update asks for the files of its time and gets today's: not to be kept.
        freshness = A_YEAR if version == _version() else {"Cache-Control": "no-store"}
        return Response(script, media_type=JAVASCRIPT, headers=FOR_EVERYBODY | freshness)

    return routes


def _policy(public_url: str) -> str:
    """Older Safari does not count a socket to the page's own host as `'self'`."""
    socket = public_url.rstrip("/").replace("http", "ws", 1)
    return CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src 'self' {socket}/")


@cache
def _modules() -> dict[str, str]:
    """The widget's files by name. The style sheet is a module too: a strict policy of a host page allows it."""
    scripts = {path.name: path for path in FOLDER.glob("*.js") if path.name != "widget.js"}
    modules = {name: path.read_text(encoding="utf-8") for name, path in scripts.items()}
    return modules | {"style.js": _style_module(FOLDER / "style.css")}


def _style_module(path: Path) -> str:
    return f"export default {json.dumps(path.read_text(encoding='utf-8'))};\n"


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, script in sorted(_modules().items()):
        digest.update(f"{name}\n{script}".encode())
    return digest.hexdigest()[:12]
