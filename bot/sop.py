"""The operator's protocol, `sop.yml`: its model, the loader that names lines, and the copy in force."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.errors import ProtocolError
from connectors.base import FailureReason

log = structlog.get_logger()


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone such as America/New_York")
    return name


TimeZoneName = Annotated[str, AfterValidator(_known_zone)]
Minutes = Annotated[int, Field(ge=0, le=7 * 24 * 60)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> "Weekday":
        return list(cls)[day.weekday()]


class Operator(Section):
    name: str = Field(min_length=1, max_length=40)
    timezone: TimeZoneName


class LocalWindow(Section):
    """Local times of one day, half open."""

    start: time
    end: time

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"expected start before end, got {self.start:%H:%M} .. {self.end:%H:%M}")
        return self


class Redelivery(Section):
    windows: tuple[LocalWindow, ...] = Field(min_length=1)
    days_ahead: int = Field(ge=1, le=60)
    cutoff_minutes: Minutes
    offers: int = Field(ge=1, le=9)
    closed_weekdays: frozenset[Weekday] = frozenset()
    holidays_of: str = Field(default="en-US", pattern=r"^[a-z]{2}-[A-Z]{2}$")
    """Locale whose public holidays are closed days too."""

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
    silent_after_minutes: Minutes


class SlaRules(Section):
    """What was promised to one client. A window's end is exclusive: arriving at it is late."""

    at_risk_margin_minutes: Minutes
    back_on_track_minutes: Minutes
    confirm_minutes: Minutes
    unconfirmed_margin_minutes: Minutes
    on_time_target_percent: float = Field(gt=0, le=100)
    penalty_usd: int = Field(ge=0, le=100_000)


class ClientSla(Section):
    at_risk_margin_minutes: Minutes | None = None
    back_on_track_minutes: Minutes | None = None
    confirm_minutes: Minutes | None = None
    unconfirmed_margin_minutes: Minutes | None = None
    on_time_target_percent: float | None = Field(default=None, gt=0, le=100)
    penalty_usd: int | None = Field(default=None, ge=0, le=100_000)


class Sla(Section):
    lookahead_minutes: Minutes
    defaults: SlaRules
    clients: dict[str, ClientSla] = {}

    def rules_for(self, client: str) -> SlaRules:
        own = self.clients.get(client)
        if own is None:
            return self.defaults
        return self.defaults.model_copy(update=own.model_dump(exclude_none=True))


class TierKind(StrEnum):
    POST = "post"
    MENTION = "mention"


class Tier(Section):
    kind: TierKind
    after_minutes: Minutes

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)


class Escalations(Section):
    channels: dict[str, str]
    dispatchers: frozenset[str]
    mention: str
    tiers: tuple[Tier, ...] = Field(min_length=1)
    acknowledgement_holds_minutes: int = Field(ge=1, le=24 * 60)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "default" not in self.channels:
            raise ValueError("expected a channel named `default`")
        if self.tiers[0].kind is not TierKind.POST:
            raise ValueError("expected the first tier to be of kind `post`")
        if [tier.after_minutes for tier in self.tiers] != sorted(tier.after_minutes for tier in self.tiers):
            raise ValueError("expected tiers in the order of their after_minutes")
        return self

    def channel_for(self, zone: str) -> str:
        return self.channels.get(zone, self.channels["default"])


class Protocol(Section):
    operator: Operator
    service_day: LocalWindow
    redelivery: Redelivery
    conversation: Conversation
    platforms: Platforms
    sla: Sla
    escalations: Escalations
    root_causes: tuple[FailureReason, ...] = Field(min_length=1)

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
    except ZoneInfoNotFoundError:
        return moment.date()
