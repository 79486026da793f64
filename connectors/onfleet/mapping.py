"""Onfleet's tasks, workers and words as Doorline's stops, drivers and reasons. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers

from connectors.base import Address, DeliveryWindow, Driver, FailureReason, Route, Stop, StopStatus
from connectors.errors import UnreadablePayloadError
from connectors.onfleet.payloads import CompletionDetails, Destination, Task, TaskState, Worker

PLATFORM = "onfleet"

DEFAULT_FAILURE_REASONS: Mapping[str, FailureReason] = {
    "recipient unavailable": FailureReason.RECIPIENT_UNAVAILABLE,
    "customer unavailable": FailureReason.RECIPIENT_UNAVAILABLE,
    "unavailable": FailureReason.RECIPIENT_UNAVAILABLE,
    "no access": FailureReason.ACCESS_ISSUE,
    "access issue": FailureReason.ACCESS_ISSUE,
    "wrong address": FailureReason.ADDRESS_ISSUE,
    "incorrect address": FailureReason.ADDRESS_ISSUE,
    "refused": FailureReason.REFUSED,
    "refused by recipient": FailureReason.REFUSED,
    "damaged": FailureReason.DAMAGED,
    "vehicle issue": FailureReason.VEHICLE,
    "weather": FailureReason.WEATHER,
    "traffic": FailureReason.TRAFFIC,
    "ran out of time": FailureReason.DRIVER_DELAY,
    "not at depot": FailureReason.DEPOT,
}
"""Onfleet publishes no list, an organisation types its own. An account's table is looked at first."""

FAILURE_WORDS: tuple[tuple[str, FailureReason], ...] = (
    ("nobody", FailureReason.RECIPIENT_UNAVAILABLE),
    ("no one", FailureReason.RECIPIENT_UNAVAILABLE),
    ("not home", FailureReason.RECIPIENT_UNAVAILABLE),
    ("unavailable", FailureReason.RECIPIENT_UNAVAILABLE),
    ("no answer", FailureReason.RECIPIENT_UNAVAILABLE),
    ("gate", FailureReason.ACCESS_ISSUE),
    ("door code", FailureReason.ACCESS_ISSUE),
    ("locked", FailureReason.ACCESS_ISSUE),
    ("access", FailureReason.ACCESS_ISSUE),
    ("address", FailureReason.ADDRESS_ISSUE),
    ("refus", FailureReason.REFUSED),
    ("damage", FailureReason.DAMAGED),
    ("crushed", FailureReason.DAMAGED),
    ("leak", FailureReason.DAMAGED),
    ("flat tire", FailureReason.VEHICLE),
    ("breakdown", FailureReason.VEHICLE),
    ("vehicle", FailureReason.VEHICLE),
    ("snow", FailureReason.WEATHER),
    ("flood", FailureReason.WEATHER),
    ("weather", FailureReason.WEATHER),
    ("traffic", FailureReason.TRAFFIC),
    ("depot", FailureReason.DEPOT),
    ("warehouse", FailureReason.DEPOT),
)
"""Tried in order on free text that no table knows. A guess: the words stay in `failure_note`."""


@dataclass(frozen=True)
class Account:
    """The conventions of one Onfleet account."""

    timezone: str
    client_key: str = "client"
    """Name of the metadata entry that holds the shipper; without it the merchant's name is used."""
    zone_key: str = "zone"
    """Name of the metadata entry that holds the zone; without it the team's name is used."""
    failure_reasons: Mapping[str, FailureReason] = field(default_factory=dict)
    service_day: tuple[time, time] = (time(8), time(21))
    """Local hours that close a one-sided window."""

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone_info).date()

    def local_midnight(self, instant: datetime) -> datetime:
        return datetime.combine(self.local_date(instant), time(0), self.zone_info)


@dataclass(frozen=True)
class Surroundings:
    """What a task does not carry itself."""

    worker: Worker | None = None
    under_way: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    """Names by id of teams and organisations."""


def is_under_way(worker: Worker, finished_today: Set[str]) -> bool:
    """Whether a driver has left with the load: on duty, and on the way to a stop or done with one today."""
    return worker.on_duty is True and (worker.active_task is not None or worker.id in finished_today)


def to_stop(task: Task, account: Account, read_at: datetime, around: Surroundings | None = None) -> Stop:
    """The stop as it stands in `task`, read at `read_at`.

    Raises `UnreadablePayloadError` for a state that Onfleet does not document.
    """
    around = around or Surroundings()
    window = window_of(task, account)
    status = status_of(task, for_today=_is_for_today(window, read_at, account), under_way=around.under_way)
    details = task.completion_details
    failed = status is StopStatus.FAILED
    return Stop(
        platform=PLATFORM,
        platform_ref=task.id,
        tracking=task.short_id or task.id,
        status=status,
        address=to_address(task.destination),
        client=client_of(task, account, around.names),
        zone=zone_of(task, account, around),
        timezone=account.timezone,
        recipient_name=recipient_name_of(task),
        recipient_phone=to_e164(task.recipients[0].phone) if task.recipients else None,
        window=window,
        eta_at=task.estimated_arrival_time or task.eta,
        sequence=sequence_of(task, status, around.worker),
        route_ref=route_ref(task.worker_id, account.local_date(read_at)) if task.worker_id else None,
        driver_ref=task.worker_id,
        notes=task.notes,
        tracking_url=task.tracking_url,
        arrived_at=details.time_of("arrival"),
        completed_at=details.time if status.is_closed else None,
        failure_reason=failure_reason(details, account) if failed else None,
        failure_note=failure_note(details) if failed else "",
        changed_at=task.time_last_modified or details.time or task.time_created or read_at,
    )


def state_of(task: Task) -> TaskState:
    """The task's state; where Onfleet left it out (as its shortened answers do) it is read from the rest."""
    if task.state is not None:
        try:
            return TaskState(task.state)
        except ValueError as exc:
            raise UnreadablePayloadError(
                f"onfleet task {task.id} has the unknown state {task.state}"
            ) from exc
    if task.completion_details.time is not None:
        return TaskState.COMPLETED
    if task.completion_details.time_of("start") is not None:
        return TaskState.ACTIVE
    return TaskState.ASSIGNED if task.worker_id else TaskState.UNASSIGNED


def status_of(task: Task, *, for_today: bool, under_way: bool) -> StopStatus:
    """What a recipient would call the state of `task`.

    Onfleet's "assigned" says nothing of the van. An assigned stop of today counts as out for delivery as soon
    as its driver is under way (see `is_under_way`); one that was moved to another day stays assigned although
    it still stands in that driver's list.
    """
    state = state_of(task)
    if state is TaskState.COMPLETED:
        return StopStatus.FAILED if task.completion_details.success is False else StopStatus.DELIVERED
    if state is TaskState.ACTIVE:
        arrived = task.completion_details.time_of("arrival") is not None
        return StopStatus.ARRIVING if arrived else StopStatus.OUT_FOR_DELIVERY
    if state is TaskState.UNASSIGNED:
        return StopStatus.PLANNED
    return StopStatus.OUT_FOR_DELIVERY if under_way and for_today else StopStatus.ASSIGNED


def _is_for_today(window: DeliveryWindow | None, read_at: datetime, account: Account) -> bool:
    return window is None or account.local_date(window.start_at) <= account.local_date(read_at)


def window_of(task: Task, account: Account) -> DeliveryWindow | None:
    """The promise; an open side is closed by the service day, a reversed pair is no promise."""
    start, end = task.complete_after, task.complete_before
    if start is None and end is None:
        return None
    if start is None and end is not None:
        start = _opening_before(end, account)
    if end is None and start is not None:
        end = _closing_after(start, account)
    if start is None or end is None or start >= end:
        return None
    return DeliveryWindow(start_at=start, end_at=end)


def _opening_before(end: datetime, account: Account) -> datetime:
    # The last local day that has a moment before `end`: an end at midnight belongs to the day before.
    day = account.local_date(end - timedelta(microseconds=1))
    opening = datetime.combine(day, account.service_day[0], account.zone_info)
    midnight = datetime.combine(day, time(0), account.zone_info)
    return _utc(opening) if _utc(opening) < _utc(end) else _utc(midnight)


def _closing_after(start: datetime, account: Account) -> datetime:
    day = account.local_date(start)
    closing = datetime.combine(day, account.service_day[1], account.zone_info)
    midnight = datetime.combine(day + timedelta(days=1), time(0), account.zone_info)
    return _utc(closing) if _utc(start) < _utc(closing) else _utc(midnight)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(ZoneInfo("UTC"))


def to_address(destination: Destination) -> Address:
    wire = destination.address
    line = " ".join(part for part in (wire.number, wire.street, wire.apartment) if part)
    longitude, latitude = destination.location or (None, None)
    return Address(
        line=line or wire.unparsed or wire.name,
        city=wire.city,
        postcode=wire.postal_code,
        region=wire.state,
        country=wire.country,
        latitude=latitude,
        longitude=longitude,
    )


def client_of(task: Task, account: Account, names: Mapping[str, str]) -> str:
    return task.metadata_text(account.client_key) or names.get(task.merchant, "")


def zone_of(task: Task, account: Account, around: Surroundings) -> str:
    teams = around.worker.teams if around.worker else ()
    team = task.container.team or (teams[0] if teams else "")
    return task.metadata_text(account.zone_key) or around.names.get(team, "")


def recipient_name_of(task: Task) -> str:
    return task.overrides.recipient_name or (task.recipients[0].name if task.recipients else "")


def to_e164(phone: str) -> str | None:
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def sequence_of(task: Task, status: StopStatus, worker: Worker | None) -> int | None:
    """Place in the driver's remaining order. The stop being driven to is always 0."""
    if status.is_closed:
        return None
    if state_of(task) is TaskState.ACTIVE:
        return 0
    order = remaining_order(worker) if worker else ()
    return order.index(task.id) if task.id in order else None


def remaining_order(worker: Worker) -> tuple[str, ...]:
    """The driver's unfinished stops, next first. Onfleet may list the active task among the others or not."""
    if worker.active_task is None:
        return worker.tasks
    return (worker.active_task, *(task for task in worker.tasks if task != worker.active_task))


def failure_reason(details: CompletionDetails, account: Account) -> FailureReason:
    reason, notes = _plain(details.failure_reason), _plain(details.failure_notes)
    configured = {_plain(words): meant for words, meant in account.failure_reasons.items()}
    for table in (configured, DEFAULT_FAILURE_REASONS):
        if reason in table:
            return table[reason]
    for text in (reason, notes):
        for word, meant in FAILURE_WORDS:
            if word in text:
                return meant
    return FailureReason.OTHER


def failure_note(details: CompletionDetails) -> str:
    """The organisation's reason and the driver's words. `NONE` is Onfleet's word for no reason given."""
    reason = "" if details.failure_reason == "NONE" else details.failure_reason
    return ": ".join(part for part in (reason, details.failure_notes) if part)


def _plain(words: str) -> str:
    return " ".join(words.replace("_", " ").lower().split())


def route_ref(worker_id: str, day: date) -> str:
    return f"worker:{worker_id}:{day.isoformat()}"


def to_driver(worker: Worker) -> Driver:
    longitude, latitude = worker.location or (None, None)
    return Driver(
        platform=PLATFORM,
        platform_ref=worker.id,
        name=worker.name or worker.display_name,
        phone=to_e164(worker.phone),
        on_duty=worker.on_duty,
        latitude=latitude,
        longitude=longitude,
        seen_at=worker.time_last_seen,
    )


def to_route(worker: Worker, day: date) -> Route:
    return Route(
        platform=PLATFORM,
        platform_ref=route_ref(worker.id, day),
        name=worker.display_name or worker.name,
        driver_ref=worker.id,
        stop_refs=remaining_order(worker),
    )
