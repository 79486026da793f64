"""A real Chromium beside the real application, and somebody else's web site that embeds the chat."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from connectors.emulation import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The Chromium on this machine; skipped where there is none, unless it is required."""
    if CHROMIUM is None:
        if os.environ.get("DOORLINE_REQUIRE_BROWSER"):
            pytest.fail("DOORLINE_REQUIRE_BROWSER is set, and no Chromium was found")
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


SHOP = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">
<script src="{doorline}/chat/widget.js" async></script>
<script src="{doorline}/chat/widget.js" async></script>
</head><body><h1>A shop</h1><p><a href="#one" id="before">A link of the shop</a></p></body></html>
"""

HOSTILE = """
* { color: red !important; font: 40px/3 serif !important; letter-spacing: 9px !important; text-transform: uppercase !important; }
div, section, button, textarea, span { display: none !important; background: lime !important; }
"""


class Shop:
    """A web site with a strict policy and rude styles, on an origin of its own."""

    def __init__(self) -> None:
        self.doorline = ""
        self._server = Server(Starlette(routes=[Route("/", self._page), Route("/shop.css", self._style)]))

    @property
    def url(self) -> str:
        return self._server.url

    async def _page(self, _request: Request) -> HTMLResponse:
        socket = self.doorline.replace("http", "ws", 1)
        policy = (
            f"default-src 'none'; script-src {self.doorline}; style-src 'self'; "
            f"connect-src {self.doorline} {socket}"
        )
        return HTMLResponse(SHOP.format(doorline=self.doorline), headers={"Content-Security-Policy": policy})

    async def _style(self, _request: Request) -> HTMLResponse:
        return HTMLResponse(HOSTILE, media_type="text/css")

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    await shop.start()
    yield shop
    await shop.stop()
