"""The dispatchers' workspace beyond escalations: dispatcher tasks, posts that are kept current, what they command.

Records carry facts; `connectors/slack` puts them into words. Days are local to the zone that is told of.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import DeliveryWindow, FailureReason, Record, StopStatus
from connectors.digest import DigestChart, DigestView
from connectors.duty import DutyLine
from connectors.escalation import EscalationState, PostedMessage, Severity
from connectors.follow_up import FollowedUp, FollowUp, SecondTry
from connectors.pauses import PauseNotice, PauseReport

# --- dispatcher tasks ---------------------------------------------------------------------------


class TaskKind(StrEnum):
    """What a dispatcher is to decide or to do. None of them is about a promise at risk: that is an escalation."""

    NEW_STOP = "new_stop"
    """Somebody wants a stop that the rules do not simply allow, or that no platform can take."""
    CHANGE_WINDOW = "change_window"
    """A client wants another window for a stop."""
    CANCEL_STOP = "cancel_stop"
    """A client wants a stop cancelled that is out already."""
    LATE_CHANGE = "late_change"
    """A stop was added to, or taken from, a route that is out: the driver was told; for information."""
    DRIVER_UNCONFIRMED = "driver_unconfirmed"
    """A driver refused the route, or said nothing until the deadline."""
    OVER_CAPACITY = "over_capacity"
    WRITE_REFUSED = "write_refused"
    """The platform refused what was decided here: it is to be done there by hand."""
    RELEASE_ROUTES = "release_routes"
    """Cannot be undone: two people must want it."""
    MOVE_WINDOWS = "move_windows"
    """Many windows at once: two people must want it."""
    HAND_OVER_FAILED = "hand_over_failed"
    """A client's system did not take its events for so long that they were set aside."""
    FAILURE_REASON = "failure_reason"
    """A delivery failed and nobody has said why: which of `TaskFacts.causes` it was."""
    FOLLOW_UP = "follow_up"
    """A failed delivery needs a person: `TaskFacts.reasons` has the one code of why, see `bot.recovery.models.Why`."""


class Choice(StrEnum):
    """The buttons of a task."""

    APPROVE = "approve"
    DECLINE = "decline"
    DONE = "done"
    """It is dealt with by hand."""
    ASSIGN = "assign"
    """Give it to the suggested driver whose reference is the action's `value`."""
    REASON = "reason"
    """It failed for the cause that is the action's `value`."""
    AGAIN = "again"
    """A second try, at `TaskFacts.wanted_window`."""
    SEND_BACK = "return"
    HOLD = "hold"
    """The recipient comes for it."""


class TaskState(StrEnum):
    OPEN = "open"
    CARRYING_OUT = "carrying_out"
    """Approved, and being written to a platform."""
    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"
    EXPIRED = "expired"
    """It became moot, or its time ran out."""

    @property
    def is_settled(self) -> bool:
        return self not in (TaskState.OPEN, TaskState.CARRYING_OUT)


class Suggestion(Record):
    """A driver who could take it."""

    driver_ref: str
    driver_name: str
    zone: str = ""
    load: float | None = None
    capacity: float | None = None
    stops_left: int | None = None


class TaskFacts(Record):
    """What a task's message may need; each kind reads what it needs and does without the rest."""

    address_line: str = ""
    tracking: str = ""
    order_ref: str = ""
    recipient_name: str = ""
    window: DeliveryWindow | None = None
    """What is promised now."""
    wanted_window: DeliveryWindow | None = None
    day: date | None = None
    driver_name: str = ""
    driver_phone: str | None = None
    route_name: str = ""
    starts_at: AwareDatetime | None = None
    answer_by: AwareDatetime | None = None
    stops: int = 0
    stops_done: int | None = None
    """Of a bulk move that was carried out: how many of `stops` the platform took."""
    load: float | None = None
    capacity: float | None = None
    change: str = ""
    """Of a late change: `added`, `cancelled`, `moved`, `reassigned`, `taken_off`."""
    reasons: tuple[str, ...] = ()
    """Codes of why the rules do not allow it, or of what the platform said; see `connectors/slack`."""
    detail: str = ""
    """The platform's own words."""
    words: str = ""
    """What a person wrote, access codes masked."""
    asked_by: str = ""
    """A Slack user id, or how the client asked: `api`, `csv`."""
    suggestions: tuple[Suggestion, ...] = ()
    addresses: tuple[str, ...] = ()
    """Of a bulk move: some of the stops, as a dispatcher knows them."""
    minutes: int | None = None
    """Of a bulk move: by how much; positive is later."""
    routes: int = 0
    """Of routes that are to be sent: how many."""
    platform: str = ""
    """The account that it is about."""
    causes: tuple[FailureReason, ...] = ()
    """Of a failure that nobody has explained: what may be chosen."""
    cause: FailureReason | None = None
    """Of a followed-up failure: why it failed."""
    failed_at: AwareDatetime | None = None
    attempt: int = 0
    """Which try it was that failed."""
    place: str = ""
    """Of a parcel that the recipient comes for: where it is held."""


class TaskView(Record):
    """Everything that one task's message shows."""

    task_id: str
    kind: TaskKind
    state: TaskState
    zone: str
    client: str
    timezone: str
    facts: TaskFacts
    choices: tuple[Choice, ...]
    """Empty once settled."""
    approvals_needed: int = 1
    approved_by: tuple[str, ...] = ()
    """Slack user ids, in the order in which they approved."""
    settled_by: str | None = None
    """Slack user id; None while open or when it settled by itself."""
    settled_at: AwareDatetime | None = None
    outcome: str = ""
    """A code of how it ended, beyond its state: `moot`, `platform_refused`."""


class TaskAction(Record):
    """A button of a task."""

    vendor_id: str
    task_id: str
    choice: Choice
    value: str = ""
    dispatcher: str
    channel: str
    message_ts: str
    occurred_at: AwareDatetime


class TaskRefusal(StrEnum):
    """Why a press of a task's button changed nothing, told to that dispatcher only."""

    ALREADY_SETTLED = "already_settled"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NEEDS_SOMEBODY_ELSE = "needs_somebody_else"
    """Two people must want it, and this one has approved already."""
    NOT_OFFERED = "not_offered"
    """The message was older than the task: that choice, or that driver, is no longer offered."""


# --- posts that are kept current ------------------------------------------------------------------


class ManifestChange(StrEnum):
    ADDED = "added"
    CANCELLED = "cancelled"
    MOVED = "moved"
    """Another window than when the manifest was first posted."""
    REASSIGNED = "reassigned"


class ShiftState(StrEnum):
    """Whether a driver has said yes to the route."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    SILENT = "silent"


class ManifestLine(Record):
    stop_id: str
    tracking: str
    order_ref: str = ""
    sequence: int | None = None
    client: str
    address_line: str
    recipient_name: str = ""
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None = None
    status: StopStatus
    load: float = 0.0
    is_off: bool = False
    """Not to be driven on this day any more: cancelled, or moved to another day. Still shown, struck through."""
    change: ManifestChange | None = None
    earlier_window: DeliveryWindow | None = None
    """Of a moved one."""
    earlier_driver_name: str = ""
    """Of a reassigned one; empty when nobody had it."""
    follow_up: FollowUp | None = None
    """Of a failed one."""
    second_try: SecondTry | None = None
    """It tries again what failed before."""


class ManifestRoute(Record):
    route_ref: str
    name: str
    driver_name: str
    shift: ShiftState = ShiftState.NOT_ASKED
    starts_at: AwareDatetime | None = None
    load: float = 0.0
    capacity: float | None = None
    lines: tuple[ManifestLine, ...]

    @property
    def is_over_capacity(self) -> bool:
        return self.capacity is not None and self.load > self.capacity


class ManifestView(Record):
    """One zone's manifest of one day. Every number in it was read at one instant."""

    zone: str
    day: date
    timezone: str
    as_of: AwareDatetime
    posted_at: AwareDatetime | None = None
    """When it was first posted: changes count from there. None: nothing is marked."""
    routes: tuple[ManifestRoute, ...]
    without_route: tuple[ManifestLine, ...] = ()
    page_url: str = ""
    """The whole manifest as a page; empty where there is none."""

    @property
    def stops(self) -> int:
        """Stops of the day, without those that are off."""
        return sum(not line.is_off for line in self.lines)

    @property
    def lines(self) -> tuple[ManifestLine, ...]:
        return tuple(line for route in self.routes for line in route.lines) + self.without_route


BoardView = ManifestView | PauseNotice | PauseReport | DigestView
"""What a post that is kept current may show."""

DeskPost = TaskView | BoardView


class DeskPosts(Protocol):
    """Posts in the dispatchers' workspace that are edited in place.

    Every method raises `ChannelUnavailableError` (not done, try later), `OutcomeUnknownError` (perhaps done)
    or `ChannelMisconfiguredError`.
    """

    async def post_view(self, channel: str, post_id: str, view: DeskPost) -> PostedMessage:
        """`post_id` travels in the metadata, so that it is not posted twice."""
        ...

    async def update_view(self, message: PostedMessage, view: DeskPost) -> None: ...

    async def find_view(self, channel: str, post_id: str, since: datetime) -> PostedMessage | None: ...

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        """A message that only this dispatcher sees. May be lost."""
        ...


class DigestDesk(Protocol):
    """Where the charts of a digest go: into the thread of its post. Raises as `DeskPosts`."""

    async def share_charts(
        self, message: PostedMessage, view: DigestView, charts: Mapping[DigestChart, bytes]
    ) -> None:
        """All of them in one message, PNG each. It cannot be marked: look for them before it is repeated."""
        ...

    async def has_charts(self, message: PostedMessage, view: DigestView) -> bool:
        """Whether they stand in the thread."""
        ...


# --- what dispatchers command -----------------------------------------------------------------------


class CommandKind(StrEnum):
    NEW_STOP = "new_stop"
    """Fields: client, address, city, postcode, recipient_name, phone, email, date, start, end, order_ref, notes,
    access_code. Dates are `YYYY-MM-DD`, times `HH:MM`, local to the operator; any may be empty."""
    MOVE_WINDOW = "move_window"
    """Fields: stop (tracking or order number), date, start, end, reason."""
    MOVE_WINDOWS = "move_windows"
    """Fields: route or zone, client (may be empty), date, minutes (positive is later)."""
    CANCEL_STOP = "cancel_stop"
    """Fields: stop, reason."""
    RELEASE_ROUTES = "release_routes"
    """Fields: platform (may be empty), date."""
    SHOW_MANIFEST = "show_manifest"
    """Fields: zone (may be empty), date (may be empty: today)."""
    SHOW_STOP = "show_stop"
    """Fields: stop (tracking or order number)."""
    MAKE_INCIDENT = "make_incident"
    """Fields: kind (`missing`, `damaged`, `breach`, `failed_delivery`, `other`), root_cause (a `FailureReason`, may be
    empty), words, stop (may be empty where it was made of a message), escalation_id (may be empty), message_channel and
    message_ts (of the message, or of the parent of its thread; empty for the command)."""
    REPORT_INCIDENT = "report_incident"
    """Fields: incident (its id or number)."""
    REPORT_SLA = "report_sla"
    """Fields: client, start, end (days, the end included)."""
    WHO_IS_ON_CALL = "who_is_on_call"
    """Fields: zone (may be empty: all)."""
    PAUSE = "pause"
    """Fields: what (a `PauseWhat`), name, why, and when: `minutes` from now; or date (may be empty: today), start and
    end (`HH:MM`, local to what is paused; an end before the start is on the day after; without a start: from now); or
    none of them: until lifted."""
    SHOW_PAUSES = "show_pauses"
    LIFT_PAUSE = "lift_pause"
    """Fields: number."""
    SHOW_FOLLOW_UPS = "show_follow_ups"
    """Fields: zone (may be empty: all)."""


class DeskCommand(Record):
    """A modal that was sent, or a slash command, as plain text fields, nothing of it judged yet."""

    vendor_id: str
    kind: CommandKind
    dispatcher: str
    channel: str
    fields: Mapping[str, str]
    occurred_at: AwareDatetime


class AnswerCode(StrEnum):
    """How a command is answered, to that dispatcher only; `connectors/slack` puts it into words."""

    STOP_ENTERED = "stop_entered"
    STOP_ALREADY_THERE = "stop_already_there"
    STOP_TO_BE_DECIDED = "stop_to_be_decided"
    STOP_REFUSED = "stop_refused"
    WINDOW_MOVED = "window_moved"
    WINDOW_REFUSED = "window_refused"
    CANCELLED = "cancelled"
    CANCEL_REFUSED = "cancel_refused"
    NEEDS_A_SECOND = "needs_a_second"
    """A task was posted that somebody else must approve too."""
    NOTHING_FOUND = "nothing_found"
    MANIFEST_POSTED = "manifest_posted"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NOT_READABLE = "not_readable"
    NOT_POSSIBLE_THERE = "not_possible_there"
    STOP_SHOWN = "stop_shown"
    """`stop` is it."""
    INCIDENT_MADE = "incident_made"
    """`number` is how people call it."""
    INCIDENT_ALREADY_THERE = "incident_already_there"
    REPORT_READY = "report_ready"
    REVIEW_READY = "review_ready"
    """Of a client, whose name is `number`."""
    """`page_url` opens it."""
    FOLLOW_UP_DUE = "follow_up_due"
    """Told unasked: `detail` is to be done about the incident `number` today."""
    ON_CALL = "on_call"
    """`duties` say who."""
    PAUSED = "paused"
    """`pauses` has it: running, or planned."""
    PAUSES = "pauses"
    """`pauses` are those that run or are planned."""
    PAUSE_LIFTED = "pause_lifted"
    PAUSE_REFUSED = "pause_refused"
    """`reasons` say why, and `detail` what was named."""
    FOLLOW_UPS = "follow_ups"
    """`follow_ups` are those that wait for dispatch, `count` all that are open; `detail` is the zone."""


class PastEscalation(Record):
    """One escalation of a stop's history."""

    severity: Severity
    state: EscalationState
    raised_at: AwareDatetime
    acknowledged_by: str | None = None
    """Dispatcher id."""
    resolved_by: str | None = None
    outcome: str = ""
    message_url: str = ""
    """Opens its message; empty where it has none."""


class StopCard(Record):
    """What a dispatcher sees of one stop on asking. Nothing in it opens a door, and no phone number is whole."""

    tracking: str
    order_ref: str = ""
    client: str
    zone: str
    address_line: str
    timezone: str
    status: StopStatus
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None = None
    eta_age: timedelta | None = None
    """How old the news of it is; None when it is fresh, or when it is over."""
    completed_at: AwareDatetime | None = None
    failure_reason: FailureReason | None = None
    driver_name: str = ""
    route_stop: int | None = None
    """Its place on the route, the first is 1."""
    recipient_name: str = ""
    phone_end: str = ""
    """The last two digits."""
    platform: str = ""
    tracking_url: str = ""
    manifest_url: str = ""
    follow_up: FollowUp | None = None
    """Of a failed one."""
    second_try: SecondTry | None = None
    """It tries again what failed before."""
    escalations: tuple[PastEscalation, ...] = ()
    """The newest first."""
    more: int = 0
    """Other stops that carry the same number."""


class CommandAnswer(Record):
    code: AnswerCode
    timezone: str = "UTC"
    address_line: str = ""
    tracking: str = ""
    platform: str = ""
    window: DeliveryWindow | None = None
    count: int = 0
    page_url: str = ""
    """Of a manifest or the board: the whole of it as a page."""
    reasons: tuple[str, ...] = ()
    """Codes, as in `TaskFacts.reasons`."""
    detail: str = ""
    stop: StopCard | None = None
    duties: tuple[DutyLine, ...] = ()
    pauses: tuple[PauseNotice, ...] = ()
    follow_ups: tuple[FollowedUp, ...] = ()
    number: str = ""
    """Of an incident: `INC-1042`."""


ReceiveTaskAction = Callable[[TaskAction], Awaitable[None]]
ReceiveCommand = Callable[[DeskCommand], Awaitable[None]]
"""Store, then return; raise `StorageUnavailableError` when nothing could be stored."""
