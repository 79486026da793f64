"""Rows that were never kept, for the pure rules that look at a few of their columns."""

from typing import Any, TypeVar

from sqlmodel import SQLModel

Row = TypeVar("Row", bound=SQLModel)


def row_with(table: type[Row], **columns: Any) -> Row:
    """A row with these columns only; mypy would rightly ask for the others where one is made to be kept."""
    return table(**columns)
