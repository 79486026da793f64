"""Instants and windows as people say them, in the stop's own zone. Pure; English and Spanish.

Only times, and the noun for a parcel, are made here: sentences stand in `nlu/domain/`.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow

ETA_STEP = timedelta(minutes=5)

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
}
_TODAY = {"en": "today", "es": "hoy"}
_TOMORROW = {"en": "tomorrow", "es": "mañana"}
_YESTERDAY = {"en": "yesterday", "es": "ayer"}


def say_clock(moment: datetime, timezone: str) -> str:
    """`3:20 pm`, `8 am`."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{_hour(local)} {_half(local)}"


def say_eta(moment: datetime, timezone: str, now: datetime, language: str) -> str:
    """An estimate: to five minutes, with the day when it is not today."""
    return say_moment(_rounded(moment), timezone, now, language)


def say_estimate(moment: datetime, timezone: str, now: datetime, language: str) -> str:
    """As `say_eta`, where it stands after "about", "a eso de": in Spanish with its article."""
    return say_instant(_rounded(moment), timezone, now, language)


def say_instant(moment: datetime, timezone: str, now: datetime, language: str) -> str:
    """What stands after "by", "at", "antes de", "a": in Spanish with its article, `las 3:20 pm`, `la 1:05 pm`."""
    spoken = say_moment(moment, timezone, now, language)
    if language == "en":
        return spoken
    return (
        f"la {spoken}"
        if _hour(moment.astimezone(ZoneInfo(timezone))).split(":")[0] == "1"
        else f"las {spoken}"
    )


def say_moment(moment: datetime, timezone: str, now: datetime, language: str) -> str:
    """By itself, as in a list: `3:20 pm`, `3:20 pm tomorrow`, `3:20 pm on Thu Jun 13`."""
    clock = say_clock(moment, timezone)
    days = _days_from_today(moment, timezone, now)
    if days == 0:
        return clock
    if days in (1, -1):
        word = (_TOMORROW if days == 1 else _YESTERDAY)[language]
        return f"{clock} {word}" if language == "en" else f"{clock} de {word}"
    day = say_date(_local_date(moment, timezone), language)
    return f"{clock} on {day}" if language == "en" else f"{clock} del {day}"


def say_about(moment: datetime, timezone: str, now: datetime, language: str) -> str:
    """`about 1 pm`: an estimate inside a list."""
    eta = say_eta(moment, timezone, now, language)
    return f"about {eta}" if language == "en" else f"aprox. {eta}"


def say_window(window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str:
    """`2-4 pm` today, else with its day: what stands inside a sentence."""
    if _days_from_today(window.start_at, timezone, now) == 0:
        return say_hours(window, timezone)
    return say_dated_window(window, timezone, now, language)


def say_dated_window(window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str:
    """`today, 5-9 pm`, `tomorrow, Tue Jun 11, 5-9 pm`, `Thu Jun 13, 8 am-12 pm`: never without a day."""
    return f"{_day(window, timezone, now, language)}, {say_hours(window, timezone)}"


def list_windows(windows: Sequence[DeliveryWindow], timezone: str, now: datetime, language: str) -> str:
    """`1) Tomorrow, Tue Jun 11, 8 am-12 pm. 2) 12-5 pm.`: a day is named once."""
    spoken: list[str] = []
    named = ""
    for window in windows:
        day = _day(window, timezone, now, language)
        hours = say_hours(window, timezone)
        spoken.append(hours if day == named else capitalised(f"{day}, {hours}"))
        named = day
    return list_options(spoken)


def say_hours(window: DeliveryWindow, timezone: str) -> str:
    """The hours alone: `2-4 pm`, `8 am-12 pm`."""
    start, end = (moment.astimezone(ZoneInfo(timezone)) for moment in (window.start_at, window.end_at))
    if _half(start) == _half(end) and start.date() == end.date():
        return f"{_hour(start)}-{_hour(end)} {_half(end)}"
    return f"{_hour(start)} {_half(start)}-{_hour(end)} {_half(end)}"


def say_date(day: date, language: str) -> str:
    """`Tue Jun 11`, in Spanish `mar 11 jun`."""
    weekday, month = _WEEKDAYS[language][day.weekday()], _MONTHS[language][day.month - 1]
    return f"{weekday} {month} {day.day}" if language == "en" else f"{weekday} {day.day} {month}"


def say_age(age: timedelta) -> str:
    """`50 min`, `3 h`, `2 d`: short forms that both languages share."""
    minutes = max(1, int(age.total_seconds() // 60))
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{round(minutes / 60)} h"
    return f"{round(minutes / 60 / 24)} d"


def name_parcel(client: str, language: str) -> str:
    """`Acme parcel`, `paquete de Acme`; the plain noun where the client is unknown."""
    if language == "es":
        return f"paquete de {client}" if client else "paquete"
    return f"{client} parcel" if client else "parcel"


def name_sender(operator: str, client: str, language: str) -> str:
    """`QuickShip for Acme`, `QuickShip, de parte de Acme`: who writes, where nobody has asked."""
    if not client:
        return operator
    return f"{operator}, de parte de {client}" if language == "es" else f"{operator} for {client}"


def list_options(options: Sequence[str]) -> str:
    """`1) today 5-9 pm. 2) Thu Jun 13, 8 am-12 pm.`"""
    return " ".join(f"{number}) {option}." for number, option in enumerate(options, start=1))


def capitalised(words: str) -> str:
    """For the start of a sentence; the rest stays as it is."""
    return words[:1].upper() + words[1:]


def locale_of(language: str, timezone: str) -> str:
    """How numbers in dates are read: day first in Spanish and in British zones."""
    if language == "es":
        return "es-ES" if timezone == "Europe/Madrid" else "es-MX"
    return "en-GB" if timezone in {"Europe/London", "Europe/Dublin"} else "en-US"


def _day(window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str:
    days = _days_from_today(window.start_at, timezone, now)
    if days == 0:
        return _TODAY[language]
    spoken = say_date(_local_date(window.start_at, timezone), language)
    return f"{_TOMORROW[language]}, {spoken}" if days == 1 else spoken


def _hour(local: datetime) -> str:
    hour = local.hour % 12 or 12
    return f"{hour}:{local.minute:02d}" if local.minute else str(hour)


def _half(local: datetime) -> str:
    return "am" if local.hour < 12 else "pm"


def _rounded(moment: datetime) -> datetime:
    """To the nearest five minutes. Zones' offsets are whole multiples of five, so UTC may be rounded."""
    seconds = ETA_STEP.total_seconds()
    return datetime.fromtimestamp(round(moment.timestamp() / seconds) * seconds, tz=moment.tzinfo)


def _local_date(moment: datetime, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date()


def _days_from_today(moment: datetime, timezone: str, now: datetime) -> int:
    return (_local_date(moment, timezone) - _local_date(now, timezone)).days
