"""What one transaction knows while it judges wanted stops: read at once for all, then kept up with what it adds."""

from collections import defaultdict
from datetime import date
from itertools import chain
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.intake.addresses import place_key
from bot.intake.forms import CleanStop
from bot.intake.queries import HeldWindow, alike, booked_in, stops_of_client, windows_of_zone
from bot.intake.rules import Known, KnownStop, local_day_of, zone_for
from bot.sop import Protocol


class KnownSoFar:
    """Of one client. Where no limit is set nothing is counted."""

    def __init__(self, session: AsyncSession, client: str, protocol: Protocol) -> None:
        self._session = session
        self._client = client
        self._protocol = protocol
        self._timezone = protocol.operator.timezone
        self._by_order: defaultdict[str, list[KnownStop]] = defaultdict(list)
        self._by_place: defaultdict[str, list[KnownStop]] = defaultdict(list)
        self._of_zone: dict[tuple[str, date], list[HeldWindow]] = {}
        self._of_client: dict[date, int] = {}

    async def look_for(self, wanted: list[CleanStop]) -> None:
        """Before any of them is judged: who could be the same as one of them."""
        for stop in await alike(self._session, self._client, wanted):
            self._remember(stop)

    async def about(self, wanted: CleanStop) -> Known:
        day = local_day_of(wanted.window, self._timezone)
        held = await self._held(wanted, day)
        windows = self._protocol.redelivery.windows
        return Known(
            stops=list(
                chain(
                    self._by_order.get((wanted.order_ref or "").casefold(), ()),
                    self._by_place.get(place_key(wanted.address.line, wanted.address.postcode), ()),
                )
            ),
            zone_stops=sum(count for _, count in held),
            client_stops=await self._count(day),
            booked=booked_in(held, self._timezone, [(window.start, window.end) for window in windows]),
        )

    def add(self, request_id: UUID, added: CleanStop, *, takes_place: bool) -> None:
        """A new pending request of this transaction; one that waits for a dispatcher takes nobody's place."""
        self._remember(
            KnownStop(
                id=request_id,
                is_request=True,
                order_ref=added.order_ref,
                address_line=added.address.line,
                postcode=added.address.postcode,
                recipient_name=added.recipient_name,
                recipient_phone=added.recipient_phone,
                window=added.window,
            )
        )
        if not takes_place:
            return
        day = local_day_of(added.window, self._timezone)
        zone = self._zone_name(added)
        if (zone, day) in self._of_zone:
            self._of_zone[zone, day].append((added.window, 1))
        if day in self._of_client:
            self._of_client[day] += 1

    def _remember(self, stop: KnownStop) -> None:
        if stop.order_ref:
            self._by_order[stop.order_ref.casefold()].append(stop)
        self._by_place[place_key(stop.address_line, stop.postcode)].append(stop)

    async def _held(self, wanted: CleanStop, day: date) -> list[HeldWindow]:
        zone = zone_for(wanted.address.postcode, self._protocol.zones)
        counts = bool(zone and zone.capacity_per_day)
        if not counts and self._protocol.redelivery.capacity_per_window is None:
            return []
        name = zone.name if zone else ""
        if (name, day) not in self._of_zone:
            self._of_zone[name, day] = await windows_of_zone(self._session, name, day, self._timezone)
        return self._of_zone[name, day]

    async def _count(self, day: date) -> int:
        if self._protocol.client(self._client).stops_per_day is None:
            return 0
        if day not in self._of_client:
            self._of_client[day] = await stops_of_client(self._session, self._client, day, self._timezone)
        return self._of_client[day]

    def _zone_name(self, wanted: CleanStop) -> str:
        zone = zone_for(wanted.address.postcode, self._protocol.zones)
        return zone.name if zone else ""
