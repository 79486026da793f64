"""What the demo page shows, as it travels to the browser. Read tolerantly: the pretended world may say more."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(Shown):
    id: str
    name: str


class ClockState(Shown):
    """The pretended clock: `now` when it was read, running `speed` times as fast as ours."""

    now: datetime
    speed: float
    timezone: str


class ReadinessState(Shown):
    ready: bool
    parts: dict[str, bool] = {}
    stage: str = ""
    """What is under way while not ready."""


class StopState(Shown):
    id: str
    tracking: str
    name: str
    phone: str
    client: str
    address: str = ""
    status: str
    window_start: datetime
    window_end: datetime
    eta: datetime | None = None
    """Arrival: predicted, or true once it happened."""
    late: bool = False
    moved: bool = False
    """Taken off today's route by a reschedule."""


class RouteState(Shown):
    route: str
    zone: str
    platform: str
    driver: str
    driver_ref: str
    stops: tuple[StopState, ...]


class PlatformState(Shown):
    name: str
    label: str
    """As people read it."""
    down: bool = False


class DayState(Shown):
    timezone: str
    routes: tuple[RouteState, ...]
    platforms: tuple["PlatformState", ...] = ()


class TextState(Shown):
    sid: str
    direction: str
    body: str
    status: str
    at: datetime


class PhoneState(Shown):
    phone: str
    messages: tuple[TextState, ...]


class NewsState(Shown):
    """How many texts each phone has received, so that the page can point at the ones nobody looked at."""

    received: dict[str, int]


class ReactionState(Shown):
    name: str
    users: tuple[str, ...]


class SlackMessageState(Shown):
    ts: str
    at: datetime
    user_name: str = ""
    is_bot: bool = True
    text: str = ""
    blocks: tuple[dict[str, Any], ...] = ()
    """Block Kit as posted; the browser draws it."""
    reactions: tuple[ReactionState, ...] = ()
    edited: bool = False
    replies: tuple["SlackMessageState", ...] = ()


class PressedState(Shown):
    """What a press did: Doorline's answer, and the window that it opened, as Block Kit."""

    status: int | None = None
    view: dict[str, Any] | None = None


class SubmittedState(Shown):
    """What became of a window that was sent: `errors` by block stand in it while it is `open`."""

    status: int | None = None
    errors: dict[str, str] = {}
    open: bool = False


class EphemeralState(Shown):
    """What only `user` sees."""

    channel: str
    user: str
    text: str = ""
    ts: str = ""


class ChannelState(Shown):
    id: str
    name: str
    messages: tuple[SlackMessageState, ...]
    ephemerals: tuple[EphemeralState, ...] = ()


Intervention = Literal[
    "late",
    "fail",
    "onfleet_down",
    "onfleet_up",
    "route4me_down",
    "route4me_up",
    "optimoroute_down",
    "optimoroute_up",
]


FailReason = Literal["recipient_unavailable", "access_issue", "address_issue"]
"""What the page offers of `connectors.base.FailureReason`: each leads to another question to the recipient."""


class Outcome(Shown):
    """What an intervention did, in words for the page, and where to look for it."""

    said: str
    driver_ref: str | None = None
    tracking: str | None = None
    phone: str | None = None
    """Whose phone will hear of it."""
