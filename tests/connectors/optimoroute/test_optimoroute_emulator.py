"""The pretended OptimoRoute over raw HTTP: what the vendor documents, and what it enforces."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.optimoroute.emulator_store import Json
from connectors.optimoroute.payloads import OrderStatus
from tests.connectors.optimoroute.optimoroute_town import (
    API_KEY,
    TODAY,
    Town,
    add_stop,
    new_emulator,
    window_on,
)
from tests.connectors.towns import Clock

PLACE = {"locationNo": "L-9", "address": "9 Oak Ave", "latitude": 41.1, "longitude": -73.4}


def an_order(**changes: Any) -> Json:
    return {"operation": "CREATE", "orderNo": "N-1", "date": TODAY, "type": "D", "location": PLACE} | changes


# --- key, verbs, connections ---


@pytest.mark.parametrize("by_status", [False, True])
@pytest.mark.parametrize(
    ("verb", "method", "query", "code", "status"),
    [
        ("GET", "get_routes", {"key": ""}, "AUTH_KEY_MISSING", 401),
        ("GET", "get_routes", {"key": "wrong"}, "AUTH_KEY_UNKNOWN", 401),
        ("GET", "get_routes", {"key": API_KEY}, "ERR_MISSING_MAND_FIELD", 400),
        ("POST", "get_routes", {"key": API_KEY}, "WRONG_VERB", 405),
        ("GET", "create_order", {"key": API_KEY}, "WRONG_VERB", 405),
        ("GET", "get_drivers", {"key": API_KEY}, "METHOD_UNKNOWN", 404),
        ("POST", "create_order", {"key": API_KEY}, "MALFORMED_REQUEST", 400),
    ],
)
async def test_what_is_wrong_is_told_in_the_envelope(
    town: Town, verb: str, method: str, query: dict[str, str], code: str, status: int, by_status: bool
) -> None:
    town.emulator.api.errors_by_status = by_status
    async with httpx.AsyncClient(base_url=town.url, trust_env=False) as http:
        response = await http.request(verb, f"/v1/{method}", params=query)
    assert (response.json()["success"], response.json()["code"]) == (False, code)
    assert response.status_code == (status if by_status else 200)


async def test_more_than_five_at_once_are_turned_away(town: Town) -> None:
    town.emulator.api.latency_seconds = 0.5
    answers = await asyncio.gather(*(town.ask("GET", "get_routes", date=TODAY) for _ in range(8)))
    codes = [answer.get("code") for answer in answers]
    assert codes.count(None) == 5
    assert codes.count("ERR_TOO_MANY_CONNECTIONS") == 3
    town.emulator.api.at_once = None
    answers = await asyncio.gather(*(town.ask("GET", "get_routes", date=TODAY) for _ in range(8)))
    assert all(answer["success"] for answer in answers)


# --- writing orders ---


@pytest.mark.parametrize(
    ("operation", "known", "new"),
    [
        ("CREATE", "ERR_ORD_EXISTS", None),
        ("UPDATE", None, "ERR_ORD_NOT_FOUND"),
        ("MERGE", None, None),
        ("SYNC", None, None),
        ("DELETE", "ERR_INVALID_PARAM_FORMAT", "ERR_INVALID_PARAM_FORMAT"),
    ],
)
async def test_each_operation_knows_what_must_be_there(
    town: Town, operation: str, known: str | None, new: str | None
) -> None:
    assert (await town.ask("POST", "create_order", an_order(operation=operation))).get("code") == new
    body = an_order(operation=operation, orderNo="S-1")
    assert (await town.ask("POST", "create_order", body)).get("code") == known


async def test_merge_changes_what_is_given_and_sync_resets_the_rest(town: Town) -> None:
    await town.ask("POST", "create_order", {"operation": "MERGE", "orderNo": "S-1", "duration": 9})
    merged = town.data(0)
    assert (merged["duration"], merged["notes"], merged["customField1"]) == (9, "Ring twice", "Acme")
    assert len(merged["timeWindows"]) == 1
    body = {"operation": "SYNC", "orderNo": "S-1", "date": TODAY, "location": PLACE}
    await town.ask("POST", "create_order", body)
    synced = town.data(0)
    assert (synced["duration"], synced["notes"], synced["customField1"]) == (0, "", "")
    assert (synced["timeWindows"], synced["phone"], synced["location"]["locationName"]) == ([], "", "")
    assert synced["id"] == merged["id"]


async def test_the_id_wins_over_the_number_and_an_unknown_id_creates_nothing(town: Town) -> None:
    body = {"operation": "MERGE", "id": town.refs[0], "orderNo": "S-1-renamed", "notes": "hi"}
    assert (await town.ask("POST", "create_order", body))["id"] == town.refs[0]
    assert (town.data(0)["orderNo"], town.data(0)["notes"]) == ("S-1-renamed", "hi")
    assert (await town.ask("GET", "get_orders", orderNo="S-1"))["orders"][0]["code"] == "ERR_ORD_NOT_FOUND"
    answer = await town.ask("POST", "create_order", {"operation": "MERGE", "id": "0" * 32, "notes": "hi"})
    assert answer["code"] == "ERR_ORD_NOT_FOUND"


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "08.06.2026"},
        {"date": "2026-02-30"},
        {"timeWindows": [{"twFrom": "9:00", "twTo": "11:00"}]},
        {"timeWindows": [{"twFrom": "11:00", "twTo": "09:00"}]},
        {"timeWindows": [{"twFrom": "22:00", "twTo": "24:00"}]},
        {"duration": "long"},
        {"load1": -1},
        {"type": "X"},
        {"priority": "urgent"},
        {"phone": 12035550100},
        {"assignedTo": {"externalId": "D-9"}},
        {"location": "9 Oak Ave"},
    ],
)
async def test_a_field_in_a_wrong_format_is_refused_and_nothing_written(town: Town, wrong: Json) -> None:
    answer = await town.ask("POST", "create_order", an_order(**wrong))
    assert answer["code"] == "ERR_INVALID_PARAM_FORMAT"
    assert len(town.emulator.store.orders) == 3


@pytest.mark.parametrize("missing", ["date", "location", "orderNo"])
async def test_a_new_order_without_a_mandatory_field_is_refused(town: Town, missing: str) -> None:
    body = {name: value for name, value in an_order().items() if name != missing}
    assert (await town.ask("POST", "create_order", body))["code"] == "ERR_MISSING_MAND_FIELD"


async def test_one_order_is_looked_up_on_the_map_many_are_not(town: Town) -> None:
    bare = {"address": "9 Oak Ave, Norwalk"}
    for number in ("N-1", "N-2"):
        assert (await town.ask("POST", "create_order", an_order(orderNo=number, location=bare)))["success"]
    places = [town.emulator.store.named({"orderNo": number})["data"]["location"] for number in ("N-1", "N-2")]
    assert places[0] == places[1], "the same address, the same place"
    orders = [
        an_order(orderNo="B-1", location=bare),
        an_order(orderNo="B-2", location={"locationNo": "L-S-1"}),
        an_order(orderNo="B-3"),
        an_order(orderNo="S-1"),
        "no order",
    ]
    answer = await town.ask("POST", "create_or_update_orders", {"orders": orders})
    assert [item.get("code") for item in answer["orders"]] == [
        "ERR_MISSING_MAND_FIELD",
        None,
        None,
        "ERR_ORD_EXISTS",
        "MALFORMED_REQUEST",
    ]
    assert town.emulator.store.named({"orderNo": "B-2"})["data"]["location"]["address"].startswith("1 Elm St")


@pytest.mark.parametrize(
    ("address", "accepted", "code", "results"),
    [
        ("1 Nowhere Rd", "acceptPartialMatch", "ERR_LOC_GEOCODING", 0),
        ("1 Twice Rd", "acceptMultipleResults", "ERR_LOC_GEOCODING_MULTIPLE", 2),
        ("1 Partly Rd", "acceptPartialMatch", "ERR_LOC_GEOCODING_PARTIAL", 1),
    ],
)
async def test_an_address_may_be_found_badly(
    town: Town, address: str, accepted: str, code: str, results: int
) -> None:
    answer = await town.ask("POST", "create_order", an_order(location={"address": address}))
    assert (answer["code"], len(answer.get("geocodingResults", []))) == (code, results)
    again = await town.ask("POST", "create_order", an_order(location={"address": address, accepted: True}))
    assert again["success"] is (code != "ERR_LOC_GEOCODING")


async def test_two_orders_may_share_a_number_only_where_it_is_accepted(town: Town) -> None:
    await town.ask("POST", "create_order", an_order(orderNo="S-1", acceptDuplicateOrderNo=True))
    assert len(town.emulator.store.ids_of("S-1")) == 2
    answer = await town.ask("GET", "get_orders", orderNo="S-1")
    assert answer["orders"][0]["code"] == "ERR_MULTIPLE_ORD_FOUND"


# --- reading, bulk, pages ---


async def test_bulk_answers_stand_at_the_place_of_their_questions(town: Town) -> None:
    keys = [{"orderNo": "S-2"}, {"orderNo": "nope"}, {"id": town.refs[0]}, {}]
    for method in ("get_orders", "get_completion_details"):
        answer = await town.ask("POST", method, {"orders": keys})
        assert answer["success"], "the whole succeeds while one fails"
        assert [item.get("orderNo") for item in answer["orders"]] == ["S-2", "nope", "S-1", None]
        assert [item["success"] for item in answer["orders"]] == [True, False, True, False]
    too_many = {"orders": [{"orderNo": "S-1"}] * 501}
    assert (await town.ask("POST", "get_orders", too_many))["code"] == "MALFORMED_REQUEST"


async def test_a_search_is_filtered_and_paged(town: Town) -> None:
    for number in range(4, 4 + 600):
        add_stop(town.emulator, town.clock, number, driver=None, window=window_on(TODAY, 10, 12))
    body: Json = {"dateRange": {"from": TODAY, "to": TODAY}}
    first = await town.ask("POST", "search_orders", body)
    rest = await town.ask("POST", "search_orders", body | {"after_tag": first["after_tag"]})
    assert (len(first["orders"]), len(rest["orders"]), "after_tag" in rest) == (500, 103, False)
    assert first["orders"][0].keys() == {"id"}
    scheduled = await town.ask("POST", "search_orders", body | {"orderStatus": ["scheduled"]})
    assert [item["id"] for item in scheduled["orders"]] == town.refs


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "ERR_MISSING_MAND_FIELD"),
        ({"dateRange": {"from": TODAY}}, "ERR_MISSING_MAND_FIELD"),
        ({"dateRange": {"from": "2026-06-01", "to": "2026-07-05"}}, None),
        ({"dateRange": {"from": "2026-06-01", "to": "2026-07-06"}}, "ERR_INVALID_PARAM_FORMAT"),
        ({"dateRange": {"from": TODAY, "to": TODAY}, "after_tag": "???"}, "ERR_INVALID_PARAM_FORMAT"),
    ],
)
async def test_a_search_wants_at_most_35_days(town: Town, body: Json, code: str | None) -> None:
    assert (await town.ask("POST", "search_orders", body)).get("code") == code


async def test_both_spellings_of_the_event_tag_are_understood(town: Town) -> None:
    town.emulator.set_duty("D-1", True)
    first = await town.ask("GET", "get_events", afterTag="")
    assert (len(first["events"]), first["remainingEvents"]) == (1, 0)
    for name in ("after_tag", "afterTag"):
        assert (await town.ask("GET", "get_events", **{name: first["tag"]}))["events"] == []


# --- planning, sending, completion ---


async def plan(town: Town, **options: Any) -> Json:
    planning = await town.ask("POST", "start_planning", {"date": TODAY} | options)
    running = await town.ask("GET", "get_planning_status", planningId=str(planning["planningId"]))
    assert running["status"] == "R"
    town.clock.advance(seconds=3)
    done = await town.ask("GET", "get_planning_status", planningId=str(planning["planningId"]))
    assert done["status"] == "F"
    return planning


def routes_of(town: Town) -> dict[str, list[str]]:
    found = town.emulator.store.routes_of(TODAY)
    return {
        driver["externalId"]: [town.emulator.store.order(stop["id"])["data"]["orderNo"] for stop in stops]
        for driver, stops in found
    }


@pytest.mark.parametrize(
    ("options", "routes"),
    [
        (
            {"startWith": "CURRENT", "lockType": "RESOURCES"},
            {"D-1": ["S-1", "S-2", "S-3"], "D-2": ["N-1", "N-2"]},
        ),
        (
            {"startWith": "CURRENT", "lockType": "ROUTES"},
            {"D-1": ["S-1", "S-2", "S-3"], "D-2": ["N-1", "N-2"]},
        ),
        (
            {"startWith": "CURRENT", "useDrivers": [{"driverSerial": "001"}]},
            {"D-1": ["S-1", "S-2", "S-3", "N-1", "N-2"]},
        ),
        ({"startWith": "CURRENT", "useOrders": ["N-2"]}, {"D-1": ["S-1", "S-2", "S-3"], "D-2": ["N-2"]}),
    ],
)
async def test_planning_gives_waiting_orders_to_drivers_with_room(
    town: Town, options: Json, routes: dict[str, list[str]]
) -> None:
    for number in ("N-1", "N-2"):
        await town.ask("POST", "create_order", an_order(orderNo=number))
    await plan(town, **options)
    assert routes_of(town) == routes


async def test_planning_from_scratch_moves_everything_that_has_not_begun(town: Town) -> None:
    town.emulator.start_order(town.refs[0])
    await plan(town, startWith="EMPTY")
    assert routes_of(town) == {"D-1": ["S-1", "S-3"], "D-2": ["S-2"]}


async def test_planning_keeps_to_capacity_and_to_whom_an_order_is_assigned(town: Town) -> None:
    town.emulator.add_driver("D-3", name="Small Van", capacity=2)
    own = {"assignedTo": {"externalId": "D-3"}}
    for number, load in (("N-1", 2), ("N-2", 1)):
        await town.ask("POST", "create_order", an_order(orderNo=number, load1=load, **own))
    await plan(town, startWith="CURRENT", useOrders=["N-1", "N-2", "N-9"])
    assert routes_of(town)["D-3"] == ["N-1"]
    waiting = town.emulator.store.named({"orderNo": "N-2"})
    assert waiting["status"] == OrderStatus.UNSCHEDULED


async def test_what_a_planning_cannot_find_is_told(town: Town) -> None:
    planning = await plan(town, useOrders=["S-1", "nope"], useDrivers=[{"driverSerial": "999"}])
    assert planning["missingOrders"] == ["nope"]
    assert planning["missingDrivers"] == [{"driverSerial": "999"}]


async def test_a_stopped_planning_changes_nothing(town: Town) -> None:
    await town.ask("POST", "create_order", an_order())
    number = (await town.ask("POST", "start_planning", {"date": TODAY}))["planningId"]
    assert (await town.ask("POST", "stop_planning", {"planningId": number}))["success"]
    town.clock.advance(seconds=5)
    assert (await town.ask("GET", "get_planning_status", planningId=str(number)))["status"] == "C"
    assert routes_of(town) == {"D-1": ["S-1", "S-2", "S-3"]}


async def test_an_edit_moves_no_planned_stop_before_the_next_planning(town: Town) -> None:
    body = {"operation": "MERGE", "orderNo": "S-1", "assignedTo": {"externalId": "D-2"}}
    await town.ask("POST", "create_order", body)
    assert routes_of(town) == {"D-1": ["S-1", "S-2", "S-3"]}
    await plan(town, startWith="CURRENT", lockType="RESOURCES")
    assert routes_of(town) == {"D-1": ["S-2", "S-3"], "D-2": ["S-1"]}


async def test_routes_are_sent_once_and_what_is_planned_later_again(town: Town) -> None:
    async def state() -> str:
        answer = await town.ask("GET", "get_dispatch_status", date=TODAY)
        return str(answer["routes"]["state"])

    assert await state() == "not_sent"
    assert (await town.ask("POST", "send_routes", {"date": TODAY, "sendNotifications": True}))["success"]
    assert await state() == "sent"
    assert (await town.ask("POST", "send_routes", {"date": TODAY}))["code"] == "ERR_NOTHING_TO_SEND"
    await town.ask("POST", "create_order", an_order())
    await plan(town, startWith="CURRENT")
    assert (await town.ask("POST", "send_routes", {"date": TODAY}))["success"]


async def test_completion_is_written_only_once_the_driver_has_the_order(town: Town) -> None:
    ended = {"utcTime": "2026-06-08T13:30:00"}
    update = {"updates": [{"orderNo": "S-1", "data": {"status": "success", "endTime": ended}}]}
    answer = await town.ask("POST", "update_completion_details", update)
    assert (answer["success"], answer["orders"][0]["success"]) == (True, False)
    town.send()
    assert (await town.ask("POST", "update_completion_details", update))["orders"][0]["success"]
    details = (await town.ask("GET", "get_completion_details", orderNo="S-1"))["orders"][0]["data"]
    assert (details["status"], details["endTime"]["localTime"]) == ("success", "2026-06-08T09:30:00")
    bad = {"updates": [{"orderNo": "S-2", "data": {"status": "teleported"}}]}
    assert not (await town.ask("POST", "update_completion_details", bad))["orders"][0]["success"]


@pytest.mark.parametrize("method", ["update_driver_parameters", "update_drivers_parameters"])
async def test_another_day_for_a_driver_takes_everything_off_the_route(town: Town, method: str) -> None:
    body: Json = {"externalId": "D-1", "date": TODAY, "enabled": False}
    if method == "update_drivers_parameters":
        body = {"updates": [{"driver": {"externalId": "D-1"}, "date": TODAY, "enabled": False}]}
    assert (await town.ask("POST", method, body))["success"]
    assert routes_of(town) == {}
    assert town.order(0)["status"] == OrderStatus.UNSCHEDULED
    await plan(town)
    assert list(routes_of(town)) == ["D-2"], "who does not work gets nothing"


async def test_positions_are_taken(town: Town) -> None:
    position = {"timestamp": 1781000000, "latitude": 41.2, "longitude": -73.5}
    body = {
        "updates": [
            {"driver": {"externalId": "D-1"}, "positions": [position]},
            {"driver": {}, "positions": []},
        ]
    }
    answer = await town.ask("POST", "update_drivers_positions", body)
    assert [item["success"] for item in answer["updates"]] == [True, False]


async def test_orders_are_deleted_one_by_one_many_at_once_and_by_day(town: Town) -> None:
    assert (await town.ask("POST", "delete_order", {"orderNo": "S-1"}))["success"]
    assert (await town.ask("POST", "delete_order", {"orderNo": "S-1"}))["code"] == "ERR_ORD_NOT_FOUND"
    answer = await town.ask("POST", "delete_orders", {"orders": [{"orderNo": "S-1"}, {"orderNo": "S-2"}]})
    assert [item["success"] for item in answer["orders"]] == [False, True]
    assert (await town.ask("POST", "delete_all_orders", {"date": "2026-06-09"}))["success"]
    assert routes_of(town) == {"D-1": ["S-3"]}
    await town.ask("POST", "delete_all_orders", {"date": TODAY})
    assert routes_of(town) == {}
    assert len(town.emulator.store.orders) == 0


# --- memory and controls ---


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    clock = Clock()
    emulator = new_emulator(clock, ledger_path=tmp_path / "demo.db")
    emulator.add_driver("D-1", name="Sam Porter")
    ref = add_stop(emulator, clock, 1)
    add_stop(emulator, clock, 2)
    emulator.start_order(ref)
    emulator.complete(ref, note="porch", photos=1)
    again = new_emulator(clock, ledger_path=tmp_path / "demo.db")
    for name in ("orders", "routes", "drivers", "events", "dispatch"):
        assert dict(getattr(again.store, name)) == dict(getattr(emulator.store, name)), name
    assert again.store.named({"orderNo": "S-1"})["status"] == OrderStatus.SUCCESS
    assert add_stop(again, clock, 1) == ref
    again.add_driver("D-1", name="Sam Porter")
    assert (len(again.store.orders), len(again.store.drivers)) == (2, 1)
    again.store.drop_order(ref)
    add_stop(new_emulator(clock, ledger_path=tmp_path / "demo.db"), clock, 1)
    assert ref not in new_emulator(clock, ledger_path=tmp_path / "demo.db").store.orders


def test_what_drivers_do_twice_changes_nothing() -> None:
    clock = Clock()
    emulator = new_emulator(clock)
    emulator.add_driver("D-1", name="Sam Porter")
    ref = add_stop(emulator, clock, 1)
    seen = []
    for _ in range(2):
        emulator.set_duty("D-1", True, clock())
        emulator.start_order(ref, clock())
        emulator.arrive(ref, clock())
        emulator.complete(ref, at=clock())
        seen.append((dict(emulator.store.orders), dict(emulator.store.events)))
        clock.advance(minutes=1)
    assert seen[0] == seen[1]


async def test_faults_and_the_state_are_at_hand(town: Town) -> None:
    async with httpx.AsyncClient(base_url=town.url, trust_env=False) as http:
        assert (await http.post("/_emulator/faults", json={"down": True})).status_code == 200
        assert (await http.get("/v1/get_routes")).status_code == 503
        assert (
            await http.post("/_emulator/faults", json={"clear": True, "events": ["reorder"]})
        ).status_code == 200
        assert (await http.post("/_emulator/faults", json={"explode": 1})).status_code == 400
        state = (await http.get("/_emulator/state")).json()
    assert (state["orders"]["scheduled"], state["drivers"], state["sent_days"]) == (3, 2, [])
    assert town.emulator.api.event_faults == {"reorder"}
