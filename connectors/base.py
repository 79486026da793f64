"""What `bot` knows of the outside world: neutral records and the protocols that every connector fulfils.

Records are frozen. Instants are aware UTC; a stop carries the IANA zone in which its local time is told.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Set
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Now = Callable[[], datetime]
"""Gives the present instant, aware UTC. The pretended day hands in its own."""


class Record(BaseModel):
    """A frozen value that crosses the border between a connector and `bot`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- stops, routes, drivers -------------------------------------------------------------------


class StopStatus(StrEnum):
    PLANNED = "planned"
    ASSIGNED = "assigned"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ARRIVING = "arriving"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETURNED = "returned"

    @property
    def is_closed(self) -> bool:
        return self in CLOSED_STATUSES


CLOSED_STATUSES = frozenset(
    {StopStatus.DELIVERED, StopStatus.FAILED, StopStatus.CANCELLED, StopStatus.RETURNED}
)


class FailureReason(StrEnum):
    """Why a stop failed or was late. The same list as `root_causes` in sop.yml."""

    DRIVER_DELAY = "driver_delay"
    TRAFFIC = "traffic"
    ACCESS_ISSUE = "access_issue"
    RECIPIENT_UNAVAILABLE = "recipient_unavailable"
    ADDRESS_ISSUE = "address_issue"
    REFUSED = "refused"
    DAMAGED = "damaged"
    VEHICLE = "vehicle"
    WEATHER = "weather"
    DEPOT = "depot"
    OTHER = "other"


class DeliveryWindow(Record):
    """The promised interval, half open: an arrival exactly at `end_at` is late."""

    start_at: AwareDatetime
    end_at: AwareDatetime

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start_at >= self.end_at:
            raise ValueError(f"a delivery window must start before it ends: {self.start_at} .. {self.end_at}")
        return self


class Address(Record):
    line: str
    """Number and street with the apartment, as a driver would read it: `14 Elm St 2B`."""
    city: str = ""
    postcode: str = ""
    region: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None


class Stop(Record):
    """One visit as a routing platform tells it."""

    platform: str
    platform_ref: str
    tracking: str
    """The reference that a recipient knows, also the platform's short id."""
    status: StopStatus
    address: Address
    client: str = ""
    zone: str = ""
    timezone: str
    recipient_name: str = ""
    recipient_phone: str | None = None
    """E.164, or None where the platform has none or an unreadable one."""
    window: DeliveryWindow | None = None
    eta_at: AwareDatetime | None = None
    sequence: int | None = None
    """Position in the route's remaining order, 0 is next; None where the platform does not say."""
    route_ref: str | None = None
    driver_ref: str | None = None
    notes: str = ""
    tracking_url: str | None = None
    arrived_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    failure_reason: FailureReason | None = None
    failure_note: str = ""
    """The driver's or the platform's own words."""
    changed_at: AwareDatetime
    """When the platform last changed the stop, by the platform's clock."""


class Driver(Record):
    platform: str
    platform_ref: str
    name: str
    phone: str | None = None
    on_duty: bool | None = None
    latitude: float | None = None
    longitude: float | None = None
    seen_at: AwareDatetime | None = None


class Route(Record):
    """An ordered run of stops of one driver on one day."""

    platform: str
    platform_ref: str
    name: str
    driver_ref: str | None = None
    stop_refs: tuple[str, ...] = ()
    """Platform references of the stops not yet finished, in driving order."""


class Capability(StrEnum):
    CHANGE_WINDOW = "change_window"
    ADD_NOTE = "add_note"
    PUSH_EVENTS = "push_events"
    DRIVER_DUTY = "driver_duty"


class PlatformEvent(Record):
    """A webhook or polled event, reduced to what the sync needs: which stop or driver to look at again."""

    platform: str
    vendor_id: str
    """Unique per delivery of one fact: repeated deliveries of the same fact carry the same id."""
    kind: str
    occurred_at: AwareDatetime
    stop: Stop | None = None
    """The stop as carried by the event; None when the event names it only."""
    stop_ref: str | None = None
    driver_ref: str | None = None
    stop_deleted: bool = False


class RoutingPlatform(Protocol):
    """Reads and changes stops on one account of a routing platform.

    Every method raises `PlatformUnavailableError` when the platform cannot be reached, is overloaded or
    answers nonsense, `PlatformRejectedError` when it says no, `StopNotFoundError` for an unknown reference.
    """

    name: str
    capabilities: frozenset[Capability]

    def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that changed at or after `since`; pages are fetched as needed."""
        ...

    async def get_stop(self, platform_ref: str) -> Stop: ...

    async def drivers(self) -> list[Driver]: ...

    async def routes(self) -> list[Route]: ...

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        """Moves the promise, reads it back and returns the stop as the platform now holds it.

        Raises `PlatformRejectedError` also when the platform answered yes and kept the old window.
        """
        ...

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        """Appends a line to the driver's notes; a line that already stands there is not added again."""
        ...


# --- people: messages and receipts ------------------------------------------------------------


class ChannelName(StrEnum):
    SMS = "sms"
    WHATSAPP = "whatsapp"
    WEBCHAT = "webchat"
    EMAIL = "email"


class Media(Record):
    url: str
    content_type: str


class InboundMessage(Record):
    """One line from a person, before anything was decided about it."""

    channel: ChannelName
    vendor_id: str
    sender: str
    """Address of the person: E.164 for sms and whatsapp."""
    recipient: str
    """Our own address that was written to."""
    text: str
    media: tuple[Media, ...] = ()
    opt_out_type: str | None = None
    """STOP, START or HELP when the carrier has already answered the keyword itself."""


class OutboundMessage(Record):
    outbound_id: str
    """Ours; travels with the message so that receipts find their way back."""
    channel: ChannelName
    recipient: str
    text: str


class ReceiptStatus(StrEnum):
    """States of a sent message, in the order in which they may only rise (see `rank`)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        return {"queued": 0, "sending": 1, "sent": 2}.get(self.value, 3)


class Receipt(Record):
    """What the carrier says of one outbound message."""

    vendor_id: str
    status: ReceiptStatus
    error_code: str | None = None
    outbound_id: str | None = None
    """Ours, when the receipt carries it."""


class Channel(Protocol):
    """Sends messages to people. Used by the outbox only."""

    name: ChannelName

    async def send(self, message: OutboundMessage) -> Receipt:
        """Hands one message to the carrier, once: never repeats a request whose outcome is unknown.

        Raises `ChannelUnavailableError` (not sent, try later), `OutcomeUnknownError` (perhaps sent: reconcile
        first), `RecipientOptedOutError`, `UndeliverableError` (this address never works), `ChannelMisconfiguredError`.
        """
        ...

    async def find_sent(
        self, message: OutboundMessage, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> Receipt | None:
        """The carrier's record of an earlier attempt to send `message`, or None if it never arrived there.

        Looks among the messages that the carrier took since shortly before `attempted_at`, with the same
        recipient and text, leaving out `known_vendor_ids`, which belong to other messages of ours.
        """
        ...


# --- dispatchers ------------------------------------------------------------------------------


class Severity(StrEnum):
    AT_RISK = "at_risk"
    BREACHED = "breached"
    FAILED = "failed"
    RECIPIENT_WAITING = "recipient_waiting"
    PLATFORM_SILENT = "platform_silent"


class EscalationState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class EscalationLine(Record):
    """One stop inside an escalation, as a dispatcher reads it."""

    stop_id: str
    tracking: str
    client: str
    address_line: str
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None
    eta_age: timedelta | None = None
    """How old the ETA is; None when it is unknown or fresh enough not to matter."""
    status: StopStatus
    recipient_name: str = ""
    recipient_phone: str | None = None
    """Only where a dispatcher has to write or call: on `recipient_waiting`."""
    last_words: str = ""
    """The recipient's last message, access codes masked."""
    last_words_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None


class EscalationView(Record):
    """Everything that one Slack message shows. `connectors/slack/blocks.py` puts it into words."""

    escalation_id: str
    severity: Severity
    state: EscalationState
    zone: str
    client: str
    timezone: str
    why: str
    """One sentence from `sla.assess`: `ETA 4:25 pm, window ends 4:00 pm`."""
    driver_name: str = ""
    driver_behind: str = ""
    """What is known of the driver: `3 stops behind plan`; may be empty."""
    lines: tuple[EscalationLine, ...]
    exposure_usd: int = 0
    """Penalties at stake in whole US dollars; 0 is not shown."""
    acknowledged_by: str | None = None
    """Slack user id."""
    acknowledged_until: AwareDatetime | None = None
    resolved_by: str | None = None
    """Slack user id; None while open or when it resolved by itself."""
    outcome: str = ""
    """How it ended, one short sentence."""
    next_step: str = ""
    """`mentions <!subteam^S1>` and the like; empty when nothing is pending."""
    next_step_at: AwareDatetime | None = None
    tracking_url: str | None = None


class PostedMessage(Record):
    """Where a message stands in the dispatchers' workspace."""

    channel: str
    ts: str


class DispatcherVerb(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    WITHDRAW = "withdraw"
    RESOLVE = "resolve"


class DispatcherAction(Record):
    """A reaction or a button, reduced to what a dispatcher meant by it."""

    vendor_id: str
    """Slack's event id, or for buttons the action's own identity; unique per gesture, same on retries."""
    verb: DispatcherVerb
    dispatcher: str
    channel: str
    message_ts: str
    escalation_id: str | None = None
    """Carried by buttons; reactions are found by channel and ts."""
    gesture: str
    """`reaction:eyes`, `button:acknowledge`: what the audit log says."""
    response_url: str | None = None
    occurred_at: AwareDatetime


class Happening(StrEnum):
    """What a line of an escalation's history tells. `connectors/slack/blocks.py` puts it into words."""

    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    RAN_OUT = "ran_out"
    RESOLVED = "resolved"
    STEP_FIRED = "step_fired"
    BREACHED = "breached"
    ETA_CHANGED = "eta_changed"
    STOP_JOINED = "stop_joined"
    STOP_LEFT = "stop_left"
    DELIVERED = "delivered"
    FAILED = "failed"
    RECIPIENT_WROTE = "recipient_wrote"


class HappeningFacts(Record):
    """What a line of history may need; each kind reads what it needs and does without the rest."""

    timezone: str = "UTC"
    dispatcher: str | None = None
    """Slack user id."""
    until: AwareDatetime | None = None
    address_line: str = ""
    eta_at: AwareDatetime | None = None
    earlier_eta_at: AwareDatetime | None = None
    window: DeliveryWindow | None = None
    completed_at: AwareDatetime | None = None
    words: str = ""
    """A step of the protocol, an outcome, a reason, or what the recipient wrote, by kind."""


class Refusal(StrEnum):
    """Why a dispatcher's gesture changed nothing."""

    ALREADY_HELD = "already_held"
    RESOLVED = "resolved"
    NOT_A_DISPATCHER = "not_a_dispatcher"
    NOT_YOURS = "not_yours"
    NOTHING_TO_WITHDRAW = "nothing_to_withdraw"


class DispatchDesk(Protocol):
    """The dispatchers' workspace: one message per escalation, edited in place, history in its thread.

    Every method raises `ChannelUnavailableError` (not done, try later), `OutcomeUnknownError` (perhaps done)
    or `ChannelMisconfiguredError`.
    """

    async def post(self, channel: str, view: EscalationView) -> PostedMessage: ...

    async def update(self, message: PostedMessage, view: EscalationView) -> None: ...

    async def post_in_thread(
        self, message: PostedMessage, text: str, note_id: str, mention: str = ""
    ) -> None:
        """Adds one line to the thread; `note_id` travels in the metadata so that it is not posted twice."""
        ...

    async def find_posted(self, channel: str, escalation_id: str, since: datetime) -> PostedMessage | None:
        """The message that carries this escalation's id in its metadata, if an earlier attempt got through."""
        ...

    async def find_in_thread(self, message: PostedMessage, note_id: str) -> bool: ...

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        """A message that only this dispatcher sees. May be lost."""
        ...


# --- inbound edges ----------------------------------------------------------------------------

ReceiveMessage = Callable[[InboundMessage], Awaitable[None]]
"""Stores one inbound message and its job; returns once both are committed. Same `vendor_id` again: no effect.

Raises `StorageUnavailableError` when nothing could be stored; the edge answers 503 so that the vendor retries.
"""

ReceiveReceipt = Callable[[Receipt], Awaitable[None]]
ReceiveDispatcherAction = Callable[[DispatcherAction], Awaitable[None]]
ReceivePlatformEvent = Callable[[PlatformEvent], Awaitable[None]]


class Probe(Record):
    """One line of `doorline doctor`."""

    name: str
    healthy: bool
    detail: str = Field(description="what was found, and what to do when it is broken")
