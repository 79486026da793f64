"""Doorline's eyes and hands on an Onfleet account."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog
from pydantic import TypeAdapter, ValidationError

from connectors.base import Capability, DeliveryWindow, Driver, FailureReason, Now, Probe, Route, Stop
from connectors.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
    UnreadablePayloadError,
)
from connectors.http import READ_SECONDS
from connectors.onfleet.mapping import (
    PLATFORM,
    Account,
    Surroundings,
    is_under_way,
    state_of,
    to_driver,
    to_route,
    to_stop,
    window_of,
)
from connectors.onfleet.payloads import (
    AuthTest,
    Organization,
    Task,
    TaskPage,
    TaskState,
    Team,
    Trigger,
    Webhook,
    Worker,
    to_ms,
)
from connectors.onfleet.wire import Wire

API_BASE = "https://onfleet.com"
REQUESTS_PER_SECOND = 20
"""Onfleet counts this over all keys of an organisation; give less where others share it."""
LOOKBACK = timedelta(days=30)
"""Open tasks are listed by creation: a stop created longer ago than this is not seen."""
NAMES_KEPT_FOR = timedelta(minutes=10)
MAX_NOTES = 10_000

TRIGGERS: Mapping[Trigger, int | None] = {
    Trigger.TASK_STARTED: None,
    Trigger.TASK_ETA: 600,
    Trigger.TASK_ARRIVAL: 150,
    Trigger.TASK_COMPLETED: None,
    Trigger.TASK_FAILED: None,
    Trigger.TASK_CREATED: None,
    Trigger.TASK_UPDATED: None,
    Trigger.TASK_DELETED: None,
    Trigger.TASK_ASSIGNED: None,
    Trigger.TASK_UNASSIGNED: None,
    Trigger.TASK_DELAYED: 300,
    Trigger.PREDICTED_TASK_DELAY: None,
}
"""What Doorline listens to, with the threshold where Onfleet wants one: seconds, metres for the arrival."""

TASK = TypeAdapter(Task)
TASK_PAGE = TypeAdapter(TaskPage)
WORKER = TypeAdapter(Worker)
WORKERS = TypeAdapter(list[Worker])
TEAMS = TypeAdapter(list[Team])
ORGANIZATION = TypeAdapter(Organization)
WEBHOOK = TypeAdapter(Webhook)
WEBHOOKS = TypeAdapter(list[Webhook])
AUTH_TEST = TypeAdapter(AuthTest)

log = structlog.get_logger(__name__)


class OnfleetPlatform:
    """`connectors.base.RoutingPlatform` on Onfleet. Open one per account, close it with `aclose`."""

    name = PLATFORM
    capabilities = frozenset(Capability)

    def __init__(
        self,
        api_key: str,
        api_base: str = API_BASE,
        *,
        timezone: str,
        now: Now,
        client_key: str = "client",
        zone_key: str = "zone",
        failure_reasons: Mapping[str, FailureReason] | None = None,
        requests_per_second: int = REQUESTS_PER_SECOND,
        read_seconds: float = READ_SECONDS,
        backoff_seconds: float = 0.5,
    ) -> None:
        self.account = Account(timezone, client_key, zone_key, failure_reasons or {})
        self._now = now
        self._wire = Wire(
            api_key,
            api_base,
            requests_per_second=requests_per_second,
            read_seconds=read_seconds,
            backoff_seconds=backoff_seconds,
        )
        self._names: dict[str, str] = {}
        self._names_read_at: datetime | None = None
        self._finished: dict[str, date] = {}
        """The local day on which each driver last finished a stop, for the pauses between two stops."""
        self._finished_since: datetime | None = None

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that were completed at or after `since`.

        Closed stops come first, so a stop that closes in the middle of the listing is missed by this run and
        must be inside the next `since`: take it from before the run, not from its end. What changes
        on a stop long after its completion (a late photo) arrives by webhook only: Onfleet cannot be asked.
        """
        read_at = self._now()
        workers = {worker.id: worker for worker in await self._workers()}
        names = await self._team_and_client_names()
        seen: set[str] = set()
        async for task in self._closed_tasks(since, read_at):
            if _changed_at(task, read_at) >= since and task.id not in seen:
                seen.add(task.id)
                for stop in self._readable(task, read_at, workers, names):
                    yield stop
        async for task in self._pages("0,1,2", read_at - LOOKBACK):
            if task.id not in seen:
                seen.add(task.id)
                for stop in self._readable(task, read_at, workers, names):
                    yield stop

    async def get_stop(self, platform_ref: str) -> Stop:
        return await self._stop_of(await self._task(platform_ref))

    async def drivers(self) -> list[Driver]:
        return [to_driver(worker) for worker in await self._workers()]

    async def routes(self) -> list[Route]:
        """One route per driver who has stops left: what stands in the driver's container, of whatever day."""
        today = self.account.local_date(self._now())
        return [
            to_route(worker, today) for worker in await self._workers() if worker.tasks or worker.active_task
        ]

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        # Onfleet does not document whether it refuses or drops what is too late: look before and after.
        _refuse_unless(await self._task(platform_ref), TaskState.UNASSIGNED, TaskState.ASSIGNED)
        wanted = {"completeAfter": to_ms(window.start_at), "completeBefore": to_ms(window.end_at)}
        await self._wire.put(_task_path(platform_ref), TASK, wanted)
        task = await self._task(platform_ref)
        held = window_of(task, self.account)
        if held is None or (to_ms(held.start_at), to_ms(held.end_at)) != tuple(wanted.values()):
            raise PlatformRejectedError(PLATFORM, f"task {platform_ref} kept its old window", code="kept")
        return await self._stop_of(task)

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        task = await self._task(platform_ref)
        line = " ".join(note.split())
        if line in task.notes.splitlines():
            return await self._stop_of(task)
        _refuse_unless(task, TaskState.UNASSIGNED, TaskState.ASSIGNED, TaskState.ACTIVE)
        notes = f"{task.notes.rstrip()}\n{line}".lstrip("\n")
        if len(notes) > MAX_NOTES:
            raise PlatformRejectedError(
                PLATFORM, f"the notes of task {platform_ref} are full", code="notes_full"
            )
        await self._wire.put(_task_path(platform_ref), TASK, {"notes": notes})
        task = await self._task(platform_ref)
        if line not in task.notes.splitlines():
            raise PlatformRejectedError(PLATFORM, f"task {platform_ref} kept its old notes", code="kept")
        return await self._stop_of(task)

    async def ensure_webhooks(self, url: str) -> int:
        """Registers `url` for those of `TRIGGERS` that it is not registered for; returns how many were new.

        Onfleet asks `url` to prove itself while this runs: the edge must be serving.
        """
        hooks = await self._wire.get("webhooks", WEBHOOKS)
        present = {hook.trigger for hook in hooks if hook.url == url and hook.is_enabled}
        missing = [trigger for trigger in TRIGGERS if trigger not in present]
        for trigger in missing:
            threshold = TRIGGERS[trigger]
            body: dict[str, Any] = {
                "url": url,
                "name": f"doorline {trigger.name.lower()}",
                "trigger": int(trigger),
            }
            await self._wire.post("webhooks", WEBHOOK, body | ({"threshold": threshold} if threshold else {}))
        return len(missing)

    async def probe(self) -> Probe:
        try:
            await self._wire.get("auth/test", AUTH_TEST)
            organization = await self._wire.get("organization", ORGANIZATION)
        except PlatformError as exc:
            return Probe(
                name=PLATFORM, healthy=False, detail=f"{exc}. Check ONFLEET_API_KEY and ONFLEET_API_BASE."
            )
        if organization.timezone and organization.timezone != self.account.timezone:
            told, theirs = self.account.timezone, organization.timezone
            detail = f"{organization.name}: times are told in {told}, Onfleet says {theirs}"
            return Probe(name=PLATFORM, healthy=True, detail=detail)
        return Probe(
            name=PLATFORM, healthy=True, detail=f"organization {organization.name or organization.id}"
        )

    async def _task(self, platform_ref: str) -> Task:
        try:
            return await self._wire.get(_task_path(platform_ref), TASK)
        except StopNotFoundError as exc:
            raise StopNotFoundError(PLATFORM, platform_ref) from exc

    async def _workers(self) -> list[Worker]:
        return await self._wire.get("workers", WORKERS)

    async def _stop_of(self, task: Task) -> Stop:
        worker = await self._worker_of(task)
        names = await self._team_and_client_names()
        around = self._surroundings(task, {worker.id: worker} if worker else {}, names)
        try:
            return to_stop(task, self.account, self._now(), around)
        except UnreadablePayloadError as exc:
            raise PlatformUnavailableError(PLATFORM, str(exc)) from exc

    async def _worker_of(self, task: Task) -> Worker | None:
        if task.worker_id is None or state_of(task) is TaskState.COMPLETED:
            return None
        try:
            return await self._wire.get(f"workers/{quote(task.worker_id, safe='*~')}", WORKER)
        except StopNotFoundError:
            return None  # the driver was removed meanwhile; the stop is still a stop

    def _readable(
        self, task: Task, read_at: datetime, workers: Mapping[str, Worker], names: Mapping[str, str]
    ) -> list[Stop]:
        """The stop, or nothing when Onfleet tells of it what we cannot read: one must not hide all others."""
        try:
            return [to_stop(task, self.account, read_at, self._surroundings(task, workers, names))]
        except UnreadablePayloadError as exc:
            log.warning("onfleet_unreadable_task", task=task.id, reason=str(exc))
            return []

    def _surroundings(
        self, task: Task, workers: Mapping[str, Worker], names: Mapping[str, str]
    ) -> Surroundings:
        worker = workers.get(task.worker_id) if task.worker_id else None
        if worker is None:
            return Surroundings(names=names)
        today = self.account.local_date(self._now())
        finished_today = {worker_id for worker_id, day in self._finished.items() if day == today}
        return Surroundings(worker, is_under_way(worker, finished_today), names)

    async def _closed_tasks(self, since: datetime, read_at: datetime) -> AsyncIterator[Task]:
        """Closed tasks; the first run of a process also learns who finished a stop earlier today."""
        midnight = self.account.local_midnight(read_at)
        start = since if self._finished_since is not None else min(since, midnight)
        async for task in self._pages("3", start):
            finished_at = task.completion_details.time
            if task.worker_id and finished_at:
                self._finished[task.worker_id] = self.account.local_date(finished_at)
            yield task
        self._finished_since = start

    async def _pages(self, states: str, start: datetime) -> AsyncIterator[Task]:
        last_id: str | None = None
        while True:
            params = {"from": str(to_ms(start)), "state": states} | ({"lastId": last_id} if last_id else {})
            page = await self._wire.get("tasks/all", TASK_PAGE, params)
            for raw in page.tasks:
                for task in _readable_task(raw):
                    yield task
            if not page.last_id or page.last_id == last_id:
                return
            last_id = page.last_id

    async def _team_and_client_names(self) -> Mapping[str, str]:
        now = self._now()
        if self._names_read_at is None or now - self._names_read_at > NAMES_KEPT_FOR:
            organization = await self._wire.get("organization", ORGANIZATION)
            teams = await self._wire.get("teams", TEAMS)
            self._names = {organization.id: organization.name} | {team.id: team.name for team in teams}
            self._names_read_at = now
        return self._names


def _readable_task(raw: dict[str, Any]) -> list[Task]:
    try:
        return [Task.model_validate(raw)]
    except ValidationError as exc:
        log.warning("onfleet_unreadable_task", task=str(raw.get("id")), errors=exc.error_count())
        return []


def _changed_at(task: Task, read_at: datetime) -> datetime:
    return task.time_last_modified or task.completion_details.time or read_at


def _task_path(platform_ref: str) -> str:
    # The ids contain `*` and `~`, which Onfleet wants unescaped; anything else must not change the path.
    return f"tasks/{quote(platform_ref, safe='*~')}"


def _refuse_unless(task: Task, *allowed: TaskState) -> None:
    state = state_of(task)
    if state not in allowed:
        raise PlatformRejectedError(
            PLATFORM, f"task {task.id} is {state.name.lower()}", code=state.name.lower()
        )
