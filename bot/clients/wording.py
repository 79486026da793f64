"""What clients read by mail, put together from the responses of `nlu/domain/responses_clients.yml`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from bot.clients.models import ClientNews, Topic
from bot.conversations.words import Words
from bot.handover.kinds import EventKind
from bot.sop import ProtocolInForce
from connectors.base import DeliveryWindow

FROM_AFAR = timedelta(days=7)
"""Times are told as seen from a week before, so that they carry a date: nobody knows when a mail is read."""


class Speech(Protocol):
    """Times as people read them; `bot.app` hands in those of the actions."""

    def say_moment(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_instant(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_date(self, day: date, language: str) -> str: ...

    def say_dated_window(
        self, window: DeliveryWindow, timezone: str, now: datetime, language: str
    ) -> str: ...


@dataclass(frozen=True)
class SaidByMail:
    subject: str
    text: str


class NewsWords:
    def __init__(self, sop: ProtocolInForce, words: Words, speech: Speech) -> None:
        self._sop = sop
        self._words = words
        self._speech = speech

    def mail(self, topic: Topic, news: Sequence[ClientNews], language: str) -> SaidByMail:
        """One line for each; `news` holds at least one."""
        operator = self._sop.current.operator.name
        lines = [self.line(EventKind(each.kind), each.facts, language) for each in news]
        return SaidByMail(
            subject=self._subject(topic, len(news), operator, language),
            text="\n".join(["", *lines, "", self.end(language)]).strip() + "\n",
        )

    def line(self, kind: EventKind, facts: Mapping[str, Any], language: str) -> str:
        """One stop: which order it is, and what is the news of it."""
        return _LINES[kind](self, kind, facts, language)

    def end(self, language: str) -> str:
        operator = self._sop.current.operator.name
        return self._words.say("utter_client_mail_end", language, operator=operator)

    def order(self, facts: Mapping[str, Any], language: str) -> str:
        """`PO-7 (a1b2c3)`: the client's own number first, where there is one."""
        order_ref, tracking = facts.get("order_ref"), facts.get("tracking")
        if order_ref and tracking:
            return f"{order_ref} ({tracking})"
        return str(order_ref or tracking or self._words.say("utter_client_no_number", language))

    def reason(self, code: str | None, language: str) -> str:
        return self._words.say(f"utter_client_reason_{code or 'other'}", language)

    def window(self, facts: Mapping[str, Any], name: str, language: str) -> str | None:
        """Of a window as events carry it, with its date."""
        found = facts.get(name)
        if not found:
            return None
        window = DeliveryWindow(
            start_at=datetime.fromisoformat(found["start_at"]), end_at=datetime.fromisoformat(found["end_at"])
        )
        return self.said_window(window, str(facts.get("timezone") or "UTC"), language)

    def said_window(self, window: DeliveryWindow, timezone: str, language: str) -> str:
        return self._speech.say_dated_window(window, timezone, window.start_at - FROM_AFAR, language)

    def said_moment(self, moment: datetime, timezone: str, language: str) -> str:
        return self._speech.say_moment(moment, timezone, moment - FROM_AFAR, language)

    def said_day(self, day: date, language: str) -> str:
        return self._speech.say_date(day, language)

    def _subject(self, topic: Topic, count: int, operator: str, language: str) -> str:
        if count == 1:
            return self._words.say(_ONE[topic], language, operator=operator)
        return self._words.say(_MANY[topic], language, operator=operator, count=str(count))

    # --- lines ------------------------------------------------------------------------------------

    def _failed(self, kind: EventKind, facts: Mapping[str, Any], language: str) -> str:
        response = (
            "utter_client_line_with_dispatcher"
            if kind is EventKind.RECOVERY_WITH_DISPATCHER
            else "utter_client_line_opened"
        )
        reason = self.reason(facts.get("reason"), language)
        return self._words.say(response, language, order=self.order(facts, language), reason=reason)

    def _booked(self, _kind: EventKind, facts: Mapping[str, Any], language: str) -> str:
        order, window = self.order(facts, language), self.window(facts, "window", language)
        if window is None:
            return self._words.say("utter_client_line_booked_someday", language, order=order)
        return self._words.say("utter_client_line_booked", language, order=order, window=window)

    def _breached(self, _kind: EventKind, facts: Mapping[str, Any], language: str) -> str:
        order, window = self.order(facts, language), self.window(facts, "promised", language)
        return self._words.say("utter_client_line_breached", language, order=order, window=window or "-")

    def _plain(self, kind: EventKind, facts: Mapping[str, Any], language: str) -> str:
        return self._words.say(_PLAIN[kind], language, order=self.order(facts, language))


_ONE = {
    Topic.REDELIVERY: "utter_client_subject_redelivery_one",
    Topic.BREACH: "utter_client_subject_breach_one",
}
_MANY = {Topic.REDELIVERY: "utter_client_subject_redelivery", Topic.BREACH: "utter_client_subject_breach"}
_PLAIN = {
    EventKind.RECOVERY_PICK_UP: "utter_client_line_pick_up",
    EventKind.RECOVERY_SENT_BACK: "utter_client_line_sent_back",
    EventKind.RECOVERY_CLOSED: "utter_client_line_closed",
}
_LINES: Mapping[EventKind, Callable[[NewsWords, EventKind, Mapping[str, Any], str], str]] = {
    EventKind.RECOVERY_OPENED: NewsWords._failed,
    EventKind.RECOVERY_WITH_DISPATCHER: NewsWords._failed,
    EventKind.RECOVERY_REATTEMPT_BOOKED: NewsWords._booked,
    EventKind.RECOVERY_PICK_UP: NewsWords._plain,
    EventKind.RECOVERY_SENT_BACK: NewsWords._plain,
    EventKind.RECOVERY_CLOSED: NewsWords._plain,
    EventKind.SLA_BREACHED: NewsWords._breached,
}
