"""A dispatcher's own page in the workspace: what it shows, what they choose there. Records carry facts, not words."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import DeliveryWindow, Record
from connectors.desk import TaskKind
from connectors.escalation import EscalationState, Severity
from connectors.follow_up import ZoneFollowUps
from connectors.pauses import PauseNotice


class HomeEscalation(Record):
    escalation_id: str
    severity: Severity
    state: EscalationState
    zone: str
    client: str
    stops: int
    why: str
    until: AwareDatetime | None = None
    """Until when it is held or snoozed; of one that nobody has, when its next step is due."""
    url: str = ""
    """Opens its message; empty where it has none yet."""


class HomeTask(Record):
    """A dispatcher task that waits for a second person, after this dispatcher has approved it."""

    kind: TaskKind
    zone: str
    client: str
    url: str = ""


class ZoneBoard(Record):
    """One zone's stops of today by how they stand. Each stop is counted once."""

    zone: str
    waiting: int = 0
    """Planned or on a route, not out yet."""
    out: int = 0
    delivered: int = 0
    failed: int = 0
    """Failed or returned."""
    at_risk: int = 0
    """Of those that are waiting or out."""
    breached: int = 0
    """The same."""

    @property
    def stops(self) -> int:
        return self.waiting + self.out + self.delivered + self.failed


class StopAtRisk(Record):
    tracking: str
    client: str
    zone: str
    address_line: str
    timezone: str
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None
    is_breached: bool


class FeedNews(Record):
    """How fresh what we know of one platform is."""

    platform: str
    read_at: AwareDatetime | None
    is_silent: bool
    """It has told nothing for longer than sop.yml allows."""


class DutyNow(Record):
    zone: str
    names: tuple[str, ...]
    """Who is on call, then who is called next; empty: nobody is."""
    slack: str | None = None
    """Of the first, where they have an account."""


BOARD = "Board"
"""What the link to the board is called."""


class HomeLink(Record):
    label: str
    url: str


class HomeView(Record):
    """Everything that one dispatcher's page shows. `connectors/slack/home_blocks.py` puts it into words."""

    is_dispatcher: bool = True
    """Somebody else sees nothing of the day."""
    timezone: str
    as_of: AwareDatetime
    mine: tuple[HomeEscalation, ...] = ()
    tasks: tuple[HomeTask, ...] = ()
    unheld: tuple[HomeEscalation, ...] = ()
    """Of this dispatcher's zones: open, and nobody has them."""
    zones: tuple[str, ...] = ()
    """That this dispatcher sees; empty: all of `all_zones`."""
    all_zones: tuple[str, ...] = ()
    boards: tuple[ZoneBoard, ...] = ()
    at_risk: tuple[StopAtRisk, ...] = ()
    """The breached ones first, then by the end of their windows."""
    follow_ups: tuple[ZoneFollowUps, ...] = ()
    """Failed deliveries of this dispatcher's zones that are not settled yet."""
    page: int = 0
    """Of `at_risk`, from 0; one beyond the last shows the last."""
    feeds: tuple[FeedNews, ...] = ()
    """The platforms whose news is not fresh."""
    on_call: tuple[DutyNow, ...] = ()
    pauses: tuple[PauseNotice, ...] = ()
    language: str = "en"
    """Of texts and calls to this dispatcher."""
    links: tuple[HomeLink, ...] = ()


class HomeDesk(Protocol):
    """Raises `ChannelUnavailableError` (not done, try later), `OutcomeUnknownError` or `ChannelMisconfiguredError`."""

    async def publish_home(self, dispatcher: str, view: HomeView, seen: str | None) -> str:
        """Shows the page. `seen` marks the version that it replaces; gives the mark of the new one."""
        ...

    async def workspace_url(self) -> str:
        """Where the workspace opens in a browser, asked once; empty while that cannot be known. Raises nothing."""
        ...


def message_url(workspace_url: str, channel: str | None, ts: str | None) -> str:
    """The address under which a message opens; empty where it is not posted, or the workspace is not known."""
    if not workspace_url or channel is None or ts is None:
        return ""
    return f"{workspace_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"


class HomeGesture(StrEnum):
    OPENED = "opened"
    PAGE = "page"
    """`values` holds the page's number, from 0."""
    ZONES = "zones"
    """`values` are the zones to be shown; none: all."""
    LANGUAGE = "language"


class HomeAction(Record):
    """Somebody opened their page, turned it over or chose a setting there."""

    vendor_id: str
    """Slack's event id, or the press's own identity: the same on retries."""
    gesture: HomeGesture
    dispatcher: str
    values: tuple[str, ...] = ()
    occurred_at: AwareDatetime


ReceiveHomeAction = Callable[[HomeAction], Awaitable[None]]
"""Store, then return; raise `StorageUnavailableError` when nothing could be stored."""

FRESH = timedelta(minutes=10)
"""News of a platform this young are not worth a word."""
