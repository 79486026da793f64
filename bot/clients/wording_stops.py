"""Where a stop of a client stands, in one line."""

from collections.abc import Mapping
from datetime import datetime

from bot.clients.facts import recovery_facts
from bot.clients.wording import NewsWords
from bot.conversations.words import Words
from bot.handover.kinds import EventKind
from bot.recovery.models import Recovery, RecoveryState
from bot.stops.models import StopRecord
from connectors.base import StopStatus

NOT_OUT = frozenset({StopStatus.PLANNED, StopStatus.ASSIGNED})
FOLLOWED = {
    RecoveryState.ASKING: EventKind.RECOVERY_OPENED,
    RecoveryState.WRITING: EventKind.RECOVERY_OPENED,
    RecoveryState.WITH_DISPATCHER: EventKind.RECOVERY_WITH_DISPATCHER,
    RecoveryState.BOOKED: EventKind.RECOVERY_REATTEMPT_BOOKED,
    RecoveryState.PICK_UP: EventKind.RECOVERY_PICK_UP,
    RecoveryState.SENT_BACK: EventKind.RECOVERY_SENT_BACK,
}
"""What the follow-up of a failed stop says of it; one that is closed says nothing more."""
NO_WINDOW = "-"


class StopWords:
    def __init__(self, words: Words, news: NewsWords) -> None:
        self._words = words
        self._news = news

    def line(
        self,
        stop: StopRecord,
        followed: tuple[Recovery, StopRecord | None] | None,
        now: datetime,
        language: str,
    ) -> str:
        """`followed` is its follow-up with the stop that tries again."""
        if stop.status is StopStatus.FAILED and followed is not None and followed[0].state in FOLLOWED:
            facts = recovery_facts(followed[0], stop, followed[1], {})
            return self._news.line(FOLLOWED[followed[0].state], facts, language)
        order = self._order(stop, language)
        if stop.is_open:
            return self._open(stop, order, now, language)
        return self._closed(stop, order, language)

    def unknown(self, number: str, language: str) -> str:
        """The same for a number that nobody has and for one that is another client's."""
        return self._words.say("utter_client_status_unknown", language, order=number)

    def _closed(self, stop: StopRecord, order: str, language: str) -> str:
        match stop.status:
            case StopStatus.DELIVERED:
                at = stop.completed_at or stop.changed_at
                when = self._news.said_moment(at, stop.timezone, language)
                return self._words.say("utter_client_status_delivered", language, order=order, when=when)
            case StopStatus.FAILED:
                reason = stop.failure_reason.value if stop.failure_reason is not None else None
                said = self._news.reason(reason, language)
                return self._words.say("utter_client_status_failed", language, order=order, reason=said)
            case StopStatus.RETURNED:
                return self._words.say("utter_client_status_returned", language, order=order)
            case _:
                return self._words.say("utter_client_status_cancelled", language, order=order)

    def _open(self, stop: StopRecord, order: str, now: datetime, language: str) -> str:
        window = NO_WINDOW
        if stop.window is not None:
            window = self._news.said_window(stop.window, stop.timezone, language)
        if stop.status in NOT_OUT:
            if stop.window is None:
                return self._words.say("utter_client_status_planned_no_window", language, order=order)
            return self._words.say("utter_client_status_planned", language, order=order, window=window)
        if stop.eta_at is None or stop.eta_at < now:
            return self._words.say(
                "utter_client_status_on_the_way_no_eta", language, order=order, window=window
            )
        eta = self._news.said_moment(stop.eta_at, stop.timezone, language)
        return self._words.say(
            "utter_client_status_on_the_way", language, order=order, window=window, eta=eta
        )

    def _order(self, stop: StopRecord, language: str) -> str:
        facts: Mapping[str, object] = {"order_ref": stop.order_ref, "tracking": stop.tracking}
        return self._news.order(facts, language)
