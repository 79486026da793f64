"""The HTTP application: what vendors, Rasa and people call, each mounted where its vendor is switched on."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from rasa_sdk.executor import ActionExecutor
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse

from actions import build_actions
from bot.api import actions as actions_api
from bot.api import health
from bot.api.v1 import mounting as client_api
from bot.app.accounts import webhook_path
from bot.app.building import Doorline, action_services, build
from bot.app.desk import desk_edge
from bot.app.mail import intake_of
from bot.app.running import running
from bot.app.slack import slack_socket
from bot.clock import Clock
from bot.durable.inbound import ReceiveReceipts
from bot.errors import DoorlineError
from bot.escalations.inbound import ReceiveGesture
from bot.home.service import ReceiveHomeActions
from bot.keys import actions_token, derived, secret_key, webhook_secret
from bot.paging.inbound import ReceiveCallReports
from bot.settings import Settings
from bot.stops.inbound import ReceivePlatformEvents
from bot.web import board as board_page
from bot.web import chat as chat_page
from bot.web import demo as demo_page
from bot.web import incidents as incident_page
from bot.web import manifest as manifest_page
from bot.web import proof as proof_pages
from bot.web import reports as report_page
from bot.web.chat_feed import ReceiveChatTexts
from bot.web.demo_backend import HttpDemoBackend
from connectors.email import webhook as email_edge
from connectors.onfleet import webhook as onfleet_edge
from connectors.route4me import webhook as route4me_edge
from connectors.slack import escalation_windows
from connectors.slack import webhook as slack_edge
from connectors.slack.escalation_windows import WindowEdge
from connectors.twilio import voice_webhook as voice_edge
from connectors.twilio import webhook as twilio_edge
from connectors.webchat import webhook as webchat_edge
from connectors.webchat.policy import Policy


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
    for mount in (
        _mount_twilio,
        _mount_slack,
        _mount_onfleet,
        _mount_route4me,
        _mount_email,
        _mount_web_chat,
        _mount_actions,
    ):
        mount(app, doorline)
    _mount_pages(app, doorline)
    client_api.mount(app)
    return app


def _mount_twilio(app: FastAPI, doorline: Doorline) -> None:
    token = doorline.settings.twilio_auth_token
    if doorline.vendors.twilio is None or token is None:
        return
    edge = twilio_edge.router(
        doorline.services.receive,
        ReceiveReceipts(doorline.services.database, doorline.clock),
        auth_token=token.get_secret_value(),
        public_url=doorline.settings.public_url,
    )
    app.include_router(edge, prefix="/connectors/twilio")
    voice = voice_edge.router(
        doorline.services.phone_turns,
        ReceiveCallReports(doorline.services.database, doorline.clock),
        auth_token=token.get_secret_value(),
        public_url=doorline.settings.public_url,
    )
    app.include_router(voice, prefix="/connectors/twilio")


def _mount_slack(app: FastAPI, doorline: Doorline) -> None:
    signing_secret = doorline.settings.slack_signing_secret
    if doorline.vendors.slack is None or signing_secret is None:
        return
    secret = signing_secret.get_secret_value()
    client, now = doorline.vendors.slack.web, doorline.clock.now
    receive = ReceiveGesture(doorline.services.database, doorline.clock)
    windows = WindowEdge(receive, doorline.services.choices)
    bolt = slack_edge.build_app(
        receive,
        signing_secret=secret,
        client=client,
        now=now,
        desk=desk_edge(doorline.services.database, doorline.clock, doorline.services.sop),
        home=ReceiveHomeActions(doorline.services.database, doorline.clock),
        listeners=(lambda listening: escalation_windows.register(listening, windows, client, now),),
    )
    app.include_router(slack_edge.router(bolt, signing_secret=secret), prefix="/connectors/slack")
    doorline.slack_socket = slack_socket(doorline.settings, bolt)


def _mount_onfleet(app: FastAPI, doorline: Doorline) -> None:
    for account, platform in doorline.vendors.onfleets():
        if account.webhook_secret is None:
            continue
        edge = onfleet_edge.router(
            ReceivePlatformEvents(doorline.services.database, doorline.clock),
            secret_hex=account.webhook_secret.get_secret_value(),
            account=platform.account,
            now=doorline.clock.now,
            path=webhook_path(account),
        )
        app.include_router(edge, prefix="/connectors/onfleet")


def _mount_route4me(app: FastAPI, doorline: Doorline) -> None:
    for account in doorline.vendors.accounts:
        if account.vendor != "route4me":
            continue
        edge = route4me_edge.router(
            ReceivePlatformEvents(doorline.services.database, doorline.clock),
            secret=webhook_secret(secret_key(doorline.settings), account.name),
            platform_name=account.name,
            now=doorline.clock.now,
            path=webhook_path(account),
        )
        app.include_router(edge, prefix="/connectors/route4me")


def _mount_email(app: FastAPI, doorline: Doorline) -> None:
    key = doorline.settings.email_signing_key
    if doorline.vendors.email is None or key is None:
        return
    edge = email_edge.router(intake_of(doorline), signing_key=key.get_secret_value(), now=doorline.clock.wall)
    app.include_router(edge, prefix="/connectors/email")


def _mount_web_chat(app: FastAPI, doorline: Doorline) -> None:
    settings, services, feed = doorline.settings, doorline.services, doorline.chat_feed
    edge = webchat_edge.router(
        ReceiveChatTexts(services.receive, feed),
        feed,
        key=derived(secret_key(settings), "webchat"),
        public_url=settings.public_url,
        policy=lambda: Policy.model_validate(services.sop.current.webchat.model_dump()),
        now=doorline.clock.wall,
    )
    app.include_router(edge, prefix="/connectors/webchat")
    app.include_router(chat_page.router(lambda: services.sop.current.operator.name, settings.public_url))


def _mount_actions(app: FastAPI, doorline: Doorline) -> None:
    executor = ActionExecutor()
    for action in build_actions(action_services(doorline.services)):
        executor.register_action(action)
    app.include_router(actions_api.router(executor, actions_token(secret_key(doorline.settings))))


def _mount_pages(app: FastAPI, doorline: Doorline) -> None:
    services = doorline.services
    checks = {"database": services.database.is_reachable, "rasa": doorline.dialogue.is_ready}
    app.include_router(health.router(checks, doorline.stage))
    proof_pages.mount(app, services.proofs, services.proof_links, services.photos)
    manifest_page.mount(
        app,
        services.manifest_reader,
        services.manifest_links,
        lambda: doorline.clock.now().astimezone(services.sop.current.zone).date(),
        is_open=doorline.settings.doorline_demo_world is not None,
    )
    board_page.mount(
        app,
        services.board_reader,
        services.board_links,
        is_open=doorline.settings.doorline_demo_world is not None,
    )
    app.include_router(incident_page.router(services.incident_reports, services.incident_links))
    app.include_router(report_page.router(services.sla_reports, services.report_links))
    if doorline.settings.doorline_demo_world is None:
        return

    async def readiness() -> health.Readiness:
        return await health.look(checks, doorline.stage)

    backend = HttpDemoBackend.for_settings(doorline.settings, readiness)
    demo_page.mount(app, backend)
    doorline.closers.append(backend.aclose)

    @app.get("/", include_in_schema=False)
    async def start_page() -> RedirectResponse:
        return RedirectResponse("/demo")


async def _answer_error(_request: Request, error: Exception) -> JSONResponse:
    status = error.status if isinstance(error, DoorlineError) else 500
    return JSONResponse({"error": str(error)}, int(status))
