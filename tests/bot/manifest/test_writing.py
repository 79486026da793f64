"""`doorline manifest`: the same stops as a table, as CSV that a spreadsheet cannot run, and as JSON."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from rich.console import Console

from bot.board.rules import follow_up_of
from bot.db import Database
from bot.manifest.rules import manifest_of
from bot.manifest.writing import COLUMNS, as_csv, as_json, tables
from bot.settings import PROJECT_ROOT
from bot.sop_recovery import RungKind
from connectors.base import StopStatus
from connectors.desk import ManifestView
from connectors.follow_up import SecondTry
from tests.bot.board.failures import recovery_of, step
from tests.bot.manifest.day import NEW_YORK, NOON, at, facts_of, posted, stop


def view_of(*names: str) -> ManifestView:
    before = facts_of(*(stop(name) for name in names), stop("off", driver="sam"))
    after = facts_of(*before.stops, posts={"North": posted(before)})
    after.stops[-1].status = StopStatus.CANCELLED
    after.stops[0].window_start_at = at("17:00")
    after.stops[0].window_end_at = at("19:00")
    after.stops[0].eta_at = at("17:30")
    return manifest_of(after, "North", NEW_YORK)


def rows_of(written: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written, newline="")))


def test_csv_says_exactly_what_the_manifest_says() -> None:
    view = view_of("a", "b")
    written = as_csv([view])
    assert written.splitlines()[0] == ",".join(COLUMNS)
    moved = rows_of(written)[0 if view.routes[0].lines[0].tracking == "a" else 1]
    assert moved == {
        "date": "2026-06-09",
        "zone": "North",
        "route": "Dana",
        "driver": "Dana",
        "shift": "not_asked",
        "number": moved["number"],
        "window_start": "2026-06-09T17:00:00-04:00",
        "window_end": "2026-06-09T19:00:00-04:00",
        "address": "a Elm St",
        "recipient": "Robin Doe",
        "client": "Acme",
        "tracking": "a",
        "order_ref": "",
        "load": "1",
        "status": "assigned",
        "eta": "2026-06-09T17:30:00-04:00",
        "change": "moved",
        "earlier_window_start": "2026-06-09T14:00:00-04:00",
        "earlier_window_end": "2026-06-09T16:00:00-04:00",
        "earlier_driver": "",
        "stop_id": view.routes[0].lines[int(moved["number"]) - 1].stop_id,
        "follow_up": "",
        "second_try": "",
    }
    assert [(row["tracking"], row["number"], row["change"]) for row in rows_of(written)][-1] == (
        "off",
        "",
        "cancelled",
    )


def test_every_form_says_how_a_failure_is_followed_up_and_what_the_second_try_needs() -> None:
    failed, again = stop("a", status=StopStatus.FAILED), stop("b")
    recovery = recovery_of(failed, NOON - timedelta(minutes=16), reattempt_id=again.id)
    facts = facts_of(
        failed,
        again,
        follow_ups={failed.id: follow_up_of(recovery, [step(recovery, RungKind.REMIND, 121)])},
        second_tries={
            again.id: SecondTry(attempt=2, choice="safe_place", place="behind planter", has_code=True)
        },
    )
    view = manifest_of(facts, "North", NEW_YORK)
    told = "asked 11:45 am, no answer yet; reminder 1:45 pm"
    needed = "2nd try. Safe place: behind planter. Code on file"
    rows = {row["tracking"]: row for row in rows_of(as_csv([view]))}
    assert (rows["a"]["follow_up"], rows["b"]["second_try"]) == (told, needed)
    out = io.StringIO()
    console = Console(file=out, width=300)
    for grid in tables(view):
        console.print(grid)
    assert (told in out.getvalue(), needed in out.getvalue()) == (True, True)
    lines = {line["tracking"]: line for line in json.loads(as_json([view]))[0]["routes"][0]["lines"]}
    assert (lines["a"]["follow_up"]["state"], lines["b"]["second_try"]["has_code"]) == ("asking", True)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_can_be_run_by_a_spreadsheet(start: str) -> None:
    facts = facts_of(stop("a", recipient_name=f"{start}HYPERLINK(1)", address_line='6 "Elm", St\n2B'))
    (row,) = rows_of(as_csv([manifest_of(facts, "North", NEW_YORK)]))
    assert (row["recipient"], row["address"]) == (f"'{start}HYPERLINK(1)", '6 "Elm", St\n2B')


def test_json_is_the_view_itself() -> None:
    view = view_of("a", "b")
    (read,) = json.loads(as_json([view]))
    assert ManifestView.model_validate(read) == view


def test_the_table_shows_every_stop_and_what_changed() -> None:
    out = io.StringIO()
    for grid in tables(view_of("a", "b")):
        Console(file=out, width=160).print(grid)
    for words in (
        "North · 2026-06-09 · Dana",
        "load 2 of 3",
        "17:00-19:00",
        "moved, was 14:00-16:00",
        "cancelled",
    ):
        assert words in out.getvalue(), words


# --- the command ------------------------------------------------------------------------------------


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "manifest", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
async def url(database: Database) -> str:
    async with database.transaction() as session:
        session.add_all(
            [stop("a"), stop("b", zone="South"), stop("c", day=at("00:00").date() + timedelta(days=1))]
        )
    return database.url


async def test_the_command_reads_one_zone_or_all(url: str) -> None:
    everything = run(url, "--date", "2026-06-09", "--format", "csv")
    assert (everything.returncode, everything.stderr) == (0, "")
    assert [(row["zone"], row["tracking"]) for row in rows_of(everything.stdout)] == [
        ("North", "a"),
        ("South", "b"),
    ]
    south = json.loads(run(url, "--date", "2026-06-09", "--zone", "south", "--format", "json").stdout)
    assert [(view["zone"], len(view["routes"][0]["lines"])) for view in south] == [("South", 1)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--date", "09/06/2026"), "expected --date such as 2026-11-23, found '09/06/2026'"),
        (("--date", "2026-06-09", "--zone", "West"), "no zone 'West' on 2026-06-09; there are: North, South"),
    ],
)
async def test_a_wrong_day_or_zone_is_told(url: str, arguments: tuple[str, ...], said: str) -> None:
    answer = run(url, *arguments)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
