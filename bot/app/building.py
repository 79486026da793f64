"""Makes every object of one process. Nothing is opened here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actions.services import ActionServices
from bot.app.board import board_services
from bot.app.clients import client_services
from bot.app.desk import desk_services
from bot.app.drivers import driver_services
from bot.app.drivers_road import relay_of, road_replies, road_services
from bot.app.escalating import Escalating
from bot.app.follow_ups import asker_of
from bot.app.ground import Ground
from bot.app.handover import hand_over_services
from bot.app.incidents import incident_services
from bot.app.intake import intake_services
from bot.app.manifests import manifest_services
from bot.app.messaging import messaging_services
from bot.app.notifications import notification_services
from bot.app.oncall import on_call_services
from bot.app.recovery import recovery_services
from bot.app.reports import report_services as sla_report_services
from bot.app.slack import home_services
from bot.app.stops import report_services, stop_services, sync_of
from bot.app.talking import conversation_services, notices_of
from bot.app.vendors import Vendors, open_vendors
from bot.clock import Clock, PretendedClock, SystemClock
from bot.conversations.consent import ConsentLedger
from bot.conversations.dialogue import RasaDialogue
from bot.conversations.handoff import Handoff
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.queue import App, open_queue
from bot.errors import ConfigurationError
from bot.keys import secret_key
from bot.notifications.lost_answers import LostAnswers
from bot.recovery.expected_codes import ExpectedCodes
from bot.reports.asked import AskForReport, ReportLinks
from bot.reports.models import RunKind
from bot.services import Services
from bot.settings import PROJECT_ROOT, Settings
from bot.sop import ProtocolInForce
from bot.web.chat_feed import ChatFeed
from bot.windows.spoken import SpokenWindows
from connectors.base import ChannelName
from connectors.desk import CommandKind
from connectors.slack.socket import SlackSocket
from connectors.webchat.client import WebChatChannel

REVIEW_LINK_HOLDS = timedelta(days=30)


@dataclass
class Doorline:
    """Everything of one process, made but not yet opened."""

    settings: Settings
    clock: Clock
    vendors: Vendors
    services: Services
    dialogue: RasaDialogue
    queue: App
    chat_feed: ChatFeed
    stage: Callable[[], str] = field(default=lambda: "starting")
    last_catch_up: datetime | None = None
    slack_socket: SlackSocket | None = None
    """Set where Slack reaches us over a socket that we open."""
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What the pages opened, to be closed with the rest."""


def build(
    settings: Settings, *, clock: Clock | None = None, stage: Callable[[], str] = lambda: "starting"
) -> Doorline:
    """Raises `ConfigurationError`: something is missing or wrong; nothing was started."""
    if settings.database_url is None or settings.rasa_url is None:
        raise ConfigurationError("the database and Rasa must be known before the app is made")
    clock = clock or _clock_of(settings)
    sop = ProtocolInForce(settings.doorline_sop)
    vendors = open_vendors(settings, clock, sop.current)
    dialogue = RasaDialogue(settings.rasa_url)
    database = Database(settings.database_url)
    feed = ChatFeed(database, clock)
    words, consent = Words(PROJECT_ROOT / "nlu" / "domain"), ConsentLedger(clock)
    ground = Ground(settings, clock, sop, database, vendors, consent, words)
    services = _services(ground, dialogue, feed)
    queue = open_queue(settings.database_url)
    return Doorline(
        settings,
        clock,
        vendors,
        services,
        dialogue,
        queue,
        feed,
        stage,
        closers=[feed.aclose, services.couriers.aclose],
    )


def action_services(services: Services) -> ActionServices:
    """What Rasa's custom actions are built with."""
    return ActionServices(
        finder=services.finder,
        rescheduling=services.stops,
        handoff=services.handoff,
        consent=services.conversations,
        instructions=services.instructions,
        requests=services.requests,
        incidents=services.incidents,
        proofs=services.proofs,
        faq=services.faq,
        recovery=services.recovery,
        say=services.words.say,
        windows=SpokenWindows(services.clock),
        now=services.clock.now,
        operator=services.sop.current.operator.name,
    )


def _services(ground: Ground, dialogue: RasaDialogue, feed: ChatFeed) -> Services:
    database, clock, sop = ground.database, ground.clock, ground.sop
    vendors, platforms = ground.vendors, ground.platforms
    channels = {**vendors.channels, ChannelName.WEBCHAT: WebChatChannel(feed)}
    desk = desk_services(database, clock, sop, vendors.slack)
    tasks, commands = desk["desk_tasks"], desk["desk_commands"]
    duty = on_call_services(database, clock, sop, desk, vendors.slack)
    escalating = Escalating(ground, desk, duty)
    handoff = Handoff(database, clock, sop, escalating.service)
    sync, notices = sync_of(ground), notices_of(ground)
    drivers = driver_services(database, clock, sop, platforms, sync, ground.consent, ground.words, tasks)
    watch, deeds, pages = escalating.answered(sync, notices, drivers["driver_texts"])
    hand_over = hand_over_services(secret_key(ground.settings), database, clock, sop, tasks)
    clients = client_services(
        ground.settings, database, clock, sop, ground.words, hand_over["client_events"], handoff
    )
    reported = report_services(ground, channels, escalating.service, handoff, notices)
    relay = relay_of(ground, drivers["driver_texts"])
    stops = stop_services(ground, sync, escalating.service, escalating.requests, relay)
    notifying = notification_services(ground, channels, stops["proof_links"])
    recovery = recovery_services(
        ground,
        sync,
        stops["finder"],
        stops["stops"],
        escalating.requests,
        tasks,
        notices,
        notifying["teller"],
        asker_of(ground, dialogue, notifying["teller"], handoff),
        clients["client_telling"],
    )
    road = road_replies(
        ground,
        drivers["driver_texts"],
        handoff,
        escalating.service,
        reported["photos"],
        recovery["recovery"],
    )
    page_links = ground.links("board/manifest", lambda: timedelta(days=sop.current.manifest.link_days))
    manifests = manifest_services(
        database,
        clock,
        sop,
        desk,
        drivers["driver_texts"],
        page_links,
        ground.settings.public_url,
        platforms,
    )
    board = board_services(
        database,
        clock,
        sop,
        commands,
        ground.links("board", lambda: timedelta(days=sop.current.manifest.link_days)),
        ground.settings.public_url,
        vendors.slack.workspace_url if vendors.slack else None,
    )
    boards = desk["desk_boards"]
    summaries = {RunKind.CLIENT_DAY: clients["client_summaries"]}
    reviews = sla_report_services(ground.settings, database, clock, sop, boards, vendors.slack, summaries)
    review_links = ReportLinks(ground.texts("reports/sla", lambda: REVIEW_LINK_HOLDS))
    commands.on(CommandKind.REPORT_SLA, AskForReport(reviews["sla_reports"], review_links))
    return Services(
        database=database,
        clock=clock,
        sop=sop,
        words=ground.words,
        consent=ground.consent,
        sync=sync,
        deed_writer=deeds.deed_writer,
        choices=deeds.choices,
        **messaging_services(
            ground,
            channels,
            LostAnswers(clock, handoff, escalating.failure_desk()),
            pages["operator_pages"],
        ),
        **desk,
        **duty,
        **watch,
        **pages,
        **drivers,
        **road_services(ground, drivers["driver_texts"]),
        unanswered_reports=road.unanswered,
        **reported,
        **conversation_services(
            ground,
            dialogue,
            escalating.service,
            handoff,
            reported["incidents"],
            (
                ExpectedCodes(),
                pages["page_replies"],
                road.failures,
                deeds.driver_replies,
                road.delays,
                drivers["shift_answers"],
                road.other,
                clients["client_questions"],
            ),
        ),
        **stops,
        **notifying,
        **recovery,
        **intake_services(database, clock, sop, platforms, sync, tasks, commands, hand_over["client_events"]),
        **hand_over,
        **clients,
        **manifests,
        **board,
        **home_services(
            database,
            clock,
            sop,
            vendors.slack,
            commands,
            on_call=duty["on_call"],
            pauses=duty["pauses"],
            manifests=manifests["manifest_links"],
            board=board["board_links"],
        ),
        report_links=review_links,
        **reviews,
        **vars(
            incident_services(
                database,
                clock,
                sop,
                commands,
                ground.links(
                    "incidents/report", lambda: timedelta(days=sop.current.incidents.photo_link_days)
                ),
            )
        ),
    )


def _clock_of(settings: Settings) -> Clock:
    return PretendedClock(settings.doorline_demo_clock) if settings.doorline_demo_clock else SystemClock()
