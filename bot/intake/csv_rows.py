"""Pure: a file of wanted stops, as spreadsheets write such files, row by row."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.intake.forms import Finding, StopForm
from bot.intake.local_times import read_window
from bot.intake.reasons import Because

_TEXTS = (
    "recipient_name",
    "phone",
    "email",
    "address",
    "city",
    "postcode",
    "region",
    "country",
    "order_ref",
    "notes",
    "access_code",
)
COLUMNS = (*_TEXTS, "date", "start", "end", "service_minutes", "load")
REQUIRED = ("recipient_name", "address", "date", "start", "end")
_OTHER_NAMES = {
    "name": "recipient_name",
    "recipient": "recipient_name",
    "mail": "email",
    "street": "address",
    "address_line": "address",
    "zip": "postcode",
    "zip_code": "postcode",
    "zipcode": "postcode",
    "postal_code": "postcode",
    "state": "region",
    "order": "order_ref",
    "order_number": "order_ref",
    "reference": "order_ref",
    "day": "date",
    "window_start": "start",
    "window_end": "end",
    "from": "start",
    "until": "end",
    "note": "notes",
    "gate_code": "access_code",
}
_DELIMITERS = ",;\t|"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LONGEST_CELL = 4000


class UnreadableFileError(Exception):
    """The file as a whole; nothing of it went in. `code` is for programs, the text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Row:
    line: int
    """Of the file, counted from 1, where the row begins."""
    cells: Mapping[str, str]
    """By column, spaces around them gone."""
    is_ragged: bool = False
    """It has more cells than the heading, or characters that no text has."""


def read_rows(content: bytes, at_most: int) -> list[Row]:
    """All rows that are not empty.

    Raises `UnreadableFileError`: no heading, columns missing or twice, more rows than `at_most`.
    """
    text = _decoded(content)
    heading, separator = text.lstrip("\r\n").partition("\n")[0], ","
    if heading.strip():
        separator = max(_DELIMITERS, key=heading.count)
    try:
        return list(_rows(text, separator, at_most))
    except csv.Error as exc:
        raise UnreadableFileError("not_csv", f"This is no CSV: {exc}.") from exc


def form_of(row: Row, timezone: str) -> tuple[StopForm, list[Finding]]:
    """The row as a form, and what of it cannot be read. Times are local to `timezone`."""
    cells = {name: row.cells.get(name, "") for name in COLUMNS}
    start_at, end_at, unread = read_window(cells["date"], cells["start"], cells["end"], timezone)
    minutes, load = _whole(cells["service_minutes"]), _decimal(cells["load"])
    if row.is_ragged:
        unread.append(Finding(code=Because.UNREADABLE))
    if cells["service_minutes"] and minutes is None:
        unread.append(Finding(code=Because.UNREADABLE, field="service_minutes"))
    if cells["load"] and load is None:
        unread.append(Finding(code=Because.UNREADABLE, field="load"))
    return StopForm(
        start_at=start_at,
        end_at=end_at,
        service_minutes=minutes,
        load=1.0 if load is None else load,
        **{name: cells[name] for name in _TEXTS},
    ), unread


def _rows(text: str, separator: str, at_most: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] | None = None
    begins, count = 1, 0
    for cells in reader:
        line, begins = begins, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = _heading(cells)
            continue
        count += 1
        if count > at_most:
            raise UnreadableFileError("too_many_rows", f"A file may have {at_most} rows.")
        yield _row(line, names, cells)
    if names is None:
        raise UnreadableFileError("empty", "The file is empty: expected a heading and rows.")


def _row(line: int, names: list[str], cells: list[str]) -> Row:
    extra = any(cell.strip() for cell in cells[len(names) :])
    clean = [_storable(cell).strip() for cell in cells]
    is_spoilt = any(len(cell) > LONGEST_CELL or _storable(cell) != cell for cell in cells)
    return Row(
        line,
        {name: cell[:LONGEST_CELL] for name, cell in zip(names, clean, strict=False)},
        extra or is_spoilt,
    )


def _heading(cells: list[str]) -> list[str]:
    plain = [re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_") for cell in cells]
    names = [_OTHER_NAMES.get(name, name) for name in plain]
    known = [name for name in names if name in COLUMNS]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise UnreadableFileError("column_twice", f"These columns stand there twice: {', '.join(twice)}.")
    if missing := [name for name in REQUIRED if name not in known]:
        raise UnreadableFileError("column_missing", f"These columns are missing: {', '.join(missing)}.")
    return names


def _decoded(content: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else what Windows spreadsheets write."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _storable(text: str) -> str:
    """Without the control characters that no database keeps."""
    return "".join(each for each in text if ord(each) >= 32 or each in "\t\r\n")


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def _decimal(text: str) -> float | None:
    if re.fullmatch(r"\d{1,6}(?:[.,]\d{1,4})?", text, re.ASCII) is None:
        return None
    return float(text.replace(",", "."))
