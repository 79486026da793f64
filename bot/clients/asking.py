"""Clients ask by mail about their own stops: read without a model, answered in the thread, or given to a dispatcher.

Whose mailbox it is stands in sop.yml, and a trusted server must vouch for the sender: anybody can write any From.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clients import queries as find
from bot.clients.day import ClientDays
from bot.clients.rules import clients_of
from bot.clients.understanding import About, Question, read_question
from bot.clients.wording import Speech
from bot.clients.wording_day import DayWords
from bot.clients.wording_stops import StopWords
from bot.clock import Clock
from bot.conversations.handoff import Handoff
from bot.conversations.models import Conversation, InboundText
from bot.conversations.words import Words
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import ChannelName

LISTED = 50
"""Lines of one answer; more is no mail to read."""
REASON = "client_asks"
"""Of the handoff; `bot/conversations/handoff.py` has the words for it."""

StopsOn = Callable[[AsyncSession, Sequence[str], date, str], Awaitable[list[StopRecord]]]
LISTS: Mapping[About, tuple[StopsOn, str, str]] = {
    About.FAILED: (find.failed_on, "utter_client_some_failed", "utter_client_none_failed"),
    About.LATE: (find.late_on, "utter_client_some_late", "utter_client_none_late"),
    About.FOLLOWED: (find.followed_on, "utter_client_some_followed", "utter_client_none_followed"),
}


@dataclass(frozen=True)
class Asked:
    """One question with what is needed to answer it."""

    clients: tuple[str, ...]
    question: Question
    day: date
    language: str


@dataclass(frozen=True)
class Found:
    lines: tuple[str, ...] = ()
    stop_id: UUID | None = None
    """The one stop that it is about, where it is one."""


class ClientQuestions:
    """Fulfils `ColleagueReplies` of the conversations."""

    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        handoff: Handoff,
        days: ClientDays,
        words: Words,
        speech: Speech,
        stop_words: StopWords,
        day_words: DayWords,
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._handoff = handoff
        self._days = days
        self._words = words
        self._speech = speech
        self._stop_words = stop_words
        self._day_words = day_words

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to a client's mail; None for everybody else's, and while a dispatcher has the conversation."""
        if conversation.channel is not ChannelName.EMAIL:
            return None
        clients = clients_of(self._sop.current, conversation.address)
        if not clients or await self._handoff.holder(session, conversation.id) is not None:
            return None
        asked = self._read(clients, inbound.text)
        conversation.language = asked.language
        if not inbound.is_authentic:
            return self._words.say("utter_client_unverified", asked.language)
        if asked.question.is_thanks:
            return ""
        found = await self._find(session, asked)
        if found.lines and not asked.question.wants_more:
            return "\n".join(found.lines)
        return "\n".join([*found.lines, await self._pass_on(session, conversation, inbound, found, asked)])

    def _read(self, clients: tuple[str, ...], text: str) -> Asked:
        today = self._clock.now().astimezone(self._sop.current.zone).date()
        question = read_question(text, today)
        language = question.language or self._sop.current.client(clients[0]).language
        return Asked(clients, question, question.day or today, language)

    # --- what is asked for ------------------------------------------------------------------------

    async def _find(self, session: AsyncSession, asked: Asked) -> Found:
        numbers = (*asked.question.named, *asked.question.perhaps)
        known = await find.numbered(session, asked.clients, numbers)
        lines: list[str] = []
        if asked.question.named or known:
            lines += await self._numbered(session, asked, known)
        else:
            for about in asked.question.about:
                if about is not About.SUMMARY:
                    lines += await self._list(session, asked, about)
        if About.SUMMARY in asked.question.about:
            lines += await self._summaries(asked)
        stops = {stop.id for each in known.values() for stop in each}
        return Found(tuple(lines), stops.pop() if len(stops) == 1 else None)

    async def _numbered(
        self, session: AsyncSession, asked: Asked, known: Mapping[str, list[StopRecord]]
    ) -> list[str]:
        stops = list({stop.id: stop for each in known.values() for stop in each}.values())
        lines = await self._lines(session, stops, asked.language)
        unknown = [number for number in asked.question.named if number.lower() not in known]
        return lines + [self._stop_words.unknown(number, asked.language) for number in unknown]

    async def _list(self, session: AsyncSession, asked: Asked, about: About) -> list[str]:
        read, some, none = LISTS[about]
        when = self._speech.say_date(asked.day, asked.language)
        stops = await read(session, asked.clients, asked.day, self._sop.current.operator.timezone)
        if not stops:
            return [self._words.say(none, asked.language, when=when)]
        title = self._words.say(some, asked.language, when=when, count=str(len(stops)))
        return [title, *await self._lines(session, stops, asked.language)]

    async def _summaries(self, asked: Asked) -> list[str]:
        today = self._clock.now().astimezone(self._sop.current.zone).date()
        lines: list[str] = []
        for client in asked.clients:
            day = await self._days.read(client, min(asked.day, today))
            lines += [client] if len(asked.clients) > 1 else []
            lines.append(self._day_words.text(day.summary, asked.language))
        return lines

    async def _lines(self, session: AsyncSession, stops: Sequence[StopRecord], language: str) -> list[str]:
        followed = await find.recoveries_of(session, stops)
        now, shown = self._clock.now(), stops[:LISTED]
        lines = [self._stop_words.line(stop, followed.get(stop.id), now, language) for stop in shown]
        if more := len(stops) - len(shown):
            lines.append(self._words.say("utter_client_and_more", language, count=str(more)))
        return lines

    async def _pass_on(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        found: Found,
        asked: Asked,
    ) -> str:
        promise = await self._handoff.escalate(
            session,
            conversation,
            REASON,
            about=inbound.id,
            stop_id=str(found.stop_id) if found.stop_id is not None else None,
        )
        by = self._speech.say_instant(promise.respond_by, promise.timezone, self._clock.now(), asked.language)
        response = "utter_client_passed_on_too" if found.lines else "utter_client_passed_on"
        return self._words.say(response, asked.language, by=by)
