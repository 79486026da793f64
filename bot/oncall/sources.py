"""Keeps copies of calendars and user groups: a dead feed leaves the last good one in force, and its age is told."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.oncall.models import OnCallSource
from bot.sop import ProtocolInForce
from connectors.duty import CalendarAnswer, CalendarAsked, Calendars, GroupMember, UserGroups
from connectors.errors import ChannelError

log = structlog.get_logger()

MEMBERS = TypeAdapter(tuple[GroupMember, ...])

GROUP, CALENDAR = "group:", "calendar:"


def calendar_key(url: str) -> str:
    return f"{CALENDAR}{hashlib.sha256(url.encode()).hexdigest()[:32]}"


def group_key(group: str) -> str:
    return f"{GROUP}{group}"


@dataclass(frozen=True)
class Wanted:
    """A source that sop.yml names."""

    key: str
    calendar: str = ""
    group: str = ""


@dataclass(frozen=True)
class Good:
    """What a source was found to hold; `content` is None where nothing has changed."""

    content: str | None
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Failed:
    why: str


class OnCallSources:
    """`groups` is None where no Slack is set up: its groups are then simply never read."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        calendars: Calendars,
        groups: UserGroups | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._calendars = calendars
        self._groups = groups

    def wanted(self) -> list[Wanted]:
        """What sop.yml names now, each once."""
        protocol = self._sop.current
        layers = [layer for duty in protocol.on_call.duties for layer in duty.layers]
        urls = dict.fromkeys(layer.calendar for layer in layers if layer.calendar)
        groups = dict.fromkeys(layer.group for layer in layers if layer.group)
        if (dispatchers := dispatcher_group(self._sop)) is not None:
            groups[dispatchers] = None
        return [Wanted(calendar_key(url), calendar=url) for url in urls] + [
            Wanted(group_key(group), group=group) for group in groups
        ]

    async def refresh_due(self) -> int:
        """Reads the sources whose time has come, each by one replica; gives how many."""
        due = await self._claim()
        for wanted, asked in due:
            outcome = await self._read(wanted, asked)
            await self._keep(wanted.key, outcome)
        return len(due)

    async def _claim(self) -> list[tuple[Wanted, OnCallSource]]:
        """A reader that dies meanwhile costs one round, not the copy."""
        sources = {each.key: each for each in self.wanted()}
        if not sources:
            return []
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            await _insert_missing(session, list(sources), wall)
            rows = await session.scalars(
                select(OnCallSource)
                .where(col(OnCallSource.key).in_(sources), col(OnCallSource.next_at) <= wall)
                .order_by(col(OnCallSource.key))
                .with_for_update(skip_locked=True)
            )
            claimed = list(rows)
            for row in claimed:
                row.next_at = wall + timedelta(minutes=self._sop.current.on_call.refresh_minutes)
        return [(sources[row.key], row) for row in claimed]

    async def _read(self, wanted: Wanted, kept: OnCallSource) -> Good | Failed:
        if wanted.group:
            return await self._read_group(wanted.group)
        known = kept.content is not None
        answer = await self._calendars.fetch(
            CalendarAsked(
                url=wanted.calendar,
                etag=kept.etag if known else "",
                last_modified=kept.last_modified if known else "",
            )
        )
        return _of_calendar(answer)

    async def _read_group(self, group: str) -> Good | Failed:
        if self._groups is None:
            return Failed("no_slack")
        try:
            members = await self._groups.members(group)
        except ChannelError as exc:
            return Failed(exc.code or "unavailable")
        return Good(MEMBERS.dump_json(members).decode())

    async def _keep(self, key: str, outcome: Good | Failed) -> None:
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            row = await session.get_one(OnCallSource, key, with_for_update=True)
            if isinstance(outcome, Failed):
                if row.why != outcome.why:
                    log.error("on_call_source_failed", source=key, why=outcome.why)
                row.why, row.failing_since = outcome.why, row.failing_since or wall
                return
            row.why, row.failing_since, row.read_at = "", None, wall
            row.etag, row.last_modified = outcome.etag, outcome.last_modified
            if outcome.content is not None:
                row.content = outcome.content
                row.digest = hashlib.sha256(outcome.content.encode()).hexdigest()


def dispatcher_group(sop: ProtocolInForce) -> str | None:
    """Slack user group whose members may acknowledge."""
    return sop.current.escalations.dispatcher_group


def members_of(row: OnCallSource) -> tuple[GroupMember, ...]:
    return MEMBERS.validate_json(row.content) if row.content is not None else ()


async def kept(session: AsyncSession, keys: Sequence[str]) -> dict[str, OnCallSource]:
    """The copies under these keys, by key; those never asked for are missing."""
    rows = await session.scalars(select(OnCallSource).where(col(OnCallSource.key).in_(keys)))
    return {row.key: row for row in rows}


async def _insert_missing(session: AsyncSession, keys: Sequence[str], wall: datetime) -> None:
    # In one order, so that two replicas do not wait for each other.
    values = [{"key": key, "digest": "", "next_at": wall, "why": ""} for key in sorted(keys)]
    empty = {"etag": "", "last_modified": ""}
    await session.execute(
        insert(OnCallSource)
        .values([value | empty for value in values])
        .on_conflict_do_nothing(index_elements=["key"])
    )


def _of_calendar(answer: CalendarAnswer) -> Good | Failed:
    if answer.why:
        return Failed(answer.why)
    return Good(answer.text, answer.etag, answer.last_modified)
