"""A pretended day on which the vendors and Doorline itself are ill, by a timetable that is the same every time.

Minutes count from the day's start at nine. Twilio answers some requests with errors or late, tells receipts twice, out
of order, or never; Onfleet's webhooks come twice and newest first, then not at all for half an hour; some texts of
recipients are delivered to us twice; and Doorline is cut off twice in the middle of its work and started again.
"""

from datetime import datetime, timedelta

from bench.day_with import DayWithDoorline
from connectors.emulated_webhooks import WebhookFaults
from connectors.twilio.emulator_rules import Outcome

RECEIPTS = (
    (0.15, Outcome(("sent", "sent", "delivered", "delivered"))),
    (0.25, Outcome(("delivered", "sent"))),
    (0.28, Outcome(())),
    (0.30, Outcome(("sent", "undelivered"), 30008)),
)
"""Of the recipients up to each share: what becomes of texts to them. The others' go as they should."""
TWILIO_ILL = (timedelta(minutes=20), timedelta(minutes=120))
TWICE = (timedelta(minutes=40), timedelta(minutes=130))
SILENT = (timedelta(minutes=130), timedelta(minutes=160))
CRASHES = (timedelta(minutes=50), timedelta(minutes=150))


class Faults:
    """Hand it to `DayWithDoorline` as `disturb`."""

    def __init__(self) -> None:
        self._crashes = list(CRASHES)
        self._has_begun = False
        self.crashed = 0

    async def __call__(self, day: DayWithDoorline, now: datetime) -> None:
        since = now - day.day_start
        if not self._has_begun:
            self._begin(day)
        self._weather(day, since)
        if self._crashes and since >= self._crashes[0]:
            self._crashes.pop(0)
            await self._crash(day)
        # What failed waits seconds of real time for its next try: here that is no time at all.
        await day.stage.retry_now()

    def _begin(self, day: DayWithDoorline) -> None:
        self._has_begun = True
        day.texting.duplicate_webhooks = True
        for each in day.crowd.people:
            luck = each.person.luck("receipts")
            carried = next((outcome for share, outcome in RECEIPTS if luck < share), None)
            if carried is not None:
                day.stage.twilio.outcome_for(each.person.phone, carried)

    def _weather(self, day: DayWithDoorline, since: timedelta) -> None:
        stage = day.stage
        is_ill = TWILIO_ILL[0] <= since < TWILIO_ILL[1]
        stage.twilio.faults.error_share = 0.15 if is_ill else 0.0
        stage.twilio.faults.slow_share = 0.10 if is_ill else 0.0
        stage.twilio.faults.slow_seconds = 0.3
        stage.onfleet.faults.error_share = 0.05 if is_ill else 0.0
        wanted = WebhookFaults(
            duplicate=TWICE[0] <= since < TWICE[1],
            reorder=TWICE[0] <= since < TWICE[1],
            down=SILENT[0] <= since < SILENT[1],
        )
        if stage.onfleet.webhooks.faults != wanted:
            stage.onfleet.webhooks.faults = wanted
            stage.onfleet.webhooks.wake()

    async def _crash(self, day: DayWithDoorline) -> None:
        """In the middle: the clock's ticks have asked for work, and nobody waits until it is done."""
        await day.stage.tick_and_leave()
        await day.stage.stop_app()
        await day.stage.start_app()
        self.crashed += 1
