"""CSV files by `POST /api/v1/stops/csv`: valid rows go in once, bad rows come back with line and reasons."""

import asyncio
import csv
import io
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bot.intake.models import StopRequest, StopUpload
from bot.intake.uploads import ROWS_WHILE_WAITING
from tests.harness.clients import Program, tasks_of_order
from tests.harness.waiting import eventually
from tests.harness.world import World

HEADING = "order_ref,recipient_name,phone,address,city,postcode,date,start,end,notes\n"


def row(number: int, **changes: str) -> str:
    cells = {
        "order_ref": f"F-{number}",
        "recipient_name": "Robin Doe",
        "phone": f"(212) 555-01{number:02}",
        "address": f"{number} Elm St",
        "city": "New York",
        "postcode": "10001",
        "date": "2026-06-10",
        "start": "9:00",
        "end": "11:00",
        "notes": "",
        **changes,
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells.values())
    return out.getvalue()


MIXED = (
    HEADING
    + row(1, notes="left of the gate,\nthen up")
    + row(2, address="Elm Street")
    + row(3, date="10.06.2026")
    + row(4, date="2026-06-14")  # a Sunday
    + row(1)
    + row(5, recipient_name="José Peña")
)


async def test_valid_rows_go_in_and_bad_rows_come_back(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    report = (await acme.uploads(MIXED.encode())).raise_for_status().json()
    assert (report["rows"], report["received"], report["needs_dispatcher"], report["refused"]) == (6, 2, 1, 3)
    told = [
        (row["line"], row["state"], [each["code"] for each in row["reasons"]]) for row in report["results"]
    ]
    assert told == [
        (2, "received", []),
        (4, "refused", ["bad_address"]),
        (5, "refused", ["unreadable"]),
        (6, "needs_dispatcher", ["closed_day"]),
        (7, "refused", ["duplicate"]),
        (8, "received", []),
    ]
    assert report["results"][4]["duplicate_of"] == report["results"][0]["request_id"]
    assert report["results"][2]["reasons"][0]["field"] == "date"
    await bare_world.settled()
    entered = {number: len(tasks_of_order(bare_world, f"F-{number}")) for number in range(1, 6)}
    assert entered == {1: 1, 2: 0, 3: 0, 4: 0, 5: 1}
    [task] = tasks_of_order(bare_world, "F-5")
    assert "José Peña" in str(task)


async def test_the_same_file_again_is_the_same_upload(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    first = (await acme.uploads(MIXED.encode())).json()
    await bare_world.settled()
    assert (await acme.uploads(MIXED.encode())).json() == first
    assert len(tasks_of_order(bare_world, "F-1")) == 1
    assert len(await bare_world.rows(StopRequest)) == 6


async def test_a_file_whose_report_was_lost_makes_no_stop_twice(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    first = (await acme.uploads(MIXED.encode())).json()
    async with bare_world.doorline.services.database.transaction() as session:
        await session.delete(await session.get_one(StopUpload, UUID(first["upload_id"])))
    again = (await acme.uploads(MIXED.encode())).json()
    assert again["upload_id"] != first["upload_id"]
    assert again["results"] == first["results"]
    await bare_world.settled()
    assert len(tasks_of_order(bare_world, "F-1")) == 1


async def test_spreadsheets_of_windows_and_forms_of_browsers_are_read(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    latin = (HEADING + row(1, recipient_name="José")).replace(",", ";").encode("cp1252")
    assert (await acme.uploads(latin)).json()["received"] == 1
    marked = (HEADING + row(2)).encode("utf-8-sig")
    form = await acme.calls("POST", "/stops/csv", files={"file": ("stops.csv", marked, "text/csv")})
    assert form.json()["received"] == 1
    none = await acme.calls("POST", "/stops/csv", files={"other": ("stops.csv", marked, "text/csv")})
    assert (none.status_code, none.json()["code"]) == (422, "file_missing")


async def test_the_report_as_a_table_runs_no_formula(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    evil = HEADING + row(1, order_ref="=HYPERLINK(1)", address="Elm Street")
    answer = await acme.uploads(evil.encode(), headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    [line] = list(csv.DictReader(io.StringIO(answer.text)))
    assert (line["line"], line["order_ref"], line["codes"]) == ("2", "'=HYPERLINK(1)", "bad_address")


async def test_a_file_with_too_many_rows_goes_in_not_at_all(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    most = await acme.uploads((HEADING + row(1) * 200).encode())
    assert (most.status_code, most.json()["rows"]) == (200, 200)
    many = await acme.uploads((HEADING + row(2) * 201).encode())
    assert (many.status_code, many.json()["code"]) == (413, "too_many_rows")
    assert tasks_of_order(desk_world, "F-2") == []
    nothing = await acme.uploads(b"")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "empty")


async def test_an_operator_names_the_client_of_a_file(bare_world: World) -> None:
    operator = await Program.of(bare_world, None)
    content = (HEADING + row(1)).encode()
    assert (await operator.uploads(content)).json()["code"] == "client_missing"
    taken = await operator.uploads(content, params={"client": "Nova"})
    assert taken.json()["received"] == 1
    [request] = await bare_world.rows(StopRequest)
    assert request.client == "Nova"


# --- large files ------------------------------------------------------------------------------------

LARGE = ROWS_WHILE_WAITING + 100


def large_file() -> bytes:
    """Every fiftieth row is in order."""
    rows = (row(n, phone="", **({} if n % 50 == 0 else {"address": "Elm Street"})) for n in range(LARGE))
    return (HEADING + "".join(rows)).encode()


async def report_at(program: Program, where: str) -> dict[str, Any]:
    answer = await program.calls("GET", where.removeprefix("/api/v1"))
    report: dict[str, Any] = answer.raise_for_status().json()
    return report


async def finished(program: Program, where: str) -> dict[str, Any]:
    return await eventually(
        lambda: report_at(program, where), lambda report: report["state"] == "done", "the upload to be done"
    )


async def test_a_large_file_is_answered_before_it_is_in(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    await bare_world.restart_app(with_worker=False)
    started = await acme.uploads(large_file())
    where = started.headers["Location"]
    assert (started.status_code, started.json()["state"], started.json()["rows"]) == (202, "taking_in", LARGE)
    assert await report_at(acme, where) == started.json()
    early = await acme.calls("GET", where.removeprefix("/api/v1"), headers={"Accept": "text/csv"})
    assert (early.status_code, early.json()["code"]) == (409, "not_done")
    await bare_world.restart_app()
    report = await finished(acme, where)
    assert (report["received"], report["refused"]) == (LARGE // 50, LARGE - LARGE // 50)
    assert [each["line"] for each in report["results"]] == list(range(2, LARGE + 2))
    table = await acme.calls("GET", where.removeprefix("/api/v1"), headers={"Accept": "text/csv"})
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == LARGE
    again = await acme.uploads(large_file())
    assert (again.status_code, again.json()) == (200, report)
    nova = await Program.of(bare_world, "Nova")
    assert (await nova.calls("GET", where.removeprefix("/api/v1"))).status_code == 404


async def test_a_large_file_that_was_cut_off_goes_on_behind_its_last_row(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    await bare_world.restart_app(with_worker=False)
    started = (await acme.uploads(large_file())).json()
    upload_id = UUID(started["upload_id"])
    taking = asyncio.create_task(bare_world.doorline.services.uploads.go_on(upload_id))

    async def taken() -> int:
        [upload] = await bare_world.rows(StopUpload)
        return upload.taken

    await eventually(taken, lambda count: count > 0, "some rows to be in")
    taking.cancel()
    with suppress(asyncio.CancelledError):
        await taking
    assert 0 < await taken() < LARGE
    await bare_world.restart_app()
    again = await acme.uploads(large_file())
    assert again.json()["upload_id"] == started["upload_id"]
    report = await finished(acme, f"/stop-uploads/{upload_id}")
    assert len(report["results"]) == len(await bare_world.rows(StopRequest)) == LARGE
    await bare_world.settled()
    entered = [len(tasks_of_order(bare_world, f"F-{number}'")) for number in range(0, LARGE, 50)]
    assert entered == [1] * (LARGE // 50)


async def test_an_upload_whose_job_is_gone_is_found_and_forgets_its_rows_in_the_end(
    bare_world: World,
) -> None:
    acme = await Program.of(bare_world)
    await bare_world.restart_app(with_worker=False)
    where = (await acme.uploads(large_file())).headers["Location"]
    async with bare_world.doorline.services.database.transaction() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    [upload] = await bare_world.rows(StopUpload)
    assert len(upload.wanted) == LARGE
    await bare_world.restart_app()
    await bare_world.advance(minutes=6)
    await finished(acme, where)
    [upload] = await bare_world.rows(StopUpload)
    assert upload.wanted == []


async def test_rows_without_order_numbers_are_each_others_twins(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    same = [
        row(1, order_ref=""),
        row(1, order_ref="", address="1 elm street"),
        row(2, order_ref="", phone=""),
    ]
    report = (await acme.uploads((HEADING + "".join(same)).encode())).json()
    assert [each["state"] for each in report["results"]] == ["received", "refused", "received"]
    first, second, _ = report["results"]
    assert second["duplicate_of"] == first["request_id"]


async def test_the_rows_of_one_file_share_the_places_of_a_day(desk_world: World) -> None:
    nova = await Program.of(desk_world, "Nova")
    rows = [row(number, recipient_name=f"Robin {number}") for number in range(1, 5)]
    report = (await nova.uploads((HEADING + "".join(rows)).encode())).json()
    assert [each["state"] for each in report["results"]] == ["received"] * 2 + ["needs_dispatcher"] * 2
    acme = await Program.of(desk_world)
    rows = [row(number, recipient_name=f"Kim {number}") for number in range(11, 15)]
    report = (await acme.uploads((HEADING + "".join(rows)).encode())).json()
    told = [[each["code"] for each in result["reasons"]] for result in report["results"]]
    assert told == [[], [], ["full"], ["full"]]
