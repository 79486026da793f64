"""What time a text asks for, against what can be booked for the stop."""

from collections.abc import Sequence
from datetime import date

from actions.booking import Wish, Wishing, read_wish, service_day
from actions.services import ActionServices
from bot.stops.answers import StopAnswer, Turn
from connectors.base import DeliveryWindow


class Wishes:
    def __init__(self, services: ActionServices) -> None:
        self._services = services

    async def read(
        self,
        turn: Turn,
        stop: StopAnswer,
        offers: Sequence[DeliveryWindow] = (),
        pending: DeliveryWindow | None = None,
    ) -> Wish:
        """A window that can be booked, windows to choose from, or why not; empty where no time is named.

        `offers` were listed to the person, by number; `pending` waits for a yes.
        """
        context = Wishing(stop.timezone, turn.language, self._services.now(), offers, pending)
        wish = read_wish(self._services.windows, turn.text, context)
        if wish.day is not None:
            return await self._any_window_on(stop, wish.day)
        if wish.window is None:
            return wish
        problem = await self._services.rescheduling.why_not_bookable_for(stop.stop_id, wish.window)
        if problem == "too_soon":
            # "after 2" said at three: what is left of the wish may still be free.
            return await self._what_is_left(stop, wish.window)
        return Wish(problem=problem) if problem else wish

    async def _what_is_left(self, stop: StopAnswer, wished: DeliveryWindow) -> Wish:
        left = await self._services.rescheduling.windows_within(stop.stop_id, wished)
        if not left:
            return Wish(problem="too_soon")
        return Wish(choices=left) if len(left) > 1 else Wish(left[0])

    async def _any_window_on(self, stop: StopAnswer, day: date) -> Wish:
        """What can be booked on a day that was named without an hour."""
        windows = await self._services.rescheduling.windows_on(stop.stop_id, day)
        if len(windows) > 1:
            return Wish(choices=windows)
        if windows:
            return Wish(windows[0])
        whole_day = service_day(day, stop.timezone)
        problem = await self._services.rescheduling.why_not_bookable_for(stop.stop_id, whole_day)
        return Wish(problem=problem or "full")
