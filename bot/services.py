"""What `bot.app` wires together and hands to the edges, the queue and the clock."""

from dataclasses import dataclass

from bot.board.links import BoardLinks
from bot.board.reading import BoardReader
from bot.clients.asking import ClientQuestions
from bot.clients.breaches import BreachNews
from bot.clients.day import ClientDays
from bot.clients.mailing import ClientMails, NewsRound
from bot.clients.service import ClientTokens
from bot.clients.summaries import SummaryMaker
from bot.clients.telling import ClientTelling
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.dialogue import Dialogue
from bot.conversations.forgetting import Forgetting
from bot.conversations.handoff import Handoff
from bot.conversations.receiving import ReceiveTexts
from bot.conversations.service import ConversationService
from bot.conversations.waiting import WaitingRoom
from bot.conversations.words import Words
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.desk.commands import DeskCommands
from bot.desk.keeper import PostKeeper
from bot.desk.service import DeskTasks
from bot.drivers.answers import ShiftAnswers
from bot.drivers.checking import DriverCheckIns
from bot.drivers.explaining import DriversExplain
from bot.drivers.giving import RouteGiving
from bot.drivers.relaying import RelayedCodes
from bot.drivers.service import ShiftService
from bot.drivers.texts import DriverTexts
from bot.drivers.unanswered import UnansweredReports
from bot.durable.outbox import Outbox
from bot.durable.pacing import Pacer
from bot.escalations.choices import Choices
from bot.escalations.deeds.writing import DeedWriter
from bot.escalations.desk import DeskKeeper
from bot.escalations.gestures import Gestures
from bot.escalations.promises import Promises
from bot.escalations.service import EscalationService
from bot.faq import Faq
from bot.handover.delivering import Couriers
from bot.handover.deriving import Deriving
from bot.handover.events import ClientEvents
from bot.handover.replaying import Replays
from bot.handover.service import HandOverService
from bot.home.service import HomeService
from bot.incidents.handling import IncidentHandling
from bot.incidents.photos import PhotoKeeper
from bot.incidents.reminding import FollowUpReminders
from bot.incidents.report import IncidentReports
from bot.incidents.service import IncidentService
from bot.incidents.watch import IncidentWatch
from bot.intake.applying import ChangeWriter
from bot.intake.bulk import BulkChanges
from bot.intake.changes import ChangeService
from bot.intake.entering import StopEntry
from bot.intake.service import IntakeService
from bot.intake.uploads import StopUploads
from bot.links import SignedLinks
from bot.manifest.links import ManifestLinks
from bot.manifest.reading import ManifestReader
from bot.manifest.service import ManifestKeeper
from bot.manifest.watching import LateChanges
from bot.notifications.filtering import FilterWatch
from bot.notifications.service import NotificationService
from bot.notifications.telling import Teller
from bot.oncall.commands import WhoIsOnCall
from bot.oncall.service import OnCallService
from bot.oncall.sources import OnCallSources
from bot.paging.calling import Calls
from bot.paging.operators import OperatorPages
from bot.paging.replies import PageReplies
from bot.paging.turns import PhoneTurns
from bot.pauses.holding import HoldBack
from bot.pauses.service import PauseService
from bot.recovery.concluding import Conclusions
from bot.recovery.ladder import Ladder
from bot.recovery.opening import Opening
from bot.recovery.service import RecoveryService
from bot.recovery.watching import RecoveryWatch
from bot.recovery.writing import SecondTries
from bot.reports.asked import ReportLinks
from bot.reports.mailing import ReportMails
from bot.reports.making import ReportMaker
from bot.reports.schedule import ReportSchedule
from bot.reports.service import SlaReports
from bot.reports.sharing import DigestShares
from bot.requests.deciding import Deciding
from bot.requests.service import RequestService
from bot.sla.selfwatch import SelfWatch
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce
from bot.stops.finder import StopFinder
from bot.stops.inbound import FeedWatch
from bot.stops.instructions import InstructionService
from bot.stops.proof import ProofService
from bot.stops.service import StopService
from bot.stops.sync import PlatformSync


@dataclass(frozen=True)
class Services:
    database: Database
    clock: Clock
    sop: ProtocolInForce
    words: Words
    dialogue: Dialogue
    consent: ConsentLedger
    outbox: Outbox
    pacer: Pacer
    filter_watch: FilterWatch
    receive: ReceiveTexts
    conversations: ConversationService
    driver_texts: DriverTexts
    shift_answers: ShiftAnswers
    shifts: ShiftService
    route_giving: RouteGiving
    driver_check_ins: DriverCheckIns
    drivers_explain: DriversExplain
    unanswered_reports: UnansweredReports
    relayed_codes: RelayedCodes
    client_events: ClientEvents
    client_history: Deriving
    couriers: Couriers
    hand_over: HandOverService
    replays: Replays
    waiting: WaitingRoom
    forgetting: Forgetting
    client_tokens: ClientTokens
    client_telling: ClientTelling
    client_breaches: BreachNews
    client_news: NewsRound
    client_mails: ClientMails
    client_days: ClientDays
    client_summaries: SummaryMaker
    client_questions: ClientQuestions
    intake: IntakeService
    stop_entry: StopEntry
    uploads: StopUploads
    changes: ChangeService
    change_writer: ChangeWriter
    bulk_changes: BulkChanges
    handoff: Handoff
    finder: StopFinder
    stops: StopService
    instructions: InstructionService
    proof_links: SignedLinks
    proofs: ProofService
    photos: PhotoKeeper
    incidents: IncidentService
    faq: Faq
    sync: PlatformSync
    feeds: FeedWatch
    teller: Teller
    notifications: NotificationService
    sweep: Sweep
    escalations: EscalationService
    promises: Promises
    gestures: Gestures
    deed_writer: DeedWriter
    choices: Choices
    on_call: OnCallService
    on_call_sources: OnCallSources
    who: WhoIsOnCall
    pauses: PauseService
    hold_back: HoldBack
    calls: Calls
    phone_turns: PhoneTurns
    page_replies: PageReplies
    operator_pages: OperatorPages
    self_watch: SelfWatch
    homes: HomeService
    incident_watch: IncidentWatch
    incident_handling: IncidentHandling
    incident_reports: IncidentReports
    incident_links: SignedLinks
    follow_up_reminders: FollowUpReminders
    sla_reports: SlaReports
    report_links: ReportLinks
    report_schedule: ReportSchedule
    report_maker: ReportMaker
    report_mails: ReportMails
    digest_shares: DigestShares
    requests: RequestService
    deciding: Deciding
    recovery: RecoveryService
    recovery_opening: Opening
    recovery_ladder: Ladder
    recovery_watch: RecoveryWatch
    recovery_conclusions: Conclusions
    second_tries: SecondTries
    desk_keeper: DeskKeeper
    desk_posts: PostKeeper
    desk_tasks: DeskTasks
    desk_boards: DeskBoards
    desk_commands: DeskCommands
    board_reader: BoardReader
    board_links: BoardLinks
    manifest_reader: ManifestReader
    manifest_links: ManifestLinks
    manifests: ManifestKeeper
    late_changes: LateChanges
