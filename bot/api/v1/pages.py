"""Pages of long lists: a cursor says after which row the next page begins."""

import base64
import binascii
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, or_

from bot.api.v1.problems import ProblemError

Limit = Annotated[int, Query(ge=1, le=500, description="Rows of one page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`next_cursor` of the page before; the first page has none."),
]


def after(cursor: str | None, moment: Any, row_id: Any) -> list[ColumnElement[bool]]:
    """The rows behind the cursor, for a list in ascending order of the two columns.

    Raises `ProblemError` for a cursor that is none of ours.
    """
    if cursor is None:
        return []
    at, last = _opened(cursor)
    return [or_(moment > at, and_(moment == at, row_id > last))]


def cursor_at(moment: datetime, row_id: UUID) -> str:
    text = f"{moment.astimezone(UTC).isoformat()}|{row_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        moment, _, row_id = text.partition("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a cursor's instant is aware")
        return at.astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError, binascii.Error) as exc:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "bad_cursor", "The cursor is none of ours."
        ) from exc
