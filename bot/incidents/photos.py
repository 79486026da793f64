"""Pictures that people send: fetched with the channel's credentials, checked, kept, shown to dispatchers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import PurePath
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import Conversation, InboundState, InboundText
from bot.conversations.notices import Notices
from bot.db import Database
from bot.durable.queue import defer
from bot.errors import AnswerFirstError, NotFoundError
from bot.escalations.models import Escalation
from bot.escalations.rules import WAITING
from bot.escalations.service import EscalationService
from bot.escalations.thread import note, show
from bot.incidents import jobs
from bot.incidents.media import Kept, MediaStore
from bot.incidents.models import Incident, IncidentPhoto, PhotoState
from bot.links import SignedLinks
from bot.sop import ProtocolInForce
from connectors.base import Channel, ChannelName, MediaContent
from connectors.errors import ChannelUnavailableError, MediaRefusedError
from connectors.escalation import Happening

log = structlog.get_logger()

PATIENCE = timedelta(days=1)
"""A picture that cannot be fetched for this long is given up."""
BYTES_PER_MEGABYTE = 1_000_000
REFUSED_RESPONSE = "utter_photo_refused"


FindsEscalation = Callable[[AsyncSession, UUID], Awaitable[Escalation | None]]
"""By the text that brought the picture; locked."""


class PhotoKeeper:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        escalations: EscalationService,
        notices: Notices,
        channels: dict[ChannelName, Channel],
        store: MediaStore,
        links: SignedLinks,
        elsewhere: FindsEscalation | None = None,
    ) -> None:
        """`links` lead dispatchers to a kept picture; `elsewhere` finds where they look at one that belongs to no
        incident."""
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations
        self._notices = notices
        self._channels = channels
        self._store = store
        self._links = links
        self._elsewhere = elsewhere

    # --- taking in ----------------------------------------------------------------------------

    async def want(self, session: AsyncSession, inbound: InboundText, incident_id: UUID | None) -> None:
        """Asks for every picture of a text, each once; with an incident they belong to it from now on."""
        for position in range(len(inbound.media)):
            statement = (
                insert(IncidentPhoto)
                .values(
                    incident_id=incident_id,
                    conversation_id=inbound.conversation_id,
                    inbound_id=inbound.id,
                    position=position,
                    state=PhotoState.WANTED,
                    reason="",
                    came_at=self._clock.wall(),
                )
                .on_conflict_do_nothing(index_elements=["inbound_id", "position"])
                .returning(col(IncidentPhoto.id))
            )
            photo_id = (await session.execute(statement)).scalar_one_or_none()
            if photo_id is not None:
                await defer(session, jobs.fetch_photo, photo_id=str(photo_id))

    async def match(self, session: AsyncSession, incident: Incident) -> None:
        """Gives the incident the pictures of its conversation that came lately and belong to none yet."""
        minutes = self._sop.current.incidents.photo_minutes
        rows = await session.scalars(
            select(IncidentPhoto)
            .where(
                col(IncidentPhoto.conversation_id) == incident.conversation_id,
                col(IncidentPhoto.incident_id).is_(None),
                col(IncidentPhoto.came_at) >= self._clock.wall() - timedelta(minutes=minutes),
            )
            .order_by(col(IncidentPhoto.came_at), col(IncidentPhoto.position))
            .with_for_update()
        )
        for photo in rows:
            photo.incident_id = incident.id
            await self._tell_dispatchers(session, incident, photo)

    async def count(self, session: AsyncSession, incident_id: UUID) -> int:
        """Pictures of an incident, those on their way too."""
        found = await session.scalar(
            select(func.count())
            .select_from(IncidentPhoto)
            .where(
                col(IncidentPhoto.incident_id) == incident_id,
                col(IncidentPhoto.state) != PhotoState.REFUSED,
            )
        )
        return int(found or 0)

    # --- fetching -----------------------------------------------------------------------------

    async def fetch(self, photo_id: UUID) -> None:
        """Fetches one picture and keeps it. Running it again for the same picture changes nothing.

        Raises:
            ChannelUnavailableError, AnswerFirstError: to be tried again.
        """
        async with self._database.transaction() as session:
            photo = await session.get_one(IncidentPhoto, photo_id)
            inbound = await session.get_one(InboundText, photo.inbound_id)
        if photo.state is PhotoState.WANTED:
            await self._settle(inbound, photo)
        await self._tell(photo_id)

    async def _settle(self, inbound: InboundText, photo: IncidentPhoto) -> None:
        try:
            picture = await self._bytes_of(inbound, photo)
        except MediaRefusedError as exc:
            await self._refuse(photo.id, exc.code or "refused")
        except ChannelUnavailableError:
            if self._clock.wall() - photo.came_at < PATIENCE:
                raise
            await self._refuse(photo.id, "unreachable")
        else:
            kept = await self._store.keep(photo.id, picture)
            await self._remember(photo.id, picture, kept)

    async def _bytes_of(self, inbound: InboundText, photo: IncidentPhoto) -> MediaContent:
        channel = self._channels.get(inbound.channel)
        if channel is None:
            raise MediaRefusedError(inbound.channel.value, "this channel is off", "no_channel")
        limit = self._sop.current.incidents.photo_max_megabytes * BYTES_PER_MEGABYTE
        return await channel.fetch_media(inbound.media[photo.position]["url"], at_most_bytes=limit)

    async def _remember(self, photo_id: UUID, picture: MediaContent, kept: Kept) -> None:
        async with self._database.transaction() as session:
            photo = await session.get_one(IncidentPhoto, photo_id, with_for_update=True)
            if photo.state is not PhotoState.WANTED:
                return
            photo.state, photo.settled_at = PhotoState.KEPT, self._clock.now()
            photo.content_type = picture.content_type
            photo.path, photo.sha256, photo.size_bytes = kept.path, kept.sha256, kept.size_bytes

    async def _refuse(self, photo_id: UUID, reason: str) -> None:
        """The recipient is told once per text, however many of its pictures could not be kept."""
        log.info("photo_refused", photo_id=str(photo_id), reason=reason)
        async with self._database.transaction() as session:
            photo = await session.get_one(IncidentPhoto, photo_id, with_for_update=True)
            if photo.state is not PhotoState.WANTED:
                return
            # One at a time: who comes second sees the first.
            inbound = await session.get_one(InboundText, photo.inbound_id, with_for_update=True)
            if inbound.state is InboundState.RECEIVED:
                raise AnswerFirstError(str(photo_id))
            is_first = not await session.scalar(
                select(func.count())
                .select_from(IncidentPhoto)
                .where(
                    col(IncidentPhoto.inbound_id) == photo.inbound_id,
                    col(IncidentPhoto.state) == PhotoState.REFUSED,
                )
            )
            photo.state, photo.reason, photo.settled_at = PhotoState.REFUSED, reason, self._clock.now()
            # While a dispatcher talks with this person the bot is silent.
            if is_first and inbound.state is not InboundState.HELD:
                conversation = await session.get_one(Conversation, photo.conversation_id)
                timezone = self._sop.current.operator.timezone
                await self._notices.tell(
                    session, conversation, REFUSED_RESPONSE, timezone=timezone, may_wait=False
                )

    # --- showing ------------------------------------------------------------------------------

    async def open_kept(self, token: str) -> tuple[IncidentPhoto, bytes]:
        """The picture behind a link. Raises as `SignedLinks.open`, and `NotFoundError`."""
        opened = self._links.open(token)
        async with self._database.transaction() as session:
            photo = await session.get(IncidentPhoto, opened.thing_id)
        if photo is None or photo.path is None:
            raise NotFoundError("there is no such picture")
        return photo, await self._store.read(photo.path)

    async def _tell(self, photo_id: UUID) -> None:
        """Tells dispatchers of a kept picture, once: of its incident, or where they talk with this person."""
        async with self._database.transaction() as session:
            photo = await session.get_one(IncidentPhoto, photo_id)
            incident = await session.get_one(Incident, photo.incident_id) if photo.incident_id else None
            # The escalation is locked before the picture, as by whoever matches it with an incident.
            await self._escalation(session, incident, photo)
            await session.refresh(photo, with_for_update=True)
            await self._tell_dispatchers(session, incident, photo)

    async def _tell_dispatchers(
        self, session: AsyncSession, incident: Incident | None, photo: IncidentPhoto
    ) -> None:
        escalation = await self._escalation(session, incident, photo)
        if escalation is None or photo.state is not PhotoState.KEPT or photo.told_at is not None:
            return
        photo.told_at = self._clock.now()
        link = self._links.link(photo.id)
        stop_id = incident.stop_id if incident is not None else None
        note(session, escalation, Happening.PHOTO_CAME, photo.told_at, stop_id=stop_id, words=link)
        await show(session, escalation)

    async def _escalation(
        self, session: AsyncSession, incident: Incident | None, photo: IncidentPhoto
    ) -> Escalation | None:
        """Where dispatchers look at this person, locked; once that is over, where they did."""
        waiting = await self._escalations.find_open(session, f"{WAITING}{photo.conversation_id}")
        if waiting is None and incident is None and self._elsewhere is not None:
            return await self._elsewhere(session, photo.inbound_id)
        if waiting is not None or incident is None or incident.escalation_id is None:
            return waiting
        return await session.get_one(Escalation, incident.escalation_id, with_for_update=True)


def file_name(photo: IncidentPhoto) -> str:
    return PurePath(photo.path or "photo").name
