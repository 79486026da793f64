"""Codes out of texts, notes for drivers, addresses as platforms look them up, windows of another day: tables."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.recovery.addresses import corrected
from bot.recovery.answers import Choice, Preference
from bot.recovery.codes import code_in
from bot.recovery.models import Recovery, RecoveryState
from bot.recovery.notes import exception_note, note_of
from bot.recovery.windows import nearest, same_hours
from connectors.base import Address, DeliveryWindow, FailureReason
from tests.harness.rows import row_with

NEW_YORK = "America/New_York"
FAILED = Address(line="14 Elm St 2B", city="New York", region="NY", postcode="10001", country="USA")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4471#. today works", "4471#"),
        ("4471. today works", "4471"),
        ("gate code is 4471#, today works", "4471#"),
        ("the code is 0912 and the garage is 55#12", "0912"),
        ("door code 4b7z", "4b7z"),
        ("gate 4471 door code 0912", "4471, 0912"),
        ("es el 8812 y mañana después de las 5", "8812"),
        ("mejor mañana, código 3310#", "3310#"),
        # No code at all, or nobody knows which of two numbers it is.
        ("tomorrow after 5", ""),
        ("come at 1700", ""),
        ("between 10:30 and 11:45", ""),
        ("apt 302", ""),
        ("4471 or 8890", ""),
        # Forgotten meanwhile.
        ("gate code is ••••", ""),
        ("", ""),
    ],
)
def test_the_code_is_read_out_of_the_recipients_own_text(text: str, code: str) -> None:
    assert code_in(text) == code


@pytest.mark.parametrize(
    ("preference", "attempt", "reason", "note"),
    [
        (Preference(), 1, FailureReason.RECIPIENT_UNAVAILABLE, "2nd try (nobody home before)."),
        (
            Preference(choice=Choice.SAFE_PLACE, place="behind the planter.", has_code=True),
            2,
            FailureReason.ACCESS_ISSUE,
            "3rd try (no access before). Safe place: behind the planter. Access code on file.",
        ),
        (
            Preference(choice=Choice.NEIGHBOUR, place="Ana in 4C", note="ring twice"),
            3,
            FailureReason.REFUSED,
            "4th try (refused before). Leave with: Ana in 4C. ring twice.",
        ),
        # What slipped through is no code here either.
        (
            Preference(note="gate code 4471#"),
            1,
            FailureReason.OTHER,
            "2nd try (not delivered before). gate code ••••.",
        ),
    ],
)
def test_the_next_driver_reads_what_was_agreed_and_no_code(
    preference: Preference, attempt: int, reason: FailureReason, note: str
) -> None:
    assert note_of(preference, attempt, reason) == note


def test_the_failed_stop_keeps_what_happened() -> None:
    recovery = row_with(
        Recovery,
        timezone=NEW_YORK,
        failed_at=datetime(2026, 6, 9, 15, 40, tzinfo=UTC),
        reason=FailureReason.ACCESS_ISSUE,
        state=RecoveryState.BOOKED,
    )
    again = window("14:00", "16:00", date(2026, 6, 10))
    failed = "Failed 6/9 11:40 am: no access."
    assert exception_note(recovery, again) == f"{failed} Next try 6/10 2:00 pm."
    assert exception_note(recovery, None) == failed
    recovery.state = RecoveryState.SENT_BACK
    assert exception_note(recovery, None) == f"{failed} Goes back to the sender."


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("41 Elm St 2B", Address(line="41 Elm St 2B", city="New York", region="NY", country="USA")),
        ("it's 41 Elm St", Address(line="41 Elm St", city="New York", region="NY", country="USA")),
        (
            "sorry, the right address is 41  Elm St",
            Address(line="41 Elm St", city="New York", region="NY", country="USA"),
        ),
        ("9 Oak Ave, Hoboken", Address(line="9 Oak Ave, Hoboken", country="USA")),
        ("9 Oak Ave Hoboken NJ 07030", Address(line="9 Oak Ave Hoboken NJ 07030", country="USA")),
    ],
)
def test_a_corrected_address_stays_in_its_town_unless_it_names_another(words: str, address: Address) -> None:
    assert corrected(words, FAILED) == address


@pytest.mark.parametrize(
    ("line", "city"),
    [
        ("14 Elm St 2B, New York, 10001", "New York"),
        ("14 Elm St, Apt 2B, New York 10001", "New York"),
        ("14 Elm St, 2B, New York", "New York"),
        ("12 Piccadilly, Flat Iron House, London W1J 7BX, UK", "Flat Iron House, London, UK"),
        ("14 Elm St 2B", ""),
    ],
)
def test_the_town_is_found_where_a_platform_keeps_one_line(line: str, city: str) -> None:
    assert corrected("41 Elm St", Address(line=line)) == Address(line="41 Elm St", city=city)


def window(start: str, end: str, day: date, zone: str = NEW_YORK) -> DeliveryWindow:
    at = [datetime.combine(day, time.fromisoformat(each), ZoneInfo(zone)) for each in (start, end)]
    return DeliveryWindow(start_at=at[0].astimezone(UTC), end_at=at[1].astimezone(UTC))


@pytest.mark.parametrize(
    ("of", "day", "wanted"),
    [
        (window("10:00", "12:00", date(2026, 6, 9)), date(2026, 6, 10), ("10:00", "12:00")),
        # Over the change of clocks the times of the clock stay.
        (window("10:00", "12:00", date(2026, 3, 7)), date(2026, 3, 8), ("10:00", "12:00")),
        (window("10:00", "12:00", date(2026, 10, 31)), date(2026, 11, 1), ("10:00", "12:00")),
    ],
)
def test_the_same_hours_on_another_day(of: DeliveryWindow, day: date, wanted: tuple[str, str]) -> None:
    assert same_hours(of, NEW_YORK, day) == window(*wanted, day)


def test_hours_that_the_clocks_skip_are_no_window() -> None:
    night = window("02:30", "03:15", date(2026, 3, 7))
    assert same_hours(night, NEW_YORK, date(2026, 3, 8)) is None
    assert same_hours(night, NEW_YORK, date(2026, 3, 9)) == window("02:30", "03:15", date(2026, 3, 9))


def test_a_window_over_midnight_keeps_its_length() -> None:
    over = DeliveryWindow(
        start_at=datetime(2026, 6, 10, 2, tzinfo=UTC), end_at=datetime(2026, 6, 10, 6, tzinfo=UTC)
    )
    moved = same_hours(over, NEW_YORK, date(2026, 6, 12))
    assert moved is not None
    assert moved.end_at - moved.start_at == over.end_at - over.start_at


def test_the_nearest_of_what_is_offered() -> None:
    day = date(2026, 6, 10)
    morning, noon, evening = (
        window(*each, day) for each in (("08:00", "12:00"), ("12:00", "17:00"), ("17:00", "21:00"))
    )
    assert nearest(window("10:00", "12:00", day), [morning, noon, evening]) == morning
    assert nearest(window("16:00", "18:00", day), [morning, noon, evening]) == evening
    assert nearest(morning, []) is None
