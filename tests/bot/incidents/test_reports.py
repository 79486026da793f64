"""An incident as it is handed over: complete, in order, the same bytes each time, and private."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigurationError, NotFoundError
from bot.incidents.cli import Format, read_report, shaped, write_report
from bot.incidents.page import as_html, as_json, as_text
from tests.bot.incidents.afternoon import PHONE, dealt_with
from tests.bot.incidents.office import Office
from tests.harness.codes import DOOR_CODE

TOLD = """
9:20:00 am Onfleet: Stop entered the plan: planned
12:40:00 pm Onfleet: Out for delivery
12:40:00 pm Onfleet: Given to Ana Ruiz
12:40:00 pm Onfleet: ETA 3:20 pm
3:25:00 pm Onfleet: ETA 4:20 pm, 3:20 pm before
3:30:00 pm Doorline: At risk: ETA 4:20 pm, window ends 4:00 pm
3:30:00 pm Doorline: Told dispatchers: the stop was at risk
3:36:00 pm Dana Cole (dispatcher): Took it until 4:00 pm
3:38:00 pm Dana Cole (dispatcher): Asked the driver
3:40:00 pm Driver: Answered: traffic, 20 min
3:45:00 pm Doorline: Texted Noor Haddad
3:50:00 pm Recipient: Wrote by text
3:50:12 pm Doorline: Answered by text (delivered 3:50:18 pm)
3:55:00 pm Dispatcher: Wrote to the recipient by text (delivered 3:55:06 pm)
4:00:00 pm Doorline: Late: Window ended 4:00 pm, ETA 4:20 pm
4:25:00 pm Onfleet: Delivered
4:26:00 pm Doorline: Incident opened: breach
4:26:00 pm Dana Cole (dispatcher): Follow-up planned for Noor Haddad (dispatcher), due Jun 12
4:26:00 pm Dana Cole (dispatcher): Resolved: Delivered 4:25 pm, 25 min late
""".strip().splitlines()


def told(report: Any) -> list[str]:
    return [
        f"{line.local_time} {line.who}: {line.what}" + (f" ({line.receipt})" if line.receipt else "")
        for line in report.timeline
    ]


async def test_the_timeline_tells_who_did_what_when(office: Office) -> None:
    _, incident = await dealt_with(office)
    assert told(await office.report(incident.id)) == TOLD


async def test_the_head_says_what_happened_what_it_costs_and_what_follows(office: Office) -> None:
    stop, incident = await dealt_with(office)
    report = await office.reports.read("inc-1001")
    assert report == await office.report(incident.id) == await office.reports.read("1001")
    assert (report.number, report.headline) == ("INC-1001", "Delivered 25 minutes after the promised window.")
    assert (report.root_cause, report.exposure_usd, report.state) == ("traffic", 75, "open")
    assert (report.promised, report.tracking) == ("Jun 9, 2:00 pm to 4:00 pm", stop.tracking)
    assert report.response.minutes_to_take == 6
    [planned] = report.follow_ups
    assert (planned.what, planned.owner, planned.done_at) == (
        "Plan 5th Avenue before noon",
        "Noor Haddad (dispatcher)",
        None,
    )


async def test_the_same_tables_give_the_same_bytes_in_every_shape(office: Office) -> None:
    _, incident = await dealt_with(office)
    first = await office.report(incident.id)
    office.clock.at = office.clock.at.replace(year=2027)
    again = await office.report(incident.id)
    for form in Format:
        one, two = await asyncio.gather(
            asyncio.to_thread(shaped, first, form), asyncio.to_thread(shaped, again, form)
        )
        assert one == two, form
    assert shaped(first, Format.PDF).startswith(b"%PDF-")


async def test_no_code_and_no_whole_phone_number_is_in_any_of_it(office: Office) -> None:
    _, incident = await dealt_with(office)
    report = await office.report(incident.id)
    for shape in (
        as_json(report),
        as_text(report),
        re.sub(r"<style>.*?</style>", "", as_html(report), flags=re.DOTALL),
    ):
        assert DOOR_CODE not in shape
        for number in ("2125550199", "2125550142", "2125550143", "2125550111", PHONE):
            assert number not in re.sub(r"[^0-9+]", "", shape), number
        assert "•••• 0142" in shape


async def test_a_client_reads_roles_instead_of_names_and_no_internal_words(office: Office) -> None:
    _, incident = await dealt_with(office)
    report = await office.report(incident.id, for_client=True)
    shown = as_json(report)
    for name in ("Dana", "Noor", "Ana Ruiz", "U0DANA", "person:", "Why late?"):
        assert name not in shown.replace("Sorry Robin, Ana is stuck on 5th", ""), name
    assert "3:36:00 pm Dispatcher: Took it until 4:00 pm" in told(report)
    assert report.follow_ups[0].owner == "a dispatcher"


async def test_a_client_reads_no_messages_of_somebody_who_awaits_another_clients_parcel_too(
    office: Office,
) -> None:
    _, incident = await dealt_with(office)
    await office.stop(client="Nova")
    assert [line for line in (await office.report(incident.id)).timeline if line.source == "message"]
    shown = await office.report(incident.id, for_client=True)
    assert [line for line in shown.timeline if line.source == "message"] == []


async def test_the_page_needs_nothing_from_elsewhere_and_escapes_what_people_write(office: Office) -> None:
    stop, incident = await dealt_with(office)
    await office.becomes(stop, recipient_name="<script>alert(1)</script>")
    page = as_html(await office.report(incident.id))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"""(?:src|href)=|url\((?!data:)|@import""", page)


async def test_json_is_json_with_instants_in_utc(office: Office) -> None:
    _, incident = await dealt_with(office)
    read = json.loads(as_json(await office.report(incident.id)))
    assert read["promised_end_at"] == "2026-06-09T20:00:00Z"
    assert read["timeline"][-1]["local_day"] == "Tuesday, June 9, 2026"


@pytest.mark.parametrize("name", ["INC-999", "999999999999999999999", "nonsense", "", "²"])
async def test_an_unknown_incident_is_said_to_be_unknown(office: Office, name: str) -> None:
    with pytest.raises(NotFoundError):
        await office.reports.read(name)


async def test_the_command_reads_the_database_and_writes_the_file(
    office: Office, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, incident = await dealt_with(office)
    report = await asyncio.to_thread(read_report, office.database.url, office.sop, incident.name)
    assert report == await office.report(incident.id)
    write_report(report, Format.JSON, tmp_path / "incident.json")
    assert (tmp_path / "incident.json").read_text(encoding="utf-8") == as_json(report)
    write_report(report, Format.TEXT, None)
    assert capfdbinary.readouterr().out.decode() == as_text(report)
    with pytest.raises(ConfigurationError, match="No such file"):
        write_report(report, Format.HTML, tmp_path / "nowhere" / "incident.html")
