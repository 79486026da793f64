"""Route4Me's own Python SDK, unchanged, on the emulator; and the Node and Go SDKs' ways to call, over plain HTTP.

The Node and Go SDKs are in no package registry, so what they send is played as their sources have it.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import route4me
import route4me.activity_feed
import route4me.address
import route4me.api
import route4me.gps
import route4me.members
import route4me.orders
import route4me.route

from connectors.http import open_client
from tests.connectors.route4me.route4me_town import API_KEY, Town

VENDOR = "https://api.route4me.com"
MODULES = (
    route4me.activity_feed,
    route4me.address,
    route4me.api,
    route4me.gps,
    route4me.members,
    route4me.orders,
    route4me.route,
)


@pytest.fixture
def sdk(town: Town, monkeypatch: pytest.MonkeyPatch) -> route4me.Route4Me:
    """The SDK has no setting for its address: its constants are pointed at the emulator."""
    monkeypatch.setenv("NO_PROXY", "*")
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, str) and value.startswith(VENDOR):
                monkeypatch.setattr(module, name, value.replace(VENDOR, town.url))
    return route4me.Route4Me(API_KEY)


async def by_sdk(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """The SDK blocks; the emulator runs in this loop."""
    return await asyncio.to_thread(call, *given, **named)


async def test_the_python_sdk_reads_and_changes_routes_and_stops(town: Town, sdk: route4me.Route4Me) -> None:
    route_id, stop = town.routes[0], town.address(0)
    number = stop["route_destination_id"]
    listed = await by_sdk(sdk.route.get_routes, limit=10, offset=0)
    assert {route["route_id"] for route in listed} == set(town.routes)
    assert all(route["addresses"] == [] for route in listed)
    whole = await by_sdk(sdk.route.get_route, route_id=route_id)
    assert [address["sequence_no"] for address in whole["addresses"]] == [0, 1, 2, 3]
    renamed = await by_sdk(sdk.route.update_route, {"parameters": {"route_name": "Early"}}, route_id)
    assert renamed["parameters"]["route_name"] == "Early"
    # It encodes the JSON of an address twice.
    changed = await by_sdk(sdk.address.update_address, {"alias": "Blue door"}, route_id, number)
    assert changed["alias"] == "Blue door"
    found = await by_sdk(sdk.address.get_address, route_id, number)
    assert (found["alias"], found["notes"]) == ("Blue door", [])
    inserted = await by_sdk(
        sdk.route.insert_address_into_route,
        {"addresses": [{"address": "9 Oak Ave, Norwalk", "lat": 41.1, "lng": -73.4}]},
        route_id,
    )
    assert inserted["addresses"][-1]["address"] == "9 Oak Ave, Norwalk"
    gone = await by_sdk(sdk.address.delete_address_from_route, route_id, number)
    assert gone == {"deleted": True, "route_destination_id": number}
    assert await by_sdk(sdk.route.delete_route, route_id=[town.routes[1]]) is True
    assert set(town.emulator.store.routes) == {route_id}


async def test_the_python_sdk_leaves_notes_and_reads_the_feed(town: Town, sdk: route4me.Route4Me) -> None:
    route_id, number = town.routes[0], town.address(0)["route_destination_id"]
    sdk.address.params = {"api_key": API_KEY}
    told = await by_sdk(
        sdk.address.add_address_notes,
        "left at the door",
        address_id=number,
        route_id=route_id,
        activity_type="dropoff",
    )
    assert (told["status"], told["note"]["activity_type"]) == (True, "dropoff")
    whole = await by_sdk(sdk.address.get_address_notes, route_id, number)
    assert whole["notes"][0]["contents"] == "left at the door"
    said = await by_sdk(sdk.activity_feed.log_specific_message, activity_message="hi", route_id=route_id)
    assert said == {"status": True}
    feed = await by_sdk(sdk.activity_feed.get_activities_feed, route_id=route_id, limit=10, offset=0)
    assert {line["activity_type"] for line in feed["results"][:2]} == {"user_message", "note-insert"}
    assert (await by_sdk(sdk.members.get_users))["total"] == 3


async def test_the_python_sdk_keeps_orders(town: Town, sdk: route4me.Route4Me) -> None:
    made = await by_sdk(
        sdk.order.create_order,
        address_1="9 Oak Ave, Norwalk",
        cached_lat=41.1,
        cached_lng=-73.4,
        EXT_FIELD_custom_data={"own_ref": "X-1"},
    )
    assert made["EXT_FIELD_custom_data"] == [{"own_ref": "X-1"}]
    place = {"address_1": made["address_1"], "cached_lat": 41.1, "cached_lng": -73.4}
    changed = await by_sdk(
        sdk.order.update_order, order_id=made["order_id"], EXT_FIELD_phone="+12035550123", **place
    )
    assert changed["EXT_FIELD_phone"] == "+12035550123"
    assert (await by_sdk(sdk.order.get_order, order_id=made["order_id"]))["address_1"] == made["address_1"]
    assert await by_sdk(sdk.order.delete_order, order_ids=[made["order_id"]]) == {"status": True}
    assert str(made["order_id"]) not in town.emulator.store.orders


async def test_the_python_sdk_raises_for_a_wrong_key(town: Town, sdk: route4me.Route4Me) -> None:
    sdk.key = "wrong"
    with pytest.raises(route4me.api.APIException) as refusal:
        await by_sdk(sdk.address.get_address, town.routes[0], 1)
    assert refusal.value.status_code == 401


# --- Go ---


async def go(town: Town, method: str, path: str, query: dict[str, str], body: Any = None) -> httpx.Response:
    """As route4me-go-sdk sends it: the key last in the query, JSON `null` where there is no body, forms that
    are named multipart and have no boundary."""
    is_form = isinstance(body, dict) and body.pop("_form", False)
    content = str(httpx.QueryParams(body)) if is_form else json.dumps(body)
    kind = "multipart/form-data" if is_form or method == "GET" else "application/json"
    params = query | {"format": "json", "api_key": API_KEY}
    async with open_client(town.url) as client:
        return await client.request(
            method, path, params=params, content=content, headers={"Content-Type": kind}
        )


async def test_the_go_sdk_takes_a_stop_off_at_the_routes_address_and_the_route_stays(town: Town) -> None:
    number = str(town.address(0)["route_destination_id"])
    query = {"route_id": town.routes[0], "route_destination_id": number}
    answer = await go(town, "DELETE", "/api.v4/route.php", query)
    assert answer.json()["deleted"] is True
    assert town.routes[0] in town.emulator.store.routes
    assert number not in town.emulator.store.addresses
    whole = await go(town, "DELETE", "/api.v4/route.php", {"route_id": ",".join(town.routes)})
    assert whole.json()["route_ids"] == town.routes


async def test_the_go_sdks_forms_are_understood(town: Town) -> None:
    number = str(town.address(0)["route_destination_id"])
    moved = await go(
        town,
        "POST",
        "/actions/route/move_route_destination.php",
        {},
        {
            "_form": True,
            "to_route_id": town.routes[1],
            "route_destination_id": number,
            "after_destination_id": "",
        },
    )
    assert moved.json() == {"success": True}
    noted = await go(
        town,
        "POST",
        "/actions/addRouteNotes.php",
        {"route_id": town.routes[1], "address_id": number, "dev_lat": "41.1", "dev_lng": "-73.4"},
        {"_form": True, "strNoteContents": "a & b", "strUpdateType": "unclassified"},
    )
    assert noted.json()["note"]["contents"] == "a & b"
    assert (
        await go(
            town, "PUT", "/api/route/mark_address_visited.php", {"address_id": number, "is_visited": "true"}
        )
    ).json() == {"status": True}
    assert town.address(0)["is_visited"] is True


async def test_the_go_sdk_finds_a_copied_route_by_its_problem(town: Town) -> None:
    copied = await go(town, "GET", "/actions/duplicate_route.php", {"route_id": town.routes[0], "to": "none"})
    problem = copied.json()["optimization_problem_id"]
    query = {"optimization_problem_id": problem, "wait_for_final_state": "1"}
    (route,) = (await go(town, "GET", "/api.v4/optimization_problem.php", query)).json()["routes"]
    assert len(route["addresses"]) == 4
    assert route["route_id"] not in town.routes


async def test_the_go_sdk_reads_errors_as_a_list_and_does_without(town: Town) -> None:
    missing = await go(
        town, "GET", "/api.v4/address.php", {"route_id": town.routes[0], "route_destination_id": "1"}
    )
    assert missing.json()["errors"]
    nothing = await go(town, "GET", "/api.v4/route.php", {"route_id": "0" * 32})
    assert (nothing.status_code, nothing.content) == (404, b"")


# --- Node ---


async def node(town: Town, method: str, path: str, **given: Any) -> httpx.Response:
    """As route4me-node sends it: v5 with a bearer key, v4 with the key in the query and an odd header."""
    is_v5 = path.startswith("/modules/")
    headers = {"Authorization": f"Bearer {API_KEY}" if is_v5 else "Basic Og==", "Accept": "application/json"}
    params = given.pop("params", {}) | ({} if is_v5 else {"api_key": API_KEY})
    async with open_client(town.url) as client:
        return await client.request(method, path, params=params, headers=headers, **given)


async def test_the_node_sdk_gets_the_booleans_that_it_checks(town: Town) -> None:
    stop, after = town.address(0), town.address(1)
    number = str(stop["route_destination_id"])
    form = {
        "to_route_id": (None, town.routes[0]),
        "route_destination_id": (None, number),
        "after_destination_id": (None, str(after["route_destination_id"])),
    }
    moved = await node(town, "POST", "/actions/route/move_route_destination.php", files=form)
    assert moved.json()["success"] is True
    assert town.order_of[:2] == [town.refs[1], town.refs[0]]
    visited = await node(
        town,
        "PUT",
        "/actions/address/update_address_visited.php",
        params={"route_id": town.routes[0], "address_id": number, "member_id": "1", "is_visited": "1"},
    )
    assert visited.json()["status"] is True
    gone = await node(
        town,
        "DELETE",
        "/api.v4/address.php",
        params={"route_id": town.routes[0], "route_destination_id": number},
        json=None,
    )
    assert gone.json()["deleted"] is True


async def test_the_node_sdk_sets_statuses_with_a_bearer_key(town: Town) -> None:
    number = town.address(0)["route_destination_id"]
    done = await node(
        town,
        "POST",
        "/modules/api/v5.0/route-stop-status",
        json={"destination_ids": [number], "status": "Completed"},
    )
    assert done.json() == {"status": True}
    wrong = await node(
        town,
        "POST",
        "/modules/api/v5.0/route-stop-status",
        json={"destination_ids": [number], "status": "Gone"},
    )
    assert (wrong.status_code, wrong.json()["exit_code"]) == (406, 1)
    started = await node(
        town,
        "POST",
        f"/modules/api/v5.0/route-status/{town.routes[0]}",
        json={"status": "started", "lat": 41.1, "lng": -73.4},
    )
    assert started.json()["status"] == "started"
    cleared = await node(
        town,
        "POST",
        "/modules/api/v5.0/route-stop-status",
        json={"destination_ids": [number], "status": "Empty"},
    )
    assert cleared.json() == {"status": True}
    assert town.address(0)["additional_status"] is None
