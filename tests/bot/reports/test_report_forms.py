"""The forms of a report: complete, harmless, and the same bytes for the same report."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime

import pypdfium2
import pytest

from bot.reports import pdf, wording
from bot.reports.errors import PdfUnavailableError
from bot.reports.page import sla_page
from bot.reports.pdf import to_pdf
from bot.reports.records import Period
from bot.reports.rendering import render
from bot.reports.report import SlaReport
from bot.reports.writing import COLUMNS, Format, as_csv, as_json, write
from bot.settings import PROJECT_ROOT
from connectors.base import FailureReason, StopStatus
from tests.bot.reports.month import OCTOBER, a_month, month, report, stop

DIGESTS = """
import sys, hashlib
from bot.reports.report import SlaReport
from bot.reports.writing import Format, write
report = SlaReport.model_validate_json(sys.stdin.buffer.read())
for each in Format:
    print(each.value, hashlib.sha256(write(report, each).content).hexdigest())
"""


@pytest.fixture(scope="module")
def october() -> SlaReport:
    return a_month()


def test_the_same_report_gives_the_same_bytes_in_every_process() -> None:
    week = Period(date(2026, 10, 5), date(2026, 10, 11))
    made = report(*month(week, per_day=30), week)
    digests = {each.value: hashlib.sha256(write(made, each).content).hexdigest() for each in Format}
    told = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        input=made.model_dump_json().encode(),
        capture_output=True,
        check=True,
        cwd=PROJECT_ROOT,
        env=os.environ | {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"},
    )
    assert dict(line.split() for line in told.stdout.decode().splitlines()) == digests


def test_the_page_needs_nothing_from_outside(october: SlaReport) -> None:
    page = sla_page(october)
    assert page.startswith("<!doctype html>")
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert not re.search(r"url\((?!data:)", page)
    assert "<script" not in page
    assert page.count("<img") == page.count('alt="') == 3
    assert "94.0% of 1,305 deliveries that count arrived on time" in page


def test_a_name_that_looks_like_markup_stays_a_name() -> None:
    hostile = stop(zone="<script>alert(1)</script>", done_after=60)
    page = sla_page(report([hostile], []))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_pdf_reads_as_the_page_does(october: SlaReport) -> None:
    document = pypdfium2.PdfDocument(write(october, Format.PDF).content)
    text = "\n".join(document[number].get_textpage().get_text_range() for number in range(len(document)))
    assert "Acme Home Goods" in text
    assert "October 1 to 31, 2026" in text
    assert f"Page 1 of {len(document)}" in text
    assert october.figures.missed[0].tracking in text
    assert document.get_metadata_dict()["CreationDate"] == ""


def test_a_page_that_names_a_file_does_not_get_it() -> None:
    content = to_pdf("<title>x</title><img src='file:///etc/hostname' alt='kept out'><p>seen</p>")
    text = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    assert "seen" in text
    assert "kept out" in text


def test_without_the_system_s_libraries_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Missing:
        def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(PdfUnavailableError, match=f"apt-get install {pdf.SYSTEM_LIBRARIES}"):
        to_pdf("<p>x</p>")


async def test_rendering_elsewhere_gives_what_rendering_here_gives(october: SlaReport) -> None:
    assert (await render(october, Format.HTML)).content == sla_page(october).encode()


def test_csv_has_one_row_per_day_and_zone_that_had_stops(october: SlaReport) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(october))))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 27 * 4
    assert [(row["day"], row["zone"]) for row in rows] == sorted((row["day"], row["zone"]) for row in rows)
    for name in ("promised", "late", "penalty_usd"):
        assert sum(int(row[name]) for row in rows) == getattr(october.figures.total, name)


def test_a_zone_is_never_a_formula() -> None:
    written = as_csv(report([stop(zone='=HYPERLINK("http://x.example")')], []))
    assert "'=HYPERLINK" in written


def test_json_is_versioned_and_can_be_read_back(october: SlaReport) -> None:
    content = json.loads(as_json(october))
    assert content["schema_version"] == 1
    assert content["figures"]["total"]["on_time_percent"] == 94.0
    assert set(content["definitions"]) >= {"On time", "Penalty", "Excluded"}
    assert SlaReport.model_validate(content) == october


@pytest.mark.parametrize("wanted", list(Format))
def test_an_empty_period_and_one_stop_can_be_written(wanted: Format) -> None:
    for stops in ([], [stop()], [stop(status=StopStatus.FAILED, exclusion="recipient_absent")]):
        assert write(report(stops, []), wanted).content


def test_an_empty_period_says_so() -> None:
    assert "No delivery window ended in this period." in sla_page(report([], []))


def test_a_period_that_is_not_over_says_that_it_will_change() -> None:
    today = datetime(2026, 10, 31, 17, tzinfo=UTC)
    waiting = stop(date(2026, 10, 31), status=StopStatus.OUT_FOR_DELIVERY, done_after=None)
    page = sla_page(report([waiting, stop(number=2)], [], now=today))
    assert "1 delivery of this period has a window that is not over yet" in page


def test_a_year_with_many_zones_can_be_drawn() -> None:
    stops = [
        stop(
            date(2026, 10, 1 + number % 31),
            number=number,
            zone=f"Zone {number % 40:02d} of the very long names",
        )
        for number in range(1, 200)
    ]
    page = sla_page(report(stops, []))
    assert page.count("<img") == 2
    assert "Zone 39 of the very long names" in page


def test_many_missed_ones_are_told_apart_from_those_that_are_shown() -> None:
    stops = [stop(number=number, done_after=60, cause=FailureReason.TRAFFIC) for number in range(1, 200)]
    page = sla_page(report(stops, []))
    assert "The first 120 of 199" in page


def test_files_are_named_after_client_and_period(october: SlaReport) -> None:
    assert write(october, Format.CSV).filename == "sla-acme-home-goods-2026-10-01-to-2026-10-31.csv"
    odd = october.model_copy(update={"client": "../Ünï\u202e"})
    assert write(odd, Format.CSV).filename == "sla-n-2026-10-01-to-2026-10-31.csv"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "October 1 to 31, 2026"),
        (date(2026, 9, 28), date(2026, 10, 4), "September 28 to October 4, 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "December 28, 2026 to January 3, 2027"),
        (date(2026, 10, 6), date(2026, 10, 6), "October 6, 2026"),
    ],
)
def test_periods_are_written_as_people_write_them(start: date, end: date, words: str) -> None:
    assert wording.span(start, end) == words


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ((8, 12), "8 am to noon"),
        ((12, 17), "noon to 5 pm"),
        ((13, 17), "1 to 5 pm"),
        ((20, 24), "8 pm to midnight"),
        ((8, 10), "8 to 10 am"),
        ((9, 14), "9 am to 2 pm"),
    ],
)
def test_windows_are_written_without_doubt(hours: tuple[int, int], words: str) -> None:
    (missed,) = report([stop(hours=hours, done_after=60)], []).figures.missed
    assert wording.window(missed) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 min"),
        (0.4, "under 1 min"),
        (1, "1 min"),
        (59.6, "1 h"),
        (61, "1 h 1 min"),
        (120, "2 h"),
    ],
)
def test_durations_are_written_in_hours_and_minutes(value: float | None, words: str) -> None:
    assert wording.minutes(value) == words


def test_the_month_before_is_compared_in_words() -> None:
    october = report(*month(OCTOBER, seed=7))
    assert "about the same as 92.2%" in wording.trend_sentence(october)
    few = report([stop()], [], Period(date(2026, 10, 6), date(2026, 10, 6)))
    assert "too few deliveries" in wording.trend_sentence(few)
