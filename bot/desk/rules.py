"""Pure: what a press of a task's button means, and what of a manifest can be seen in its post."""

import hashlib
from collections.abc import Collection

from bot.desk.models import DeskTask
from connectors.base import StopStatus
from connectors.desk import BoardView, Choice, ManifestLine, ManifestView, TaskAction, TaskRefusal, TaskState

UNHANDLED = {Choice.DONE: TaskState.DONE, Choice.DECLINE: TaskState.DECLINED}
"""What these choices lead to where nobody has anything to do about them."""


def judge(task: DeskTask, action: TaskAction, allowed: Collection[str]) -> TaskRefusal | None:
    """Why this press changes nothing; None when it counts. `allowed` empty: every dispatcher may."""
    if allowed and action.dispatcher not in allowed:
        return TaskRefusal.NOT_A_DISPATCHER
    if task.state is not TaskState.OPEN:
        return TaskRefusal.ALREADY_SETTLED
    if not _is_offered(task, action):
        return TaskRefusal.NOT_OFFERED
    if action.choice is Choice.APPROVE and action.dispatcher in task.approved_by:
        return TaskRefusal.NEEDS_SOMEBODY_ELSE
    return None


def _is_offered(task: DeskTask, action: TaskAction) -> bool:
    """A message on somebody's screen may be older than the task."""
    if action.choice not in task.offered:
        return False
    if action.choice is Choice.REASON:
        return action.value in task.told.causes
    drivers = {each.driver_ref for each in task.told.suggestions}
    return action.choice is not Choice.ASSIGN or action.value in drivers


def needs_more(task: DeskTask, action: TaskAction) -> bool:
    """Whether, this approval counted, another person's is still missing."""
    return action.choice is Choice.APPROVE and len(task.approved_by) + 1 < task.approvals_needed


def digest_of(view: BoardView) -> str:
    """Equal for two views that look the same in their post: a manifest's ETAs and progress are not shown there."""
    if not isinstance(view, ManifestView):
        return hashlib.sha256(view.model_dump_json().encode()).hexdigest()
    routes = [
        route.model_dump(mode="json", exclude={"lines"}) | {"lines": [_seen(line) for line in route.lines]}
        for route in view.routes
    ]
    loose = [_seen(line) for line in view.without_route]
    rest = view.model_dump(mode="json", exclude={"as_of", "page_url", "routes", "without_route"})
    return hashlib.sha256(repr((rest, routes, loose)).encode()).hexdigest()


def _seen(line: ManifestLine) -> object:
    fleeting = {"eta_at", "sequence", "status"}
    return line.model_dump(mode="json", exclude=fleeting), line.status is StopStatus.CANCELLED
