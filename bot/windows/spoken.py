"""The delivery-time reader as the actions use it: bound to the clock."""

from bot.clock import Clock
from bot.windows.reading import WindowReading, to_window
from bot.windows.resolve import read_window
from connectors.base import DeliveryWindow


class SpokenWindows:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def read(self, text: str, timezone: str, locale: str) -> WindowReading:
        """What a phrase means now, by the convention of `doorline when`. Never raises on any text."""
        return read_window(text, now=self._clock.now(), timezone=timezone, locale=locale)

    def to_window(self, reading: WindowReading, timezone: str) -> DeliveryWindow | None:
        return to_window(reading, timezone)
