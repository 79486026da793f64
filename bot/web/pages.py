"""What every page shares: the templates, and the static files with addresses that change when they do."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

# Everything comes from this server, and no page of ours may be framed by somebody else's.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@cache
def _version() -> str:
    """Changes with any static file: modules import each other by plain names, so they share one."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static_url(path: str) -> str:
    """Address of a file under `static/`; the version stands in the path, so it holds for what it imports too."""
    return f"/static/{_version()}/{path}"


def page(template: str, **values: object) -> HTMLResponse:
    body = _templates.get_template(template).render(static=static_url, **values)
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "same-origin"}
    return HTMLResponse(body, headers=headers | {"Cache-Control": "no-store"})


def mount_static(app: FastAPI) -> None:
    """Serves `/static/…`; calling it again changes nothing."""
    if not any(getattr(route, "name", None) == "static" for route in app.routes):
        app.mount(f"/static/{_version()}", StaticFiles(directory=STATIC), name="static")
