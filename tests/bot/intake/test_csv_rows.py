"""Files of wanted stops as spreadsheets write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.csv_rows import UnreadableFileError, form_of, read_rows
from bot.intake.reasons import Because

HEADING = "order_ref,recipient_name,address,postcode,date,start,end,notes\n"
ROW = "A-1,José Peña,14 Elm St,10001,2026-06-10,9:00,11:00,bell\n"


@pytest.mark.parametrize(
    "content",
    [
        (HEADING + ROW).encode(),
        (HEADING + ROW).encode("utf-8-sig"),
        (HEADING + ROW).encode("cp1252"),
        (HEADING + ROW).encode("utf-16"),
        (HEADING + ROW).replace(",", ";").encode("cp1252"),
        (HEADING + ROW).replace(",", "\t").encode(),
        (HEADING + ROW).replace("\n", "\r\n").encode(),
        (HEADING + ROW).rstrip("\n").encode(),
        b"Order,Name,Street,ZIP Code,Day,From,Until,Note\n" + ROW.encode(),
    ],
)
def test_one_table_in_many_spellings(content: bytes) -> None:
    [row] = read_rows(content, 10)
    form, unread = form_of(row, "America/New_York")
    assert unread == []
    assert row.line == 2
    assert (form.order_ref, form.recipient_name, form.notes) == ("A-1", "José Peña", "bell")
    assert form.start_at is not None
    assert form.start_at.isoformat() == "2026-06-10T13:00:00+00:00"


def test_lines_are_counted_over_quoted_line_breaks_and_empty_lines() -> None:
    rows = HEADING + 'A-1,Robin,14 Elm St,10001,2026-06-10,9:00,11:00,"gate\nleft, ""red"""\n\n,,,\n' + ROW
    first, second = read_rows(rows.encode(), 10)
    assert (first.line, second.line) == (2, 6)
    assert first.cells["notes"] == 'gate\nleft, "red"'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"order_ref,recipient_name\nA-1,Robin\n", "column_missing"),
        (HEADING.replace("notes", "order").encode() + ROW.encode(), "column_twice"),
        (HEADING.encode() + b'A-1,"Robin"x,14 Elm St,10001,2026-06-10,9:00,11:00,\n', "not_csv"),
        (HEADING.encode() + b'A-1,"Robin\n', "not_csv"),
        ((HEADING + ROW * 11).encode(), "too_many_rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "column_missing"),
    ],
)
def test_what_is_no_such_table_is_refused_as_a_whole(content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        read_rows(content, 10)
    assert refused.value.code == code


def test_the_row_limit_is_exact() -> None:
    assert len(read_rows((HEADING + ROW * 10).encode(), 10)) == 10


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("A-1,Robin,14 Elm St,10001,10.6.2026,9:00,11:00,\n", "date"),
        ("A-1,Robin,14 Elm St,10001,2026-06-10,nine,11:00,\n", "start"),
        ("A-1,Robin,14 Elm St,10001,2026-06-10,9:00,11:00,bell,too much\n", ""),
        ("A-1,Robin\x00,14 Elm St,10001,2026-06-10,9:00,11:00,\n", ""),
    ],
)
def test_a_bad_row_says_where(row: str, field: str) -> None:
    [bad] = read_rows((HEADING + row).encode(), 10)
    _, unread = form_of(bad, "America/New_York")
    assert [(finding.code, finding.field) for finding in unread] == [(Because.UNREADABLE, field)]


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_rows_or_are_refused(noise: bytes, has_heading: bool) -> None:
    try:
        rows = read_rows(HEADING.encode() + noise if has_heading else noise, 50)
    except UnreadableFileError:
        return
    for row in rows:
        form, _ = form_of(row, "America/New_York")
        form.model_dump_json()
