"""The recipient is on the way to the driver: told to the driver when minutes matter, else when there is time."""

from datetime import timedelta

from actions.errands.base import Done, Errand, ErrandKind, Next
from actions.speech import say_eta
from actions.status import ON_THE_VAN, Saying, describe, eta_of
from bot.stops.answers import StopAnswer
from connectors.base import StopStatus

MINUTES_MATTER = timedelta(minutes=20)
NEXT_STOPS = 1


class OnTheWay(ErrandKind):
    intent = "running_late"

    async def begin(self, errand: Errand) -> Next:
        stop = errand.about
        if stop.status not in ON_THE_VAN or stop.stale:
            return Done((describe(stop, self.services.now(), errand.turn.language),))
        if not self._is_close(stop):
            return Done((self._there_is_time(errand),))
        outcome = await self.services.instructions.leave(
            errand.began, stop.stop_id, "Recipient is on the way"
        )
        if outcome.result != "noted":
            return Done((await self.hand_over(errand, "running_late", "utter_handed_over_running_late"),))
        await self.services.handoff.ask_dispatcher(errand.began, "running_late", stop.stop_id)
        return Done((Saying("utter_driver_told"),))

    def _is_close(self, stop: StopAnswer) -> bool:
        if stop.status is StopStatus.ARRIVING:
            return True
        if stop.stops_away is not None and stop.stops_away <= NEXT_STOPS:
            return True
        eta = eta_of(stop, self.services.now())
        return eta is not None and eta - self.services.now() <= MINUTES_MATTER

    def _there_is_time(self, errand: Errand) -> Saying:
        stop, now = errand.about, self.services.now()
        eta = eta_of(stop, now)
        if eta is None:
            return describe(stop, now, errand.turn.language)
        spoken = say_eta(eta, stop.timezone, now, errand.turn.language)
        return Saying("utter_there_is_time", {"parcel": self.parcel(errand), "eta": spoken})
