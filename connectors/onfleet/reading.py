"""What Doorline reads of an Onfleet account: tasks, drivers, routes, and the names around them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from urllib.parse import quote

import structlog
from pydantic import TypeAdapter

from connectors.base import Driver, FailureReason, Now, Route, Stop
from connectors.errors import (
    PlatformUnavailableError,
    StopNotFoundError,
    UnreadablePayloadError,
)
from connectors.http import open_client
from connectors.lenient import readable
from connectors.onfleet.bodies import metadata_query
from connectors.onfleet.mapping import (
    MEDIA_BASE,
    PLATFORM,
    Account,
    Surroundings,
    days_of,
    is_under_way,
    read_route_ref,
    state_of,
    to_driver,
    to_stop,
)
from connectors.onfleet.payloads import (
    Organization,
    RoutePlan,
    RoutePlanPage,
    Task,
    TaskPage,
    TaskState,
    Team,
    Worker,
    to_ms,
)
from connectors.onfleet.routes import day_of_plan, in_driving_order, listed_routes, planned_route
from connectors.onfleet.wire import LIMITS, open_wire
from connectors.platform_client import PlatformClient
from connectors.platform_wire import Limits

API_BASE = "https://onfleet.com"
LOOKBACK = timedelta(days=30)
"""Open tasks are listed by creation: a stop created longer ago than this is not seen."""
EARLY = timedelta(days=2)
"""Closed tasks are listed by completion: one that was closed longer before its day is not a stop of that day."""
NAMES_KEPT_FOR = timedelta(minutes=10)
MOST_PLANS = "500"

TASK = TypeAdapter(Task)
TASKS = TypeAdapter(list[Task])
TASK_PAGE = TypeAdapter(TaskPage)
WORKER = TypeAdapter(Worker)
WORKERS = TypeAdapter(list[Worker])
TEAMS = TypeAdapter(list[Team])
ORGANIZATION = TypeAdapter(Organization)
PLAN = TypeAdapter(RoutePlan)
PLANS: TypeAdapter[list[RoutePlan] | RoutePlanPage] = TypeAdapter(list[RoutePlan] | RoutePlanPage)

log = structlog.get_logger(__name__)


class OnfleetReader(PlatformClient):
    """The reading half of `connectors.base.RoutingPlatform` on Onfleet."""

    def __init__(
        self,
        api_key: str,
        api_base: str = API_BASE,
        *,
        name: str = PLATFORM,
        timezone: str,
        now: Now,
        client_key: str = "client",
        zone_key: str = "zone",
        failure_reasons: Mapping[str, FailureReason] | None = None,
        limits: Limits = LIMITS,
        media_base: str | None = None,
    ) -> None:
        """`media_base` is where photos and signatures are; None: Onfleet's own, or `api_base` where that is not
        Onfleet's, as an emulator serves both."""
        self.name = name
        self.account = Account(
            timezone,
            client_key=client_key,
            zone_key=zone_key,
            failure_reasons=failure_reasons or {},
            media_base=(media_base or _media_base(api_base)).rstrip("/"),
            name=name,
        )
        self._now = now
        self._wire = open_wire(api_key, api_base, name=name, limits=limits)
        self._media = open_client(self.account.media_base, read_seconds=limits.read_seconds)
        self._names: dict[str, str] = {}
        self._names_read_at: datetime | None = None
        self._finished: dict[str, date] = {}
        """The local day on which each driver last finished a stop, for the pauses between two stops."""
        self._finished_since: datetime | None = None

    def let_through(self, per_second: int) -> None:
        """As `PlatformWire.let_through`."""
        self._wire.let_through(per_second)

    async def aclose(self) -> None:
        await self._wire.aclose()
        await self._media.aclose()

    def _may_fetch(self, url: str) -> bool:
        return url.startswith(self.account.media_base + "/")

    # --- stops ---

    async def changed_stops(self, since: datetime) -> AsyncIterator[Stop]:
        """Every open stop, and the closed ones that were completed at or after `since`.

        Closed stops come first, so a stop that closes in the middle of the listing is missed by this run and
        must be inside the next `since`: take it from before the run, not from its end. What changes
        on a stop long after its completion (a late photo) arrives by webhook only: Onfleet cannot be asked.
        """
        read_at = self._now()
        workers, names = await self._drivers_and_names()
        async for task in self._each_once(since, read_at):
            closed = state_or_none(task) is TaskState.COMPLETED
            if not closed or _changed_at(task, read_at) >= since:
                for stop in self._readable(task, read_at, workers, names):
                    yield stop

    async def stops_of_day(self, day: date) -> AsyncIterator[Stop]:
        """Every stop of that local day, without those that were closed more than `EARLY` before it.

        Onfleet cannot be asked for a day: open tasks are listed by creation, closed ones by completion, and
        what belongs to other days is dropped here.
        """
        read_at = self._now()
        workers, names = await self._drivers_and_names()
        async for task in self._tasks_of_day(day, read_at):
            for stop in self._readable(task, read_at, workers, names):
                yield stop

    async def stops_of_route(self, route_ref: str) -> list[Stop]:
        whose = read_route_ref(route_ref)
        if whose is None:
            tasks = await self._tasks_of_plan(route_ref)
        else:
            tasks = await self._tasks_of_driver(*whose, route_ref)
        read_at = self._now()
        workers, names = await self._drivers_and_names()
        stops = [stop for task in tasks for stop in self._readable(task, read_at, workers, names)]
        return in_driving_order(stop for stop in stops if stop.route_ref == route_ref)

    async def get_stop(self, platform_ref: str) -> Stop:
        return await self._stop_of(await self._task(platform_ref))

    async def find_stop(self, own_ref: str) -> Stop | None:
        # A question, although Onfleet wants it posted.
        found = await self._wire.call(
            "POST", "tasks/metadata", TASKS, json=metadata_query(own_ref), repeatable=True
        )
        if not found:
            return None
        # A dispatcher's copy may carry our reference too: the first is ours.
        ours = min(found, key=lambda task: (to_ms(task.time_created) if task.time_created else 0, task.id))
        return await self._stop_of(ours)

    # --- drivers and routes ---

    async def drivers(self) -> list[Driver]:
        names = await self._team_and_client_names()
        return [to_driver(worker, self.account, names) for worker in await self._workers()]

    async def routes(self, day: date | None = None) -> list[Route]:
        """The day's route plans, and one route per driver for the day's stops that are in no plan."""
        day = day or self.account.local_date(self._now())
        stops = [stop async for stop in self.stops_of_day(day)]
        plans = [plan for plan in await self._plans(day) if day_of_plan(plan, stops, day, self.account)]
        planned = [planned_route(plan, day, self.account) for plan in plans]
        return planned + listed_routes(stops, await self._workers(), day, self.account)

    async def _plans(self, day: date) -> list[RoutePlan]:
        params = {
            "startTimeFrom": str(to_ms(self.account.midnight(day))),
            "startTimeTo": str(to_ms(self.account.midnight(day + timedelta(days=1))) - 1),
            "limit": MOST_PLANS,
        }
        answer = await self._wire.get("routePlans", PLANS, params)
        return list(answer.route_plans) if isinstance(answer, RoutePlanPage) else answer

    async def _plan(self, route_ref: str) -> RoutePlan:
        try:
            return await self._wire.get(f"routePlans/{quote(route_ref, safe='*~')}", PLAN)
        except StopNotFoundError as exc:
            raise StopNotFoundError(self.name, route_ref) from exc

    async def _tasks_of_plan(self, route_ref: str) -> list[Task]:
        plan = await self._plan(route_ref)
        found = await asyncio.gather(*(self._find_task(task_id) for task_id in plan.tasks))
        return [task for task in found if task is not None]

    async def _tasks_of_driver(self, worker_id: str, day: date, route_ref: str) -> list[Task]:
        try:
            await self._worker(worker_id)
        except StopNotFoundError as exc:
            raise StopNotFoundError(self.name, route_ref) from exc
        return [task async for task in self._tasks_of_day(day, self._now(), worker_id)]

    # --- one task and what is around it ---

    async def _task(self, platform_ref: str) -> Task:
        try:
            return await self._wire.get(task_path(platform_ref), TASK)
        except StopNotFoundError as exc:
            raise StopNotFoundError(self.name, platform_ref) from exc

    async def _find_task(self, platform_ref: str) -> Task | None:
        try:
            return await self._task(platform_ref)
        except StopNotFoundError:
            return None

    async def _worker(self, worker_id: str) -> Worker:
        return await self._wire.get(f"workers/{quote(worker_id, safe='*~')}", WORKER)

    async def _workers(self) -> list[Worker]:
        return await self._wire.get("workers", WORKERS)

    async def _drivers_and_names(self) -> tuple[Mapping[str, Worker], Mapping[str, str]]:
        workers = {worker.id: worker for worker in await self._workers()}
        return workers, await self._team_and_client_names()

    async def _stop_of(self, task: Task) -> Stop:
        worker = await self._worker_of(task)
        names = await self._team_and_client_names()
        around = self._surroundings(task, {worker.id: worker} if worker else {}, names)
        try:
            return to_stop(task, self.account, self._now(), around)
        except UnreadablePayloadError as exc:
            raise PlatformUnavailableError(self.name, str(exc)) from exc

    async def _worker_of(self, task: Task) -> Worker | None:
        if task.worker_id is None or state_or_none(task) is TaskState.COMPLETED:
            return None
        try:
            return await self._worker(task.worker_id)
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

    # --- lists of tasks ---

    async def _each_once(
        self, closed_from: datetime, read_at: datetime, worker_id: str | None = None
    ) -> AsyncIterator[Task]:
        """Closed tasks by completion, then the open ones; whoever closes in between is not told twice."""
        seen: set[str] = set()
        async for task in self._closed_tasks(closed_from, read_at, worker_id):
            if task.id not in seen:
                seen.add(task.id)
                yield task
        async for task in self._pages("0,1,2", read_at - LOOKBACK, worker_id):
            if task.id not in seen:
                seen.add(task.id)
                yield task

    async def _tasks_of_day(
        self, day: date, read_at: datetime, worker_id: str | None = None
    ) -> AsyncIterator[Task]:
        closed_from = self.account.midnight(day) - EARLY
        async for task in self._each_once(closed_from, read_at, worker_id):
            first, last = days_of(task, self.account, read_at)
            if first <= day <= last:
                yield task

    async def _closed_tasks(
        self, since: datetime, read_at: datetime, worker_id: str | None
    ) -> AsyncIterator[Task]:
        """Closed tasks; the first whole run of a process also learns who finished a stop earlier today."""
        midnight = self.account.local_midnight(read_at)
        start = since if self._finished_since is not None or worker_id else min(since, midnight)
        async for task in self._pages("3", start, worker_id):
            finished_at = task.completion_details.time
            if task.worker_id and finished_at:
                self._finished[task.worker_id] = self.account.local_date(finished_at)
            yield task
        if worker_id is None and start <= midnight:
            self._finished_since = start

    async def _pages(self, states: str, start: datetime, worker_id: str | None) -> AsyncIterator[Task]:
        wanted = {"from": str(to_ms(start)), "state": states} | ({"worker": worker_id} if worker_id else {})
        last_id: str | None = None
        while True:
            params = wanted | ({"lastId": last_id} if last_id else {})
            page = await self._wire.get("tasks/all", TASK_PAGE, params)
            for raw in page.tasks:
                for task in readable(Task, raw, self.name):
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


def _media_base(api_base: str) -> str:
    return MEDIA_BASE if api_base.rstrip("/") == API_BASE else api_base


def _changed_at(task: Task, read_at: datetime) -> datetime:
    return task.time_last_modified or task.completion_details.time or read_at


def state_or_none(task: Task) -> TaskState | None:
    """None for a state that Onfleet does not document."""
    try:
        return state_of(task)
    except UnreadablePayloadError:
        return None


def task_path(platform_ref: str) -> str:
    # The ids contain `*` and `~`, which Onfleet wants unescaped; anything else must not change the path.
    return f"tasks/{quote(platform_ref, safe='*~')}"
