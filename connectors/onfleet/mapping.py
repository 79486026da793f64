"""Onfleet's tasks, workers and words as Doorline's stops, drivers and reasons. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.base import (
    Address,
    DeliveryWindow,
    Driver,
    FailureReason,
    ProofOfDelivery,
    Stop,
    StopStatus,
)
from connectors.errors import UnreadablePayloadError
from connectors.failure_words import reason_in
from connectors.onfleet.payloads import CompletionDetails, Destination, Task, TaskState, Worker
from connectors.phones import to_e164

PLATFORM = "onfleet"
"""The vendor's name, and that of an account for which sop.yml gives no other."""
OWN_KEY = "own_ref"
REATTEMPT_KEY = "reattempt_of"
"""Names of the metadata entries with our reference, and with the failed task that one tries again."""

MEDIA_BASE = "https://d15p8tr8p0vffz.cloudfront.net"
"""Where Onfleet keeps photos and signatures; needs no key. Source: routing-platforms 2.3, from older documentation."""

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


@dataclass(frozen=True)
class Account:
    """The conventions of one Onfleet account."""

    timezone: str
    client_key: str = "client"
    """Name of the metadata entry that holds the shipper; without it the merchant's name is used."""
    zone_key: str = "zone"
    """Name of the metadata entry that holds the zone; without it the team's name is used."""
    service_key: str = "service"
    """Name of the metadata entry that holds the kind of delivery."""
    failure_reasons: Mapping[str, FailureReason] = field(default_factory=dict)
    service_day: tuple[time, time] = (time(8), time(21))
    """Local hours that close a one-sided window."""
    media_base: str = MEDIA_BASE
    order_key: str = "orderNo"
    """Name of the metadata entry that holds the client's own number of the order."""
    name: str = PLATFORM
    """As in sop.yml."""

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone_info).date()

    def local_midnight(self, instant: datetime) -> datetime:
        return self.midnight(self.local_date(instant))

    def midnight(self, day: date) -> datetime:
        """The instant at which the local day begins."""
        return _utc(datetime.combine(day, time(0), self.zone_info))


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
        platform=account.name,
        platform_ref=task.id,
        tracking=task.short_id or task.id,
        order_ref=task.metadata_text(account.order_key).strip() or None,
        own_ref=task.metadata_text(OWN_KEY) or None,
        reattempt_of=task.source_task_id or task.metadata_text(REATTEMPT_KEY) or None,
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
        route_ref=route_of(task, account, read_at),
        driver_ref=task.worker_id,
        service=timedelta(minutes=task.service_time) if task.service_time else None,
        service_kind=task.metadata_text(account.service_key).strip(),
        load=task.quantity,
        notes=task.notes,
        tracking_url=task.tracking_url,
        is_texted_by_platform=is_texted(task),
        arrived_at=details.time_of("arrival"),
        completed_at=details.time if status.is_closed else None,
        failure_reason=failure_reason(details, account) if failed else None,
        failure_note=failure_note(details) if failed else "",
        proof=to_proof(details, account) if status.is_closed else None,
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


def to_proof(details: CompletionDetails, account: Account) -> ProofOfDelivery | None:
    """What the driver left; None where there is nothing at all, not even a place."""
    longitude, latitude = details.location or (None, None)
    signature = details.signature_upload_id
    proof = ProofOfDelivery(
        photo_urls=tuple(f"{account.media_base}/{photo}/800x.png" for photo in details.photos),
        signature_url=f"{account.media_base}/{signature}/282x.png" if signature else None,
        signed_by=details.signature_text.strip(),
        note=(details.success_notes or details.notes).strip() if details.success else "",
        latitude=latitude,
        longitude=longitude,
    )
    return None if proof == ProofOfDelivery() else proof.model_copy(update={"at": details.time})


def client_of(task: Task, account: Account, names: Mapping[str, str]) -> str:
    return task.metadata_text(account.client_key) or names.get(task.merchant, "")


def zone_of(task: Task, account: Account, around: Surroundings) -> str:
    teams = around.worker.teams if around.worker else ()
    team = task.container.team or (teams[0] if teams else "")
    return task.metadata_text(account.zone_key) or around.names.get(team, "")


def is_texted(task: Task) -> bool:
    """Whether Onfleet may text this task's recipient; which texts there are, only its dashboard knows.

    Source: Onfleet API reference, Create task, and routing-platforms 2.3.
    """
    if not task.recipients or not task.recipients[0].phone:
        return False
    own = task.overrides.recipient_skip_sms_notifications
    return not (task.recipients[0].skip_sms_notifications if own is None else own)


def recipient_name_of(task: Task) -> str:
    return task.overrides.recipient_name or (task.recipients[0].name if task.recipients else "")


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
    return reason_in(reason) or reason_in(notes) or FailureReason.OTHER


def failure_note(details: CompletionDetails) -> str:
    """The organisation's reason and the driver's words. `NONE` is Onfleet's word for no reason given."""
    reason = "" if details.failure_reason == "NONE" else details.failure_reason
    return ": ".join(part for part in (reason, details.failure_notes) if part)


def _plain(words: str) -> str:
    return " ".join(words.replace("_", " ").lower().split())


def days_of(task: Task, account: Account, read_at: datetime) -> tuple[date, date]:
    """First and last local day of the task: of its window, else of its ETA, its end, or the day of reading."""
    window = window_of(task, account)
    if window is not None:
        last_moment = window.end_at - timedelta(microseconds=1)
        return account.local_date(window.start_at), account.local_date(last_moment)
    known = task.estimated_arrival_time or task.eta or task.completion_details.time or read_at
    return account.local_date(known), account.local_date(known)


def route_of(task: Task, account: Account, read_at: datetime) -> str | None:
    """The route plan that the task is in, else what its driver has to do on its day."""
    if task.route_plan:
        return task.route_plan
    return route_ref(task.worker_id, days_of(task, account, read_at)[0]) if task.worker_id else None


def route_ref(worker_id: str, day: date) -> str:
    return f"worker:{worker_id}:{day.isoformat()}"


def read_route_ref(ref: str) -> tuple[str, date] | None:
    """Driver and day of a `route_ref`; None for anything else, such as the id of a route plan."""
    kind, _, rest = ref.partition(":")
    worker_id, _, day = rest.partition(":")
    if kind != "worker" or not worker_id:
        return None
    try:
        return worker_id, date.fromisoformat(day)
    except ValueError:
        return None


def to_driver(worker: Worker, account: Account, names: Mapping[str, str]) -> Driver:
    longitude, latitude = worker.location or (None, None)
    return Driver(
        platform=account.name,
        platform_ref=worker.id,
        name=worker.name or worker.display_name,
        phone=to_e164(worker.phone),
        zones=tuple(names[team] for team in worker.teams if team in names),
        on_duty=worker.on_duty,
        # Onfleet says 0 where nobody has set one.
        capacity=worker.capacity or None,
        latitude=latitude,
        longitude=longitude,
        seen_at=worker.time_last_seen,
    )
