"""Posts each zone's manifest once and keeps it current until its day is over."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.durable.queue import defer
from bot.manifest.days import day_bounds, is_post_due
from bot.manifest.facts import DayFacts
from bot.manifest.jobs import keep_manifest
from bot.manifest.links import ManifestLinks
from bot.manifest.marks import first_shown, not_shown_yet
from bot.manifest.models import FirstShown, ManifestPost
from bot.manifest.reading import ManifestReader, zones_today
from bot.manifest.rules import manifest_of
from bot.sop import ProtocolInForce
from connectors.desk import ManifestView

REFRESH_EVERY = timedelta(seconds=30)
"""Wall time between two looks at a manifest that is posted."""


class ManifestKeeper:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        reader: ManifestReader,
        boards: DeskBoards,
        links: ManifestLinks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._reader = reader
        self._boards = boards
        self._links = links

    # --- what the clock asks for ------------------------------------------------------------------

    async def ask_for_due(self) -> None:
        """Asks for the manifests whose time of posting has come, and for another look at those posted."""
        async with self._database.transaction() as session:
            for zone, day in await self._due_to_be_posted(session):
                await _ask(session, zone, day)
            for post in await self._due_to_be_refreshed(session):
                await _ask(session, post.zone, post.day)

    async def _due_to_be_posted(self, session: AsyncSession) -> list[tuple[str, date]]:
        post_at = self._sop.current.manifest.post_at
        if post_at is None:
            return []
        now = self._clock.now()
        today = await zones_today(session, now)
        done = await _scheduled_posts(session, {day for day, _ in today.values()})
        return [
            (zone, day)
            for zone, (day, timezone) in today.items()
            if (zone, day) not in done and is_post_due(day, timezone, post_at, now)
        ]

    async def _due_to_be_refreshed(self, session: AsyncSession) -> list[ManifestPost]:
        wall = self._clock.wall()
        rows = await session.scalars(
            select(ManifestPost)
            .where(col(ManifestPost.closed_at).is_(None), col(ManifestPost.refresh_at) <= wall)
            .with_for_update(skip_locked=True)
        )
        posts = list(rows)
        for post in posts:
            post.refresh_at = wall + REFRESH_EVERY
        return posts

    # --- posting and keeping ------------------------------------------------------------------------

    async def keep(self, zone: str, day: date) -> ManifestView | None:
        """Posts the manifest, or lets its post show how it stands; None when there is nothing to be shown.

        Doing it twice changes nothing: the post is found by its zone and day.
        """
        facts = await self._reader.read(day)
        timezone = facts.timezone_of(zone)
        if timezone is None:
            return None
        async with self._database.transaction() as session:
            post = await self._post_of(session, facts, zone, timezone)
            # Thousands of stops take a while, and webhooks must not wait for it.
            view = await asyncio.to_thread(manifest_of, replace(facts, posts={zone: post}), zone, timezone)
            if post.as_of <= facts.as_of:  # else somebody has shown a newer one meanwhile
                channel = self._sop.current.escalations.channel_for(zone)
                await self._boards.keep(session, post.key, channel, view)
                self._note(session, post, facts)
        return view

    async def _post_of(
        self, session: AsyncSession, facts: DayFacts, zone: str, timezone: str
    ) -> ManifestPost:
        """The row of this zone and day, locked: new, or issued anew when the protocol's time has come since."""
        if zone not in facts.posts:
            await self._insert(session, facts, zone, timezone)
        rows = await session.scalars(
            select(ManifestPost)
            .where(col(ManifestPost.zone) == zone, col(ManifestPost.day) == facts.day)
            .with_for_update()
        )
        post = rows.one()
        if not post.is_scheduled and self._is_due(facts, timezone) and not _is_over(post, facts):
            for name, value in self._new_issue(facts, zone, timezone).items():
                setattr(post, name, value)
            post.issue += 1
            self._record(session, post, "posted")
        return post

    async def _insert(self, session: AsyncSession, facts: DayFacts, zone: str, timezone: str) -> None:
        values = {
            "zone": zone,
            "day": facts.day,
            "timezone": timezone,
            "issue": 1,
            **self._new_issue(facts, zone, timezone),
        }
        post_id = await session.scalar(
            insert(ManifestPost)
            .values(values)
            .on_conflict_do_nothing(index_elements=["zone", "day"])
            .returning(col(ManifestPost.id))
        )
        if post_id is not None:
            self._record(session, await session.get_one(ManifestPost, post_id), "posted")

    def _new_issue(self, facts: DayFacts, zone: str, timezone: str) -> dict[str, Any]:
        shown = first_shown(facts, not_shown_yet(facts, zone, {}), is_late=False)
        return {
            "is_scheduled": self._is_due(facts, timezone),
            "posted_at": facts.as_of,
            "as_of": facts.as_of,
            "baseline": _as_json(shown),
            "page_url": self._links.page_url(zone, facts.day),
            "refresh_at": self._clock.wall() + REFRESH_EVERY,
        }

    def _is_due(self, facts: DayFacts, timezone: str) -> bool:
        return is_post_due(facts.day, timezone, self._sop.current.manifest.post_at, facts.as_of)

    def _note(self, session: AsyncSession, post: ManifestPost, facts: DayFacts) -> None:
        """What was shown; after the day is over, that this was the last look."""
        late = not_shown_yet(facts, post.zone, post.baseline)
        if late:
            post.baseline = post.baseline | _as_json(first_shown(facts, late, is_late=True))
        post.as_of = facts.as_of
        if post.closed_at is None and _is_over(post, facts):
            post.closed_at = facts.as_of
            self._record(session, post, "closed")

    def _record(self, session: AsyncSession, post: ManifestPost, verb: str) -> None:
        audit.record(
            session,
            self._clock.now(),
            "manifest",
            str(post.id),
            verb,
            zone=post.zone,
            day=post.day.isoformat(),
            issue=post.issue,
            stops=len(post.baseline),
        )


def _is_over(post: ManifestPost, facts: DayFacts) -> bool:
    return facts.as_of >= day_bounds(post.day, post.timezone)[1]


def _as_json(shown: Mapping[str, FirstShown]) -> dict[str, Any]:
    return {stop_id: each.model_dump(mode="json") for stop_id, each in shown.items()}


async def _scheduled_posts(session: AsyncSession, days: set[date]) -> set[tuple[str, date]]:
    rows = await session.execute(
        select(col(ManifestPost.zone), col(ManifestPost.day)).where(
            col(ManifestPost.day).in_(days), col(ManifestPost.is_scheduled)
        )
    )
    return {(zone, day) for zone, day in rows}


async def _ask(session: AsyncSession, zone: str, day: date) -> None:
    """One look after the other at each manifest: an older one must not overwrite a newer."""
    await defer(session, keep_manifest, lock=f"manifest:{day}:{zone}", zone=zone, day=day.isoformat())
