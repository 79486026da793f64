"""What waits to be told by mail goes out together: one mail per client and topic for what happened within minutes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clients import jobs
from bot.clients.models import ClientMail, ClientNews, MailState, Topic
from bot.clients.wording import NewsWords
from bot.clock import Clock
from bot.db import Database
from bot.reports.letters import Letters, SendsFiles
from bot.sop import ProtocolInForce

TOGETHER = timedelta(minutes=10)
"""How long the first of several waits for others, by the day's time."""
ASKED_AGAIN_AFTER = timedelta(minutes=10)
"""Wall time; longer than a job waits between two tries."""
NEWS_PER_MAIL = 300
AT_MOST = 50


class ClientMails(Letters[ClientMail]):
    kind = "client_mail"

    def __init__(self, database: Database, clock: Clock, sender: SendsFiles | None) -> None:
        super().__init__(database, clock, sender, ClientMail)

    def facts_of(self, mail: ClientMail) -> dict[str, Any]:
        return {"client": mail.client, "topic": mail.topic.value}


class NewsRound:
    """What the clock calls. Several replicas may: each row of news is claimed by one of them."""

    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, words: NewsWords) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._words = words

    async def run(self) -> int:
        """Gives how many mails were put on their way."""
        async with self._database.transaction() as session:
            due = await self._due(session)
        made = 0
        for client, topic in due:
            async with self._database.transaction() as session:
                made += await self._tell(session, client, topic)
        async with self._database.transaction() as session:
            await self._ask_for_stranded(session)
            await self._forget_old(session)
        return made

    async def _due(self, session: AsyncSession) -> list[tuple[str, Topic]]:
        found = await session.execute(
            select(col(ClientNews.client), col(ClientNews.topic))
            .where(col(ClientNews.told_at).is_(None))
            .group_by(col(ClientNews.client), col(ClientNews.topic))
            .having(func.min(col(ClientNews.happened_at)) <= self._clock.now() - TOGETHER)
        )
        return [(client, topic) for client, topic in found]

    async def _tell(self, session: AsyncSession, client: str, topic: Topic) -> int:
        rows = await session.scalars(
            select(ClientNews)
            .where(
                col(ClientNews.client) == client,
                col(ClientNews.topic) == topic,
                col(ClientNews.told_at).is_(None),
            )
            .order_by(col(ClientNews.seq))
            .limit(NEWS_PER_MAIL)
            .with_for_update(skip_locked=True)
        )
        news = list(rows)
        now = self._clock.now()
        for each in news:
            each.told_at = now
        known = self._sop.current.client(client)
        if not news or not known.email:
            # Nobody to write to any more: sop.yml has changed.
            return 0
        said = self._words.mail(topic, newest_per_stop(news), known.language)
        addresses = dict.fromkeys(address.lower() for address in known.email)
        for recipient in addresses:
            mail = ClientMail(
                client=client,
                topic=topic,
                recipient=recipient,
                subject=said.subject,
                text=said.text,
                made_at=now,
                asked_at=self._clock.wall(),
            )
            session.add(mail)
            audit.record(session, now, "client_mail", str(mail.id), "made", client=client, topic=topic.value)
            await jobs.send_mail(session, mail.id)
        return len(addresses)

    async def _ask_for_stranded(self, session: AsyncSession) -> None:
        """Mails whose job gave up. Asking once too often changes nothing."""
        wall = self._clock.wall()
        mails = await session.scalars(
            select(ClientMail)
            .where(
                col(ClientMail.state).in_([MailState.QUEUED, MailState.SENDING]),
                col(ClientMail.asked_at) <= wall - ASKED_AGAIN_AFTER,
            )
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        for mail in mails:
            mail.asked_at = wall
            await jobs.send_mail(session, mail.id)

    async def _forget_old(self, session: AsyncSession) -> None:
        kept = timedelta(days=self._sop.current.hand_over.keep_days)
        await session.execute(delete(ClientNews).where(col(ClientNews.told_at) < self._clock.now() - kept))


def newest_per_stop(news: Sequence[ClientNews]) -> list[ClientNews]:
    """In the order in which each stop was first heard of; of each the newest only: it says where things stand."""
    newest: dict[UUID, ClientNews] = {}
    for each in news:
        newest[each.stop_id or each.id] = each
    return list(newest.values())
