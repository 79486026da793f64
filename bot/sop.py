"""The operator's protocol, `sop.yml`: its model, the loader that names lines, and the copy in force."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.errors import ProtocolError
from bot.faq import FaqEntry
from bot.sop_desk import (
    VENDORS,
    Client,
    HandOver,
    Intake,
    ManifestRules,
    PlatformAccount,
    ServiceZone,
    Shifts,
)
from bot.sop_drivers import Drivers
from bot.sop_escalations import Escalations
from bot.sop_notifications import Messaging, Notifications
from bot.sop_oncall import OnCallRules, PauseRules, Person, PersonKey
from bot.sop_parts import LocalWindow, Minutes, Section, TimeZoneName, Weekday
from bot.sop_recovery import Recovery
from bot.sop_reports import Reports
from bot.sop_sla import Sla
from connectors.base import FailureReason

log = structlog.get_logger()


class Operator(Section):
    name: str = Field(min_length=1, max_length=40)
    timezone: TimeZoneName


class Redelivery(Section):
    windows: tuple[LocalWindow, ...] = Field(min_length=1)
    days_ahead: int = Field(ge=1, le=60)
    cutoff_minutes: Minutes
    offers: int = Field(ge=1, le=9)
    closed_weekdays: frozenset[Weekday] = frozenset()
    holidays_of: str = Field(default="en-US", pattern=r"^[a-z]{2}-[A-Z]{2}$")
    """Locale whose public holidays are closed days too."""
    capacity_per_window: int | None = Field(default=None, ge=1, le=100_000)
    """Stops that one window of one zone can hold; None is no limit."""

    @property
    def open_weekdays(self) -> frozenset[int]:
        """Monday is 0."""
        return frozenset(day for day, name in enumerate(Weekday) if name not in self.closed_weekdays)


class Conversation(Section):
    holding_after_seconds: int = Field(ge=1, le=600)
    person_after_minutes: Minutes
    answer_by_person_minutes: Minutes
    stale_after_minutes: Minutes
    wrong_tracking_tries: int = Field(ge=1, le=100)


class Platforms(Section):
    poll_seconds: int = Field(ge=1, le=3600)
    events_seconds: int = Field(default=10, ge=1, le=3600)
    """How often a platform that does not push is asked what happened; a whole read comes every `poll_seconds`."""
    silent_after_minutes: Minutes
    accounts: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")], PlatformAccount] = Field(
        default_factory=dict
    )
    """Accounts by name. A vendor whose key is set, and that is not named here, has one account of its own name."""


class QuietHours(Section):
    """Local times of the stop between which nobody is written to unasked. The same time twice: never quiet."""

    start: time = time(21)
    end: time = time(8)
    urgent_start: time = time(22)
    """The same for what is about a delivery of that very day."""
    urgent_end: time = time(7)


class WebChat(Section):
    """Limits count per process."""

    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    """Web sites that embed the chat; our own page needs none."""
    texts_per_minute: int = Field(default=20, ge=1, le=600)
    texts_per_minute_and_address: int = Field(default=60, ge=1, le=6000)
    connections_per_address: int = Field(default=20, ge=1, le=1000)
    session_days: int = Field(default=30, ge=1, le=365)
    idle_minutes: int = Field(default=60, ge=1, le=24 * 60)


class Proof(Section):
    link_hours: int = Field(default=72, ge=1, le=24 * 90)
    near_meters: int = Field(default=150, ge=10, le=5000)
    """A delivery that was finished farther from the address than this was finished elsewhere."""


class Incidents(Section):
    photo_max_megabytes: int = Field(default=8, ge=1, le=50)
    photo_link_days: int = Field(default=30, ge=1, le=365)
    photo_minutes: Minutes = 30
    """A picture that came this long before a report, or after it, belongs to it."""


class Protocol(Section):
    operator: Operator
    service_day: LocalWindow
    redelivery: Redelivery
    conversation: Conversation
    quiet_hours: QuietHours = QuietHours()
    platforms: Platforms
    zones: tuple[ServiceZone, ...] = ()
    clients: dict[str, Client] = Field(default_factory=dict)
    intake: Intake = Intake()
    shifts: Shifts = Shifts()
    drivers: Drivers = Drivers()
    manifest: ManifestRules = ManifestRules()
    hand_over: HandOver = HandOver()
    sla: Sla
    escalations: Escalations
    people: dict[PersonKey, Person] = Field(default_factory=dict)
    """Who can be called, by the short name that the rest of the file uses."""
    on_call: OnCallRules = OnCallRules()
    pauses: PauseRules = PauseRules()
    notifications: Notifications = Notifications()
    messaging: Messaging = Messaging()
    recovery: Recovery = Recovery()
    reports: Reports = Reports()
    proof: Proof = Proof()
    incidents: Incidents = Incidents()
    faq: tuple[FaqEntry, ...] = ()
    root_causes: tuple[FailureReason, ...] = Field(min_length=1)
    webchat: WebChat = WebChat()

    @model_validator(mode="after")
    def _topics_are_distinct(self) -> Self:
        topics = [entry.topic for entry in self.faq]
        twice = sorted({topic for topic in topics if topics.count(topic) > 1})
        if twice:
            raise ValueError(f"expected each topic of `faq` once, found twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _accounts_are_known(self) -> Self:
        known = set(self.platforms.accounts) | set(VENDORS)
        named = {zone.platform for zone in self.zones} | {client.platform for client in self.clients.values()}
        if unknown := sorted(name for name in named if name is not None and name not in known):
            raise ValueError(f"expected an account of `platforms.accounts`, found {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _on_call_are_people(self) -> Self:
        if unknown := self.on_call.strangers(self.people):
            raise ValueError(f"expected keys of `people` in `on_call`, found {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _steps_call_known_people(self) -> Self:
        if unknown := sorted(self.escalations.all_keys - set(self.people)):
            raise ValueError(f"expected on_call, next or a key of `people`, found {', '.join(unknown)}")
        return self

    def client(self, name: str) -> Client:
        return self.clients.get(name, Client())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.operator.timezone)


def load_protocol(path: Path) -> Protocol:
    """Reads and validates one protocol file.

    Raises:
        ProtocolError: the file is missing, not YAML, or says something that it may not; each mistake
            names line, key and what was expected.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ProtocolError([f"{path}: cannot be read: {exc}"]) from exc
    return parse_protocol(content, str(path))


def parse_protocol(content: str, name: str) -> Protocol:
    """As `load_protocol`, from text; `name` stands in the messages."""
    try:
        tree = YAML(typ="rt").load(content)
    except MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark is not None else 1
        raise ProtocolError([f"{name}:{line}: not YAML: {exc.problem}"]) from exc
    except (YAMLError, ValueError) as exc:
        raise ProtocolError([f"{name}:1: not YAML: {exc}"]) from exc
    if not isinstance(tree, CommentedMap):
        raise ProtocolError([f"{name}:1: expected keys such as `operator:` and `sla:`"])
    try:
        return Protocol.model_validate(_plain(tree))
    except ValidationError as exc:
        mistakes = [
            f"{name}:{_line_of(tree, error['loc'])}: {_key(error['loc'])}: {_expected(error)}"
            for error in exc.errors()
        ]
        raise ProtocolError(mistakes) from exc


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node


def _line_of(node: Any, location: tuple[int | str, ...]) -> int:
    """The line of the deepest key of `location` that stands in the file, counted from 1."""
    line = 1
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
            node = node[part]
        else:
            break
    return int(line)


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "[key]") or "(file)"


def _expected(error: Any) -> str:
    kind = error["type"]
    if kind == "missing":
        return "expected this key, found nothing"
    if kind == "extra_forbidden":
        return "unknown key; expected one of those in bot/sop.yml"
    message = str(error["msg"])
    for prefix in ("Value error, ", "Input should be ", "String should have "):
        message = message.removeprefix(prefix)
    expected = message if message.startswith("expected") else f"expected {message}"
    found = error["input"]
    return f"{expected}, found {found!r}" if isinstance(found, str | int | float | bool | None) else expected


class ProtocolInForce:
    """The protocol that decides now. Re-read when its file changes; a bad file leaves the good one in force."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._protocol = load_protocol(path)
        self._modified_ns = path.stat().st_mtime_ns
        self.mistakes: list[str] = []
        """What is wrong with the newest file, when it was refused."""

    @property
    def current(self) -> Protocol:
        return self._protocol

    def reload_if_changed(self) -> bool:
        """True when a new protocol came into force. Never raises: what is wrong is logged and kept."""
        try:
            modified_ns = self._path.stat().st_mtime_ns
        except OSError as exc:
            self._refuse([f"{self._path}: cannot be read: {exc}"])
            return False
        if modified_ns == self._modified_ns:
            return False
        self._modified_ns = modified_ns
        try:
            self._protocol = load_protocol(self._path)
        except ProtocolError as exc:
            self._refuse(exc.mistakes)
            return False
        self.mistakes = []
        log.info("protocol_replaced", path=str(self._path))
        return True

    def _refuse(self, mistakes: list[str]) -> None:
        if mistakes != self.mistakes:
            log.error("protocol_refused", mistakes=mistakes)
        self.mistakes = mistakes


def local_day(moment: datetime, timezone: str) -> date:
    """The calendar day of an instant where the stop is."""
    try:
        return moment.astimezone(ZoneInfo(timezone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return moment.date()
