"""Opens everything of one process, lets it work, and closes it in the opposite order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog

from bot.app.accounts import webhook_url
from bot.app.building import Doorline
from bot.app.clockwork import ticks_of
from bot.app.mail import mail_listener
from bot.durable.queue import HEARTBEAT_SECONDS, MAIN_LANE, STALLED_AFTER_SECONDS, lane_of
from bot.durable.ticks import Ticker
from bot.durable.worker import work_forever
from connectors.errors import PlatformError
from connectors.onfleet.client import OnfleetPlatform

log = structlog.get_logger()

WORKER_CONCURRENCY = 16
PLATFORM_CONCURRENCY = 4
"""Jobs of one account at once: a whole read, a look at its events, and what its webhooks ask for."""


@asynccontextmanager
async def running(
    doorline: Doorline, *, with_worker: bool, with_clock: bool, with_http: bool = True
) -> AsyncIterator[None]:
    """The worker is closed before the database."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(doorline.services.database.close)
        stack.push_async_callback(doorline.vendors.aclose)
        stack.push_async_callback(doorline.dialogue.aclose)
        for closer in doorline.closers:
            stack.push_async_callback(closer)
        await stack.enter_async_context(doorline.queue.open_async())
        if with_worker:
            await stack.enter_async_context(_background(_work(doorline)))
        if with_clock:
            ticker = Ticker(ticks_of(doorline))
            ticker.start()
            stack.callback(ticker.stop)
        if with_http:
            await stack.enter_async_context(_background(_register_webhooks(doorline)))
            if doorline.slack_socket is not None:
                await doorline.slack_socket.start()
                stack.push_async_callback(doorline.slack_socket.stop)
            listener = mail_listener(doorline)
            if listener is not None:
                await listener.start()
                stack.push_async_callback(listener.stop)
        yield


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _work(doorline: Doorline) -> None:
    """The workers, for as long as the process lives: one for everything, and one for each platform's lane."""
    lanes = {lane_of(name): PLATFORM_CONCURRENCY for name in doorline.vendors.platforms}
    async with asyncio.TaskGroup() as workers:
        for lane, concurrency in ({MAIN_LANE: WORKER_CONCURRENCY} | lanes).items():
            workers.create_task(_work_on(doorline, lane, concurrency))


async def _work_on(doorline: Doorline, lane: str, concurrency: int) -> None:
    await work_forever(
        doorline.queue,
        queues=[lane],
        concurrency=concurrency,
        shutdown_graceful_timeout=5,
        fetch_job_polling_interval=1,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_AFTER_SECONDS,
        delete_jobs="successful",
        additional_context={"services": doorline.services},
    )


async def _register_webhooks(doorline: Doorline) -> None:
    """Tells the platforms that can be told where we are, each once we can prove that we are there."""
    async with asyncio.TaskGroup() as registering:
        for account, platform in doorline.vendors.onfleets():
            url = webhook_url(doorline.settings.public_url, account)
            registering.create_task(_register(platform, url))


async def _register(platform: OnfleetPlatform, url: str) -> None:
    while True:
        await asyncio.sleep(0.5)
        try:
            count = await platform.ensure_webhooks(url)
        except PlatformError as exc:
            log.warning("webhooks_not_registered", platform=exc.platform, error=type(exc).__name__)
            await asyncio.sleep(15)
            continue
        if count:
            log.info("webhooks_registered", platform=platform.name, count=count)
        return
