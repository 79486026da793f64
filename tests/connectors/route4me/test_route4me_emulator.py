"""What the pretended Route4Me holds to: keys, limits, memory, and answers where the vendor is odd."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.emulated_webhooks import WebhookFaultsBody
from connectors.emulation import serving
from connectors.http import open_client
from tests.connectors.route4me.route4me_town import API_KEY, Town, furnish, new_emulator
from tests.connectors.towns import Clock

V5 = "/modules/api/v5.0"


async def call(town: Town, method: str, path: str, **given: Any) -> httpx.Response:
    params = {"api_key": API_KEY} | given.pop("params", {})
    async with open_client(town.url) as client:
        return await client.request(method, path, params=params, **given)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api.v4/user.php?api_key=wrong", {}, 401),
        ("/api.v4/user.php", {}, 401),
        ("/api.v4/user.php", {"Authorization": f"Bearer {API_KEY}"}, 200),
        (f"{V5}/team/users", {"Authorization": "Bearer wrong"}, 401),
        (f"{V5}/team/users?api_key={API_KEY}", {}, 200),
    ],
)
async def test_the_key_is_checked_in_the_query_and_in_the_header(
    town: Town, path: str, headers: dict[str, str], status: int
) -> None:
    async with open_client(town.url) as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == status
    if status == 401:
        body = answer.json()
        assert body["exit_code"] == 2 if path.startswith(V5) else body["errors"]


async def test_more_calls_than_allowed_are_refused_for_a_second(town: Town) -> None:
    town.emulator.gate.rate_limit.per_second = 2
    answers = [await call(town, "GET", "/api.v4/user.php") for _ in range(4)]
    assert 429 in {answer.status_code for answer in answers}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"


async def test_an_unknown_call_is_refused_and_noted(town: Town) -> None:
    assert (await call(town, "GET", "/api.v4/horoscope.php")).status_code == 404
    assert (await call(town, "PUT", "/api.v4/user.php")).status_code == 405
    assert town.emulator.gate.unexpected == ["GET /api.v4/horoscope.php", "PUT /api.v4/user.php"]


async def test_a_list_of_routes_has_no_stops_and_pages_by_offset(town: Town) -> None:
    for offset, names in ((0, ["North 1"]), (1, ["North 2"]), (2, [])):
        page = (
            await call(town, "GET", "/api.v4/route.php", params={"limit": "1", "offset": str(offset)})
        ).json()
        assert [route["parameters"]["route_name"] for route in page] == names
        assert all(route["addresses"] == [] for route in page)
    other_day = {"start_date": "2026-06-09", "end_date": "2026-06-20"}
    assert (await call(town, "GET", "/api.v4/route.php", params=other_day)).json() == []


async def test_orders_page_by_total_and_come_as_rows_with_fields(town: Town) -> None:
    first = (await call(town, "GET", "/api.v4/order.php", params={"limit": "1"})).json()
    assert (len(first["results"]), first["total"], first["fields"]) == (1, 2, None)
    rows = (await call(town, "GET", "/api.v4/order.php", params={"fields": "order_id,address_city"})).json()
    assert rows["results"][0] == [first["results"][0]["order_id"], "Norwalk"]
    for display, count in (("routed", 2), ("unrouted", 0), ("all", 2)):
        body = {"filter": {"display": display, "scheduled_for_YYMMDD": ["2026-06-08", "2026-06-08"]}}
        assert (await call(town, "POST", "/api.v4/order.php", json=body)).json()["total"] == count


async def test_custom_fields_of_a_stop_add_up_and_an_orders_are_replaced(town: Town) -> None:
    stop = town.address(0)
    at = {"route_id": town.routes[0], "route_destination_id": str(stop["route_destination_id"])}
    told = await call(town, "PUT", "/api.v4/address.php", params=at, json={"custom_fields": {"bird": "lark"}})
    assert told.json()["custom_fields"] == stop["custom_fields"] | {"bird": "lark"}
    body = {"order_id": stop["order_id"], "EXT_FIELD_custom_data": {"bird": "lark"}}
    told = await call(town, "PUT", "/api.v4/order.php", json=body)
    assert told.json()["EXT_FIELD_custom_data"] == [{"bird": "lark"}]


async def test_no_state_refuses_a_change(town: Town) -> None:
    stop = town.address(0)
    town.emulator.complete(town.refs[0], town.clock())
    at = {"route_id": town.routes[0], "route_destination_id": str(stop["route_destination_id"])}
    assert (await call(town, "PUT", "/api.v4/address.php", params=at, json={"alias": "x"})).status_code == 200
    assert (await call(town, "DELETE", "/api.v4/address.php", params=at)).json()["deleted"] is True


async def test_the_map_knows_every_address_but_those_on_nowhere(town: Town) -> None:
    async def found(addresses: str) -> list[dict[str, Any]]:
        answer = await call(town, "GET", "/api/geocoder.php", params={"addresses": addresses})
        return list(answer.json())

    one, two = await found("9 Oak Ave, Norwalk||9 Oak Ave, Greenwich")
    assert one == (await found("9 Oak Ave, Norwalk"))[0]
    assert one["lat"] > two["lat"]
    assert await found("1 Nowhere Lane, Norwalk") == []
    body: dict[str, Any] = {"address_1": "1 Nowhere Lane"}
    assert (await call(town, "POST", "/api.v4/order.php", json=body)).status_code == 400
    body = {"addresses": [{"address": "1 Nowhere Lane"}]}
    at = {"route_id": town.routes[0]}
    assert (await call(town, "PUT", "/api.v4/route.php", params=at, json=body)).status_code == 400


async def test_a_problem_is_planned_as_it_was_given(town: Town) -> None:
    body = {
        "parameters": {"route_name": "new", "member_id": town.drivers[0]},
        "addresses": [
            {"address": "depot", "lat": 41.0, "lng": -73.0, "is_depot": True},
            {"address": "9 Oak Ave, Norwalk", "lat": 41.1, "lng": -73.1, "sequence_no": 0},
        ],
    }
    told = (await call(town, "POST", "/api.v4/optimization_problem.php", json=body)).json()
    assert told["state"] == 4
    (route,) = told["routes"]
    assert [address["address"] for address in route["addresses"]] == ["depot", "9 Oak Ave, Norwalk"]
    assert str(route["member_id"]) == town.drivers[0]


async def test_tracking_tells_the_recipient_where_the_stop_is(town: Town) -> None:
    number = town.address(0)["tracking_number"]
    town.emulator.start(town.refs[0], town.clock())
    town.emulator.predict(town.refs[0], town.clock() + timedelta(minutes=9))
    told = (await call(town, "GET", "/api.v4/status.php", params={"tracking": number})).json()
    assert (told["route_started"], told["delivered"], told["driver_name"]) == (True, False, "Sam")
    assert told["arrival"][0]["to_unix_timestamp"] == int((town.clock() + timedelta(minutes=9)).timestamp())
    assert (await call(town, "GET", "/api.v4/status.php", params={"tracking": "x"})).status_code == 404


async def test_everything_survives_a_kill(clock: Clock, tmp_path: Path) -> None:
    ledger = tmp_path / "r4m.db"
    first = new_emulator(clock, ledger_path=ledger)
    drivers, routes, refs = furnish(first, clock)
    first.start(refs[1], clock())
    first.complete(refs[1], clock(), words="porch", photos=1)
    first.stops.delete(routes[0], refs[2].removeprefix("stop:"))
    second = new_emulator(clock, ledger_path=ledger)
    assert furnish(second, clock)[:2] == (drivers, routes)
    for route_id in routes:
        # The stop that was taken off is set up anew only by whoever asks for it by its key.
        ours = [item for item in second.store.addresses_of(route_id) if item["order_id"]]
        theirs = [item for item in first.store.addresses_of(route_id) if item["order_id"]]
        assert ours == theirs
    assert dict(second.store.notes) == dict(first.store.notes)
    assert second.store.status_of_route(routes[0]) == "started"
    assert len(second.store.activities) >= len(first.store.activities)


def test_doing_a_thing_twice_changes_nothing(clock: Clock) -> None:
    emulator = new_emulator(clock)
    _, routes, refs = furnish(emulator, clock)

    def drive() -> None:
        emulator.start(refs[1], at)
        emulator.arrive(refs[1], at + timedelta(minutes=5))
        emulator.complete(refs[1], at + timedelta(minutes=9), words="porch", photos=2, signed_by="D. O.")

    at = clock()
    drive()
    told = (dict(emulator.store.addresses), dict(emulator.store.activities), dict(emulator.store.notes))
    drive()
    assert (
        dict(emulator.store.addresses),
        dict(emulator.store.activities),
        dict(emulator.store.notes),
    ) == told
    assert emulator.store.status_of_route(routes[0]) == "started"


async def test_faults_are_set_over_http_and_the_state_is_told(clock: Clock) -> None:
    emulator = new_emulator(clock)
    furnish(emulator, clock)
    async with serving(emulator.app) as url, open_client(url) as client:
        state = (await client.get("/_emulator/state")).json()
        assert (state["routes"], state["stops"], state["orders"], state["members"]) == (2, 3, 2, 3)
        wanted = {"down": True, "webhooks": {"duplicate": True}}
        assert (await client.post("/_emulator/faults", json=wanted)).status_code == 200
        assert (await client.get("/api.v4/user.php", params={"api_key": API_KEY})).status_code == 503
        assert emulator.feed.faults.duplicate is True
        assert (await client.post("/_emulator/faults", json={"doom": 1})).status_code == 400
    emulator.apply_faults(WebhookFaultsBody(clear=True))
    assert emulator.faults.down is False
