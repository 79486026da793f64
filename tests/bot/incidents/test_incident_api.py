"""Incidents by `/api/v1`, by a link, and by a command: a client sees its own, in roles; an operator deals with all."""

from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col

from bot.app.incidents import IncidentServices
from bot.incidents.models import PromiseIncident
from bot.stops.models import StopRecord
from connectors.desk import AnswerCode, CommandKind, DeskCommand
from tests.harness.accounts import CHANNEL
from tests.harness.clients import Program
from tests.harness.world import World

DANA = "U0DANA"
NOBODYS = "6f1c2a34-0b7e-4c55-9a61-5d2f8e3b7a10"
"""The id of nothing that exists."""


def parts(world: World) -> IncidentServices:
    services: Any = world.doorline.services
    return services  # type: ignore[no-any-return]


async def late(world: World, client: str = "Acme", address: str = "14 Elm St 2B") -> PromiseIncident:
    """A stop whose window is over, seen by the watch."""
    tracking = await world.has_stop(client=client, address=address, eta="16:30")
    if world.clock.now() < world.local("16:00"):
        world.clock.at = world.local("16:00")
    await parts(world).incident_watch.run()
    stop = await world.stop_record(tracking)
    [incident] = await world.rows(PromiseIncident, col(PromiseIncident.stop_id) == stop.id)
    return incident


async def test_a_client_sees_its_own_and_an_operator_sees_all(incident_world: World) -> None:
    acme, nova = await late(incident_world), await late(incident_world, "Nova", "18 Oak Ave")
    programs = {who: await Program.of(incident_world, who) for who in ("Acme", "Nova", None)}

    async def listed(who: str | None, **query: str) -> list[str]:
        answer = await programs[who].calls("GET", "/incidents", params=query)
        return [each["number"] for each in answer.raise_for_status().json()["incidents"]]

    assert await listed("Acme") == [acme.name]
    assert await listed("Acme", client="Nova") == [acme.name]
    assert await listed("Nova") == [nova.name]
    assert await listed(None) == [acme.name, nova.name]
    assert await listed(None, client="Nova", kind="breach", state="open") == [nova.name]
    assert await listed(None, kind="failed_delivery") == []
    assert await listed(None, **{"from": "2026-06-09", "to": "2026-06-09"}) == [acme.name, nova.name]
    assert await listed(None, **{"from": "2026-06-10"}) == []
    assert await listed(None, to="2026-06-08") == []
    refused = await programs["Acme"].calls("GET", f"/incidents/{nova.id}")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await programs["Acme"].calls("GET", f"/incidents/{uuid4()}")).json() == refused.json()


async def test_pages_go_on_where_the_last_one_ended(incident_world: World) -> None:
    made = [(await late(incident_world, address=f"{each} Elm St")).name for each in (1, 2, 3)]
    operator = await Program.of(incident_world, None)
    seen, query = [], {"limit": "2"}
    while query:
        page = (await operator.calls("GET", "/incidents", params=query)).raise_for_status().json()
        seen += [each["number"] for each in page["incidents"]]
        query = {"limit": "2", "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    assert seen == made


async def test_a_client_reads_the_timeline_without_names(incident_world: World) -> None:
    tracking = await incident_world.has_stop(eta="16:25")
    await incident_world.advance(minutes=1)
    await incident_world.advance(minutes=4)
    shown = await incident_world.channel_shows("ETA 4:25 pm")
    await incident_world.dispatcher().reacts(shown, "eyes")
    await incident_world.channel_shows("<@U0DANA>")
    incident_world.clock.at = incident_world.local("16:00")
    await parts(incident_world).incident_watch.run()
    [incident] = await incident_world.rows(PromiseIncident)
    acme, operator = await Program.of(incident_world), await Program.of(incident_world, None)
    own = (await acme.calls("GET", f"/incidents/{incident.id}")).raise_for_status().json()
    whole = (await operator.calls("GET", f"/incidents/{incident.id}")).raise_for_status().json()
    assert own["tracking"] == whole["tracking"] == tracking
    took = [(line["who"], line["what"]) for line in own["timeline"] if line["what"].startswith("Took it")]
    assert took == [("Dispatcher", "Took it until 4:00 pm")]
    assert any(line["who"] == "U0DANA (dispatcher)" for line in whole["timeline"])
    assert DANA not in str(own)
    assert "+12125550" not in str(own) + str(whole)
    assert own["response"]["taken_at"] is not None


async def test_an_operator_says_why_plans_what_follows_and_it_closes(incident_world: World) -> None:
    incident = await late(incident_world)
    operator, acme = await Program.of(incident_world, None), await Program.of(incident_world)
    path = f"/incidents/{incident.id}"
    plan = {"what": "Call Acme", "owner": DANA, "due_on": "2026-06-12"}
    made = await operator.calls("POST", f"{path}/follow-ups", json=plan)
    assert made.status_code == 201, made.text
    follow_up = made.json()
    assert (follow_up["incident_id"], follow_up["done_at"]) == (str(incident.id), None)
    said = await operator.calls("PATCH", path, json={"root_cause": "traffic", "note": "5th Avenue"})
    assert (said.json()["root_cause"], said.json()["state"]) == ("traffic", "open")
    done = await operator.calls("PATCH", f"/follow-ups/{follow_up['id']}", json={"done": True})
    assert done.json()["done_by"].startswith("token:")
    closed = await operator.calls("PATCH", path, json={"state": "closed"})
    assert closed.json()["state"] == "closed"
    for method, refused, body in (
        ("PATCH", path, {"note": "x"}),
        ("POST", f"{path}/follow-ups", plan),
        ("PATCH", f"/follow-ups/{follow_up['id']}", {"done": False}),
    ):
        assert (await acme.calls(method, refused, json=body)).status_code == 403
    own = (await acme.calls("GET", path)).json()
    assert (own["note"], own["follow_ups"][0]["owner"]) == ("", "a dispatcher")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/incidents/{id}", {"exclusion": "bad_karma"}, 422, "unknown_exclusion"),
        ("PATCH", "/incidents/{id}", {"root_cause": "karma"}, 422, "invalid"),
        ("PATCH", "/incidents/{id}", {"state": "open"}, 422, "invalid"),
        (
            "POST",
            "/incidents/{id}/follow-ups",
            {"what": "x", "owner": "Dana", "due_on": "2026-06-12"},
            422,
            "unknown_owner",
        ),
        (
            "POST",
            "/incidents/{id}/follow-ups",
            {"what": "", "owner": DANA, "due_on": "2026-06-12"},
            422,
            "invalid",
        ),
        (
            "POST",
            f"/incidents/{NOBODYS}/follow-ups",
            {"what": "x", "owner": DANA, "due_on": "2026-06-12"},
            404,
            "not_found",
        ),
        ("PATCH", f"/follow-ups/{NOBODYS}", {"done": True}, 404, "not_found"),
        ("GET", "/incidents/INC-1001", None, 422, "invalid"),
        ("GET", "/incidents?kind=late", None, 422, "invalid"),
        ("GET", "/incidents?from=yesterday", None, 422, "invalid"),
        ("GET", "/incidents?cursor=none", None, 422, "bad_cursor"),
    ],
)
async def test_what_is_wrong_is_a_problem_document(
    incident_world: World, method: str, path: str, body: dict[str, str] | None, status: int, code: str
) -> None:
    incident = await late(incident_world)
    operator = await Program.of(incident_world, None)
    answer = await operator.calls(method, path.format(id=incident.id), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_dispatcher_opens_the_report_by_a_link_that_runs_out(incident_world: World) -> None:
    incident = await late(incident_world)
    asked = DeskCommand(
        vendor_id="V1",
        kind=CommandKind.REPORT_INCIDENT,
        dispatcher=DANA,
        channel=CHANNEL,
        fields={"incident": incident.name.lower()},
        occurred_at=incident_world.clock.now(),
    )
    commands = incident_world.doorline.services.desk_commands
    answer = await commands.carry_out(asked)
    assert (answer.code, answer.number) == (AnswerCode.REPORT_READY, incident.name)
    page = await incident_world.http.get(answer.page_url)
    assert page.status_code == 200
    assert incident.name in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await incident_world.http.get(answer.page_url + "x")).status_code == 404
    incident_world.clock.at = incident_world.local("16:00", day=31)
    assert (await incident_world.http.get(answer.page_url)).status_code == 410
    unknown = asked.model_copy(update={"fields": {"incident": "INC-9"}})
    assert (await commands.carry_out(unknown)).code is AnswerCode.NOTHING_FOUND


async def test_the_dispatchers_command_makes_one_through_the_desk(incident_world: World) -> None:
    tracking = await incident_world.has_stop()
    asked = DeskCommand(
        vendor_id="V1",
        kind=CommandKind.MAKE_INCIDENT,
        dispatcher=DANA,
        channel=CHANNEL,
        fields={"kind": "damaged", "stop": tracking, "words": "Crushed"},
        occurred_at=incident_world.clock.now(),
    )
    answer = await incident_world.doorline.services.desk_commands.carry_out(asked)
    assert answer.code is AnswerCode.INCIDENT_MADE
    [stop] = await incident_world.rows(StopRecord)
    assert answer.address_line == stop.address_line
    # It is dispatch's own: the client's token does not see it.
    acme = await Program.of(incident_world)
    assert (await acme.calls("GET", "/incidents")).json()["incidents"] == []
