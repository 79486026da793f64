"""What drivers write from the road without a question: that it takes longer, or anything else."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.keywords import keyword
from bot.conversations.models import Conversation, InboundText
from bot.drivers.keeping import keep_word
from bot.drivers.passing import PassOn
from bot.drivers.question_replies import TEXTS
from bot.drivers.reading import DriverAnswer, read_answer
from bot.drivers.replies import Reply, is_courtesy, read_reply
from bot.drivers.report_reading import Nameable, stop_named, where_they_are
from bot.drivers.road import OnTheRoad, on_the_road
from bot.drivers.texts import DriverTexts, place_of
from bot.stops.awaiting import awaits_parcel
from bot.stops.models import StopRecord
from connectors.base import FailureReason

TROUBLE = frozenset({FailureReason.VEHICLE, FailureReason.TRAFFIC, FailureReason.WEATHER})
"""Why alone is news, without how long."""


class DriverDelays:
    """Fulfils `ColleagueReplies`: `stuck on i95 20 more min`. After the questions, before the shifts."""

    def __init__(self, clock: Clock, texts: DriverTexts, dispatch: PassOn) -> None:
        self._clock = clock
        self._texts = texts
        self._dispatch = dispatch

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """None where it tells of no delay of today's run."""
        answer = read_answer(inbound.text)
        if (
            conversation.channel not in TEXTS
            or not tells_delay(answer)
            or inbound.text.rstrip().endswith("?")
        ):
            return None
        road = await on_the_road(session, conversation.address, self._clock.now())
        if road is None or not road.run.open_stops:
            return None
        if not road.run.has_begun and read_reply(inbound.text) is not Reply.UNCLEAR:
            return None  # `can't, the van broke down` is about the shift.
        is_full = answer.root_cause is not None and answer.minutes is not None
        if not is_full and await awaits_parcel(session, conversation.address):
            return None
        if await self._dispatch.is_held(session, conversation):
            return None
        return await self._keep(session, conversation, inbound, road, answer)

    async def _keep(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        road: OnTheRoad,
        answer: DriverAnswer,
    ) -> str:
        meant = stop_late(inbound.text, road)
        # Escalations are locked before stops, as the watch does.
        is_told = await self._dispatch.tell_about_van(session, road, inbound, answer)
        stop = await session.get_one(StopRecord, meant.stop_id)
        await keep_word(session, stop, answer, road.name, inbound, self._clock.now())
        if answer.minutes is not None:
            return self._say(stop, answer.minutes, self._clock.now())
        if is_told:
            return self._texts.say("utter_driver_answer_taken")
        return await self._dispatch.pass_on(session, conversation, inbound, road, answer)

    def _say(self, stop: StopRecord, minutes: int, now: datetime) -> str:
        eta = self._texts.say_estimate(now + timedelta(minutes=minutes), stop.timezone)
        return self._texts.say("utter_driver_delay_taken", place=place_of(stop.address_line), eta=eta)


class OtherDriverTexts:
    """Fulfils `ColleagueReplies`, the last of them: what a driver on the road writes is no question of a recipient."""

    def __init__(self, clock: Clock, dispatch: PassOn) -> None:
        self._clock = clock
        self._dispatch = dispatch

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """Thanks need no answer; all else is for a person. None for who awaits a parcel: the bot serves them."""
        if conversation.channel not in TEXTS or keyword(inbound.text) is not None:
            return None
        if not inbound.text.strip() and not inbound.media:
            return None
        road = await on_the_road(session, conversation.address, self._clock.now())
        if road is None or await awaits_parcel(session, conversation.address):
            return None
        if await self._dispatch.is_held(session, conversation):
            return None
        if is_courtesy(inbound.text) and not inbound.media:
            return ""
        return await self._dispatch.pass_on(session, conversation, inbound, road)


def tells_delay(answer: DriverAnswer) -> bool:
    """Minutes with a cause, or a cause that stops a van. Minutes alone may be anything. Pure."""
    return answer.root_cause is not None and (answer.minutes is not None or answer.root_cause in TROUBLE)


def stop_late(text: str, road: OnTheRoad) -> Nameable:
    """The stop that the text names beyond doubt, else the one that comes next. The run must have one left. Pure."""
    open_ids = {stop.id for stop in road.run.open_stops}
    left = [stop for stop in road.stops if stop.stop_id in open_ids]
    return stop_named(text, left) or (where_they_are(left) or left)[0]
