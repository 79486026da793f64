"""The recipients' side of the texts: who reads what Doorline writes, and what they write back."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bench.day_checks import Text
from bench.day_crowd import Crowd, Waiting
from bench.day_desk import Agenda
from bench.day_outcome import Answered
from bench.day_stage import TIMEZONE, DayStage
from bench.day_words import FOLLOW_UP, Meanings, is_question, named_until
from connectors.twilio.emulator_state import StoredMessage
from connectors.twilio.mapping import number_of
from connectors.world.people import Assumed
from connectors.world.phrases import CODES, FOLLOW_UPS, STOPS, YES

MOST_TURNS = 5
ZONE = ZoneInfo(TIMEZONE)
FAILED_TO_ARRIVE = ("failed", "undelivered")
DIALOGUE_PAUSE = timedelta(minutes=2)


@dataclass
class Talk:
    """What is going on between one person and Doorline about a delivery that failed."""

    is_asked: int = 0
    turns: int = 0
    gave_code: bool = False


@dataclass
class Sent:
    """Everything that a bench needs to remember of what people wrote."""

    answered: list[Answered] = field(default_factory=list)
    opted_out: dict[str, datetime] = field(default_factory=dict)
    came_back: set[str] = field(default_factory=set)
    codes_before: list[str] = field(default_factory=list)
    """Gate codes that were sent before the visit."""


class Texting:
    def __init__(self, stage: DayStage, crowd: Crowd, agenda: Agenda, meanings: Meanings) -> None:
        self._stage = stage
        self._crowd = crowd
        self._agenda = agenda
        self._meanings = meanings
        self._read = 0
        self._outgoing: list[tuple[Waiting, str]] = []
        self._asking: dict[str, list[tuple[Waiting, datetime]]] = {}
        self._talks: dict[str, Talk] = {}
        self._code_sent: set[str] = set()
        self._wrote_at: dict[str, datetime] = {}
        self._leaving: dict[str, str] = {}
        """What those who want no more texts say, or have said."""
        self.sent = Sent()
        self.duplicate_webhooks = False

    # --- writing ------------------------------------------------------------------------------

    def asks(self, each: Waiting, words: str, now: datetime) -> None:
        """Somebody wants to know where it is."""
        self._asking.setdefault(each.person.phone, []).append((each, now))
        self._outgoing.append((each, words))

    async def send(self) -> None:
        """Texts what people want to say by now, a few at a time, and waits for the answers."""
        while self._outgoing:
            some, self._outgoing = self._outgoing[:4], self._outgoing[4:]
            await asyncio.gather(*(self._text(each, words) for each, words in some))
            await self._stage.settled()
            self.read()

    async def _text(self, each: Waiting, words: str) -> None:
        result = await self._stage.twilio.text(each.person.phone, words)
        self._wrote_at[each.person.phone] = self._stage.clock.now()
        if self._leaving.get(each.person.phone) == words:
            said = self._stage.twilio.store.find(result.sid)
            assert said is not None, result.sid
            self.sent.opted_out.setdefault(each.person.phone, said.created_at)
        if self.duplicate_webhooks and each.person.luck("webhook twice") < 0.3:
            await self._stage.twilio.text(each.person.phone, words, sid=result.sid)

    def _later(self, each: Waiting, words: str, at: datetime) -> None:
        self._agenda.at(at, lambda _moment: self._outgoing.append((each, words)))

    # --- reading ------------------------------------------------------------------------------

    def read(self) -> None:
        """Everybody reads what has come in since the last look."""
        messages = self._stage.twilio.messages()
        new, self._read = messages[self._read :], len(messages)
        for message in new:
            if message.direction == "outbound-api" and message.status not in FAILED_TO_ARRIVE:
                self._reads(message)

    def _reads(self, message: StoredMessage) -> None:
        phone = number_of(message.recipient)
        people = self._crowd.by_phone.get(phone, [])
        if not people or people[0].person.is_one_of(Assumed.LANDLINE):
            return
        self._takes_as_answer(phone, message.created_at)
        meaning = self._meanings.of(message.body)
        for each in about(message.body, people):
            if each.fate == "failed" or (meaning and meaning.kind in ("failed", FOLLOW_UP)):
                self._is_asked_what_to_do(each, message, meaning is not None)
            else:
                now = message.created_at
                self._crowd.hears(each, named_until(message.body, now.astimezone(ZONE)), now)
                self._may_send_code(each, now)
        if meaning is not None:
            self._may_opt_out(people[0])

    def _takes_as_answer(self, phone: str, at: datetime) -> None:
        for each, asked_at in self._asking.pop(phone, []):
            self.sent.answered.append(Answered(each.ref, asked_at, at))

    def _may_send_code(self, each: Waiting, now: datetime) -> None:
        if each.ref not in self._code_sent and self._crowd.wants_to_send_code(each):
            self._code_sent.add(each.ref)
            words = CODES[each.person.language].format(code=each.person.gate_code)
            self._later(each, words, now + DIALOGUE_PAUSE)

    def _may_opt_out(self, each: Waiting) -> None:
        phone = each.person.phone
        if phone in self._leaving or not each.person.is_one_of(Assumed.OPTS_OUT):
            return
        by_keyword = each.person.is_one_of(Assumed.OPTS_OUT_BY_KEYWORD)
        words = "STOP" if by_keyword else each.person.chooses("stops", STOPS[each.person.language])
        self._leaving[phone] = words
        self._outgoing.append((each, words))

    # --- after a failed delivery --------------------------------------------------------------

    def _is_asked_what_to_do(self, each: Waiting, message: StoredMessage, is_unasked: bool) -> None:
        now = message.created_at
        self._crowd.hears(each, None, now)
        visit = self._crowd.visit_of(each)
        if visit is None or visit.failure is None or each.person.phone in self._leaving:
            return
        phrases = FOLLOW_UPS.get(visit.failure.reason)
        talk = self._talks.setdefault(each.ref, Talk())
        if talk.turns:
            self._goes_on(each, talk, message)
            return
        if phrases is None or not is_unasked:
            return
        talk.is_asked += 1
        share = Assumed.ANSWERS if talk.is_asked == 1 else Assumed.ANSWERS_REMINDER
        if each.person.is_one_of(share, f"answers {talk.is_asked}"):
            words = each.person.chooses("what to do", phrases[each.person.language])
            talk.turns, talk.gave_code = 1, "{code}" in words or "{address}" in words
            filled = words.format(code=each.person.gate_code, address=corrected(each))
            self._later(each, filled, now + each.person.answers_after())

    def _goes_on(self, each: Waiting, talk: Talk, message: StoredMessage) -> None:
        """Answers what is asked back: the first that is offered, or yes."""
        answered_since = self._wrote_at.get(each.person.phone)
        if answered_since is None or not is_question(message.body) or talk.turns >= MOST_TURNS:
            return
        talk.turns += 1
        words = "1" if "1)" in message.body else each.person.chooses("yes", YES[each.person.language])
        self._later(each, words, message.created_at + DIALOGUE_PAUSE)

    def talk_of(self, each: Waiting) -> Talk | None:
        return self._talks.get(each.ref)

    def unanswered(self) -> list[Answered]:
        return [
            Answered(each.ref, asked_at, None) for asked in self._asking.values() for each, asked_at in asked
        ]

    # --- the record ---------------------------------------------------------------------------

    def texts(self) -> list[Text]:
        """Twilio's list, with what each text means."""
        return [self._as_text(message) for message in self._stage.twilio.messages() if _counts(message)]

    def _as_text(self, message: StoredMessage) -> Text:
        from_us = message.direction != "inbound"
        phone = number_of(message.recipient if from_us else message.sender or "")
        meaning = self._meanings.of(message.body) if from_us else None
        people = about(message.body, self._crowd.by_phone.get(phone, []))
        return Text(
            at=message.created_at,
            phone=phone,
            body=message.body,
            from_us=from_us,
            kind=meaning.kind if meaning else "",
            stop=people[0].ref if len(people) == 1 else "",
            eta=named_until(message.body, message.created_at.astimezone(ZONE)) if meaning else None,
            arrived=message.status not in FAILED_TO_ARRIVE,
        )


def _counts(message: StoredMessage) -> bool:
    """Twilio's own answer to STOP is not ours."""
    return message.direction != "outbound-reply"


def about(body: str, people: list[Waiting]) -> list[Waiting]:
    """Whose stop the text is about, by the client that it names; all of them where it names none."""
    named = [each for each in people if each.person.stop.client in body]
    return named or people


def corrected(each: Waiting) -> str:
    """The address that the driver did not find, one house further."""
    number, _, street = each.person.stop.address.line.partition(" ")
    return f"{int(number) + 2} {street}"
