"""Files of wanted stops: valid rows go in, bad rows come back with their line and the reasons.

A file is kept first and taken in a few rows at a time, each few in a transaction of their own that also notes how
far it came: whoever dies in the middle, the next goes on behind the last row that is in.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.queue import defer
from bot.intake import jobs
from bot.intake.csv_rows import COLUMNS, Row, form_of, read_rows
from bot.intake.models import Source, StopUpload
from bot.intake.queries import take_turn
from bot.intake.service import IntakeService, Reading, Submission
from bot.intake.upload_reports import UploadReport, report_of, reported
from bot.sop import ProtocolInForce

ROWS_AT_ONCE = 25
"""Rows of one transaction: nobody else's stop waits longer than these take."""
ROWS_WHILE_WAITING = 200
"""A file of so many rows is taken in while its sender waits; a larger one by a job."""
STRANDED_AFTER = timedelta(minutes=5)
"""Wall time without a sign of life after which an unfinished upload is asked for again."""


class StopUploads:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, intake: IntakeService) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._intake = intake

    async def take_in(self, client: str, content: bytes, asked_by: str) -> UploadReport:
        """The report; of a large file at first as far as it is. The same bytes of the same client again: the same.

        A file whose upload was cut off goes on where it was. Raises `UnreadableFileError`.
        """
        digest = hashlib.sha256(content).hexdigest()
        async with self._database.transaction() as session:
            upload = await session.scalar(_upload(client, digest))
        if upload is None:
            rows = await asyncio.to_thread(read_rows, content, self._sop.current.intake.csv_rows)
            upload = await self._keep(client, digest, rows, asked_by)
        if upload.finished_at is None:
            await self._start(upload)
        return await self.report(upload.id)

    async def go_on(self, upload_id: UUID) -> None:
        """Takes in what is left of it."""
        async with self._database.transaction() as session:
            upload = await session.get(StopUpload, upload_id)
        if upload is None or upload.finished_at is not None:
            return
        rows = [Row(**row) for row in upload.wanted]
        taken = upload.taken
        while taken < upload.rows:
            readings = await asyncio.to_thread(self._read, upload, rows[taken : taken + ROWS_AT_ONCE])
            taken = await self._take(upload, taken, rows, readings)
        await self._finish(upload)

    async def report(self, upload_id: UUID) -> UploadReport:
        async with self._database.transaction() as session:
            return report_of(await session.get_one(StopUpload, upload_id))

    async def find(self, upload_id: UUID) -> StopUpload | None:
        async with self._database.transaction() as session:
            return await session.get(StopUpload, upload_id)

    async def ask_for_stranded(self) -> int:
        """Asks again for uploads that nobody takes in any more; gives how many."""
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(StopUpload)
                .where(
                    col(StopUpload.finished_at).is_(None),
                    col(StopUpload.tried_at) <= self._clock.wall() - STRANDED_AFTER,
                )
                .limit(20)
                .with_for_update(skip_locked=True)
            )
            uploads = list(found)
            for upload in uploads:
                upload.tried_at = self._clock.wall()
                await _ask_to_go_on(session, upload.id)
        return len(uploads)

    # --- inside ---------------------------------------------------------------------------------

    async def _keep(self, client: str, digest: str, rows: Sequence[Row], asked_by: str) -> StopUpload:
        values = {
            "id": uuid4(),
            "client": client,
            "digest": digest,
            "rows": len(rows),
            "taken": 0,
            "wanted": [_kept(row) for row in rows],
            "results": [],
            "uploaded_by": asked_by,
            "uploaded_at": self._clock.now(),
            "tried_at": self._clock.wall(),
        }
        async with self._database.transaction() as session:
            # Two uploads of one file at once are one.
            await session.execute(insert(StopUpload).values(values).on_conflict_do_nothing())
            return (await session.scalars(_upload(client, digest))).one()

    async def _start(self, upload: StopUpload) -> None:
        if upload.rows <= ROWS_WHILE_WAITING:
            await self.go_on(upload.id)
            return
        async with self._database.transaction() as session:
            await _ask_to_go_on(session, upload.id)

    def _read(self, upload: StopUpload, rows: Sequence[Row]) -> list[Reading]:
        timezone = self._sop.current.operator.timezone
        readings = []
        for row in rows:
            form, unreadable = form_of(row, timezone)
            wanted = Submission(
                client=upload.client,
                form=form,
                source=Source.CSV,
                key=f"csv:{upload.digest}:{row.line}",
                asked_by=upload.uploaded_by,
                unreadable=tuple(unreadable),
            )
            readings.append(self._intake.read(wanted))
        return readings

    async def _take(
        self, upload: StopUpload, taken: int, rows: Sequence[Row], readings: Sequence[Reading]
    ) -> int:
        """Gives how many rows are in now; somebody else may have taken these meanwhile."""
        async with self._database.transaction() as session:
            await take_turn(session)
            so_far = await session.scalar(
                select(col(StopUpload.taken)).where(col(StopUpload.id) == upload.id).with_for_update()
            )
            if so_far != taken:
                return so_far if so_far is not None else upload.rows
            submitted = await self._intake.submit_all(session, readings)
            results = [reported(row, each) for row, each in zip(rows[taken:], submitted, strict=False)]
            await session.execute(
                update(StopUpload)
                .where(col(StopUpload.id) == upload.id)
                .values(
                    taken=taken + len(results),
                    results=col(StopUpload.results).concat(
                        [each.model_dump(mode="json") for each in results]
                    ),
                    tried_at=self._clock.wall(),
                )
                .execution_options(synchronize_session=False)
            )
            return taken + len(results)

    async def _finish(self, upload: StopUpload) -> None:
        async with self._database.transaction() as session:
            done = await session.scalar(
                update(StopUpload)
                .where(col(StopUpload.id) == upload.id, col(StopUpload.finished_at).is_(None))
                .values(finished_at=self._clock.now(), wanted=[])
                .returning(col(StopUpload.id))
            )
            if done is not None:
                audit.record(
                    session,
                    self._clock.now(),
                    "upload",
                    str(done),
                    "taken_in",
                    actor=upload.uploaded_by,
                    rows=upload.rows,
                )


async def _ask_to_go_on(session: AsyncSession, upload_id: UUID) -> None:
    # The lock: of two jobs for one file the second finds it done.
    await defer(session, jobs.take_in_upload, lock=f"upload:{upload_id}", upload_id=str(upload_id))


def _kept(row: Row) -> dict[str, object]:
    cells = {name: cell for name, cell in row.cells.items() if name in COLUMNS}
    return {"line": row.line, "cells": cells, "is_ragged": row.is_ragged}


def _upload(client: str, digest: str) -> Select[StopUpload]:
    return select(StopUpload).where(col(StopUpload.client) == client, col(StopUpload.digest) == digest)
