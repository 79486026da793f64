"""Pure decisions about new stops: is the form readable, is the window one we serve, where does it belong.

Nothing here reads a table or a clock: what is known comes in, what speaks against the stop comes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.intake.addresses import is_email, place_key, read_address, read_phone
from bot.intake.forms import CleanStop, Finding, StopForm, window_of
from bot.intake.reasons import Because
from bot.sop import Protocol
from bot.sop_desk import ServiceZone
from bot.sop_parts import LocalWindow
from bot.windows import offers
from bot.windows.holidays import public_holidays
from connectors.base import DeliveryWindow

LONGEST_WORDS = 2000


def read_form(form: StopForm, country: str) -> tuple[CleanStop | None, list[Finding]]:
    """The clean stop, or everything that is wrong with the form. `country` is where it is if it does not say."""
    address, findings = read_address(form, country)
    phone = read_phone(form.phone, form.country.strip().upper() or country) if form.phone.strip() else None
    window = window_of(form.start_at, form.end_at)
    checks = {
        "recipient_name": (bool(form.recipient_name.strip()), Because.NO_NAME),
        "phone": (phone is not None or not form.phone.strip(), Because.BAD_PHONE),
        "email": (not form.email.strip() or is_email(form.email.strip()), Because.BAD_EMAIL),
        "window": (window is not None, Because.BAD_WINDOW),
        "notes": (len(form.notes) <= LONGEST_WORDS, Because.UNREADABLE),
        "service_minutes": (
            form.service_minutes is None or 1 <= form.service_minutes <= 240,
            Because.UNREADABLE,
        ),
    }
    findings += [Finding(code=code, field=name) for name, (is_good, code) in checks.items() if not is_good]
    if findings or address is None or window is None:
        return None, findings
    return CleanStop(
        address=address,
        recipient_name=" ".join(form.recipient_name.split()),
        recipient_phone=phone,
        recipient_email=form.email.strip() or None,
        window=window,
        order_ref=form.order_ref.strip() or None,
        notes=form.notes.strip(),
        access_code=form.access_code.strip(),
        service_minutes=form.service_minutes,
        load=form.load,
    ), []


# --- windows ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WindowRules:
    """What decides about a window in one place at one moment."""

    now: datetime
    timezone: str
    service_day: LocalWindow
    cutoff: timedelta
    days_ahead: int
    shortest: timedelta
    closed: offers.BookingRules
    """Closed days, and how many stops each window of the zone holds."""
    service_windows: offers.ServiceWindows = ()


def window_rules(
    protocol: Protocol,
    now: datetime,
    timezone: str,
    zone: ServiceZone | None = None,
    booked: Mapping[DeliveryWindow, int] | None = None,
    cutoff: timedelta | None = None,
) -> WindowRules:
    """As sop.yml has it. `cutoff` instead of the one for new stops; `booked` counts by service window."""
    intake, redelivery = protocol.intake, protocol.redelivery
    return WindowRules(
        now=now,
        timezone=timezone,
        service_day=zone.service_day if zone and zone.service_day else protocol.service_day,
        cutoff=timedelta(minutes=intake.cutoff_minutes) if cutoff is None else cutoff,
        days_ahead=intake.days_ahead,
        shortest=timedelta(minutes=intake.shortest_window_minutes),
        closed=offers.BookingRules(
            days_ahead=intake.days_ahead,
            cutoff_minutes=0,
            blocked=public_holidays(redelivery.holidays_of),
            weekdays=redelivery.open_weekdays,
            booked=booked or {},
            capacity=redelivery.capacity_per_window,
        ),
        service_windows=[(window.start, window.end) for window in redelivery.windows],
    )


def against_window(window: DeliveryWindow, rules: WindowRules) -> list[Because]:
    """All that speaks against it. At the cut-off to the second it is still in time."""
    if window.end_at <= rules.now:
        return [Because.PAST]
    reasons = []
    if window.end_at - window.start_at < rules.shortest:
        reasons.append(Because.TOO_SHORT)
    if window.start_at < rules.now + rules.cutoff:
        reasons.append(Because.TOO_SOON)
    if not _is_in_service_day(window, rules):
        reasons.append(Because.OUTSIDE_SERVICE_DAY)
    why = offers.why_not_bookable(
        window,
        min(rules.now, window.start_at),
        rules.timezone,
        service_windows=rules.service_windows,
        **rules.closed,
    )
    if why is not None:
        reasons.append(Because(why))
    return reasons


def _is_in_service_day(window: DeliveryWindow, rules: WindowRules) -> bool:
    zone = ZoneInfo(rules.timezone)
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    is_one_day = start.date() == end.date()
    return is_one_day and rules.service_day.start <= start.time() and end.time() <= rules.service_day.end


# --- places -----------------------------------------------------------------------------------------


def zone_for(postcode: str, zones: Sequence[ServiceZone]) -> ServiceZone | None:
    """The first zone that serves it. A ZIP+4 belongs where its first five digits do."""
    wanted = {_plain(postcode), _plain(postcode.partition("-")[0])} - {""}
    for zone in zones:
        for pattern in zone.postcodes:
            beginning = _plain(pattern.rstrip("*"))
            if any(
                each.startswith(beginning) if pattern.endswith("*") else each == beginning for each in wanted
            ):
                return zone
    return None


def account_for(zone: ServiceZone | None, client_account: str | None, accounts: Sequence[str]) -> str | None:
    """The account that takes the stop: the zone's, else the client's, else the only one; None: not settled."""
    named = (zone.platform if zone else None) or client_account
    if named is not None:
        return named if named in accounts else None
    return accounts[0] if len(accounts) == 1 else None


def _plain(postcode: str) -> str:
    return "".join(postcode.split()).upper()


# --- duplicates -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KnownStop:
    """An open stop or request of the same client, as far as it matters for being the same."""

    id: UUID
    is_request: bool
    order_ref: str | None
    address_line: str
    postcode: str
    recipient_name: str
    recipient_phone: str | None
    window: DeliveryWindow | None


def duplicate_of(wanted: CleanStop, known: Iterable[KnownStop]) -> KnownStop | None:
    """The same order, or the same visit: one recipient at one place in windows that overlap.

    Two different order numbers are two orders, however alike the visits are.
    """
    candidates = list(known)
    if wanted.order_ref:
        for other in candidates:
            if other.order_ref and other.order_ref.casefold() == wanted.order_ref.casefold():
                return other
    return next((other for other in candidates if _is_same_visit(wanted, other)), None)


def _is_same_visit(wanted: CleanStop, other: KnownStop) -> bool:
    if wanted.order_ref and other.order_ref:
        return False
    here = place_key(wanted.address.line, wanted.address.postcode)
    is_there = here == place_key(other.address_line, other.postcode)
    return is_there and _is_same_person(wanted, other) and _overlap(wanted.window, other.window)


def _is_same_person(wanted: CleanStop, other: KnownStop) -> bool:
    if wanted.recipient_phone and other.recipient_phone:
        return wanted.recipient_phone == other.recipient_phone
    return wanted.recipient_name.casefold() == other.recipient_name.casefold()


def _overlap(one: DeliveryWindow, other: DeliveryWindow | None) -> bool:
    """Half open: windows that only touch do not overlap."""
    return other is not None and one.start_at < other.end_at and other.start_at < one.end_at


# --- the whole --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What the tables say about the day, the zone and the client of one wanted stop."""

    stops: Sequence[KnownStop] = ()
    zone_stops: int = 0
    """Of the zone on that day."""
    client_stops: int = 0
    """Of the client on that day, all zones."""
    booked: Mapping[DeliveryWindow, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    findings: tuple[Finding, ...]
    zone: str
    platform: str | None
    duplicate: KnownStop | None = None


def judge(
    wanted: CleanStop,
    client: str,
    protocol: Protocol,
    accounts: Sequence[str],
    known: Known,
    now: datetime,
) -> Judged:
    """All that speaks against a readable stop, with its zone and the account that would take it."""
    rules_of_client = protocol.client(client)
    zone = zone_for(wanted.address.postcode, protocol.zones)
    account = account_for(zone, rules_of_client.platform, accounts)
    same = duplicate_of(wanted, known.stops)
    limits = {
        Because.NOT_ALLOWED: not rules_of_client.may_create_stops,
        Because.DUPLICATE: same is not None,
        Because.NO_ZONE: zone is None and bool(protocol.zones),
        Because.NO_PLATFORM: account is None,
        Because.QUOTA: _reached(known.client_stops, rules_of_client.stops_per_day),
        Because.FULL: _reached(known.zone_stops, zone.capacity_per_day if zone else None),
    }
    window = against_window(
        wanted.window, window_rules(protocol, now, protocol.operator.timezone, zone, known.booked)
    )
    codes = list(dict.fromkeys([*(code for code, holds in limits.items() if holds), *window]))
    return Judged(
        findings=tuple(Finding(code=code, field=_FIELDS.get(code, "window")) for code in codes),
        zone=zone.name if zone else "",
        platform=account,
        duplicate=same,
    )


_FIELDS = {
    Because.NOT_ALLOWED: "",
    Because.DUPLICATE: "",
    Because.NO_ZONE: "postcode",
    Because.NO_PLATFORM: "",
    Because.QUOTA: "",
}


def _reached(count: int, limit: int | None) -> bool:
    return limit is not None and count >= limit


def local_day_of(window: DeliveryWindow, timezone: str) -> date:
    return offers.day_of(window, timezone)
