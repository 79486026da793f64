"""Pure: what people are called in a report, and what of their words and numbers may be shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import phonenumbers

from bot import audit
from bot.conversations.privacy import DOTS, masked
from bot.oncall.people import PERSON
from bot.sop import Protocol

__all__ = ["FROM_SLACK", "PERSON", "Names", "private", "without_phones"]

FROM_SLACK = r"[UW][A-Z0-9]{2,}"
API_CALLER = "token:"
SHOWN_DIGITS = 4
_NUMBER = re.compile(r"(?<![\w+])(?!\d{4}-\d{2}-\d{2}\b)\+?\(?\d[\d\s().-]{5,18}\d(?!\w)")


@dataclass(frozen=True)
class Names:
    """`for_client`: the reader is the shipper, who reads roles instead of names."""

    by_id: Mapping[str, str]
    for_client: bool = False

    @classmethod
    def of(cls, sop: Protocol, *, for_client: bool = False) -> "Names":
        by_id = {f"{PERSON}{key}": person.name for key, person in sop.people.items()}
        by_id |= {person.slack: person.name for person in sop.people.values() if person.slack}
        return cls(by_id, for_client)

    def who(self, actor: str | None) -> str:
        """`Dana Cole (dispatcher)`; somebody whom sop.yml does not name is called by their id."""
        if not actor or actor == audit.SYSTEM:
            return "Doorline"
        if actor in ("recipient", "driver", "client"):
            return actor.capitalize()
        if actor.startswith(API_CALLER):
            return "Client's system" if self.for_client else f"API {actor.removeprefix(API_CALLER)[:8]}"
        if actor.startswith(PERSON) or re.fullmatch(FROM_SLACK, actor):
            return "Dispatcher" if self.for_client else self.person(actor)
        return actor.partition(":")[0].capitalize()

    def person(self, dispatcher: str) -> str:
        if self.for_client:
            return "a dispatcher"
        name = self.by_id.get(dispatcher, dispatcher.removeprefix(PERSON))
        return f"{name} (dispatcher)"

    def in_words(self, words: str) -> str:
        """Mentions of dispatchers inside a line, as Slack writes them, become names."""
        return re.sub(
            r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>",
            lambda found: "a dispatcher" if self.for_client else self.by_id.get(found[1], found[1]),
            words,
        )


def private(words: str) -> str:
    """What somebody wrote, without access codes, and phone numbers but for their last four digits."""
    return without_phones(masked(words))


def without_phones(words: str) -> str:
    return _NUMBER.sub(lambda found: _short(found.group()), words)


def _short(written: str) -> str:
    digits = re.sub(r"\D", "", written)
    if not _is_phone(written, digits):
        return written
    return f"{DOTS} {digits[-SHOWN_DIGITS:]}"


def _is_phone(written: str, digits: str) -> bool:
    """Order numbers and dates are numbers too: it must be one that somebody could call."""
    if not 7 <= len(digits) <= 15:
        return False
    region = None if written.startswith("+") else "US"
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(written, region))
    except phonenumbers.NumberParseException:
        return False
