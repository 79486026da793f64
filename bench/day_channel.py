"""The dispatchers' side of Slack on a pretended day: they see posts after a while, take them, answer, decide."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bench.day_crowd import Crowd, Waiting
from bench.day_desk import Agenda, Desk, SpareVans
from bench.day_stage import DISPATCHERS, DayStage
from connectors.world import PretendedDay
from connectors.world.people import Assumed

GLANCE = timedelta(minutes=1)
CARE = {
    "approve": timedelta(minutes=2),
    "task_approve": timedelta(minutes=2),
    "task_done": timedelta(minutes=2),
    "acknowledge": GLANCE,
    "reply": Assumed.HAND_ANSWER_MINUTES.minutes,
    "resolve": GLANCE,
}
"""What a dispatcher presses, likeliest first, and how long it takes them."""
SORRY = "Sorry for the wait. It comes today, about {time}. We will text you when the van is near."
LOOKING = "Sorry about that. We are looking into it and will bring it on the next round."


class Channel:
    def __init__(
        self,
        stage: DayStage,
        day: PretendedDay,
        crowd: Crowd,
        agenda: Agenda,
        desk: Desk,
        vans: SpareVans,
    ) -> None:
        self._stage = stage
        self._day = day
        self._crowd = crowd
        self._agenda = agenda
        self._desk = desk
        self._vans = vans
        self._pressed: set[tuple[str, str]] = set()
        self._by_address = {each.person.stop.address.line: each for each in crowd.people}
        self._named_in: dict[str, list[Waiting]] = {}
        """By the words of a message: most stay as they are from step to step."""
        self._presses: list[tuple[str, str]] = []
        self.actions = 0
        """Presses that Slack took."""

    async def step(self, now: datetime) -> None:
        messages = await self._stage.channel()
        for message in messages:
            if now - posted_at(message) >= Assumed.NOTICES_POST_MINUTES.minutes:
                self._considers(message, now)
        await self._press_all({message["ts"]: message for message in messages})

    def _considers(self, message: dict[str, Any], now: datetime) -> None:
        self._may_rescue(message, now)
        actions = actions_of(message)
        for action in CARE:
            key = (message["ts"], action)
            if action in actions and key not in self._pressed and self._may_press(message, action):
                self._pressed.add(key)
                done = self._desk.take(now, CARE[action])
                self._agenda.at(done, self._press_later(key))
                return

    def _press_later(self, key: tuple[str, str]) -> Callable[[datetime], None]:
        return lambda _moment: self._presses.append(key)

    def _may_press(self, message: dict[str, Any], action: str) -> bool:
        """A late stop is taken and watched until it is over; a person's question is closed once it is answered."""
        if action != "resolve":
            return True
        return (message["ts"], "reply") in self._pressed or "acknowledge" not in actions_of(message)

    async def _press_all(self, messages: dict[str, dict[str, Any]]) -> None:
        presses, self._presses = self._presses, []
        for ts, action in presses:
            if ts not in messages or action not in actions_of(messages[ts]):
                continue
            user = DISPATCHERS[self.actions % len(DISPATCHERS)]["id"]
            view = await self._stage.press(ts, action, user)
            if action == "reply" and view is not None:
                await self._stage.submit(user, view, words=self._words_for(messages[ts]))
            self.actions += 1
        if presses:
            await self._stage.settled()

    def _words_for(self, message: dict[str, Any]) -> str:
        named = [each for each in self._named(message) if each.fate is None]
        eta = self._day.eta(named[0].ref) if named else None
        if eta is None:
            return LOOKING
        local = eta.astimezone(self._crowd.zone)
        return SORRY.format(time=local.strftime("%I:%M %p").lstrip("0").lower())

    def _may_rescue(self, message: dict[str, Any], now: datetime) -> None:
        for each in self._named(message):
            eta = self._day.eta(each.ref)
            if eta is not None and eta > each.window_end and self._vans.can_save(each, now):
                done = self._desk.take(now, Assumed.RESCUE_CARE_MINUTES.minutes)
                self.actions += 1
                if self._vans.can_save(each, done):
                    self._vans.send(each, done)

    def _named(self, message: dict[str, Any]) -> list[Waiting]:
        words = words_of(message)
        if words not in self._named_in:
            self._named_in[words] = [each for line, each in self._by_address.items() if line in words]
        return self._named_in[words]


def posted_at(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["at"])


def actions_of(message: dict[str, Any]) -> set[str]:
    """The action ids of its buttons."""
    return {
        element["action_id"]
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    }


def words_of(node: Any) -> str:
    """All that can be read in a message."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return "\n".join([*own, *(words_of(value) for name, value in node.items() if name != "replies")])
    return "\n".join(words_of(each) for each in node) if isinstance(node, list) else ""
