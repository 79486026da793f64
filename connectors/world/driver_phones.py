"""The phones of the pretended drivers: reads what is texted to them, and texts the answers. Simulated, all of it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connectors.base import Now
from connectors.emulation import Ledger
from connectors.world.day import PretendedDay
from connectors.world.drivers import Driver, reply_to
from connectors.world.route import RouteState

ARRIVED = ("sent", "delivered")
FROM_US = "outbound-api"


class Sms(Protocol):
    """One text, as the carrier keeps it."""

    @property
    def sid(self) -> str: ...

    @property
    def direction(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def body(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...


class Carrier(Protocol):
    """The carrier's emulator."""

    def messages(self, phone: str) -> Sequence[Sms]:
        """Both directions, oldest first."""
        ...

    async def text(self, sender: str, body: str, *, sid: str) -> object:
        """Brings a text to us; the same `sid` again is the same text, brought again."""
        ...


class DriverPhones:
    """Call `step` as the day passes; the day must have been built.

    What was read is kept under `ledger_path`, and an answer has its name from what it answers: killed between the
    two, it is brought again under the same name, which is one text.
    """

    def __init__(
        self, day: PretendedDay, seed: int, carrier: Carrier, *, now: Now, ledger_path: Path | None = None
    ) -> None:
        self._day = day
        self._seed = seed
        self._carrier = carrier
        self._now = now
        self._read = Ledger(ledger_path, "driver_phones_read")
        """By the id of a text of ours: the id of its answer, or nothing."""

    async def step(self) -> int:
        """Answers what is due by now; gives how many answers that were."""
        return sum([await self._look(route) for route in self._day.routes])

    async def _look(self, route: RouteState) -> int:
        driver, now = Driver(self._seed, route.plan), self._now()
        due = [sms for sms in self._carrier.messages(driver.phone) if self._is_due(driver, sms, now)]
        return sum([await self._answer(driver, route, sms) for sms in due])

    def _is_due(self, driver: Driver, sms: Sms, now: datetime) -> bool:
        if sms.direction != FROM_US or sms.status not in ARRIVED or sms.sid in self._read:
            return False
        return now >= sms.created_at + driver.answers_after(sms.body)

    async def _answer(self, driver: Driver, route: RouteState, sms: Sms) -> bool:
        words = reply_to(driver, sms.body, route, self._now())
        if words is not None:
            await self._carrier.text(driver.phone, words, sid=answer_sid(sms.sid))
        self._read[sms.sid] = answer_sid(sms.sid) if words is not None else ""
        return words is not None


def answer_sid(sid: str) -> str:
    """Twilio's form of an id, and always the same for one text of ours."""
    return f"SM{hashlib.sha256(f'answer to {sid}'.encode()).hexdigest()[:32]}"
