"""New stops by `POST /api/v1/stops`: once each, judged, entered, and honest while the platform is away."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col

from bot.intake.models import StopRequest
from connectors.emulation import Fault
from tests.harness.clients import Program, a_stop, tasks_of_order
from tests.harness.codes import DOOR_CODE
from tests.harness.world import World


def codes(problem: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in problem["reasons"]]


async def test_a_wanted_stop_is_on_the_platform_and_its_client_can_read_it(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    asked = await acme.asks_for(a_stop(bare_world))
    assert asked.status_code == 202, asked.text
    assert asked.json()["state"] == "received"
    await bare_world.settled()
    request = await acme.request(asked.json()["id"])
    assert (request["state"], request["reasons"]) == ("entered", [])
    stop = (await acme.calls("GET", f"/stops/{request['stop_id']}")).json()
    assert (stop["address_line"], stop["postcode"], stop["order_ref"]) == (
        "14 Elm Street Apt 2B",
        "10001",
        "A-1001",
    )
    assert stop["window"] == request["window"]
    [task] = tasks_of_order(bare_world, "A-1001")
    assert task["shortId"] == stop["tracking"]
    # The next whole read knows it for the same stop.
    await bare_world.sync()
    assert (await acme.calls("GET", "/stops", params={"order_ref": "a-1001"})).json()["stops"] == [stop]


async def test_the_access_code_is_the_drivers_and_is_forgotten_here(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    await acme.enters(a_stop(bare_world, access_code=f"{DOOR_CODE}#", notes="Ring twice"))
    [task] = tasks_of_order(bare_world, "A-1001")
    assert f"{DOOR_CODE}#" in task["notes"]
    [request] = await bare_world.rows(StopRequest)
    assert DOOR_CODE not in str(request.form)
    stop = await bare_world.stop_record(task["shortId"])
    assert DOOR_CODE not in stop.notes


async def test_the_same_key_is_the_same_stop_and_is_answered_the_same(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    first = await acme.asks_for(a_stop(bare_world), key="order-1")
    await bare_world.settled()
    again = await acme.asks_for(a_stop(bare_world), key="order-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(tasks_of_order(bare_world, "A-1001")) == 1


async def test_many_tries_at_once_make_one_stop(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    wanted = a_stop(bare_world)
    answers = await asyncio.gather(*(acme.asks_for(wanted, key="order-1") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    await bare_world.settled()
    assert len(tasks_of_order(bare_world, "A-1001")) == 1


async def test_the_same_key_for_another_stop_is_a_conflict(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    await acme.asks_for(a_stop(bare_world), key="order-1")
    other = await acme.asks_for(a_stop(bare_world, recipient_name="Kim Poe"), key="order-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert other.headers["content-type"] == "application/problem+json"


async def test_two_clients_may_use_the_same_key(bare_world: World) -> None:
    acme, nova = await Program.of(bare_world), await Program.of(bare_world, "Nova")
    one = await acme.asks_for(a_stop(bare_world), key="1")
    two = await nova.asks_for(a_stop(bare_world), key="1")
    assert one.json()["id"] != two.json()["id"]


async def test_another_clients_stops_do_not_exist(bare_world: World) -> None:
    acme, nova = await Program.of(bare_world), await Program.of(bare_world, "Nova")
    operator = await Program.of(bare_world, None)
    stop = await acme.enters(a_stop(bare_world))
    request_id = (await acme.calls("GET", "/stop-requests")).json()["stop_requests"][0]["id"]
    at = bare_world.local("18:00")
    for program, status in ((nova, 404), (operator, 200)):
        assert (await program.calls("GET", f"/stops/{stop['id']}")).status_code == status
        assert (await program.calls("GET", f"/stop-requests/{request_id}")).status_code == status
    assert (await nova.calls("DELETE", f"/stops/{stop['id']}")).status_code == 404
    assert (await nova.moves(stop["id"], at, at + timedelta(hours=1))).status_code == 404
    assert (await nova.calls("GET", "/stops")).json()["stops"] == []
    assert len((await operator.calls("GET", "/stops")).json()["stops"]) == 1
    assert len(tasks_of_order(bare_world, "A-1001")) == 1


async def test_an_operator_says_whose_stop_it_is_and_a_client_cannot_ask_for_anothers(
    bare_world: World,
) -> None:
    operator, acme = await Program.of(bare_world, None), await Program.of(bare_world)
    assert (await operator.asks_for(a_stop(bare_world))).json()["code"] == "client_missing"
    assert (await operator.asks_for(a_stop(bare_world, client="Nova"))).json()["client"] == "Nova"
    other = await acme.asks_for(a_stop(bare_world, client="Nova"))
    assert (other.status_code, other.json()["code"]) == (403, "other_client")


# --- the platform is away ---------------------------------------------------------------------------


async def test_while_the_platform_is_down_the_stop_is_on_its_way_and_then_there_once(
    bare_world: World,
) -> None:
    acme = await Program.of(bare_world)
    bare_world.onfleet.faults.next(*[Fault("status", status=503, path_contains="/tasks")] * 4)
    asked = await acme.asks_for(a_stop(bare_world))
    assert asked.status_code == 202
    await bare_world.settled()
    assert (await acme.request(asked.json()["id"]))["state"] == "entering"
    bare_world.onfleet.faults.clear()
    await bare_world.retries()
    assert (await acme.request(asked.json()["id"]))["state"] == "entered"
    assert len(tasks_of_order(bare_world, "A-1001")) == 1


async def test_a_lost_answer_makes_no_second_stop(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    bare_world.onfleet.faults.next(
        Fault("slow", seconds=0, path_contains="/tasks"),  # our own look for it
        Fault("reset", after_work=True, path_contains="/tasks"),
    )
    asked = await acme.asks_for(a_stop(bare_world))
    await bare_world.settled()
    assert len(tasks_of_order(bare_world, "A-1001")) == 1
    assert (await acme.request(asked.json()["id"]))["state"] == "entering"
    await bare_world.retries()
    request = await acme.request(asked.json()["id"])
    [task] = tasks_of_order(bare_world, "A-1001")
    stop = (await acme.calls("GET", f"/stops/{request['stop_id']}")).json()
    assert (request["state"], stop["tracking"]) == ("entered", task["shortId"])


async def test_what_the_platform_refuses_a_dispatcher_gets_and_may_try_again(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    bare_world.onfleet.faults.next(
        Fault("slow", seconds=0, path_contains="/tasks"),
        Fault("status", status=400, path_contains="/tasks"),
    )
    asked = await acme.asks_for(a_stop(bare_world, access_code=DOOR_CODE))
    await bare_world.settled()
    request = await acme.request(asked.json()["id"])
    assert request["state"] == "needs_dispatcher"
    message = await bare_world.channel_shows("14 Elm Street Apt 2B", "A-1001")
    assert DOOR_CODE not in str(message)
    await bare_world.dispatcher().presses(message, "task_approve")
    await bare_world.settled()
    assert (await acme.request(asked.json()["id"]))["state"] == "entered"
    [task] = tasks_of_order(bare_world, "A-1001")
    assert DOOR_CODE in task["notes"]


# --- judged -----------------------------------------------------------------------------------------


async def test_the_same_order_or_visit_twice_is_a_conflict_that_names_the_earlier_one(
    bare_world: World,
) -> None:
    acme = await Program.of(bare_world)
    stop = await acme.enters(a_stop(bare_world))
    same_order = await acme.asks_for(a_stop(bare_world, day=1, order_ref="a-1001"))
    same_visit = await acme.asks_for(
        a_stop(bare_world, "18:00", "20:00", order_ref="", address={"line": "14 elm st 2b"})
    )
    for twin in (same_order, same_visit):
        assert (twin.status_code, twin.json()["code"]) == (409, "duplicate"), twin.text
        assert twin.json()["subject_id"] == stop["id"]
    other_order = await acme.asks_for(a_stop(bare_world, order_ref="A-1002"))
    assert other_order.status_code == 202


async def test_one_that_is_still_on_its_way_is_an_earlier_one_too(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    bare_world.onfleet.faults.down = True
    first = await acme.asks_for(a_stop(bare_world))
    second = await acme.asks_for(a_stop(bare_world))
    assert (second.status_code, second.json()["subject_id"]) == (409, first.json()["id"])


@pytest.mark.parametrize(
    ("seconds", "state", "reasons"), [(0, "received", []), (1, "needs_dispatcher", ["too_soon"])]
)
async def test_the_cut_off_counts_to_the_second(
    bare_world: World, seconds: int, state: str, reasons: list[str]
) -> None:
    acme = await Program.of(bare_world)
    wanted = a_stop(bare_world, "14:00", "16:00")
    bare_world.clock.move(timedelta(seconds=seconds))
    answer = (await acme.asks_for(wanted)).json()
    assert (answer["state"], codes(answer)) == (state, reasons)


@pytest.mark.parametrize(
    ("changes", "status", "reasons"),
    [
        ({"recipient_name": " "}, 422, ["no_name"]),
        ({"address": {"line": ""}}, 422, ["no_address"]),
        ({"address": {"line": "PO Box 7"}}, 422, ["bad_address"]),
        ({"phone": "12"}, 422, ["bad_phone"]),
        ({"window": ("16:00", "14:00")}, 422, ["bad_window"]),
        ({"window": ("09:00", "10:00")}, 422, ["past"]),
        ({"window": ("15:00", "15:20")}, 422, ["too_short"]),
    ],
)
async def test_what_only_the_client_can_mend_comes_back_and_goes_nowhere(
    bare_world: World, changes: dict[str, Any], status: int, reasons: list[str]
) -> None:
    acme = await Program.of(bare_world)
    start, end = changes.pop("window", ("17:00", "19:00"))
    wanted = a_stop(bare_world, start, end, **changes)
    answer = await acme.asks_for(wanted, key="k")
    assert (answer.status_code, codes(answer.json())) == (status, reasons)
    assert (await acme.asks_for(wanted, key="k")).json() == answer.json()
    await bare_world.settled()
    assert bare_world.onfleet.store.tasks == {}


async def test_places_days_and_clients_have_their_limits(desk_world: World) -> None:
    acme, nova = await Program.of(desk_world), await Program.of(desk_world, "Nova")
    mute = await Program.of(desk_world, "Mute")

    async def state_of(program: Program, number: int, **changes: Any) -> tuple[str, list[str]]:
        wanted = a_stop(desk_world, order_ref=f"N-{number}", **changes)
        answer = (await program.asks_for(wanted)).json()
        return answer.get("state", answer.get("code")), codes(answer)

    assert await state_of(mute, 0) == ("not_allowed", ["not_allowed"])
    assert await state_of(acme, 1, address={"postcode": "90210"}) == ("needs_dispatcher", ["no_zone"])
    south = {"postcode": "11201"}
    assert await state_of(acme, 2, address=south) == ("needs_dispatcher", ["outside_service_day"])
    assert [await state_of(nova, number) for number in (3, 4)] == [("received", [])] * 2
    assert await state_of(nova, 5) == ("needs_dispatcher", ["quota"])
    assert [await state_of(acme, number) for number in (6, 7)] == [("received", [])] * 2
    assert await state_of(acme, 8) == ("needs_dispatcher", ["full"])
    assert await state_of(acme, 9, day=1) == ("received", [])


async def test_a_dispatcher_declines_and_the_client_sees_it(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    asked = await acme.asks_for(a_stop(desk_world, address={"postcode": "90210"}, access_code=DOOR_CODE))
    await desk_world.settled()
    message = await desk_world.channel_shows("14 Elm Street Apt 2B")
    await desk_world.dispatcher().presses(message, "task_decline")
    await desk_world.settled()
    assert (await acme.request(asked.json()["id"]))["state"] == "declined"
    [request] = await desk_world.rows(StopRequest, col(StopRequest.client) == "Acme")
    assert DOOR_CODE not in str(request.form)
    assert request.decided_by == "U0DANA"
    assert desk_world.onfleet.store.tasks == {}


async def test_a_client_takes_back_what_waits_for_a_dispatcher(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    asked = await acme.asks_for(a_stop(desk_world, address={"postcode": "90210"}))
    path = f"/stop-requests/{asked.json()['id']}"
    assert (await acme.calls("DELETE", path)).json()["state"] == "cancelled"
    assert (await acme.calls("DELETE", path)).json()["state"] == "cancelled"
    entered = await acme.enters(a_stop(desk_world))
    request = next(
        row
        for row in (await acme.calls("GET", "/stop-requests")).json()["stop_requests"]
        if row["stop_id"] == entered["id"]
    )
    late = await acme.calls("DELETE", f"/stop-requests/{request['id']}")
    assert (late.status_code, late.json()["subject_id"]) == (409, entered["id"])


async def test_what_nobody_decides_in_time_is_declined(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    asked = await acme.asks_for(a_stop(desk_world, address={"postcode": "90210"}))
    await desk_world.advance(hours=7)
    request = await acme.request(asked.json()["id"])
    assert (request["state"], codes(request)) == ("declined", ["no_zone", "past"])


async def test_a_day_when_the_clocks_change_is_a_day_of_local_hours(bare_world: World) -> None:
    bare_world.clock.move(timedelta(days=144))  # 2026-10-31, the last day of summer time
    acme = await Program.of(bare_world)
    monday = a_stop(bare_world, "08:00", "10:00", day=2)
    assert monday["window"]["start_at"].startswith("2026-11-02T08:00:00-05:00")
    stop = await acme.enters(monday)
    assert stop["window"]["start_at"] == "2026-11-02T13:00:00Z"
    listed = (await acme.calls("GET", "/stops", params={"date": "2026-11-02"})).json()["stops"]
    assert [each["id"] for each in listed] == [stop["id"]]
    assert (await acme.calls("GET", "/stops", params={"date": "2026-11-01"})).json()["stops"] == []


# --- lists ------------------------------------------------------------------------------------------


async def test_pages_hold_every_stop_once(desk_world: World) -> None:
    acme = await Program.of(desk_world)
    for number in range(4):
        asked = await acme.asks_for(a_stop(desk_world, order_ref=f"P-{number}"))
        assert asked.status_code == 202
    await desk_world.settled()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await acme.calls("GET", "/stops", params=params)).json()
        seen += [stop["order_ref"] for stop in page["stops"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == [f"P-{number}" for number in range(4)]
    assert (await acme.calls("GET", "/stops", params={"cursor": "nonsense"})).json()["code"] == "bad_cursor"


# --- the door ---------------------------------------------------------------------------------------


async def test_what_is_no_good_call_is_a_problem_document(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    good = {"Idempotency-Key": "1"}
    calls = {
        401: await Program(bare_world, "dl_wrong").calls("GET", "/me"),
        404: await acme.calls("GET", "/nothing"),
        405: await acme.calls("PUT", "/stops"),
        413: await acme.calls(
            "POST", "/stops", content=b"{" * 300_000, headers={**good, "Content-Type": "application/json"}
        ),
        415: await acme.calls(
            "POST", "/stops", content=b"<a/>", headers={**good, "Content-Type": "text/xml"}
        ),
        422: await acme.calls("POST", "/stops", json={"recipient_name": "Robin\u0000"}, headers=good),
    }
    for status, answer in calls.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    assert calls[401].headers["WWW-Authenticate"].startswith("Bearer")
    assert "POST" in calls[405].headers["Allow"]


async def test_a_body_without_an_announced_length_is_limited_too(bare_world: World) -> None:
    acme = await Program.of(bare_world)

    async def much() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    headers = {"Idempotency-Key": "1", "Content-Type": "application/json"}
    answer = await acme.calls("POST", "/stops", content=much(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
