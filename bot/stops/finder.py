"""Which stop a text is about, among those that the conversation may see. Never shows one person's stop to another.

Texts and WhatsApp come from a phone that the carrier vouches for: the stops of that phone are theirs, and the
right tracking number shows another one for a day. Web chat and email prove both halves first.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.drivers.words import DriverEta, eta_by_driver
from bot.errors import NotFoundError
from bot.sop import ProtocolInForce
from bot.stops import access, rules
from bot.stops.access import Seen, stops_seen_by
from bot.stops.access_models import StopFocus
from bot.stops.answers import Scope, StopAnswer, StopQuestion, Turn
from bot.stops.asker import Asker, get_asker, get_conversation
from bot.stops.models import PlatformFeed, StopRecord
from bot.stops.proving import Finding, Prover
from bot.stops.references import named_stops
from connectors.base import Capability, RoutingPlatform


class StopFinder:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._prover = Prover(clock, sop)

    async def stops_in_question(self, turn: Turn, scope: Scope = Scope.STATUS) -> StopQuestion:
        """Which stops this text is about; see `rules.stops_meant` for the order in which it decides.

        The same text asked twice is one try of its proof.
        Raises `NotFoundError` for a conversation that is none of ours.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            asker = await get_asker(session, turn)
            # Rasa knows it by now; what is said without Rasa follows.
            asker.conversation.language = turn.language
            seen = await stops_seen_by(session, asker.conversation, now, self._clock.wall())
            finding = await self._find(session, asker, seen, turn, scope)
            stops = await self._answers(session, finding.seen, now)
        return StopQuestion.model_validate({"kind": finding.kind, "stops": stops, "now": now})

    async def remember(self, turn: Turn, stop_id: str) -> None:
        """This stop was just talked about: for an hour, what follows is about it, unless it says otherwise.

        Two stops in one text leave none to remember.
        """
        async with self._database.transaction() as session:
            conversation_id = (await get_conversation(session, turn)).id
            focus = await session.get(StopFocus, conversation_id, with_for_update=True)
            wanted: UUID | None = UUID(stop_id)
            if focus is not None and turn.inbound_id and focus.inbound_id == turn.inbound_id:
                wanted = wanted if focus.stop_id == wanted else None
            values = {"stop_id": wanted, "inbound_id": turn.inbound_id, "talked_at": self._clock.now()}
            await session.execute(
                insert(StopFocus)
                .values(conversation_id=conversation_id, **values)
                .on_conflict_do_update(index_elements=["conversation_id"], set_=values)
            )

    async def get_answer(self, stop_id: str) -> StopAnswer:
        """Raises `NotFoundError` for an id that is none of ours."""
        async with self._database.transaction() as session:
            stop = await session.get(StopRecord, UUID(stop_id))
            if stop is None:
                raise NotFoundError(f"no stop {stop_id}")
            feed = await session.get(PlatformFeed, stop.platform)
            seen = Seen(stop, feed.read_at if feed else None, is_own=False)
            [answer] = await self._answers(session, [seen], self._clock.now())
        return answer

    async def may_change(self, turn: Turn, stop_id: str) -> bool:
        """Whether who writes may change this stop: a tracking number is enough to look, not to move."""
        async with self._database.transaction() as session:
            conversation = await get_conversation(session, turn)
            stop = await session.get(StopRecord, UUID(stop_id))
            if stop is None:
                return False
            return await access.may_change(session, conversation, stop, self._clock.wall())

    # --- deciding -----------------------------------------------------------------------------

    async def _find(
        self, session: AsyncSession, asker: Asker, seen: Sequence[Seen], turn: Turn, scope: Scope
    ) -> Finding:
        if not named_stops(asker.words, [each.stop for each in seen]):
            prove = self._prover.look_up if asker.has_phone else self._prover.prove
            if (finding := await prove(session, asker, seen, turn)) is not None:
                return finding
        if seen:
            return self._choose(asker, seen, scope)
        if asker.has_phone:
            return Finding("unknown_phone")
        return Finding("proof_locked" if self._prover.is_locked(asker) else "unproved")

    def _choose(self, asker: Asker, seen: Sequence[Seen], scope: Scope) -> Finding:
        """One's own stops, and one that was only looked at where it is named or was talked about last."""
        now = self._clock.now()
        focus = asker.focus_at(now)
        named = {stop.id for stop in named_stops(asker.words, [each.stop for each in seen])}
        has_own = any(each.is_own for each in seen)
        question = rules.Question(asker.words, scope, now, focus)
        by_id = {
            each.stop.id: each
            for each in seen
            if each.is_own or not has_own or each.stop.id in named | {focus}
        }
        meant = rules.stops_meant(question, [each.stop for each in by_id.values()])
        kind = ("nothing_open", "one", "several")[min(len(meant), 2)]
        return Finding(kind, [by_id[stop.id] for stop in meant])

    # --- telling ------------------------------------------------------------------------------

    async def _answers(
        self, session: AsyncSession, seen: Sequence[Seen], now: datetime
    ) -> tuple[StopAnswer, ...]:
        words = await eta_by_driver(session, [each.stop for each in seen], now)
        return tuple(self._answer(each, words.get(each.stop.id), now) for each in seen)

    def _answer(self, seen: Seen, word: DriverEta | None, now: datetime) -> StopAnswer:
        """The driver's word of when they arrive, where it is better than the platform's."""
        stop = seen.stop
        data_at = rules.confirmed_at(stop, seen.feed_read_at)
        stale_after = timedelta(minutes=self._sop.current.conversation.stale_after_minutes)
        platform = self._platforms.get(stop.platform)
        can_change = platform is not None and Capability.CHANGE_WINDOW in platform.capabilities
        return StopAnswer(
            stop_id=str(stop.id),
            tracking=stop.tracking,
            client=stop.client,
            address_line=stop.address_line,
            timezone=stop.timezone,
            status=stop.status,
            window=stop.window,
            eta_at=word.at if word is not None else rules.eta_of_promise(stop),
            stops_away=stop.sequence,
            data_at=data_at,
            stale=stop.is_open and now - data_at > stale_after,
            completed_at=stop.completed_at,
            failure_reason=stop.failure_reason,
            can_change_window=can_change and stop.is_open,
        )
