"""What `bot` knows of the outside world: neutral records and the protocols that every connector fulfils.

Records are frozen. Instants are aware UTC; a stop carries the IANA zone in which its local time is told.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Set
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Now = Callable[[], datetime]
"""Gives the present instant, aware UTC. The pretended day hands in its own."""


class Record(BaseModel):
    """A frozen value that crosses the border between a connector and `bot`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ACCESS_CODE_LABEL = "Access code: "

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


class ProofOfDelivery(Record):
    """What the driver left as evidence: of a delivery, or of a failed try."""

    photo_urls: tuple[str, ...] = ()
    """At the platform; not to be handed to a recipient as they are."""
    signature_url: str | None = None
    signed_by: str = ""
    note: str = ""
    at: AwareDatetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Where the driver was when the stop was completed."""


class Stop(Record):
    """One visit as a routing platform tells it."""

    platform: str
    """Name of the account, as in sop.yml: `onfleet`, `onfleet_west`."""
    platform_ref: str
    """Stays the same for as long as the stop exists, whatever route it is put on."""
    tracking: str
    """The reference that a recipient knows, also the platform's short id."""
    order_ref: str | None = None
    """The client's own number of the order, as a recipient knows it; two clients may use the same one."""
    own_ref: str | None = None
    """Ours, on the stops that Doorline created: see `NewStop.own_ref`."""
    reattempt_of: str | None = None
    """Platform reference of the failed stop that this one tries again, where the platform keeps the link."""
    status: StopStatus
    address: Address
    client: str = ""
    zone: str = ""
    timezone: str
    recipient_name: str = ""
    recipient_phone: str | None = None
    """E.164, or None where the platform has none or an unreadable one."""
    recipient_email: str | None = None
    window: DeliveryWindow | None = None
    planned_at: AwareDatetime | None = None
    """When the plan has the driver arrive; it does not follow the day."""
    eta_at: AwareDatetime | None = None
    """When the driver is expected there by now; None where only a plan is known."""
    sequence: int | None = None
    """Position in the route's remaining order, 0 is next; None where the platform does not say."""
    route_ref: str | None = None
    driver_ref: str | None = None
    service: timedelta | None = None
    """How long the driver is expected to be at the door."""
    service_kind: str = ""
    """What kind of delivery it is, as the rules of sop.yml name it: `express`; empty where the platform has none."""
    load: float = 0.0
    """Share of a vehicle's capacity that it takes, in the platform's own unit; 0 where none is told."""
    notes: str = ""
    """What the driver reads. An access code stands on a line of its own, after `ACCESS_CODE_LABEL`."""
    tracking_url: str | None = None
    is_texted_by_platform: bool | None = None
    """Whether the platform may text this recipient itself, by the stop's own setting; None where it has none."""
    arrived_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    failure_reason: FailureReason | None = None
    failure_note: str = ""
    """The driver's or the platform's own words."""
    proof: ProofOfDelivery | None = None
    changed_at: AwareDatetime
    """When the platform last changed the stop, by the platform's clock."""


class Driver(Record):
    platform: str
    platform_ref: str
    name: str
    phone: str | None = None
    zones: tuple[str, ...] = ()
    """Teams or zones that the driver belongs to, by name, where the platform has such."""
    on_duty: bool | None = None
    """None where the platform does not say."""
    capacity: float | None = None
    """In the unit of `Stop.load`; None where the platform has none."""
    latitude: float | None = None
    longitude: float | None = None
    seen_at: AwareDatetime | None = None


class RouteStatus(StrEnum):
    PLANNED = "planned"
    RELEASED = "released"
    """The driver has it, and has not begun."""
    STARTED = "started"
    FINISHED = "finished"


class Route(Record):
    """An ordered run of stops of one driver on one day."""

    platform: str
    platform_ref: str
    name: str
    day: date
    """Local to the account."""
    driver_ref: str | None = None
    status: RouteStatus = RouteStatus.PLANNED
    starts_at: AwareDatetime | None = None
    stop_refs: tuple[str, ...] = ()
    """Platform references of its stops in driving order; where the platform tells them, finished ones too."""


class NewStop(Record):
    """A stop that a platform is asked to create."""

    own_ref: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{3,31}$")
    """Ours and never used twice. It travels with the stop and is looked up before a second try."""
    client: str
    zone: str
    address: Address
    recipient_name: str
    recipient_phone: str | None = None
    recipient_email: str | None = None
    window: DeliveryWindow
    service: timedelta = timedelta(minutes=5)
    load: float = 1.0
    order_ref: str | None = None
    notes: str = ""
    access_code: str = ""
    driver_ref: str | None = None
    """Whom to give it to at once; None leaves that to the platform's planning."""


class Reattempt(Record):
    """A second try of a failed stop: what is not given stays as it was."""

    own_ref: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{3,31}$")
    window: DeliveryWindow
    note: str = ""
    access_code: str = ""
    address: Address | None = None


class Capability(StrEnum):
    """What a platform can do at all. Whether it can be done to one stop now, the platform decides."""

    # reading
    PUSH_EVENTS = "push_events"
    POLL_EVENTS = "poll_events"
    LIVE_ETA = "live_eta"
    PROOF = "proof"
    FAILURE_REASON = "failure_reason"
    TRACKING_LINK = "tracking_link"
    DRIVER_DUTY = "driver_duty"
    DRIVER_POSITION = "driver_position"
    DRIVER_CAPACITY = "driver_capacity"
    # writing
    CREATE_STOP = "create_stop"
    CHANGE_WINDOW = "change_window"
    ADD_NOTE = "add_note"
    ACCESS_CODE = "access_code"
    ASSIGN_DRIVER = "assign_driver"
    ASSIGN_ROUTE = "assign_route"
    CANCEL = "cancel"
    REATTEMPT = "reattempt"
    RELEASE_ROUTES = "release_routes"
    """Sends a day's routes to the drivers. Cannot be undone: two people must want it."""


class PlatformEvent(Record):
    """A webhook or polled event, reduced to what the sync needs: which stop or driver to look at again."""

    platform: str
    vendor_id: str
    """Unique per delivery of one fact: repeated deliveries of the same fact carry the same id."""
    kind: str
    occurred_at: AwareDatetime
    stop: Stop | None = None
    """The stop as carried by the event; None when the event names it only, or cannot be trusted."""
    stop_ref: str | None = None
    route_ref: str | None = None
    """A whole route is to be looked at again."""
    driver_ref: str | None = None
    on_duty: bool | None = None
    """Of the driver, where the event says so and the platform cannot be asked."""
    stop_deleted: bool = False


class EventPage(Record):
    """Events in the order in which they are to be applied."""

    events: tuple[PlatformEvent, ...] = ()
    cursor: str
    """Opaque. To be kept once the events are stored, and handed in the next time."""
    has_more: bool = False


class RoutingPlatform(Protocol):
    """Reads and changes stops on one account of a routing platform.

    Every method raises `PlatformUnavailableError` when the platform cannot be reached, is overloaded or
    answers nonsense, `PlatformMisconfiguredError` when it does not know us, `PlatformRejectedError` when it
    says no, `StopNotFoundError` for an unknown reference. A method without its capability raises
    `NotPossibleError`. What was written is read back: an answer is what the platform holds, and a platform
    that answered yes and kept the old raises `PlatformRejectedError` with `Refused.KEPT`. Repeating a write
    changes nothing more.
    """

    name: str
    """Of the account, as in sop.yml: `onfleet`, `onfleet_west`."""
    vendor: str
    """`onfleet`, `route4me`, `optimoroute`."""
    abilities: Mapping[Capability, str]
    """What it can do, each with its condition in a few words for people, empty where there is none."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    # --- reading ---

    def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that changed at or after `since`; pages are fetched as needed."""
        ...

    def stops_of_day(self, day: date) -> AsyncIterator[Stop]:
        """Every stop, open or closed, whose window or plan is on that day, local to the account."""
        ...

    async def stops_of_route(self, route_ref: str) -> list[Stop]:
        """In driving order. Raises `StopNotFoundError` for an unknown route."""
        ...

    async def get_stop(self, platform_ref: str) -> Stop: ...

    async def find_stop(self, own_ref: str) -> Stop | None:
        """The stop that Doorline created under this reference."""
        ...

    async def drivers(self) -> list[Driver]: ...

    async def routes(self, day: date | None = None) -> list[Route]:
        """The routes of one local day, today's without one."""
        ...

    async def events_after(self, cursor: str | None) -> EventPage:
        """What happened since; needs `POLL_EVENTS`. Without a cursor: from now on, with no events."""
        ...

    # --- writing ---

    async def create_stop(self, new: NewStop) -> Stop:
        """Looks for `new.own_ref` first: what an earlier try created is returned, not created again."""
        ...

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        """Moves the promise."""
        ...

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        """Appends a line to the driver's notes; a line that already stands there is not added again."""
        ...

    async def set_access_code(self, platform_ref: str, code: str) -> Stop:
        """Puts the code where the driver sees it at this stop only; replaces an earlier one of ours."""
        ...

    async def assign_driver(self, platform_ref: str, driver_ref: str | None) -> Stop:
        """Gives the stop to a driver, at the end of the route; None takes it from whoever has it."""
        ...

    async def assign_route(self, platform_ref: str, route_ref: str, position: int | None = None) -> Stop:
        """Puts the stop on a route, at a position from 0 among the stops that are left, else at the end."""
        ...

    async def cancel(self, platform_ref: str) -> None:
        """Afterwards the stop is cancelled or gone. One that is so already is no error."""
        ...

    async def reattempt(self, platform_ref: str, wanted: Reattempt) -> Stop:
        """A new stop for a failed one, linked to it; looks for `wanted.own_ref` first.

        Raises `PlatformRejectedError` with `Refused.NOT_FAILED` when the stop did not fail.
        """
        ...

    async def release_routes(self, day: date) -> None:
        """Sends the day's routes to the drivers. Cannot be undone."""
        ...

    async def fetch_picture(self, url: str, *, at_most_bytes: int) -> "MediaContent":
        """A photo or signature of a `ProofOfDelivery` of this account. Raises `MediaRefusedError` too."""
        ...

    async def probe(self) -> "Probe": ...

    async def aclose(self) -> None: ...


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
    subject: str = ""
    """Email only."""
    thread_id: str = ""
    """Email only: the Message-ID that a reply answers."""
    references: tuple[str, ...] = ()
    """Email only: Message-IDs of the thread so far, oldest first, without this one."""
    network_address: str = ""
    """Web chat only: where the person's browser connects from, to slow down who guesses."""
    is_authentic: bool | None = None
    """Email only: whether a trusted server vouches for the sender's address; None where nobody does."""
    media: tuple[Media, ...] = ()
    opt_out_type: str | None = None
    """STOP, START or HELP when the carrier has already answered the keyword itself."""


class OutboundMessage(Record):
    outbound_id: str
    """Ours; travels with the message so that receipts find their way back."""
    channel: ChannelName
    recipient: str
    text: str
    subject: str = ""
    """Email only, without `Re:`."""
    in_reply_to: str = ""
    """Email only: Message-ID of the message that this one answers."""
    references: tuple[str, ...] = ()
    useful_for: timedelta | None = None
    """How long the carrier may try, in the carrier's time; None: as long as it likes."""


class MailedFile(Record):
    name: str
    media_type: str
    content: bytes


class LetterWithFiles(Record):
    """A mail that is no conversation: a report that the calendar makes."""

    mail_id: str
    """Ours; its Message-ID is made of it, so every attempt carries the same."""
    recipient: str
    subject: str
    text: str
    files: tuple[MailedFile, ...] = ()


class MediaContent(Record):
    """A picture as it was fetched. `content_type` is what the bytes are, not what somebody called them."""

    content_type: str
    content: bytes


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

    async def fetch_media(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """The bytes of one piece of media that a person sent, fetched with the account's credentials.

        Raises `ChannelUnavailableError` (try later), `MediaRefusedError` (gone, too big, not at the vendor).
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


# --- inbound edges ----------------------------------------------------------------------------

ReceiveMessage = Callable[[InboundMessage], Awaitable[None]]
"""Stores one inbound message and its job; returns once both are committed. Same `vendor_id` again: no effect.

Raises `StorageUnavailableError` when nothing could be stored; the edge answers 503 so that the vendor retries.
"""

ReceiveReceipt = Callable[[Receipt], Awaitable[None]]
ReceivePlatformEvent = Callable[[PlatformEvent], Awaitable[None]]


class Probe(Record):
    """One line of `doorline doctor`."""

    name: str
    healthy: bool
    detail: str = Field(description="what was found, and what to do when it is broken")
