"""Failed deliveries as drivers text them: which stop, why, with a picture; taken before any model."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.drivers.models import DriverReport, ReportState
from bot.drivers.offering import numbered, options_between, same_door, which
from bot.drivers.passing import PassOn
from bot.drivers.question_replies import TEXTS
from bot.drivers.reading import DriverAnswer, read_answer
from bot.drivers.report_queries import asked_with, begun_by
from bot.drivers.report_reading import (
    Failed,
    Nameable,
    read_failure,
    read_why,
    stop_named,
    stops_meant,
    without_places,
)
from bot.drivers.road import OnTheRoad, on_the_road
from bot.drivers.texts import DriverTexts, place_of
from bot.drivers.threads import open_about, tell_thread
from bot.drivers.unasked import tells_delay
from bot.stops.awaiting import awaits_parcel
from connectors.base import FailureReason
from connectors.escalation import Happening

WORDS_KEPT = 300


class FailureReports(Protocol):
    async def driver_says(
        self, session: AsyncSession, stop_id: UUID, reason: FailureReason, words: str
    ) -> None:
        """Whoever follows up failed deliveries; in the transaction in which the report is kept."""
        ...


class Pictures(Protocol):
    async def want(self, session: AsyncSession, inbound: InboundText, incident_id: UUID | None) -> None: ...


class DriverFailures:
    """Fulfils `ColleagueReplies`: before the questions, whose answers say nothing of a failed delivery."""

    def __init__(
        self,
        clock: Clock,
        texts: DriverTexts,
        dispatch: PassOn,
        pictures: Pictures,
        followed_up: FailureReports | None = None,
    ) -> None:
        self._clock = clock
        self._texts = texts
        self._dispatch = dispatch
        self._pictures = pictures
        self._followed_up = followed_up

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to a report, or to a part of one; None: the text tells of no failed delivery."""
        if conversation.channel not in TEXTS:
            return None
        failed = read_failure(inbound.text)
        begun = await begun_by(session, conversation.address, self._clock.now())
        if failed is None and begun is None:
            return None
        road = await on_the_road(session, conversation.address, self._clock.now())
        if road is None or await self._dispatch.is_held(session, conversation):
            return None
        if begun is not None and begun.state is ReportState.ASKING:
            return await self._go_on(session, conversation, inbound, road, begun, failed)
        if failed is not None:
            return await self._begin(session, inbound, road)
        return await self._add_photos(session, inbound, road, begun) if begun is not None else None

    # --- a new report ---------------------------------------------------------------------------

    async def _begin(self, session: AsyncSession, inbound: InboundText, road: OnTheRoad) -> str | None:
        meant = stops_meant(inbound.text, road.stops)
        # `14 Bridge St` is a place, not what was in the way.
        failed = read_failure(without_places(inbound.text, road.stops)) or Failed(None)
        if await awaits_parcel(session, road.phone) and stop_named(inbound.text, road.stops) is None:
            return None  # They may write of the parcel that they await themselves.
        if len({stop.address_line for stop in meant.stops}) == 1:
            reports = [self._report(inbound, road, failed.reason, stop) for stop in meant.stops]
            session.add_all(reports)
            return await self._settle(session, inbound, road, reports)
        options = options_between(meant.stops, road)
        if not options:
            return None
        report = self._report(inbound, road, failed.reason, None)
        report.state = ReportState.ASKING
        report.options = [str(stop.stop_id) for stop in options]
        session.add(report)
        if inbound.media:
            await self._pictures.want(session, inbound, None)
        return self._texts.say("utter_driver_which_stop", options=numbered(options))

    def _report(
        self, inbound: InboundText, road: OnTheRoad, reason: FailureReason | None, stop: Nameable | None
    ) -> DriverReport:
        return DriverReport(
            platform=road.platform,
            driver_ref=road.driver_ref,
            driver_name=road.name,
            phone=road.phone,
            inbound_id=inbound.id,
            stop_id=stop.stop_id if stop is not None else None,
            reason=reason,
            words=masked(" ".join(inbound.text.split()))[:WORDS_KEPT],
            said_at=self._clock.now(),
        )

    # --- what was asked back --------------------------------------------------------------------

    async def _go_on(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        road: OnTheRoad,
        report: DriverReport,
        failed: Failed | None,
    ) -> str | None:
        reports = await asked_with(session, report)
        if not inbound.text.strip():
            return await self._keep_photos(session, inbound, reports)
        if report.stop_id is None:
            stop = which(inbound.text, road, report.options)
            if stop is None:
                return await self._unclear(session, conversation, inbound, road, report, failed)
            report.stop_id = stop.stop_id
            report.reason = report.reason or (failed.reason if failed is not None else None)
            reports += [_same_of(report, each) for each in same_door(stop, road)]
            session.add_all(reports)
        elif failed is not None and _names_another(inbound.text, road, reports):
            await self._take_without_reason(session, reports)
            return await self._begin(session, inbound, road)
        else:
            why = read_why(without_places(inbound.text, road.stops))
            for each in reports:
                each.reason = why or FailureReason.OTHER
                each.words = f"{each.words} / {masked(inbound.text)}"[:WORDS_KEPT]
        _add_photo_text(inbound, reports)
        return await self._settle(session, inbound, road, reports)

    async def _keep_photos(
        self, session: AsyncSession, inbound: InboundText, reports: Sequence[DriverReport]
    ) -> str:
        """A picture without words is no answer: the question stands, and is not asked twice."""
        _add_photo_text(inbound, reports)
        await self._pictures.want(session, inbound, None)
        return ""

    async def _take_without_reason(self, session: AsyncSession, reports: Sequence[DriverReport]) -> None:
        """The driver goes on to another stop and leaves the question open."""
        for report in reports:
            report.reason = report.reason or FailureReason.OTHER
            await self.take_report(session, report)

    async def _unclear(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        road: OnTheRoad,
        report: DriverReport,
        failed: Failed | None,
    ) -> str | None:
        """A new report takes the place of the answer; else a person reads what was written."""
        report.state = ReportState.PASSED_ON
        await session.flush()
        if failed is not None:
            return await self._begin(session, inbound, road)
        return await self._dispatch.pass_on(session, conversation, inbound, road)

    async def _settle(
        self, session: AsyncSession, inbound: InboundText, road: OnTheRoad, reports: Sequence[DriverReport]
    ) -> str:
        """Done once stop and reason are known; asks for the reason where that is missing."""
        place = place_of(road.stop(reports[0].stop_id or UUID(int=0)).address_line)
        if inbound.media:
            await self._pictures.want(session, inbound, None)
        if reports[0].reason is None:
            for report in reports:
                report.state = ReportState.ASKING
            return self._texts.say("utter_driver_why_not_delivered", place=place)
        for report in reports:
            await self.take_report(session, report)
        if inbound.media or reports[0].photo_texts:
            return self._texts.say("utter_driver_report_taken_photo", place=place)
        return self._texts.say("utter_driver_report_taken", place=place)

    async def take_report(self, session: AsyncSession, report: DriverReport) -> None:
        """Tells everybody who follows it; stop and reason must be known."""
        now, stop_id, reason = self._clock.now(), report.stop_id, report.reason
        if stop_id is None or reason is None:
            raise ValueError("a report is taken once its stop and reason are known")
        report.state = ReportState.TAKEN
        await session.flush()
        escalation = await open_about(session, stop_id)
        if escalation is not None:
            await tell_thread(
                session,
                escalation,
                Happening.DRIVER_REPORTED,
                DriverAnswer(root_cause=reason),
                now,
                stop_id=stop_id,
                words=report.words,
                name=report.driver_name,
            )
        audit.record(
            session,
            now,
            "stop",
            str(stop_id),
            "failure_reported",
            actor="driver",
            reason=reason.value,
            report_id=str(report.id),
        )
        if self._followed_up is not None:
            await self._followed_up.driver_says(session, stop_id, reason, report.words)

    # --- pictures -------------------------------------------------------------------------------

    async def _add_photos(
        self, session: AsyncSession, inbound: InboundText, road: OnTheRoad, report: DriverReport
    ) -> str | None:
        """A picture that comes after the words, alone or with a few of its own; none that tells of a delay."""
        if not inbound.media or report.stop_id is None or tells_delay(read_answer(inbound.text)):
            return None
        report.photo_texts = [*report.photo_texts, str(inbound.id)]
        await self._pictures.want(session, inbound, None)
        place = place_of(road.stop(report.stop_id).address_line)
        return self._texts.say("utter_driver_photo_added", place=place)


def _same_of(report: DriverReport, stop: Nameable) -> DriverReport:
    """Another parcel of the door that the driver has named."""
    same = report.model_dump(exclude={"id", "stop_id"})
    return DriverReport(**same, stop_id=stop.stop_id)


def _add_photo_text(inbound: InboundText, reports: Sequence[DriverReport]) -> None:
    if inbound.media:
        for report in reports:
            report.photo_texts = [*report.photo_texts, str(inbound.id)]


def _names_another(text: str, road: OnTheRoad, reports: Sequence[DriverReport]) -> bool:
    """Whether the text tells of a stop that the question is not about."""
    named = stop_named(text, road.stops)
    return named is not None and named.stop_id not in {report.stop_id for report in reports}
