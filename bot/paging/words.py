"""What people on call read and hear: responses of `nlu/domain/responses_paging.yml`, filled."""

from datetime import datetime
from typing import Protocol

from bot.clock import Clock
from bot.conversations.words import Words
from bot.oncall.people import PERSON
from bot.paging.matter import Matter
from bot.paging.models import OperatorReason
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.escalation import Severity

WHY_LENGTH = 80
NAME_LENGTH = 28
PLACE_LENGTH = 36

REASONS = {
    Severity.AT_RISK.value: "utter_page_reason_at_risk",
    Severity.BREACHED.value: "utter_page_reason_breached",
    Severity.FAILED.value: "utter_page_reason_failed",
    Severity.RECIPIENT_WAITING.value: "utter_page_reason_recipient_waiting",
    Severity.PLATFORM_SILENT.value: "utter_page_reason_platform_silent",
    OperatorReason.DESK_UNREACHABLE.value: "utter_page_reason_desk_unreachable",
    OperatorReason.WATCH_STOPPED.value: "utter_page_reason_watch_stopped",
    OperatorReason.FEEDS_STALE.value: "utter_page_reason_feeds_stale",
    OperatorReason.DOORLINE_ILL.value: "utter_page_reason_doorline_ill",
    OperatorReason.TEXTS_FILTERED.value: "utter_page_reason_texts_filtered",
}


class Speech(Protocol):
    """Times as people read them; `bot.app` hands in those of the actions."""

    def say_clock(self, moment: datetime, timezone: str) -> str: ...


class PageWords:
    def __init__(self, clock: Clock, sop: ProtocolInForce, words: Words, speech: Speech) -> None:
        self._clock = clock
        self._sop = sop
        self._words = words
        self._speech = speech

    # --- texts ----------------------------------------------------------------------------------

    def text(self, matter: Matter, language: str) -> str:
        """The page itself: what, where, whose, how much, why, and how to answer."""
        why = shortened(matter.why.rstrip("."), WHY_LENGTH)
        about = ". ".join(part for part in (capitalised(self.about(matter, language)), why) if part)
        return self._words.say("utter_page", language, operator=self._operator, about=about)

    def more(self, matter: Matter, language: str) -> str:
        """The stops, or, of what is about none, why once more."""
        lines = [self._stop_line(stop, matter.timezone, language) for stop in matter.stops]
        if matter.count > len(lines):
            more = str(matter.count - len(lines))
            lines.append(self._words.say("utter_page_more_stops", language, count=more))
        lines = lines or [matter.why.rstrip(".") or self.about(matter, language)]
        return self._words.say("utter_page_more", language, message="; ".join(lines))

    def which(self, matters: list[Matter], language: str) -> str:
        numbered = [
            f"{number}) {capitalised(self.about(matter, language))}."
            for number, matter in enumerate(matters, start=1)
        ]
        return self._words.say("utter_page_which", language, options=" ".join(numbered))

    def taken(self, language: str) -> str:
        return self._words.say("utter_page_taken", language)

    def yours(self, language: str) -> str:
        return self._words.say("utter_page_yours", language)

    def held(self, holder: str | None, language: str) -> str:
        name = self._name_of(holder)
        if not name:
            return self._words.say("utter_page_held_by_somebody", language)
        return self._words.say("utter_page_held", language, name=name)

    def over(self, language: str) -> str:
        return self._words.say("utter_page_over", language)

    def not_allowed(self, language: str) -> str:
        return self._words.say("utter_page_not_allowed", language)

    def noted(self, language: str, *, is_open: bool) -> str:
        return self._words.say("utter_page_noted_open" if is_open else "utter_page_noted", language)

    # --- calls ----------------------------------------------------------------------------------

    def cause(self, matter: Matter, language: str) -> tuple[str, ...]:
        """Said when somebody answers, and again when they ask for it."""
        about = capitalised(self.about(matter, language))
        return (
            self._words.say("utter_call_cause", language, operator=self._operator, about=about),
            self._words.say("utter_call_keys", language),
        )

    def goodbye(self, language: str, *first: str) -> tuple[str, ...]:
        return (*first, self._words.say("utter_call_goodbye", language))

    def no_key(self, language: str) -> tuple[str, ...]:
        return (self._words.say("utter_call_no_key", language),)

    # --- parts ----------------------------------------------------------------------------------

    def about(self, matter: Matter, language: str) -> str:
        """`3 stops late, North, Acme, $225 at stake`."""
        parts = [self._reason(matter, language), matter.zone, shortened(matter.client, NAME_LENGTH)]
        if matter.exposure_usd > 0:
            money = f"${matter.exposure_usd:,}"
            parts.append(self._words.say("utter_page_at_stake", language, money=money))
        return ", ".join(part for part in parts if part)

    def _reason(self, matter: Matter, language: str) -> str:
        reason = self._words.say(REASONS[matter.reason], language)
        if matter.count == 0:
            return reason
        if matter.count == 1:
            return self._words.say("utter_page_one_stop", language, message=reason)
        return self._words.say("utter_page_stops", language, count=str(matter.count), message=reason)

    def _stop_line(self, stop: StopRecord, timezone: str, language: str) -> str:
        place = shortened(stop.address_line, PLACE_LENGTH)
        if stop.window_end_at is None:
            return place
        by = self._speech.say_clock(stop.window_end_at, timezone)
        if stop.eta_at is None:
            return self._words.say("utter_page_stop_no_eta", language, place=place, by=by)
        eta = self._speech.say_clock(stop.eta_at, timezone)
        return self._words.say("utter_page_stop", language, place=place, by=by, eta=eta)

    def _name_of(self, dispatcher: str | None) -> str:
        """Empty for somebody of Slack whom sop.yml does not know by name."""
        if dispatcher is None:
            return ""
        people, key = self._sop.current.people, dispatcher.removeprefix(PERSON)
        found = people.get(key) if dispatcher.startswith(PERSON) else None
        known = found or next((person for person in people.values() if person.slack == dispatcher), None)
        return known.name if known is not None else ""

    @property
    def _operator(self) -> str:
        return self._sop.current.operator.name


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3].rstrip(" ,") + "..."


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
