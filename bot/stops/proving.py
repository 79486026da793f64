"""How somebody comes to see a stop that is not their phone's: by its number, or by both halves of a proof."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.identity import Claims, is_proved, read_claims
from bot.sop import ProtocolInForce
from bot.stops import guesses
from bot.stops.access import Seen, find_by_number, grant
from bot.stops.access_models import AccessLevel, ProofClaim
from bot.stops.answers import Turn
from bot.stops.asker import Asker
from bot.stops.models import StopRecord
from bot.stops.references import offered_numbers

CLAIMS_KEPT_FOR = timedelta(hours=1)
"""Wall time within which the second half of a proof may follow the first."""
SHORT_ANSWER_WORDS = 4
"""A missing half comes in few words, from somebody who may already see other stops."""


@dataclass(frozen=True)
class Finding:
    """A kind of `StopQuestion` with its stops."""

    kind: str
    seen: Sequence[Seen] = ()


class Prover:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def look_up(
        self, session: AsyncSession, asker: Asker, seen: Sequence[Seen], turn: Turn
    ) -> Finding | None:
        """Somebody with a phone offers a number that is not theirs: the right one may be looked at."""
        numbers = offered_numbers(asker.words, not_phone=asker.conversation.address)
        if not numbers:
            return None

        async def look_up() -> list[Seen]:
            found = await find_by_number(session, numbers)
            return [each for each in found if _may_look(each.stop, numbers, asker.words)][:1]

        finding = await self._judge(session, asker, turn, look_up)
        if finding.kind != "one":
            return Finding("no_such_tracking")
        await grant(session, asker.conversation.id, finding.seen[0].stop.id, AccessLevel.LOOK, self._clock)
        return finding

    async def prove(
        self, session: AsyncSession, asker: Asker, seen: Sequence[Seen], turn: Turn
    ) -> Finding | None:
        """Web chat and email: both halves, in one text or in two, in either order."""
        said, earlier = read_claims(asker.words), self._kept(asker.claim)
        if not said or (seen and not _offers_proof(said, earlier, asker.words)):
            return None
        claims = said.on_top_of(earlier)
        await self._keep(session, asker, claims)
        if not claims.is_whole:
            return Finding("proof_locked" if self.is_locked(asker) else "unproved")

        async def look_up() -> list[Seen]:
            found = await find_by_number(session, [claims.tracking])
            return [each for each in found if is_proved(each.stop, claims)][:1]

        finding = await self._judge(session, asker, turn, look_up)
        if finding.kind == "one":
            await self._keep(session, asker, Claims())
            stop_id = finding.seen[0].stop.id
            await grant(session, asker.conversation.id, stop_id, AccessLevel.CHANGE, self._clock)
        return finding

    async def _judge(
        self, session: AsyncSession, asker: Asker, turn: Turn, look_up: guesses.LookUp
    ) -> Finding:
        """`one` with the stop, `wrong_proof`, or `proof_locked`; a text that was wrong before stays wrong."""
        claim = asker.claim
        if claim is not None and turn.inbound_id and claim.judged_inbound_id == turn.inbound_id:
            return Finding("wrong_proof")
        if self.is_locked(asker):
            return Finding("proof_locked")
        found = await guesses.judge(session, asker.conversation, asker.address, look_up, self._clock)
        if found:
            return Finding("one", found)
        await self._store(session, asker, {"judged_inbound_id": turn.inbound_id})
        return Finding("wrong_proof")

    def is_locked(self, asker: Asker) -> bool:
        allowed = self._sop.current.conversation.wrong_tracking_tries
        return guesses.is_locked(asker.conversation, allowed, self._clock.wall())

    def _kept(self, claim: ProofClaim | None) -> Claims:
        if claim is None or claim.claimed_at <= self._clock.wall() - CLAIMS_KEPT_FOR:
            return Claims()
        return Claims(claim.tracking, claim.postcode, claim.phone_end)

    async def _keep(self, session: AsyncSession, asker: Asker, claims: Claims) -> None:
        await self._store(session, asker, {**asdict(claims), "claimed_at": self._clock.wall()})

    async def _store(self, session: AsyncSession, asker: Asker, values: dict[str, Any]) -> None:
        blank = {**asdict(Claims()), "claimed_at": self._clock.wall()}
        await session.execute(
            insert(ProofClaim)
            .values(conversation_id=asker.conversation.id, **blank | values)
            .on_conflict_do_update(index_elements=["conversation_id"], set_=values)
        )


def _may_look(stop: StopRecord, numbers: Sequence[str], words: str) -> bool:
    """The platform's number cannot be guessed; the client's own may be, so it needs its second half."""
    return stop.tracking.lower() in numbers or is_proved(stop, read_claims(words))


def _offers_proof(said: Claims, earlier: Claims, text: str) -> bool:
    """Whether somebody who already sees stops wants to prove another one, rather than just mention numbers."""
    is_short = len(text.split()) <= SHORT_ANSWER_WORDS
    return bool(offered_numbers(text)) or (is_short and said.on_top_of(earlier).is_whole)
