"""What a delivery time means: a phrase that a recipient wrote -> a window, and the windows one may offer."""

from bot.windows.holidays import public_holidays
from bot.windows.offers import count_bookings, offered_windows, why_not_bookable, windows_on, windows_within
from bot.windows.reading import WindowReading, as_json, to_window
from bot.windows.resolve import read_window

__all__ = [
    "WindowReading",
    "as_json",
    "count_bookings",
    "offered_windows",
    "public_holidays",
    "read_window",
    "to_window",
    "why_not_bookable",
    "windows_on",
    "windows_within",
]
