"""Pure decisions about wanted stops, edges first."""

import re
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.addresses import place_key, read_address, read_phone
from bot.intake.change_rules import against_cancelling, against_move
from bot.intake.forms import CleanStop, StopForm
from bot.intake.local_times import instant_of, read_day, read_time, read_window
from bot.intake.reasons import TEXTS, Because, Verdict, text_of, verdict_of
from bot.intake.rules import (
    Known,
    KnownStop,
    WindowRules,
    account_for,
    against_window,
    duplicate_of,
    judge,
    read_form,
    zone_for,
)
from bot.intake.service import new_own_ref
from bot.settings import PROJECT_ROOT
from bot.sop import Protocol, load_protocol
from bot.sop_desk import Client, Intake, ServiceZone, WindowChanges
from bot.sop_parts import LocalWindow
from bot.windows.offers import BookingRules
from connectors.base import Address, DeliveryWindow, NewStop, StopStatus

NEW_YORK = "America/New_York"
NOW = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)  # Tuesday noon in New York
SECOND = timedelta(seconds=1)
PROTOCOL = load_protocol(PROJECT_ROOT / "bot" / "sop.yml")


def at(clock_time: str, day: int = 9, month: int = 6, zone: str = NEW_YORK) -> datetime:
    hour, minute = (int(part) for part in clock_time.split(":"))
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def between(start: str, end: str, day: int = 9, month: int = 6) -> DeliveryWindow:
    return DeliveryWindow(start_at=at(start, day, month), end_at=at(end, day, month))


def rules(now: datetime = NOW, **changes: object) -> WindowRules:
    known = {
        "now": now,
        "timezone": NEW_YORK,
        "service_day": LocalWindow(start=time(8), end=time(21)),
        "cutoff": timedelta(hours=2),
        "days_ahead": 30,
        "shortest": timedelta(minutes=30),
        "closed": BookingRules(days_ahead=30, cutoff_minutes=0, weekdays=range(6)),
    }
    return WindowRules(**(known | changes))  # type: ignore[arg-type]


# --- addresses and phones -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "given", "expected"),
    [
        ("14 Elm St 2B", ("New York", "", "10001"), ("14 Elm St 2B", "New York", "", "10001")),
        (
            "  14   Elm St,  Apt 2B ,",
            ("New York", "ny", "10001"),
            ("14 Elm St Apt 2B", "New York", "NY", "10001"),
        ),
        (
            "14 Elm St #2B, New York NY 10001-1234",
            ("", "", ""),
            ("14 Elm St #2B", "New York", "NY", "10001-1234"),
        ),
        ("Suite 5, 12 Oak Rd", ("", "", "10001"), ("12 Oak Rd Suite 5", "", "", "10001")),
        ("123 1/2 N Main St", ("", "", "100011234"), ("123 1/2 N Main St", "", "", "10001-1234")),
        # the line and the fields contradict each other: nothing is moved, nothing is lost
        ("14 Elm St, Boston", ("New York", "", ""), ("14 Elm St, Boston", "New York", "", "")),
    ],
)
def test_us_addresses_get_one_form(
    line: str, given: tuple[str, str, str], expected: tuple[str, str, str, str]
) -> None:
    form = StopForm(address=line, city=given[0], region=given[1], postcode=given[2])
    address, findings = read_address(form, "US")
    assert findings == []
    assert address is not None
    assert (address.line, address.city, address.region, address.postcode) == expected
    assert address.country == "US"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (StopForm(address="  , "), Because.NO_ADDRESS),
        (StopForm(address="PO Box 12", postcode="10001"), Because.BAD_ADDRESS),
        (StopForm(address="Elm Street", postcode="10001"), Because.BAD_ADDRESS),
        (StopForm(address="14", postcode="10001"), Because.BAD_ADDRESS),
        (StopForm(address="14 Elm St"), Because.BAD_ADDRESS),
        (StopForm(address="14 Elm St", postcode="1234"), Because.BAD_POSTCODE),
        (StopForm(address="1 " + "Elm " * 60, postcode="10001"), Because.BAD_ADDRESS),
    ],
)
def test_addresses_that_no_driver_finds_come_back(form: StopForm, code: Because) -> None:
    address, findings = read_address(form, "US")
    assert address is None
    assert [finding.code for finding in findings] == [code]


def test_an_address_elsewhere_is_left_as_it_was_written() -> None:
    form = StopForm(address="Rose Cottage, Mill Lane", city="Ely", postcode="cb7 4aa", country="gb")
    address, _ = read_address(form, "US")
    assert address == Address(line="Rose Cottage, Mill Lane", city="Ely", postcode="CB7 4AA", country="GB")


@given(st.text(max_size=60), st.text(max_size=12))
def test_nothing_is_made_up_of_an_address(line: str, postcode: str) -> None:
    address, findings = read_address(StopForm(address=line, city="Ely", postcode=postcode), "US")
    assert (address is None) == bool(findings)
    if address is not None:
        written = re.findall(r"\w+", f"{line} Ely {postcode}")
        assert set(re.findall(r"\w+", address.line)) <= set(written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(212) 555-0100", "+12125550100"),
        ("+34 612 345 678", "+34612345678"),
        ("212 555", None),
        ("call me", None),
        ("+1 000 000 0000", None),
    ],
)
def test_phones_become_e164_or_nothing(text: str, expected: str | None) -> None:
    assert read_phone(text, "US") == expected


def test_two_ways_of_writing_one_place_are_the_same() -> None:
    assert place_key("14 Elm Street, Apt 2B", "10001-1234") == place_key("14 elm st 2b", "10001")
    assert place_key("14 Elm St 2B", "10001") != place_key("14 Elm St 2C", "10001")
    whole = place_key("14 Elm Street Apt 2B, New York, NY, 10001, US", "")
    assert whole == place_key("14 Elm St 2B", "10001")
    assert place_key("14 Elm Street Apt 2B, New York, 10001, US", "10001") == whole


def test_everything_wrong_with_a_form_is_told_at_once() -> None:
    form = StopForm(phone="12", email="robin", start_at=at("15:00"), end_at=at("15:00"))
    clean, findings = read_form(form, "US")
    assert clean is None
    assert {(finding.code, finding.field) for finding in findings} == {
        (Because.NO_ADDRESS, "address"),
        (Because.NO_NAME, "recipient_name"),
        (Because.BAD_PHONE, "phone"),
        (Because.BAD_EMAIL, "email"),
        (Because.BAD_WINDOW, "window"),
    }


# --- windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        (between("14:00", "16:00"), NOW, []),
        (between("14:00", "16:00"), NOW + SECOND, [Because.TOO_SOON]),
        (between("11:00", "12:00"), NOW, [Because.PAST]),
        (between("11:00", "12:00"), NOW - SECOND, [Because.TOO_SOON]),
        (between("19:00", "21:00"), NOW, []),
        (between("19:00", "21:01"), NOW, [Because.OUTSIDE_SERVICE_DAY]),
        (between("07:59", "10:00", day=10), NOW, [Because.OUTSIDE_SERVICE_DAY]),
        (between("08:00", "08:30", day=10), NOW, []),
        (between("08:00", "08:29", day=10), NOW, [Because.TOO_SHORT]),
        (between("10:00", "12:00", day=14), NOW, [Because.CLOSED_DAY]),
        (between("10:00", "12:00", day=9, month=7), NOW, []),
        (between("10:00", "12:00", day=10, month=7), NOW, [Because.TOO_FAR]),
        (
            DeliveryWindow(start_at=at("20:00"), end_at=at("09:00", day=10)),
            NOW,
            [Because.OUTSIDE_SERVICE_DAY],
        ),
    ],
)
def test_windows_at_their_edges(window: DeliveryWindow, now: datetime, expected: list[Because]) -> None:
    assert against_window(window, rules(now)) == expected


@pytest.mark.parametrize(("held", "expected"), [(4, []), (5, [Because.FULL])])
def test_a_window_is_full_at_its_capacity(held: int, expected: list[Because]) -> None:
    window = between("14:00", "16:00")
    booked = BookingRules(
        days_ahead=30, cutoff_minutes=0, weekdays=range(6), booked={window: held}, capacity=5
    )
    known = rules(closed=booked, service_windows=[(time(14), time(16))])
    assert against_window(window, known) == expected


@pytest.mark.parametrize(
    ("day", "month", "start_utc"),
    [(7, 3, 13), (9, 3, 12), (31, 10, 12), (2, 11, 13)],
)
def test_service_hours_are_local_on_both_sides_of_a_clock_change(
    day: int, month: int, start_utc: int
) -> None:
    window = between("08:00", "10:00", day, month)
    assert window.start_at.hour == start_utc
    now = window.start_at - timedelta(hours=2)
    assert against_window(window, rules(now)) == []
    assert against_window(window, rules(now + SECOND)) == [Because.TOO_SOON]


@pytest.mark.parametrize(
    ("day", "clock_time", "expected"),
    [
        ("2026-03-08", time(2, 30), None),
        ("2026-03-08", time(3, 0), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("2026-11-01", time(1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-11-01", time(8, 0), datetime(2026, 11, 1, 13, 0, tzinfo=UTC)),
    ],
)
def test_local_times_on_the_days_the_clocks_change(
    day: str, clock_time: time, expected: datetime | None
) -> None:
    read = read_day(day)
    assert read is not None
    assert instant_of(read, clock_time, NEW_YORK) == expected


@pytest.mark.parametrize("text", ["", "26-11-23", "2026-13-01", "1999-12-31", "2101-01-01", "tomorrow"])
def test_days_that_are_none(text: str) -> None:
    assert read_day(text) is None


@pytest.mark.parametrize("text", ["", "9", "24:00", "9.30", "nine"])
def test_times_that_are_none(text: str) -> None:
    assert read_time(text) is None


def test_each_unreadable_part_of_a_window_is_named() -> None:
    start_at, end_at, unread = read_window("soon", "9:00", "late", NEW_YORK)
    assert (start_at, end_at) == (None, None)
    assert [finding.field for finding in unread] == ["date", "end"]


# --- zones, accounts, duplicates ------------------------------------------------------------------

NORTH = ServiceZone(name="North", postcodes=("100*", "11201"), platform="onfleet_west")
SOUTH = ServiceZone(name="South", postcodes=("1*",))


@pytest.mark.parametrize(
    ("postcode", "zone"),
    [
        ("10001", "North"),
        ("10001-1234", "North"),
        ("11201", "North"),
        ("11201-0001", "North"),
        ("11202", "South"),
        ("90210", None),
        ("", None),
    ],
)
def test_the_first_zone_that_serves_the_postcode_takes_the_stop(postcode: str, zone: str | None) -> None:
    found = zone_for(postcode, [NORTH, SOUTH])
    assert (found.name if found else None) == zone


@pytest.mark.parametrize(
    ("zone", "client_account", "accounts", "expected"),
    [
        (NORTH, "onfleet", ["onfleet", "onfleet_west"], "onfleet_west"),
        (SOUTH, "onfleet", ["onfleet", "onfleet_west"], "onfleet"),
        (SOUTH, None, ["onfleet", "onfleet_west"], None),
        (SOUTH, None, ["onfleet"], "onfleet"),
        (None, None, [], None),
        (NORTH, "onfleet", ["onfleet"], None),
    ],
)
def test_the_account_is_the_zones_then_the_clients_then_the_only_one(
    zone: ServiceZone | None, client_account: str | None, accounts: list[str], expected: str | None
) -> None:
    assert account_for(zone, client_account, accounts) == expected


WANTED = CleanStop(
    address=Address(line="14 Elm St Apt 2B", postcode="10001"),
    recipient_name="Robin Doe",
    recipient_phone="+12125550100",
    window=between("14:00", "16:00"),
    order_ref="A-1",
)


def known(**changes: object) -> KnownStop:
    same = {
        "id": UUID(int=1),
        "is_request": False,
        "order_ref": None,
        "address_line": "14 Elm Street 2B",
        "postcode": "10001",
        "recipient_name": "R. Doe",
        "recipient_phone": "+12125550100",
        "window": between("15:00", "17:00"),
    }
    return KnownStop(**(same | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (known(), True),
        (known(order_ref="a-1", address_line="9 Oak Ave", window=None), True),
        (known(order_ref="A-2"), False),
        (known(window=between("16:00", "17:00")), False),
        (known(window=between("15:59", "17:00")), True),
        (known(window=None), False),
        (known(recipient_phone="+12125550199"), False),
        (known(recipient_phone=None), False),
        (known(recipient_phone=None, recipient_name="robin doe"), True),
        (known(address_line="14 Elm St 2C"), False),
        (known(postcode="10002"), False),
    ],
)
def test_what_is_the_same_stop_twice(other: KnownStop, is_same: bool) -> None:
    assert (duplicate_of(WANTED, [other]) is other) == is_same


def protocol(**changes: object) -> Protocol:
    return PROTOCOL.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "known_there", "accounts", "codes"),
    [
        ({}, Known(), ["onfleet"], []),
        ({}, Known(), [], [Because.NO_PLATFORM]),
        (
            {"zones": (NORTH.model_copy(update={"postcodes": ("2*",)}),)},
            Known(),
            ["onfleet"],
            [Because.NO_ZONE],
        ),
        ({"clients": {"Acme": Client(may_create_stops=False)}}, Known(), ["onfleet"], [Because.NOT_ALLOWED]),
        ({"clients": {"Acme": Client(stops_per_day=3)}}, Known(client_stops=2), ["onfleet"], []),
        ({"clients": {"Acme": Client(stops_per_day=3)}}, Known(client_stops=3), ["onfleet"], [Because.QUOTA]),
        (
            {"zones": (SOUTH.model_copy(update={"capacity_per_day": 5}),)},
            Known(zone_stops=5),
            ["onfleet"],
            [Because.FULL],
        ),
        ({}, Known(stops=[known()]), ["onfleet"], [Because.DUPLICATE]),
        ({"intake": Intake(cutoff_minutes=121)}, Known(), ["onfleet"], [Because.TOO_SOON]),
    ],
)
def test_what_speaks_against_a_stop(
    changes: dict[str, object], known_there: Known, accounts: list[str], codes: list[Because]
) -> None:
    judged = judge(WANTED, "Acme", protocol(**changes), accounts, known_there, NOW)
    assert [finding.code for finding in judged.findings] == codes


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([], Verdict.ENTER),
        ([Because.TOO_SOON, Because.FULL], Verdict.ASK),
        ([Because.TOO_SOON, Because.DUPLICATE], Verdict.REFUSE),
        (["something_new"], Verdict.REFUSE),
    ],
)
def test_one_reason_that_only_the_client_can_mend_refuses_it(codes: list[str], verdict: Verdict) -> None:
    assert verdict_of(codes) is verdict


def test_every_reason_has_its_text() -> None:
    assert set(Because) <= set(TEXTS)
    assert text_of("geocode_17") == "The routing platform refused it (geocode_17)."


def test_our_references_fit_every_platform() -> None:
    refs = {new_own_ref() for _ in range(200)}
    assert len(refs) == 200
    for ref in refs:
        assert len(ref) == 13
        NewStop(
            own_ref=ref, client="A", zone="", address=WANTED.address, recipient_name="R", window=WANTED.window
        )


# --- changes --------------------------------------------------------------------------------------

PROMISED = between("15:00", "17:00")
LATER = between("17:00", "19:00")


@pytest.mark.parametrize(
    ("status", "promised", "client", "moves", "now", "expected"),
    [
        (StopStatus.ASSIGNED, PROMISED, Client(), 9, NOW, []),
        (StopStatus.DELIVERED, PROMISED, Client(), 0, NOW, [Because.FINISHED]),
        (
            StopStatus.ASSIGNED,
            PROMISED,
            Client(window_changes=WindowChanges.NO),
            0,
            NOW,
            [Because.NOT_ALLOWED],
        ),
        (
            StopStatus.ASSIGNED,
            PROMISED,
            Client(window_changes=WindowChanges.ASK),
            0,
            NOW,
            [Because.NEEDS_APPROVAL],
        ),
        (StopStatus.ASSIGNED, PROMISED, Client(window_change_limit=2), 1, NOW, []),
        (StopStatus.ASSIGNED, PROMISED, Client(window_change_limit=2), 2, NOW, [Because.LIMIT_REACHED]),
        (StopStatus.OUT_FOR_DELIVERY, PROMISED, Client(), 0, NOW, [Because.UNDER_WAY]),
        (StopStatus.ASSIGNED, PROMISED, Client(), 0, at("13:00"), []),
        (StopStatus.ASSIGNED, PROMISED, Client(), 0, at("13:00") + SECOND, [Because.TOO_SOON]),
        (StopStatus.ASSIGNED, None, Client(), 0, at("15:00"), []),
        (StopStatus.ASSIGNED, None, Client(), 0, at("15:00") + SECOND, [Because.TOO_SOON]),
    ],
)
def test_who_may_move_what_until_when(
    status: StopStatus,
    promised: DeliveryWindow | None,
    client: Client,
    moves: int,
    now: datetime,
    expected: list[Because],
) -> None:
    assert against_move(status, promised, LATER, client, moves, rules(now)) == expected


@pytest.mark.parametrize("status", list(StopStatus))
def test_what_may_be_cancelled(status: StopStatus) -> None:
    expected = {
        StopStatus.PLANNED: [],
        StopStatus.ASSIGNED: [],
        StopStatus.OUT_FOR_DELIVERY: [Because.UNDER_WAY],
        StopStatus.ARRIVING: [Because.UNDER_WAY],
    }
    assert against_cancelling(status) == expected.get(status, [Because.FINISHED])
