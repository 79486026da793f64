"""OptimoRoute has no webhooks: its mobile events are asked for, from an opaque tag on."""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from connectors.base import EventPage, PlatformEvent
from connectors.optimoroute.events import Told, read_events, to_event
from connectors.optimoroute.mapping import Account
from connectors.optimoroute.payloads import EventsAnswer, MobileEvent
from connectors.optimoroute.reading import Reader
from connectors.optimoroute.wire import OptimoRouteWire

EVENTS = TypeAdapter(EventsAnswer)


class EventFeed:
    """Raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(self, wire: OptimoRouteWire, reader: Reader, account: Account) -> None:
        self._wire = wire
        self._reader = reader
        self._account = account
        self.told = Told()
        """What the events read by this process said of drivers and routes."""

    async def after(self, cursor: str | None) -> EventPage:
        if cursor is None:
            return EventPage(cursor=await self._newest_tag())
        answer = await self._wire.get("get_events", EVENTS, after_tag=cursor)
        events = self._noted(answer)
        numbers = {event.order_no for event in events if event.order_no and not event.order_id}
        ids = {number: await self._id_of(number) for number in numbers}
        return EventPage(
            events=tuple(self._mapped(events, ids)),
            cursor=answer.tag or cursor,
            has_more=answer.remaining_events > 0,
        )

    async def _newest_tag(self) -> str:
        """Past all events: duty and routes are learned from them on the way."""
        tag = ""
        while True:
            answer = await self._wire.get("get_events", EVENTS, after_tag=tag)
            self._noted(answer)
            if answer.remaining_events <= 0 or answer.tag in ("", tag):
                return answer.tag or tag
            tag = answer.tag

    def _noted(self, answer: EventsAnswer) -> list[MobileEvent]:
        events = read_events(answer.events, self._account.name)
        for event in events:
            self.told.note(event, self._account)
        return events

    async def _id_of(self, order_no: str) -> str | None:
        """Events of older accounts name an order by its number only."""
        order = await self._reader.order_by_number(order_no)
        return order.id if order else None

    def _mapped(self, events: Sequence[MobileEvent], ids: Mapping[str, str | None]) -> list[PlatformEvent]:
        mapped = (
            to_event(event, self._account, event.order_id or ids.get(event.order_no)) for event in events
        )
        return [event for event in mapped if event is not None]
