"""How fast one channel is written to, and until when Slack wants to be left alone: by channel, so that none waits
for another.

Slack takes about one message a second in a channel, with short bursts over that. Source: Web API, rate limits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from connectors.errors import ChannelUnavailableError

NAME = "slack"
POSTING = "chat.postMessage"
BURST = 20
"""Posts at once in a channel that was quiet; after that, and after a 429, one a second."""

APART_SECONDS = 1.0
FORGOTTEN_AFTER = 1000
"""Channels whose pace is remembered; a direct message is a channel too."""


@dataclass
class _Budget:
    """Posts that a channel may take now, refilled with time; `promised_until` is the last turn that was given out."""

    left: float
    at: float
    promised_until: float = 0.0


class Pacing:
    """Real time rules it: it is about the network. One object per workspace and process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._budgets: dict[str, _Budget] = {}
        self._closed_until: dict[tuple[str, str], float] = {}

    def admit(self, method: str, channel: str) -> None:
        """Raises `ChannelUnavailableError` with the pause to make; nothing was sent then."""
        now = self._monotonic()
        wait = self._closed_until.get((method, channel), 0.0) - now
        if wait <= 0 and method == POSTING and channel:
            wait = self._take(channel, now)
        if wait > 0:
            raise ChannelUnavailableError(
                NAME, f"{method}: this channel waits its turn", "paced", timedelta(seconds=wait)
            )

    def was_limited(self, method: str, channel: str, retry_after: timedelta) -> None:
        """Slack answered 429: this method rests in this channel, and posts there are a second apart from then on."""
        now = self._monotonic()
        self._closed_until = {key: until for key, until in self._closed_until.items() if until > now}
        self._closed_until[method, channel] = now + retry_after.total_seconds()
        if channel in self._budgets:
            self._budgets[channel] = _Budget(left=1.0, at=now + retry_after.total_seconds())

    def _take(self, channel: str, now: float) -> float:
        """0 when the post may go out, else the seconds until its turn. Each who waits is given a turn of their own."""
        budget = self._budgets.get(channel) or _Budget(BURST, now)
        if now > budget.at:
            budget.left = min(BURST, budget.left + (now - budget.at) / APART_SECONDS)
            budget.at = now
        self._remember(channel, budget)
        if budget.left >= 1:
            budget.left -= 1
            return 0.0
        free_at = max(budget.at, now) + (1 - budget.left) * APART_SECONDS
        budget.promised_until = max(free_at, budget.promised_until + APART_SECONDS)
        return budget.promised_until - now

    def _remember(self, channel: str, budget: _Budget) -> None:
        self._budgets.pop(channel, None)
        self._budgets[channel] = budget
        if len(self._budgets) > FORGOTTEN_AFTER:
            del self._budgets[next(iter(self._budgets))]
