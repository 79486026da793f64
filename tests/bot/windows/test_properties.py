"""What holds for any text at any moment, clock changes included."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.windows import WindowReading, as_json, read_window, to_window
from bot.windows.spanish import SPANISH
from bot.windows.words import ENGLISH

ZONES = [
    "America/New_York",
    "Europe/Madrid",
    "Europe/London",
    "America/Phoenix",
    "Australia/Lord_Howe",
    "UTC",
]
KEYS = {"date", "date_end", "start", "end", "clarify", "reason", "alternatives", "exclude"}
LOCALES = ["en-US", "en-GB", "es-MX", "es-ES", "fr-FR", ""]

# Sentences out of the reader's own vocabulary reach far deeper than random letters.
words = st.one_of(
    st.sampled_from(sorted(ENGLISH)),
    st.sampled_from(sorted(SPANISH)),
    st.integers(0, 99).map(str),
    st.sampled_from(
        ["4:30", "1615", "8am", "10pm", "6/20", "20/6", "3rd", "-", ",", "5ish", "2026-02-30", "pkg"]
    ),
)
phrases = st.lists(words, max_size=9).map(" ".join)
MOMENT = datetime.fromisoformat
moments = st.datetimes(MOMENT("2024-01-01"), MOMENT("2030-12-31"), timezones=st.just(UTC))


@given(st.one_of(st.text(max_size=300), phrases), moments, st.sampled_from(ZONES), st.sampled_from(LOCALES))
@settings(max_examples=800, deadline=None)
@example("²⁵٣ ½ 99:99 24:60", datetime(2026, 6, 10, tzinfo=UTC), "UTC", "en-US")
@example("tomorrow " * 400, datetime(2026, 6, 10, tzinfo=UTC), "UTC", "en-US")
@example("by 10pm", datetime(2026, 6, 10, 21, tzinfo=UTC), "UTC", "en-US")
def test_a_reading_is_whole_in_the_service_day_and_not_over(
    text: str, now: datetime, zone: str, locale: str
) -> None:
    reading = read_window(text, now=now, timezone=zone, locale=locale)
    today = now.astimezone(ZoneInfo(zone)).date()
    assert (reading.start is None) == (reading.end is None)
    if reading.start and reading.end:
        assert time(8) <= reading.start < reading.end <= time(21)
    _is_well_formed(reading)
    days = [day for day in (reading.date, reading.date_end, *reading.alternatives) if day]
    assert all(day >= today for day in days)
    if reading.date is None:
        assert reading.clarify == "yes"
    if reading.date and reading.date_end:
        assert reading.date_end >= reading.date
    window = to_window(reading, zone)
    if window is not None:
        assert window.end_at > now
        assert timedelta(0) < window.end_at - window.start_at <= timedelta(hours=14)


def _is_well_formed(reading: WindowReading) -> None:
    """Alternatives are two days or more, all different, the first of them the date; nothing wanted is ruled out."""
    if reading.alternatives:
        assert len(set(reading.alternatives)) == len(reading.alternatives) > 1
        assert reading.alternatives[0] == reading.date
        assert reading.date_end is None
    assert list(reading.exclude) == sorted(set(reading.exclude))
    assert reading.date_end is not None or reading.date not in reading.exclude
    assert (reading.reason is None) == (reading.ask == "no")
    assert set(as_json(reading)) == KEYS


@given(st.text(max_size=1600), moments)
@settings(max_examples=300, deadline=None)
def test_any_text_of_any_length_is_answered_once_and_for_all(text: str, now: datetime) -> None:
    first = read_window(text, now=now, timezone="America/New_York")
    assert first == read_window(text, now=now, timezone="America/New_York")


@given(phrases, moments, st.sampled_from(LOCALES), st.sampled_from(["UTC", "Asia/Tokyo", "America/Lima"]))
@settings(max_examples=200, deadline=None)
def test_the_offset_in_which_the_moment_is_written_does_not_matter(
    text: str, now: datetime, locale: str, elsewhere: str
) -> None:
    moved = now.astimezone(ZoneInfo(elsewhere))
    here = read_window(text, now=now, timezone="Europe/Madrid", locale=locale)
    assert here == read_window(text, now=moved, timezone="Europe/Madrid", locale=locale)


@given(moments, st.sampled_from(ZONES), st.integers(1, 72))
@settings(max_examples=200, deadline=None)
def test_in_some_hours_is_that_many_hours_away(now: datetime, zone: str, hours: int) -> None:
    now = now.replace(second=0, microsecond=0)
    window = to_window(read_window(f"in {hours} hours", now=now, timezone=zone), zone)
    if window is not None:
        assert window.start_at == now + timedelta(hours=hours)


@given(moments, st.sampled_from(ZONES), st.integers(8, 19))
@settings(max_examples=200, deadline=None)
def test_a_wall_clock_time_keeps_its_wall_clock(now: datetime, zone: str, hour: int) -> None:
    window = to_window(read_window(f"tomorrow {hour}:00-{hour + 1}:30", now=now, timezone=zone), zone)
    assert window is not None
    local = window.start_at.astimezone(ZoneInfo(zone))
    assert local.time() == time(hour if hour > 8 or local.hour == 8 else 20)
    assert local.date() == now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
