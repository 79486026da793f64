"""Takes the digest's charts into the thread of its post: marked before the call, looked for before it is repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.models import DeskBoard
from bot.reports.models import DigestCharts, ReportFile, ShareState
from connectors.desk import DigestDesk
from connectors.digest import DigestChart, DigestView
from connectors.errors import ChannelMisconfiguredError, ChannelUnavailableError, OutcomeUnknownError
from connectors.escalation import PostedMessage

log = structlog.get_logger()

GONE_CODES = frozenset({"thread_not_found", "message_not_found"})
SEEN_AFTER = timedelta(seconds=10)
"""Files are taken in beside the answer: a message with them may be seen only some seconds later."""


@dataclass(frozen=True)
class _Claimed:
    message: PostedMessage
    view: DigestView
    charts: Mapping[DigestChart, bytes]
    perhaps_there: bool
    """An earlier job began to share them."""


class DigestShares:
    """`desk` is None where there is no workspace: charts wait until there is."""

    def __init__(self, database: Database, clock: Clock, desk: DigestDesk | None) -> None:
        self._database = database
        self._clock = clock
        self._desk = desk

    async def share(self, run_id: UUID) -> None:
        """Shares them unless they are there already.

        Raises:
            ChannelUnavailableError: not shared, or nobody knows; the job is to be run again later.
        """
        if self._desk is None or (claimed := await self._claim(run_id)) is None:
            return
        try:
            if not (claimed.perhaps_there and await self._desk.has_charts(claimed.message, claimed.view)):
                await self._desk.share_charts(claimed.message, claimed.view, claimed.charts)
        except ChannelUnavailableError:
            await self._give_back(run_id, claimed)
            raise
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(exc.channel, "outcome unknown", retry_after=SEEN_AFTER) from exc
        except ChannelMisconfiguredError as exc:
            await self._refused(run_id, claimed, exc)
        else:
            await self._set(run_id, ShareState.SENT)

    async def _claim(self, run_id: UUID) -> _Claimed | None:
        async with self._database.transaction() as session:
            charts = await session.get(DigestCharts, run_id, with_for_update=True)
            if charts is None or charts.state not in (ShareState.QUEUED, ShareState.SENDING):
                return None
            board = await session.get_one(DeskBoard, charts.board_id)
            if board.slack_channel is None or board.slack_ts is None:
                raise ChannelUnavailableError("slack", "not posted yet", retry_after=timedelta(seconds=5))
            perhaps_there = charts.state is ShareState.SENDING
            charts.state = ShareState.SENDING
            charts.attempts += 1
            files = await session.scalars(select(ReportFile).where(col(ReportFile.run_id) == run_id))
            contents = {DigestChart(each.name.removesuffix(".png")): each.content for each in files}
            return _Claimed(
                PostedMessage(channel=board.slack_channel, ts=board.slack_ts),
                DigestView.model_validate(board.view),
                contents,
                perhaps_there,
            )

    async def _refused(self, run_id: UUID, claimed: _Claimed, exc: ChannelMisconfiguredError) -> None:
        log.error("digest_charts_refused", run_id=str(run_id), code=exc.code)
        if exc.code in GONE_CODES:
            await self._set(run_id, ShareState.REFUSED, exc.code)
            return
        await self._give_back(run_id, claimed)
        raise ChannelUnavailableError(exc.channel, "misconfigured", exc.code, timedelta(seconds=30)) from exc

    async def _give_back(self, run_id: UUID, claimed: _Claimed) -> None:
        """What was perhaps shared once is looked for each time."""
        if not claimed.perhaps_there:
            await self._set(run_id, ShareState.QUEUED)

    async def _set(self, run_id: UUID, state: ShareState, code: str = "") -> None:
        async with self._database.transaction() as session:
            charts = await session.get_one(DigestCharts, run_id, with_for_update=True)
            if charts.state is not ShareState.SENDING:
                return
            charts.state, charts.error_code = state, code
            if state is not ShareState.QUEUED:
                charts.sent_at = self._clock.now() if state is ShareState.SENT else None
                audit.record(session, self._clock.now(), "digest_charts", str(run_id), state.value)
