"""Doorline's hands on an Onfleet account. Its eyes are in `reading`."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn
from urllib.parse import quote

from pydantic import TypeAdapter

from connectors.base import Capability, DeliveryWindow, EventPage, NewStop, Probe, Reattempt, Stop
from connectors.errors import (
    NotPossibleError,
    PlatformError,
    PlatformRejectedError,
    Refused,
    StopNotFoundError,
)
from connectors.onfleet.bodies import (
    clone_body,
    create_body,
    destination_body,
    window_body,
    with_access_code,
    with_line,
    worker_container,
)
from connectors.onfleet.mapping import OWN_KEY, PLATFORM, read_route_ref, state_of, window_of
from connectors.onfleet.payloads import (
    AuthTest,
    Destination,
    HeldTasks,
    Recipient,
    Task,
    TaskState,
    Trigger,
    Webhook,
    to_ms,
)
from connectors.onfleet.reading import ORGANIZATION, TASK, OnfleetReader, task_path
from connectors.onfleet.wire import REFERS_TO_NOTHING

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
    Trigger.TASK_CLONED: None,
    Trigger.PREDICTED_TASK_DELAY: None,
}
"""What Doorline listens to, with the threshold where Onfleet wants one: seconds, metres for the arrival."""

NOT_UNDER_WAY = "until the driver is on the way there"
NOT_FINISHED = "until it is completed"
ABILITIES: Mapping[Capability, str] = {
    Capability.PUSH_EVENTS: "",
    Capability.LIVE_ETA: "",
    Capability.PROOF: "",
    Capability.FAILURE_REASON: "the organisation's own words, sorted by a table",
    Capability.TRACKING_LINK: "",
    Capability.DRIVER_DUTY: "",
    Capability.DRIVER_POSITION: "",
    Capability.DRIVER_CAPACITY: "where the organisation has set one",
    Capability.CREATE_STOP: "",
    Capability.CHANGE_WINDOW: NOT_UNDER_WAY,
    Capability.ADD_NOTE: NOT_FINISHED,
    Capability.ACCESS_CODE: NOT_FINISHED,
    Capability.ASSIGN_DRIVER: NOT_UNDER_WAY,
    Capability.ASSIGN_ROUTE: NOT_UNDER_WAY,
    Capability.CANCEL: f"deletes it; {NOT_UNDER_WAY}",
    Capability.REATTEMPT: "a clone of the failed one, in a window that has not begun",
}

WAITING = (TaskState.UNASSIGNED, TaskState.ASSIGNED)
REFUSAL_BY_STATE: Mapping[TaskState, Refused] = {
    TaskState.ACTIVE: Refused.UNDER_WAY,
    TaskState.COMPLETED: Refused.FINISHED,
}
RECIPIENT = TypeAdapter(Recipient)
DESTINATION = TypeAdapter(Destination)
HELD = TypeAdapter(HeldTasks)
WEBHOOK = TypeAdapter(Webhook)
WEBHOOKS = TypeAdapter(list[Webhook])
AUTH_TEST = TypeAdapter(AuthTest)


class OnfleetPlatform(OnfleetReader):
    """`connectors.base.RoutingPlatform` on Onfleet. Open one per account, close it with `aclose`.

    Onfleet does not document whether it refuses or drops what comes too late: every write looks at the task
    before and after.
    """

    vendor = PLATFORM
    abilities = ABILITIES

    # --- made and ended ---

    async def create_stop(self, new: NewStop) -> Stop:
        if (known := await self.find_stop(new.own_ref)) is not None:
            return known
        body = create_body(new, self.account, await self._recipients_for(new))
        try:
            made = await self._wire.call("POST", "tasks", TASK, json=body)
        except PlatformRejectedError as exc:
            raise self._unknown_driver(exc) from exc
        return await self._read_back(
            made.id,
            "what it was created with",
            lambda task: task.metadata_text(OWN_KEY) == new.own_ref and self._stands(task, new.window),
        )

    async def _recipients_for(self, new: NewStop) -> list[str | dict[str, Any]]:
        """A known recipient by id: given anew, Onfleet would reset their notes and their wish for no SMS."""
        if new.recipient_phone is None:
            return []  # Onfleet knows nobody without a phone; the name stands on the task
        try:
            path = f"recipients/phone/{quote(new.recipient_phone, safe='+')}"
            return [(await self._wire.get(path, RECIPIENT)).id]
        except StopNotFoundError:
            return [{"name": new.recipient_name, "phone": new.recipient_phone}]

    async def reattempt(self, platform_ref: str, wanted: Reattempt) -> Stop:
        if (known := await self.find_stop(wanted.own_ref)) is not None:
            return known
        failed = await self._task(platform_ref)
        if state_of(failed) is not TaskState.COMPLETED or failed.completion_details.success is not False:
            raise PlatformRejectedError(self.name, f"task {platform_ref} did not fail", Refused.NOT_FAILED)
        destination_id: str | None = None
        if wanted.address is not None:
            body = destination_body(wanted.address)
            destination_id = (await self._wire.call("POST", "destinations", DESTINATION, json=body)).id
        clone = clone_body(failed, wanted, destination_id)
        self._refuse_if_full(platform_ref, clone["options"]["overrides"]["notes"])
        made = await self._wire.call("POST", f"{task_path(platform_ref)}/clone", TASK, json=clone)
        return await self._read_back(
            made.id,
            "what it was cloned with",
            lambda task: task.metadata_text(OWN_KEY) == wanted.own_ref and self._stands(task, wanted.window),
        )

    async def cancel(self, platform_ref: str) -> None:
        """Deletes the task: Onfleet knows no cancelled ones."""
        task = await self._find_task(platform_ref)
        if task is None:
            return
        self._refuse_unless(task, *WAITING)
        try:
            await self._wire.tell("DELETE", task_path(platform_ref))
        except StopNotFoundError:
            return
        except PlatformRejectedError as exc:
            await self._explain(platform_ref, exc)
        if await self._find_task(platform_ref) is not None:
            raise self._kept(platform_ref, "place")

    # --- changed ---

    async def change_window(self, platform_ref: str, window: DeliveryWindow) -> Stop:
        task = await self._task(platform_ref)
        self._refuse_unless(task, *WAITING)
        return await self._change(
            task, window_body(window), "window", lambda held: self._stands(held, window)
        )

    async def add_note(self, platform_ref: str, note: str) -> Stop:
        task = await self._task(platform_ref)
        return await self._change_notes(task, with_line(task.notes, note))

    async def set_access_code(self, platform_ref: str, code: str) -> Stop:
        """In the task's own notes: those of a recipient or of a destination would follow to other tasks."""
        task = await self._task(platform_ref)
        return await self._change_notes(task, with_access_code(task.notes, code))

    async def _change_notes(self, task: Task, notes: str) -> Stop:
        if notes == task.notes:
            return await self._stop_of(task)
        self._refuse_unless(task, *WAITING, TaskState.ACTIVE)
        self._refuse_if_full(task.id, notes)
        return await self._change(task, {"notes": notes}, "notes", lambda held: held.notes == notes)

    async def assign_driver(self, platform_ref: str, driver_ref: str | None) -> Stop:
        task = await self._task(platform_ref)
        if task.worker_id == driver_ref:
            return await self._stop_of(task)
        self._refuse_unless(task, *WAITING)
        container = worker_container(driver_ref) if driver_ref else await self._pool(task)
        return await self._change(
            task, {"container": container}, "driver", lambda held: held.worker_id == driver_ref
        )

    async def assign_route(self, platform_ref: str, route_ref: str, position: int | None = None) -> Stop:
        """A route plan that no driver has takes the stop at its end, whatever the position: it has no order yet."""
        task = await self._task(platform_ref)
        self._refuse_unless(task, *WAITING)
        whose = read_route_ref(route_ref)
        driver_ref = whose[0] if whose else await self._join_plan(platform_ref, route_ref)
        if driver_ref is not None:
            await self._put_in_list(platform_ref, driver_ref, route_ref, position)
        return await self.get_stop(platform_ref)

    async def _join_plan(self, platform_ref: str, plan_ref: str) -> str | None:
        """Puts the task into the plan; returns the plan's driver."""
        plan = await self._plan(plan_ref)
        if platform_ref in plan.tasks:
            return plan.worker
        path = f"routePlans/{quote(plan_ref, safe='*~')}/tasks"
        try:
            await self._wire.tell("PUT", path, json={"tasks": [platform_ref]})
        except PlatformRejectedError as exc:
            await self._explain(platform_ref, exc)
        plan = await self._plan(plan_ref)
        if platform_ref not in plan.tasks:
            raise self._kept(platform_ref, "route")
        return plan.worker

    async def _put_in_list(
        self, platform_ref: str, driver_ref: str, route_ref: str, position: int | None
    ) -> None:
        path = f"containers/workers/{quote(driver_ref, safe='*~')}"
        try:
            held = await self._wire.get(path, HELD)
        except StopNotFoundError as exc:
            raise StopNotFoundError(self.name, route_ref) from exc
        place = _place_in(held, platform_ref, position)
        if _is_at(held, platform_ref, place):
            return
        try:
            wanted = {"tasks": [-1 if place is None else place, platform_ref]}
            await self._wire.tell("PUT", path, json=wanted)
        except PlatformRejectedError as exc:
            await self._explain(platform_ref, exc)
        if not _is_at(await self._wire.get(path, HELD), platform_ref, place):
            raise self._kept(platform_ref, "place")

    # --- what Onfleet has not ---

    async def events_after(self, cursor: str | None) -> EventPage:
        raise NotPossibleError(self.name, "asking for events")

    async def release_routes(self, day: date) -> None:
        raise NotPossibleError(self.name, "sending routes to the drivers")

    # --- the account ---

    async def ensure_webhooks(self, url: str) -> int:
        """Registers `url` for those of `TRIGGERS` that it is not registered for; returns how many were new.

        Onfleet asks `url` to prove itself while this runs: the edge must be serving.
        """
        hooks = await self._wire.get("webhooks", WEBHOOKS)
        present = {hook.trigger for hook in hooks if hook.url == url and hook.is_enabled}
        missing = [trigger for trigger in TRIGGERS if trigger not in present]
        for trigger in missing:
            body: dict[str, Any] = {
                "url": url,
                "name": f"doorline {trigger.name.lower()}",
                "trigger": trigger,
            }
            if (threshold := TRIGGERS[trigger]) is not None:
                body["threshold"] = threshold
            await self._wire.call("POST", "webhooks", WEBHOOK, json=body)
        return len(missing)

    async def probe(self) -> Probe:
        try:
            await self._wire.get("auth/test", AUTH_TEST)
            organization = await self._wire.get("organization", ORGANIZATION)
        except PlatformError as exc:
            detail = f"{exc}. Check {self._variable('API_KEY')} and {self._variable('API_BASE')}."
            return Probe(name=self.name, healthy=False, detail=detail)
        if organization.timezone and organization.timezone != self.account.timezone:
            told, theirs = self.account.timezone, organization.timezone
            detail = f"{organization.name}: times are told in {told}, Onfleet says {theirs}"
            return Probe(name=self.name, healthy=True, detail=detail)
        detail = f"organization {organization.name or organization.id}"
        return Probe(name=self.name, healthy=True, detail=detail)

    # --- how every change is made ---

    async def _change(
        self, task: Task, body: dict[str, Any], what: str, holds: Callable[[Task], bool]
    ) -> Stop:
        """Writes and reads back. What already holds is not written: Onfleet may call that an error, too."""
        if holds(task):
            return await self._stop_of(task)
        try:
            await self._wire.tell("PUT", task_path(task.id), json=body)
        except PlatformRejectedError as exc:
            await self._explain(task.id, self._unknown_driver(exc) if "container" in body else exc)
        return await self._read_back(task.id, what, holds)

    async def _read_back(self, platform_ref: str, what: str, holds: Callable[[Task], bool]) -> Stop:
        task = await self._task(platform_ref)
        if not holds(task):
            raise self._kept(platform_ref, what)
        return await self._stop_of(task)

    async def _explain(self, platform_ref: str, refusal: PlatformRejectedError) -> NoReturn:
        """Raises `refusal`, or what the task's state says of it: a driver may have left in the middle of a change."""
        if refusal.code not in set(Refused):
            self._refuse_unless(await self._task(platform_ref), *WAITING)
        raise refusal

    def _refuse_unless(self, task: Task, *allowed: TaskState) -> None:
        state = state_of(task)
        if state not in allowed:
            detail = f"task {task.id} is {state.name.lower()}"
            raise PlatformRejectedError(self.name, detail, REFUSAL_BY_STATE[state])

    def _refuse_if_full(self, platform_ref: str, notes: str) -> None:
        if len(notes) > MAX_NOTES:
            detail = f"the notes of task {platform_ref} are full"
            raise PlatformRejectedError(self.name, detail, Refused.NOTES_FULL)

    def _kept(self, platform_ref: str, what: str) -> PlatformRejectedError:
        return PlatformRejectedError(self.name, f"task {platform_ref} kept its old {what}", Refused.KEPT)

    def _unknown_driver(self, refusal: PlatformRejectedError) -> PlatformRejectedError:
        """Of all that these bodies name, only the driver may not exist."""
        if refusal.code != REFERS_TO_NOTHING:
            return refusal
        return PlatformRejectedError(self.name, refusal.detail, Refused.UNKNOWN_DRIVER)

    def _stands(self, task: Task, window: DeliveryWindow) -> bool:
        held = window_of(task, self.account)
        return held is not None and _in_ms(held) == _in_ms(window)

    async def _pool(self, task: Task) -> dict[str, str]:
        """The organisation's own container, where tasks wait for a driver."""
        owner = task.organization or (await self._wire.get("organization", ORGANIZATION)).id
        return {"type": "ORGANIZATION", "organization": owner}


def _in_ms(window: DeliveryWindow) -> tuple[int, int]:
    return to_ms(window.start_at), to_ms(window.end_at)


def _place_in(held: HeldTasks, platform_ref: str, position: int | None) -> int | None:
    """Index for a task among the others of a driver's list; None: the end. Nothing comes before the one under way."""
    others = [task_id for task_id in held.tasks if task_id != platform_ref]
    if position is None or position >= len(others):
        return None
    return max(position, 1 if others[:1] == [held.active_task] else 0)


def _is_at(held: HeldTasks, platform_ref: str, place: int | None) -> bool:
    if platform_ref not in held.tasks:
        return False
    return held.tasks.index(platform_ref) == (len(held.tasks) - 1 if place is None else place)
