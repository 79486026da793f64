"""Late changes as dispatcher tasks and as texts to drivers: one by one, or counted where they are many."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.service import TaskWanted
from bot.drivers.texts import DriverTexts, place_of
from bot.manifest.days import day_bounds
from bot.manifest.facts import Ref
from bot.manifest.lateness import LateChange, News
from bot.stops.models import DriverRecord
from connectors.desk import TaskFacts, TaskKind

Names = Mapping[Ref, DriverRecord]
Unreachable = Mapping[Ref, str]
SINGLY = 3
"""More changes of one kind than this, found together, are one post for dispatchers and one text for a driver."""
ADDRESSES = 12
TAKEN_OFF = "taken_off"
"""For dispatchers: of a stop that nobody has now, or that was moved to another day."""
MANY = "utter_driver_stops_changed"
UNREACHED = {"no_phone": "no_phone_of_driver", "opted_out": "driver_opted_out"}
"""Codes of why a driver is not reached, as dispatchers' tasks have them."""

RESPONSES = {
    News.ADDED: "utter_driver_stop_added",
    News.CANCELLED: "utter_driver_stop_cancelled",
    News.MOVED: "utter_driver_stop_moved",
    News.TAKEN: "utter_driver_stop_taken",
    News.OFF: "utter_driver_stop_off",
}


class TellDrivers:
    def __init__(self, texts: DriverTexts) -> None:
        self._texts = texts

    async def tell(self, session: AsyncSession, changes: Sequence[LateChange]) -> None:
        """Texts every driver to whom one of the changes is news, within the session's transaction."""
        for (platform, driver_ref), own in sorted(_by_driver(changes).items(), key=lambda item: item[0]):
            texts = [self._news(change, change.told[driver_ref]) for change in own]
            if len(own) > SINGLY:
                texts = [(MANY, {"count": str(len(own))})]
            for response, slots in texts:
                await self._texts.tell(
                    session, platform, driver_ref, response, escalation_id=None, useful_until=None, **slots
                )

    async def unreachable(self, session: AsyncSession, changes: Sequence[LateChange]) -> Unreachable:
        """Drivers whom no text reaches, each with a code of why: dispatchers have to call them."""
        why = {ref: await self._texts.why_unreachable(session, *ref) for ref in sorted(_by_driver(changes))}
        return {ref: UNREACHED[reason] for ref, reason in why.items() if reason}

    def _news(self, change: LateChange, news: News) -> tuple[str, dict[str, str]]:
        """The response and its slots."""
        stop, place = change.stop, place_of(change.stop.address_line)
        if stop.window is None:
            response = "utter_driver_stop_added_any_time" if news is News.ADDED else RESPONSES[news]
            return response, {"place": place}
        return RESPONSES[news], {
            "place": place,
            "window": self._texts.say_window(stop.window, stop.timezone),
        }


def _by_driver(changes: Sequence[LateChange]) -> dict[Ref, list[LateChange]]:
    news: dict[Ref, list[LateChange]] = defaultdict(list)
    for change in changes:
        for driver_ref in change.told:
            news[change.stop.platform, driver_ref].append(change)
    return news


def tasks_of(changes: Sequence[LateChange], names: Names, unreachable: Unreachable) -> list[TaskWanted]:
    """One task per change; many of one kind, for one driver and zone, are one task that counts them."""
    alike: dict[tuple[str, ...], list[LateChange]] = defaultdict(list)
    for change in changes:
        stop = change.stop
        is_off = str(News.OFF in change.told.values())
        alike[stop.zone, stop.platform, _whose(change), change.change, is_off, str(change.day)].append(change)
    wanted: list[TaskWanted] = []
    for own in alike.values():
        wanted += (
            [_many(own, names, unreachable)]
            if len(own) > SINGLY
            else [_single(change, names, unreachable) for change in own]
        )
    return wanted


def _whose(change: LateChange) -> str:
    """The driver who has it now, else who had it."""
    return change.stop.driver_ref or next(iter(change.told))


def _single(change: LateChange, names: Names, unreachable: Unreachable) -> TaskWanted:
    stop = change.stop
    facts = _facts([change], names, unreachable).model_copy(
        update={
            "address_line": stop.address_line,
            "tracking": stop.tracking,
            "order_ref": stop.order_ref or "",
            "recipient_name": stop.recipient_name,
            "window": stop.window,
            "stops": 1,
        }
    )
    return _task(change, f"late:{stop.id}", facts, client=stop.client)


def _many(changes: Sequence[LateChange], names: Names, unreachable: Unreachable) -> TaskWanted:
    first = changes[0]
    addresses = tuple(change.stop.address_line for change in changes[:ADDRESSES])
    facts = _facts(changes, names, unreachable).model_copy(
        update={"stops": len(changes), "addresses": addresses}
    )
    clients = {change.stop.client for change in changes}
    # Named by its first stop: another such bundle of the day is another task.
    return _task(
        first, f"late:many:{first.stop.id}", facts, client=clients.pop() if len(clients) == 1 else ""
    )


def _facts(changes: Sequence[LateChange], names: Names, unreachable: Unreachable) -> TaskFacts:
    first = changes[0]
    driver = names.get((first.stop.platform, _whose(first)))
    return TaskFacts(
        change=TAKEN_OFF if News.OFF in first.told.values() else first.change.value,
        day=first.day,
        driver_name=driver.name if driver is not None else "",
        driver_phone=driver.phone if driver is not None else None,
        reasons=tuple(sorted({unreachable[ref] for ref in _by_driver(changes) if ref in unreachable})),
    )


def _task(change: LateChange, key: str, facts: TaskFacts, *, client: str) -> TaskWanted:
    stop = change.stop
    return TaskWanted(
        kind=TaskKind.LATE_CHANGE,
        key=key,
        zone=stop.zone,
        client=client,
        timezone=stop.timezone,
        facts=facts,
        expires_at=day_bounds(change.day, stop.timezone)[1],
    )
