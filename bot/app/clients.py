"""What clients are told and may ask: the services, and what the clock calls."""

from typing import TypedDict

from actions import speech
from bot.app.reports import mailer_of
from bot.clients.asking import ClientQuestions
from bot.clients.breaches import BreachNews
from bot.clients.day import ClientDays
from bot.clients.mailing import ClientMails, NewsRound
from bot.clients.summaries import SummaryMaker
from bot.clients.telling import ClientTelling
from bot.clients.wording import NewsWords
from bot.clients.wording_day import DayWords
from bot.clients.wording_stops import StopWords
from bot.clock import Clock
from bot.conversations.handoff import Handoff
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.ticks import Tick
from bot.handover.events import ClientEvents
from bot.reports.service import SlaReports
from bot.services import Services
from bot.settings import Settings
from bot.sop import ProtocolInForce


class ClientServices(TypedDict):
    """What `bot.services.Services` takes of it, by its own names."""

    client_telling: ClientTelling
    client_breaches: BreachNews
    client_news: NewsRound
    client_mails: ClientMails
    client_days: ClientDays
    client_summaries: SummaryMaker
    client_questions: ClientQuestions


def client_services(
    settings: Settings,
    database: Database,
    clock: Clock,
    sop: ProtocolInForce,
    words: Words,
    events: ClientEvents,
    handoff: Handoff,
) -> ClientServices:
    telling = ClientTelling(clock, sop, events)
    news = NewsWords(sop, words, speech)
    day_words = DayWords(sop, words, news)
    days = ClientDays(database, clock, sop, SlaReports(database, clock, sop))
    return ClientServices(
        client_telling=telling,
        client_breaches=BreachNews(database, clock, sop, telling),
        client_news=NewsRound(database, clock, sop, news),
        client_mails=ClientMails(database, clock, mailer_of(settings, clock)),
        client_days=days,
        client_questions=ClientQuestions(
            clock, sop, handoff, days, words, speech, StopWords(words, news), day_words
        ),
        client_summaries=SummaryMaker(database, clock, sop, days, events, day_words),
    )


def client_ticks(services: Services) -> list[Tick]:
    return [Tick("breach_news", services.client_breaches.run, 5), Tick("news", services.client_news.run, 10)]
