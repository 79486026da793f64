"""What the tables say about the day, the zone and the client of a wanted stop."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.intake.forms import CleanStop, window_of
from bot.intake.models import PENDING_SQL, RequestState, StopRequest
from bot.intake.rules import KnownStop
from bot.stops.models import OPEN_STATUSES, StopRecord
from bot.windows import offers
from connectors.base import DeliveryWindow, StopStatus

INTAKE_LOCK = 0x1D0012
"""One stop is judged at a time: two of them must not both take the last place, or each be the other's twin."""
AT_MOST = 500
HeldWindow = tuple[DeliveryWindow, int]
"""A window, and how many stops hold it."""
_ABOUT_TO_BE_ENTERED = (
    text(PENDING_SQL),
    col(StopRequest.state) != RequestState.NEEDS_DISPATCHER,
    # Between the platform's answer and our note of it the stop is known already: it takes one place, not two.
    ~exists().where(col(StopRecord.own_ref) == col(StopRequest.own_ref)),
)


async def take_turn(session: AsyncSession) -> None:
    """Until the transaction ends nobody else judges a wanted stop or window."""
    await session.execute(select(func.pg_advisory_xact_lock(INTAKE_LOCK)))


async def windows_of_zone(
    session: AsyncSession, zone: str, day: date, timezone: str, without: UUID | None = None
) -> list[HeldWindow]:
    """Of all stops of the zone that begin on the day and are not cancelled, and of those about to be entered.

    `without` is the id of a stop that is to be moved. Both are read by one statement: a request that is entered
    between two of them would be in neither.
    """
    since, until = day_bounds(day, timezone)
    start, end = col(StopRecord.window_start_at), col(StopRecord.window_end_at)
    stops = (
        select(start, end, func.count())
        .where(
            col(StopRecord.zone) == zone,
            col(StopRecord.status) != StopStatus.CANCELLED,
            *_begins(start, since, until),
            *([col(StopRecord.id) != without] if without is not None else []),
        )
        .group_by(start, end)
    )
    wanted_start, wanted_end = col(StopRequest.window_start_at), col(StopRequest.window_end_at)
    requests = (
        select(wanted_start, wanted_end, func.count())
        .where(
            col(StopRequest.zone) == zone,
            *_ABOUT_TO_BE_ENTERED,
            *_begins(wanted_start, since, until),
        )
        .group_by(wanted_start, wanted_end)
    )
    return [
        (DeliveryWindow(start_at=opens, end_at=closes), count)
        for opens, closes, count in await session.execute(union_all(stops, requests))
        if opens is not None and closes is not None and opens < closes
    ]


def booked_in(
    held: Sequence[HeldWindow], timezone: str, service_windows: offers.ServiceWindows
) -> dict[DeliveryWindow, int]:
    """How many stops each service window holds; see `offers.count_bookings`."""
    counts: dict[DeliveryWindow, int] = {}
    for window, count in held:
        for holder in offers.count_bookings([window], timezone, service_windows):
            counts[holder] = counts.get(holder, 0) + count
    return counts


async def stops_of_client(session: AsyncSession, client: str, day: date, timezone: str) -> int:
    """That begin on the day and are not cancelled, and those about to be entered; read by one statement as above."""
    since, until = day_bounds(day, timezone)
    stops = select(func.count()).where(
        col(StopRecord.client) == client,
        col(StopRecord.status) != StopStatus.CANCELLED,
        *_begins(col(StopRecord.window_start_at), since, until),
    )
    requests = select(func.count()).where(
        col(StopRequest.client) == client,
        *_ABOUT_TO_BE_ENTERED,
        *_begins(col(StopRequest.window_start_at), since, until),
    )
    both = await session.scalar(select(stops.scalar_subquery() + requests.scalar_subquery()))
    return both or 0


async def alike(session: AsyncSession, client: str, wanted: Sequence[CleanStop]) -> list[KnownStop]:
    """The client's open stops and pending requests that one of the wanted ones could be; which, `rules` decide."""
    if not wanted:
        return []
    form = col(StopRequest.form)
    address = form["address"]
    at_most = AT_MOST * len(wanted)
    requests = await session.execute(
        select(
            col(StopRequest.id),
            col(StopRequest.order_ref),
            address["line"].astext,
            address["postcode"].astext,
            form["recipient_name"].astext,
            form["recipient_phone"].astext,
            col(StopRequest.window_start_at),
            col(StopRequest.window_end_at),
        )
        .where(
            col(StopRequest.client) == client,
            text(PENDING_SQL),
            _could_be(StopRequest, wanted, form["recipient_name"].astext, form["recipient_phone"].astext),
        )
        .limit(at_most)
    )
    stops = await session.execute(
        select(
            col(StopRecord.id),
            col(StopRecord.order_ref),
            col(StopRecord.address_line),
            col(StopRecord.postcode),
            col(StopRecord.recipient_name),
            col(StopRecord.recipient_phone),
            col(StopRecord.window_start_at),
            col(StopRecord.window_end_at),
        )
        .where(
            col(StopRecord.client) == client,
            col(StopRecord.status).in_(OPEN_STATUSES),
            _could_be(StopRecord, wanted, col(StopRecord.recipient_name), col(StopRecord.recipient_phone)),
        )
        .limit(at_most)
    )
    return [*(_known(row, False) for row in stops), *(_known(row, True) for row in requests)]


def _could_be(table: Any, wanted: Sequence[CleanStop], name: Any, phone: Any) -> ColumnElement[bool]:
    """One of the order numbers, or one of the people in a window that overlaps.

    Two different order numbers are two orders: whoever has one can be the same visit only as one without.
    """
    refs = {each.order_ref.lower() for each in wanted if each.order_ref}
    numbered = [each for each in wanted if each.order_ref]
    others = [each for each in wanted if not each.order_ref]
    is_nameless = func.coalesce(table.order_ref, "") == ""
    could_be: list[ColumnElement[bool]] = []
    if refs:
        could_be.append(func.lower(table.order_ref).in_(sorted(refs)))
    if numbered:
        could_be.append(and_(is_nameless, _could_visit(table, numbered, name, phone)))
    if others:
        could_be.append(_could_visit(table, others, name, phone))
    return or_(*could_be)


def _could_visit(table: Any, wanted: Sequence[CleanStop], name: Any, phone: Any) -> ColumnElement[bool]:
    names = sorted({each.recipient_name.lower() for each in wanted})
    person: ColumnElement[bool] = func.lower(name).in_(names)
    phones = sorted({each.recipient_phone for each in wanted if each.recipient_phone})
    if phones:
        person = or_(person, phone.in_(phones))
    return and_(
        table.window_start_at < max(each.window.end_at for each in wanted),
        table.window_end_at > min(each.window.start_at for each in wanted),
        person,
    )


def _known(row: Any, is_request: bool) -> KnownStop:
    row_id, order_ref, line, postcode, name, phone, start_at, end_at = row
    return KnownStop(
        id=row_id,
        is_request=is_request,
        order_ref=order_ref,
        address_line=line,
        postcode=postcode,
        recipient_name=name,
        recipient_phone=phone,
        window=window_of(start_at, end_at),
    )


def _begins(column: Any, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
    return (column >= since, column < until)


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """The instants between which a local day lies, half open; 23 or 25 hours when the clocks change."""
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)
