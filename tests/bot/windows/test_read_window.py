"""What recipients write about when a delivery should come. Texted on Wednesday 2026-06-10 at 10:00 unless said."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.windows import WindowReading, as_json, read_window, to_window
from bot.windows.reading import Doubt

ZONE = "America/New_York"
WEDNESDAY_TEN = datetime(2026, 6, 10, 10, 0, tzinfo=ZoneInfo(ZONE))


def read(text: str, *, at: datetime = WEDNESDAY_TEN, locale: str = "en-US") -> WindowReading:
    return read_window(text, now=at, timezone=ZONE, locale=locale)


def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=ZoneInfo(ZONE))


def spoken(reading: WindowReading) -> str:
    """`11 17:00-21:00`: day of June 2026, or the whole date elsewhere; `any` where no time was said."""
    if reading.date is None:
        day = "no day"
    else:
        june = (reading.date.year, reading.date.month) == (2026, 6)
        day = str(reading.date.day) if june else reading.date.isoformat()
    times = f"{reading.start:%H:%M}-{reading.end:%H:%M}" if reading.start and reading.end else "any"
    return f"{day} {times}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not home today can u come tmrw after 5", "11 17:00-21:00"),
        ("anytime fri aft 2", "12 14:00-21:00"),
        ("btw 1-3 tmrw plz", "11 13:00-15:00"),
        ("2nite", "10 17:00-21:00"),
        ("AFTER 5 TOMORROW!!!", "11 17:00-21:00"),
        ("👍 tomorrow 5pm 🙏", "11 17:00-18:00"),
        ("tom @5", "11 17:00-18:00"),
        ("fri b4 12", "12 08:00-12:00"),
        ("thx tmrw 1 to 3 works 4 me", "11 13:00-15:00"),
        ("pls deliver sat btwn 10 n 12", "13 10:00-12:00"),
        ("could u possibly do 12:30 on thurs", "11 12:30-13:30"),
        ("yo can the driver swing by tmrw around 530 instead", "11 17:00-18:00"),
        ("the twelfth at noon", "12 12:00-13:00"),
        ("tues jun 16th 2-4pm", "16 14:00-16:00"),
        ("leave it for monday between 1130 and 2", "15 11:30-14:00"),
        ("i need it by 3pm today", "10 08:00-15:00"),
        ("sat am", "13 08:00-12:00"),
        ("tomorrow 5", "11 17:00-18:00"),
        ("three thirty", "10 15:30-16:30"),
        ("at ten to five", "10 16:50-17:50"),
        ("in 2-3 hours", "10 12:00-13:00"),
        ("a week on monday", "22 any"),
        ("gate code 1234, come after 5", "10 17:00-21:00"),
        ("apt 5 tomorrow at 3", "11 15:00-16:00"),
        ("2 packages tomorrow", "11 any"),
    ],
)
def test_noisy_phrases_are_resolved(text: str, expected: str) -> None:
    reading = read(text)
    assert (spoken(reading), reading.clarify) == (expected, "no")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thrusday morning", "11 08:00-12:00"),
        ("tommorow evning", "11 17:00-21:00"),
        ("satuday after 4", "13 16:00-21:00"),
        ("juebes a las 3", "11 15:00-16:00"),
        ("setpember 3", "2026-09-03 any"),
    ],
)
def test_misspelt_days_are_understood(text: str, expected: str) -> None:
    assert spoken(read(text)) == expected


@pytest.mark.parametrize("text", ["match the box", "a banana please", "the lines are down", "money"])
def test_ordinary_words_are_not_taken_for_misspelt_days(text: str) -> None:
    assert read(text).reason is Doubt.NO_TIME


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tmrw doesnt work, tues instead?", "16 any"),
        ("hoy no puedo, puede ser mañana?", "11 any"),
        ("not friday, saturday works", "13 any"),
        ("friday instead of monday", "12 any"),
        ("move from tuesday to friday", "12 any"),
        ("today at 3 no sorry friday at 4", "12 16:00-17:00"),
        ("tomorrow at 5 no wait 6", "11 18:00-19:00"),
        ("can you come tomorrow instead? I'm at work today until 6", "11 any"),
        ("i'm out until 7", "10 19:00-21:00"),
        ("sorry stuck at work b home by 5", "10 17:00-21:00"),
        ("i get off work at 5:30", "10 17:30-21:00"),
        ("I won't be home until after 5 tomorrow", "11 17:00-21:00"),
        ("wont be home til 6 tonite", "10 18:00-21:00"),
        ("im at work til 5 so anytime after 530 is good", "10 17:30-21:00"),
        ("salgo del trabajo a las 5", "10 17:00-21:00"),
        ("nothing before noon please", "10 12:00-21:00"),
        ("not tomorrow morning", "11 12:00-21:00"),
        ("cant do mornings", "10 12:00-21:00"),
        ("dont come before 11", "10 11:00-21:00"),
    ],
)
def test_what_is_denied_or_taken_back_does_not_count(text: str, expected: str) -> None:
    assert spoken(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("asap", "vague", "no day any"),
        ("tomorrow asap", "vague", "11 any"),
        ("hello there", "no_time", "no day any"),
        ("yesterday", "past", "no day any"),
        ("today before 9", "past", "no day any"),
        ("9pm tomorrow", "outside_hours", "11 any"),
        ("weds pm", "same_weekday", "no day 12:00-17:00"),
        ("tomorrow friday", "conflict", "no day any"),
        ("sunday 15 june", "conflict", "no day any"),
        ("feb 30", "invalid_date", "no day any"),
        ("13/6", "invalid_date", "no day any"),
        ("weekdays after 4", "recurring", "no day 16:00-21:00"),
        ("monday to friday after 4", "recurring", "no day 16:00-21:00"),
        ("nobody will be there at 3", "excluded_time", "no day any"),
        ("morning or evening", "which_time", "no day any"),
        ("next week after 5", "which_day", "15 17:00-21:00"),
        ("by friday", "which_day", "10 any"),
        ("im away until friday", "which_day", "12 any"),
    ],
)
def test_what_cannot_be_booked_is_asked(text: str, reason: str, expected: str) -> None:
    reading = read(text)
    assert (reading.clarify, reading.reason, spoken(reading)) == ("yes", reason, expected)
    assert to_window(reading, ZONE) is None


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("no not tomorrow", [11]),
        ("any day but monday", [15]),
        ("not monday or tuesday", [15, 16]),
        ("no el lunes", [15]),
        ("any day but wednesday", [17]),
    ],
)
def test_days_ruled_out_are_named(text: str, excluded: list[int]) -> None:
    reading = read(text)
    assert reading.reason is Doubt.EXCLUDED_DAY
    assert reading.exclude == tuple(date(2026, 6, day) for day in excluded)


def test_a_day_ruled_out_of_a_range_keeps_the_range() -> None:
    answer = as_json(read("any day next week but monday"))
    assert answer["date"] == "2026-06-15"
    assert answer["date_end"] == "2026-06-21"
    assert answer["exclude"] == ["2026-06-15"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon or tue next week", [15, 16]),
        ("mon/tue", [15, 16]),
        ("satuday or sundy", [13, 14]),
        ("mon, tue or wed after 3", [15, 16, 17]),
        ("lunes y martes despues de las 5", [15, 16]),
    ],
)
def test_several_days_are_alternatives_and_the_first_is_the_date(text: str, days: list[int]) -> None:
    reading = read(text)
    assert reading.alternatives == tuple(date(2026, 6, day) for day in days)
    assert reading.date == reading.alternatives[0]
    assert reading.clarify == "yes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6-8", "10 18:00-20:00"),
        ("7-9", "10 19:00-21:00"),
        ("10-2", "10 10:00-14:00"),
        ("10am-2", "10 10:00-14:00"),
        ("8-10pm", "10 20:00-21:00"),
        ("8-9 tomorrow night", "11 20:00-21:00"),
        ("1130-130", "10 11:30-13:30"),
        ("from 2 till 4 tomorrow", "11 14:00-16:00"),
        ("between two and four", "10 14:00-16:00"),
        ("around 2 or 3", "10 13:30-15:30"),
        ("afternoon or evening", "10 12:00-21:00"),
        ("after 5 but before 8", "10 17:00-20:00"),
        ("tomorrow afternoon after 3", "11 15:00-17:00"),
        ("early monday morning", "15 08:00-10:00"),
    ],
)
def test_ranges_take_the_reading_inside_the_service_day(text: str, expected: str) -> None:
    assert spoken(read(text)) == expected


def test_a_range_that_runs_backwards_is_asked() -> None:
    assert read("3-1").reason is Doubt.CONFLICT


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("11am", at(15), "11 11:00-12:00"),
        ("5", at(16, 59), "10 17:00-18:00"),
        ("5", at(17, 1), "11 17:00-18:00"),
        ("8", at(10), "10 20:00-21:00"),
        ("8", at(20, 30), "11 08:00-09:00"),
        ("morning", at(11, 59), "10 08:00-12:00"),
        ("morning", at(12), "11 08:00-12:00"),
        ("after 6", at(19), "10 18:00-21:00"),
        ("after 6", at(21), "11 18:00-21:00"),
    ],
)
def test_without_a_day_it_is_today_while_that_can_be_met(text: str, moment: datetime, expected: str) -> None:
    assert spoken(read(text, at=moment)) == expected


def test_today_after_closing_is_past() -> None:
    assert read("today", at=at(21)).reason is Doubt.PAST
    assert spoken(read("today", at=at(20, 59))) == "10 any"


def test_several_days_drop_the_one_that_is_over() -> None:
    assert spoken(read("today or tomorrow before noon", at=at(15))) == "11 08:00-12:00"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("next friday", Doubt.NEXT_WEEKDAY),
        ("july 4th", Doubt.HOLIDAY),
        ("dec 20", Doubt.FAR_FUTURE),
        ("the 31st", Doubt.FAR_FUTURE),
        ("the 10th", Doubt.SAME_DATE),
        ("7 instead of 5", Doubt.NO_DATE),
        ("9-11", Doubt.IN_PROGRESS),
        ("tomorrow at 8", Doubt.AM_PM),
    ],
)
def test_doubtful_readings_keep_their_values(text: str, reason: Doubt) -> None:
    reading = read(text)
    assert (reading.ask, reading.reason) == ("ok", reason)
    assert to_window(reading, ZONE) is not None


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("7/6", "en-US", "2026-07-06"),
        ("7/6", "en-GB", "2027-06-07"),
        ("15/7", "es-MX", "2026-07-15"),
        ("el 7/8 por la tarde", "en-US", "2026-08-07"),
        ("2026-06-20", "en-US", "2026-06-20"),
    ],
)
def test_numbers_are_ordered_as_the_language_orders_them(text: str, locale: str, expected: str) -> None:
    assert str(read(text, locale=locale).date) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mañana por la tarde después de las 5", "11 17:00-19:00"),
        ("manana en la manana", "11 08:00-12:00"),
        ("pasado mañana", "12 any"),
        ("el viernes 12 a las 4", "12 16:00-17:00"),
        ("de las 10 a las 12 de la mañana", "10 10:00-12:00"),
        ("a las tres y media", "10 15:30-16:30"),
        ("a las 5 menos cuarto", "10 16:45-17:45"),
        ("como a las 5 o 6", "10 16:30-18:30"),
        ("a partir de las 4", "10 16:00-21:00"),
        ("no puedo antes de las 4", "10 16:00-21:00"),
        ("después de comer", "10 14:00-21:00"),
        ("dentro de una hora", "10 11:00-12:00"),
        ("de hoy en ocho", "17 any"),
        ("el martes de la semana que viene", "16 any"),
        ("no voy a estar hoy pero mañana despues de las 6 si", "11 18:00-21:00"),
        ("8 de la noche", "10 20:00-21:00"),
    ],
)
def test_spanish_is_read_whatever_the_locale(text: str, expected: str) -> None:
    assert spoken(read(text, locale="es-MX")) == expected
    assert spoken(read(text, locale="en-US")) == expected


def test_languages_may_be_mixed() -> None:
    assert spoken(read("tomorrow después de las 5")) == "11 17:00-21:00"
    assert spoken(read("can you come mañana in the afternoon")) == "11 12:00-17:00"


def test_british_half_is_half_past() -> None:
    assert spoken(read("half nine on friday", locale="en-GB")) == "12 09:30-10:30"


def test_a_weekday_of_a_holiday_is_said_to_be_one() -> None:
    assert read("31 august", locale="en-GB").reason is Doubt.FAR_FUTURE
    assert (
        read("25 may", at=datetime(2026, 5, 20, 10, tzinfo=ZoneInfo(ZONE)), locale="en-GB").reason
        is Doubt.HOLIDAY
    )


@pytest.mark.parametrize(
    ("said_at", "text", "start"),
    [
        ("2026-10-31T20:00:00-04:00", "in 16 hours", "2026-11-01T16:00:00+00:00"),
        ("2026-10-31T20:00:00-04:00", "tomorrow at noon", "2026-11-01T17:00:00+00:00"),
        ("2027-03-13T18:00:00-05:00", "in 18 hours", "2027-03-14T17:00:00+00:00"),
        ("2027-03-13T18:00:00-05:00", "tomorrow 8-10", "2027-03-14T12:00:00+00:00"),
    ],
)
def test_elapsed_hours_cross_a_clock_change_and_wall_times_do_not(
    said_at: str, text: str, start: str
) -> None:
    window = to_window(read(text, at=datetime.fromisoformat(said_at)), ZONE)
    assert window is not None
    assert window.start_at.isoformat() == start


def test_a_day_without_a_time_is_booked_as_the_service_day() -> None:
    window = to_window(read("friday"), ZONE)
    assert window is not None
    local = [instant.astimezone(ZoneInfo(ZONE)).time() for instant in (window.start_at, window.end_at)]
    assert local == [time(8), time(21)]


def test_the_answer_has_every_key_and_nulls_for_what_is_absent() -> None:
    assert as_json(read("tomorrow after 5")) == {
        "date": "2026-06-11",
        "date_end": None,
        "start": "17:00",
        "end": "21:00",
        "clarify": "no",
        "reason": None,
        "alternatives": None,
        "exclude": None,
    }
