"""A dispatcher at the desk: types commands, fills windows in, presses a task's buttons. And tasks to press them on."""

from typing import Any
from uuid import UUID

from bot.desk.models import DeskTask
from bot.desk.service import TaskWanted
from connectors.desk import Choice, TaskFacts, TaskKind
from tests.harness.accounts import CHANNEL
from tests.harness.people import Dispatcher
from tests.harness.world import World

TIMEZONE = "America/New_York"


class DeskHand(Dispatcher):
    async def types(self, text: str, **order: Any) -> dict[str, Any]:
        """Types `/doorline TEXT`; gives what was read at once and the window that opened, if one did."""
        answer = await self._order(
            "command", {"user": self.user_id, "channel": CHANNEL, "text": text} | order
        )
        assert answer["status"] == 200, answer
        return answer

    async def opens(self, text: str) -> dict[str, Any]:
        """The window that `/doorline TEXT` opens."""
        view: dict[str, Any] | None = (await self.types(text))["view"]
        assert view is not None, "no window opened"
        return view

    async def picks(self, callback_id: str) -> dict[str, Any]:
        """Picks a global shortcut; gives the window that opened."""
        answer = await self._order("shortcut", {"user": self.user_id, "callback_id": callback_id})
        assert (answer["status"], answer["view"] is None) == (200, False), answer
        view: dict[str, Any] = answer["view"]
        return view

    async def enters(self, view: dict[str, Any], **fields: str) -> dict[str, Any]:
        """Fills in what is named, sends; gives `status`, `errors` and whether the window is still `open`."""
        values = {name: {name: text} for name, text in fields.items()}
        return await self._order("submit", {"user": self.user_id, "view_id": view["id"], "values": values})


def hand(world: World, user_id: str = "U0DANA") -> DeskHand:
    return DeskHand(world, user_id)


def wanted(key: str = "change:1", **changes: Any) -> TaskWanted:
    """A client wants another window for 14 Elm St."""
    values: dict[str, Any] = {
        "kind": TaskKind.CHANGE_WINDOW,
        "key": key,
        "zone": "North",
        "client": "Acme",
        "timezone": TIMEZONE,
        "facts": TaskFacts(address_line="14 Elm St 2B", reasons=("too_soon",), asked_by="api"),
        "choices": (Choice.APPROVE, Choice.DECLINE),
    }
    return TaskWanted(**values | changes)


async def asks(world: World, task: TaskWanted) -> UUID:
    """Opens the task in a transaction of its own and waits for its message."""
    services = world.doorline.services
    async with services.database.transaction() as session:
        task_id = await services.desk_tasks.open_once(session, task)
    await world.settled()
    return task_id


async def the_task(world: World) -> DeskTask:
    (row,) = await world.rows(DeskTask)
    return row
