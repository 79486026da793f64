"""A client's day as it reads by mail: one line per figure, those that are nothing left out."""

from collections.abc import Iterator

from bot.clients.day import DaySummary
from bot.clients.wording import NewsWords, SaidByMail
from bot.conversations.words import Words
from bot.sop import ProtocolInForce


class DayWords:
    def __init__(self, sop: ProtocolInForce, words: Words, news: NewsWords) -> None:
        self._sop = sop
        self._words = words
        self._news = news

    def mail(self, summary: DaySummary, language: str) -> SaidByMail:
        when = self._news.said_day(summary.day, language)
        subject = self._words.say(
            "utter_client_subject_summary",
            language,
            operator=self._sop.current.operator.name,
            client=summary.client,
            when=when,
        )
        return SaidByMail(subject, f"{self.text(summary, language)}\n\n{self._news.end(language)}\n")

    def text(self, summary: DaySummary, language: str) -> str:
        return "\n".join(self._lines(summary, self._news.said_day(summary.day, language), language))

    def _lines(self, summary: DaySummary, when: str, language: str) -> Iterator[str]:
        if not summary.stops:
            yield self._words.say("utter_client_day_nothing", language, when=when)
        else:
            yield self._words.say("utter_client_day", language, when=when, count=str(summary.stops))
            yield self._count("utter_client_day_delivered", summary.delivered, language)
            yield self._count("utter_client_day_on_time", summary.on_time, language)
        for response, count in (
            ("utter_client_day_late", summary.late),
            ("utter_client_day_open", summary.open),
            ("utter_client_day_failed", summary.failed),
        ):
            if count:
                yield self._count(response, count, language)
        yield from self._failures(summary, language)
        after = summary.follow_ups
        for response, count in (
            ("utter_client_day_booked", after.booked),
            ("utter_client_day_followed", after.open),
        ):
            if count:
                yield self._count(response, count, language)
        if summary.open_exceptions:
            yield self._count("utter_client_day_exceptions", summary.open_exceptions, language)

    def _failures(self, summary: DaySummary, language: str) -> Iterator[str]:
        for each in summary.failures:
            reason = self._news.reason(each.reason.value if each.reason else None, language)
            yield self._words.say(
                "utter_client_day_failed_by", language, reason=reason, count=str(each.stops)
            )

    def _count(self, response: str, count: int, language: str) -> str:
        return self._words.say(response, language, count=str(count))
