"""What became of a file of wanted stops, row by row, for programs and for spreadsheets."""

import csv
import io
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from bot.intake.csv_rows import Row
from bot.intake.models import RequestState, StopUpload
from bot.intake.reasons import text_of
from bot.intake.service import Submitted


class UploadState(StrEnum):
    TAKING_IN = "taking_in"
    DONE = "done"


class RowReason(BaseModel):
    code: str
    text: str
    field: str = ""


class RowReport(BaseModel):
    line: int
    """Of the file, counted from 1, the heading included."""
    order_ref: str = ""
    state: RequestState
    """Of the request: `received` goes in, `needs_dispatcher` waits for a person, `refused` came back."""
    request_id: UUID
    duplicate_of: UUID | None = None
    reasons: list[RowReason] = []


class UploadReport(BaseModel):
    upload_id: UUID
    state: UploadState
    rows: int
    """Of the file. While it is `taking_in`, `results` has only those that are done."""
    received: int
    needs_dispatcher: int
    refused: int
    results: list[RowReport]


_NOT_IN = (RequestState.NEEDS_DISPATCHER, RequestState.REFUSED)


def report_of(upload: StopUpload) -> UploadReport:
    results = [RowReport.model_validate(each) for each in upload.results]
    return UploadReport(
        upload_id=upload.id,
        state=UploadState.TAKING_IN if upload.finished_at is None else UploadState.DONE,
        rows=upload.rows,
        received=sum(row.state not in _NOT_IN for row in results),
        needs_dispatcher=sum(row.state is RequestState.NEEDS_DISPATCHER for row in results),
        refused=sum(row.state is RequestState.REFUSED for row in results),
        results=results,
    )


def reported(row: Row, submitted: Submitted) -> RowReport:
    request = submitted.request
    return RowReport(
        line=row.line,
        order_ref=row.cells.get("order_ref", ""),
        state=request.first_state,
        request_id=request.id,
        duplicate_of=request.duplicate_of,
        reasons=[
            RowReason(code=reason["code"], text=text_of(reason["code"]), field=reason.get("field", ""))
            for reason in request.first_reasons
        ],
    )


def as_csv(report: UploadReport) -> str:
    """One line per row. Nothing in it is taken for a formula by a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "order_ref", "state", "request_id", "duplicate_of", "codes", "reasons"])
    for row in report.results:
        codes = " ".join(reason.code for reason in row.reasons)
        texts = " ".join(_told(reason) for reason in row.reasons)
        earlier = str(row.duplicate_of or "")
        writer.writerow(
            [row.line, _plain(row.order_ref), row.state.value, row.request_id, earlier, codes, texts]
        )
    return out.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _told(reason: RowReason) -> str:
    return f"{reason.field}: {reason.text}" if reason.field else reason.text
