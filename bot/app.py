"""The one place where objects are made and handed to each other. The lifespan opens and closes everything."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from fastapi import FastAPI
from rasa_sdk.executor import ActionExecutor
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse

from actions import build_actions
from actions.services import ActionServices
from bot.api import actions as actions_api
from bot.api import health
from bot.clock import Clock, PretendedClock, SystemClock
from bot.conversations.consent import ConsentLedger
from bot.conversations.dialogue import RasaDialogue
from bot.conversations.handoff import Handoff
from bot.conversations.service import ConversationService
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.inbound import ReceiveReceipts
from bot.durable.jobs import send_stranded
from bot.durable.outbox import Outbox
from bot.durable.queue import HEARTBEAT_SECONDS, STALLED_AFTER_SECONDS, App, open_queue, rescue_stalled
from bot.durable.ticks import Tick, Ticker
from bot.durable.worker import work_forever
from bot.errors import ConfigurationError, DoorlineError
from bot.escalations.desk import DeskKeeper
from bot.escalations.inbound import ReceiveGesture
from bot.escalations.service import EscalationService
from bot.keys import actions_token, secret_key
from bot.services import Services
from bot.settings import PROJECT_ROOT, Settings
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce
from bot.stops.inbound import FeedWatch, ReceivePlatformEvents, read_pause
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync
from bot.web import demo as demo_page
from bot.web.demo_backend import HttpDemoBackend
from bot.windows.spoken import SpokenWindows
from connectors.base import Channel, ChannelName, RoutingPlatform
from connectors.errors import PlatformError
from connectors.onfleet import webhook as onfleet_edge
from connectors.onfleet.client import OnfleetPlatform
from connectors.slack import blocks as slack_words
from connectors.slack import webhook as slack_edge
from connectors.slack.client import SlackDesk
from connectors.twilio import webhook as twilio_edge
from connectors.twilio.client import TwilioChannel

log = structlog.get_logger()

WORKER_CONCURRENCY = 16
CATCH_UP_REACHES_BACK = timedelta(days=1)
CATCH_UP_OVERLAP = timedelta(minutes=15)
"""Texts may be listed late; each round looks at this much of the last one again."""


@dataclass(frozen=True)
class Vendors:
    """The clients of the vendors that are switched on."""

    twilio: TwilioChannel | None
    slack: SlackDesk | None
    onfleet: OnfleetPlatform | None

    @property
    def channels(self) -> dict[ChannelName, Channel]:
        if self.twilio is None:
            return {}
        return {ChannelName.SMS: self.twilio, ChannelName.WHATSAPP: self.twilio}

    @property
    def platforms(self) -> dict[str, RoutingPlatform]:
        return {self.onfleet.name: self.onfleet} if self.onfleet is not None else {}

    async def aclose(self) -> None:
        for vendor in (self.twilio, self.slack, self.onfleet):
            if vendor is not None:
                await vendor.aclose()


@dataclass
class Doorline:
    """Everything of one process, made but not yet opened."""

    settings: Settings
    clock: Clock
    vendors: Vendors
    services: Services
    dialogue: RasaDialogue
    queue: App
    stage: Callable[[], str] = field(default=lambda: "starting")
    last_catch_up: datetime | None = None
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What the pages opened, to be closed with the rest."""


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    with_worker: bool = True,
    with_clock: bool = True,
    stage: Callable[[], str] = lambda: "starting",
) -> FastAPI:
    """The whole HTTP application. `settings` must name the database and Rasa.

    Raises:
        ConfigurationError: something is missing or wrong; nothing was started.
    """
    doorline = build(settings, clock=clock, stage=stage)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(doorline, with_worker=with_worker, with_clock=with_clock):
            yield

    app = FastAPI(title="Doorline", version="0.1.0", lifespan=lifespan)
    app.state.doorline = doorline
    app.add_exception_handler(DoorlineError, _answer_error)
    _mount_edges(app, doorline)
    _mount_pages(app, doorline)
    return app


def build(
    settings: Settings, *, clock: Clock | None = None, stage: Callable[[], str] = lambda: "starting"
) -> Doorline:
    """Makes every object of one process."""
    if settings.database_url is None or settings.rasa_url is None:
        raise ConfigurationError("the database and Rasa must be known before the app is made")
    clock = clock or _clock_of(settings)
    sop = ProtocolInForce(settings.doorline_sop)
    database = Database(settings.database_url)
    vendors = open_vendors(settings, clock, sop.current.operator.timezone)
    words = Words(PROJECT_ROOT / "nlu" / "domain")
    dialogue = RasaDialogue(settings.rasa_url)
    consent = ConsentLedger(clock)
    escalations = EscalationService(database, clock, sop)
    handoff = Handoff(database, clock, sop, escalations)
    sync = PlatformSync(database, clock, vendors.platforms, lambda: read_pause(sop, clock))
    services = Services(
        database=database,
        clock=clock,
        sop=sop,
        words=words,
        dialogue=dialogue,
        consent=consent,
        outbox=Outbox(database, clock, vendors.channels, consent),
        conversations=ConversationService(
            database, clock, sop, dialogue, consent, handoff, escalations, words
        ),
        handoff=handoff,
        stops=StopService(database, clock, sop, vendors.platforms, sync, handoff),
        sync=sync,
        feeds=FeedWatch(database, clock, sop, escalations, list(vendors.platforms)),
        sweep=Sweep(database, clock, sop, escalations),
        escalations=escalations,
        desk_keeper=DeskKeeper(database, clock, sop, vendors.slack, slack_words),
    )
    return Doorline(settings, clock, vendors, services, dialogue, open_queue(settings.database_url), stage)


@asynccontextmanager
async def running(
    doorline: Doorline, *, with_worker: bool, with_clock: bool, with_http: bool = True
) -> AsyncIterator[None]:
    """Opens everything, and closes it in the opposite order: the worker before the database."""
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
            ticker = Ticker(_ticks(doorline))
            ticker.start()
            stack.callback(ticker.stop)
        if with_http:
            await stack.enter_async_context(_background(_register_webhooks(doorline)))
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
    """The worker, for as long as the process lives."""
    await work_forever(
        doorline.queue,
        concurrency=WORKER_CONCURRENCY,
        shutdown_graceful_timeout=5,
        fetch_job_polling_interval=1,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_AFTER_SECONDS,
        delete_jobs="successful",
        additional_context={"services": doorline.services},
    )


def _ticks(doorline: Doorline) -> list[Tick]:
    services = doorline.services

    async def reload_protocol() -> None:
        services.sop.reload_if_changed()

    async def rescue() -> None:
        await rescue_stalled(doorline.queue)

    async def send_what_was_stranded() -> None:
        await send_stranded(services.outbox, services.database)

    ticks = [
        Tick("steps", services.escalations.fire_due_steps, 1),
        Tick("sweep", services.sweep.run, 5),
        Tick("holding", services.conversations.send_due_holding_answers, 1),
        Tick("hand_over", services.conversations.hand_over_due, 10),
        Tick("feeds", services.feeds.ask_for_due_reads, 1),
        Tick("silence", services.feeds.watch_silence, 10),
        Tick("protocol", reload_protocol, 2),
        Tick("rescue", rescue, 3),
        Tick("stranded", send_what_was_stranded, 60),
    ]
    twilio = doorline.vendors.twilio
    if twilio is not None:

        async def catch_up() -> None:
            await catch_up_texts(doorline, twilio)

        ticks.append(Tick("catch_up", catch_up, 20))
    return ticks


async def catch_up_texts(doorline: Doorline, twilio: TwilioChannel) -> None:
    """Fetches texts whose webhook never reached us: Twilio gives up after a few tries, its list does not.

    The first time it looks back to before we went down, however long ago that was, a day at most.
    """
    began_at = doorline.clock.now()
    overlap = CATCH_UP_OVERLAP * max(1.0, doorline.clock.speed)
    last = doorline.last_catch_up or await doorline.services.conversations.last_received_at() or began_at
    since = max(last - overlap, began_at - CATCH_UP_REACHES_BACK)
    for message in await twilio.list_inbound(since):
        await doorline.services.conversations.receive(message)
    doorline.last_catch_up = began_at


async def _register_webhooks(doorline: Doorline) -> None:
    """Tells Onfleet where we are, once it can prove that we are there."""
    onfleet = doorline.vendors.onfleet
    if onfleet is None:
        return
    url = doorline.settings.public_url.rstrip("/") + "/connectors/onfleet/webhook"
    while True:
        await asyncio.sleep(0.5)
        try:
            count = await onfleet.ensure_webhooks(url)
        except PlatformError as exc:
            log.warning("webhooks_not_registered", platform=exc.platform, error=str(exc))
            await asyncio.sleep(15)
            continue
        if count:
            log.info("webhooks_registered", platform=onfleet.name, count=count)
        return


def _mount_edges(app: FastAPI, doorline: Doorline) -> None:
    settings, services, vendors, clock = (
        doorline.settings,
        doorline.services,
        doorline.vendors,
        doorline.clock,
    )
    if vendors.twilio is not None and settings.twilio_auth_token is not None:
        receipts = ReceiveReceipts(services.database, clock)
        app.include_router(
            twilio_edge.router(
                services.conversations.receive,
                receipts,
                auth_token=settings.twilio_auth_token.get_secret_value(),
                public_url=settings.public_url,
            ),
            prefix="/connectors/twilio",
        )
    if vendors.slack is not None and settings.slack_signing_secret is not None:
        secret = settings.slack_signing_secret.get_secret_value()
        bolt = slack_edge.build_app(
            ReceiveGesture(services.database, clock),
            signing_secret=secret,
            client=vendors.slack.web,
            now=clock.now,
        )
        app.include_router(slack_edge.router(bolt, signing_secret=secret), prefix="/connectors/slack")
    if vendors.onfleet is not None and settings.onfleet_webhook_secret is not None:
        app.include_router(
            onfleet_edge.router(
                ReceivePlatformEvents(services.database, clock),
                secret_hex=settings.onfleet_webhook_secret.get_secret_value(),
                account=vendors.onfleet.account,
                now=clock.now,
            ),
            prefix="/connectors/onfleet",
        )
    executor = ActionExecutor()
    for action in build_actions(_action_services(services)):
        executor.register_action(action)
    app.include_router(actions_api.router(executor, actions_token(secret_key(settings))))


def _action_services(services: Services) -> ActionServices:
    return ActionServices(
        finder=services.stops,
        rescheduling=services.stops,
        handoff=services.handoff,
        consent=services.conversations,
        windows=SpokenWindows(services.clock),
        now=services.clock.now,
        operator=services.sop.current.operator.name,
    )


def _mount_pages(app: FastAPI, doorline: Doorline) -> None:
    checks = {"database": doorline.services.database.is_reachable, "rasa": doorline.dialogue.is_ready}
    app.include_router(health.router(checks, doorline.stage))
    world = doorline.settings.doorline_demo_world
    if world is None:
        return

    async def readiness() -> health.Readiness:
        return await health.look(checks, doorline.stage)

    backend = HttpDemoBackend.for_settings(doorline.settings, readiness)
    demo_page.mount(app, backend)
    doorline.closers.append(backend.aclose)

    @app.get("/", include_in_schema=False)
    async def start_page() -> RedirectResponse:
        return RedirectResponse("/demo")


def open_vendors(settings: Settings, clock: Clock, timezone: str) -> Vendors:
    """Clients of the vendors whose variables are set; `timezone` is where stops without one are."""
    return Vendors(
        twilio=_twilio(settings) if settings.has_twilio else None,
        slack=SlackDesk(
            settings.slack_bot_token.get_secret_value(), now=clock.now, api_base=settings.slack_api_base
        )
        if settings.slack_bot_token is not None
        else None,
        onfleet=OnfleetPlatform(
            settings.onfleet_api_key.get_secret_value(),
            settings.onfleet_api_base,
            timezone=timezone,
            now=clock.now,
        )
        if settings.onfleet_api_key is not None
        else None,
    )


def _twilio(settings: Settings) -> TwilioChannel:
    if (
        settings.twilio_account_sid is None
        or settings.twilio_auth_token is None
        or settings.twilio_from is None
    ):
        raise ConfigurationError("Twilio is only half configured")
    return TwilioChannel(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_from,
        status_url=settings.public_url.rstrip("/") + "/connectors/twilio/status",
        api_base=settings.twilio_api_base,
    )


def _clock_of(settings: Settings) -> Clock:
    return PretendedClock(settings.doorline_demo_clock) if settings.doorline_demo_clock else SystemClock()


async def _answer_error(_request: Request, error: Exception) -> JSONResponse:
    status = error.status if isinstance(error, DoorlineError) else 500
    return JSONResponse({"error": str(error)}, int(status))
