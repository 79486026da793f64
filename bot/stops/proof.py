"""What the driver left as proof: what may be told of it, and the link under which it is seen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from bot.clock import Clock
from bot.db import Database
from bot.errors import NotFoundError
from bot.links import SignedLinks
from bot.sop import ProtocolInForce
from bot.stops.access import may_change
from bot.stops.answers import ProofAnswer, Turn
from bot.stops.asker import get_conversation
from bot.stops.distance import meters_between
from bot.stops.instructions import AnswersAboutStops
from bot.stops.models import StopRecord
from connectors.base import MediaContent, ProofOfDelivery

Nearness = Literal["at_address", "elsewhere", "unknown"]

MOST_BYTES = 10_000_000
"""Of one picture of a platform."""


class Pictures(Protocol):
    """Where the pictures of one platform's proofs come from."""

    async def fetch_picture(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """Raises `PlatformUnavailableError` (not now) or `MediaRefusedError` (never)."""
        ...


class ProofService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        stops: AnswersAboutStops,
        links: SignedLinks,
        pictures: Mapping[str, Pictures],
    ) -> None:
        """`pictures` by the platform's name."""
        self._database = database
        self._clock = clock
        self._sop = sop
        self._stops = stops
        self._links = links
        self._pictures = pictures

    async def look(self, turn: Turn, stop_id: str) -> ProofAnswer:
        """What may be told. Who only knows the number on the parcel hears when it was finished, and no more.

        Raises `NotFoundError` for a stop or conversation that is none of ours.
        """
        answer = await self._stops.get_answer(stop_id)
        async with self._database.transaction() as session:
            record = await session.get_one(StopRecord, UUID(stop_id))
            conversation = await get_conversation(session, turn)
            is_own = await may_change(session, conversation, record, self._clock.wall())
        proof = proof_of(record)
        at = proof.at or record.completed_at
        if not is_own:
            return ProofAnswer(stop=answer, at=at, may_be_shown=False)
        return ProofAnswer(
            stop=answer,
            at=at,
            photos=len(proof.photo_urls),
            signed_by=proof.signed_by,
            has_signature=proof.signature_url is not None,
            near=nearness(meters_from_address(record), self._sop.current.proof.near_meters),
            link=self._links.link(record.id, turn.language) if has_pictures(proof) else None,
        )

    async def find_shown(self, stop_id: UUID) -> StopRecord | None:
        """The stop whose proof a link shows; None where there is nothing left to show."""
        async with self._database.transaction() as session:
            record = await session.get(StopRecord, stop_id)
        return record if record is not None and has_pictures(proof_of(record)) else None

    async def fetch(self, record: StopRecord, url: str) -> MediaContent:
        """One picture of this stop's proof. Raises as `Pictures.fetch_picture`, and `NotFoundError`."""
        pictures = self._pictures.get(record.platform)
        if pictures is None:
            raise NotFoundError(f"no pictures of {record.platform}")
        return await pictures.fetch_picture(url, at_most_bytes=MOST_BYTES)


def proof_of(record: StopRecord) -> ProofOfDelivery:
    """An empty one where the platform told of none."""
    return ProofOfDelivery.model_validate(record.proof or {})


def has_pictures(proof: ProofOfDelivery) -> bool:
    return bool(proof.photo_urls) or proof.signature_url is not None


def meters_from_address(record: StopRecord) -> float | None:
    """How far from the address the stop was finished; None where either place is unknown."""
    proof = proof_of(record)
    places = (record.latitude, record.longitude, proof.latitude, proof.longitude)
    if None in places:
        return None
    return meters_between((places[0] or 0.0, places[1] or 0.0), (places[2] or 0.0, places[3] or 0.0))


def nearness(meters: float | None, near_meters: int) -> Nearness:
    if meters is None:
        return "unknown"
    return "at_address" if meters <= near_meters else "elsewhere"


def finished_at(record: StopRecord) -> datetime | None:
    return proof_of(record).at or record.completed_at
