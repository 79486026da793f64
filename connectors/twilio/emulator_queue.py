"""A sender's queue at the pretended Twilio: so many segments a second, ten hours of them at most. Real time, not kept.

Source: messaging-contracts A10; twilio.com/docs/api/errors/30036 for what waits longer than its validity.
"""

from dataclasses import dataclass

from connectors.twilio.emulator_rules import MAX_VALIDITY_SECONDS, QUEUE_HOURS

EXPIRED = 30036


@dataclass(frozen=True)
class Turn:
    seconds: float
    """Until it leaves, or is given up."""
    is_given_up: bool = False


class SenderQueue:
    def __init__(self, segments_per_second: float | None) -> None:
        """None: everything leaves at once."""
        self._rate = segments_per_second
        self._free_at = 0.0

    def is_full(self, now: float) -> bool:
        """21611: the sender holds ten hours of traffic already."""
        return self._waiting_seconds(now) >= QUEUE_HOURS * 3600

    def turn(self, segments: int, validity_seconds: int | None, now: float) -> Turn:
        """`now` is any clock that only rises, in seconds. What is given up takes nobody's place."""
        if self._rate is None:
            return Turn(0.0)
        waits = self._waiting_seconds(now)
        validity = validity_seconds or MAX_VALIDITY_SECONDS
        if waits > validity:
            return Turn(float(validity), is_given_up=True)
        self._free_at = now + waits + segments / self._rate
        return Turn(waits)

    def _waiting_seconds(self, now: float) -> float:
        return max(self._free_at - now, 0.0)
