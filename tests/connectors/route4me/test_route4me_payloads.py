"""The vendor's own sample bodies are readable, and the emulator answers in their shapes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.base import RouteStatus, StopStatus
from connectors.errors import PlatformRejectedError
from connectors.http import open_client
from connectors.route4me.feed import KINDS, kind_of
from connectors.route4me.mapping import Account, order_to_stop, order_window, to_stop, visits
from connectors.route4me.payloads import (
    Activity,
    ActivityPage,
    Answer,
    Member,
    MemberPage,
    Order,
    OrderPage,
    R4MRoute,
    RouteAddress,
    Tracking,
    UserLocation,
    Vehicle,
    from_ts,
)
from connectors.route4me.webhook import read_event
from connectors.route4me.wire import refusals_of
from tests.connectors.route4me.route4me_town import API_KEY, Town

SAMPLES = Path(__file__).parents[3].parent / "shared/reference/samples/route4me"
ACCOUNT = Account("America/New_York")
NOW = datetime(2026, 6, 8, tzinfo=UTC)

SHAPES: dict[str, Any] = {
    "activities": ActivityPage,
    "address_delete": Answer,
    "address_get_with_notes": RouteAddress,
    "address_move": Answer,
    "address_update_request": RouteAddress,
    "address_update_response": RouteAddress,
    "address_visited": RouteAddress,
    "gps_set": Answer,
    "members_v4": MemberPage,
    "members_v5": list[Member],
    "note_add_response": Answer,
    "order_create_request": Order,
    "order_create_response": Order,
    "order_create_with_windows_response": Order,
    "order_delete_response": Answer,
    "order_get": Order,
    "order_search_by_date_response": OrderPage,
    "order_search_fields_response": OrderPage,
    "order_update_request": Order,
    "order_update_response": Order,
    "route_delete": Answer,
    "route_duplicate": Answer,
    "route_get": R4MRoute,
    "route_insert_at_position_request": R4MRoute,
    "route_insert_optimal_request": R4MRoute,
    "route_list_date_range": list[R4MRoute],
    "user_locations": list[UserLocation],
    "vehicles_v5": list[Vehicle],
    "webhooks_activity_feed": dict[str, Activity],
}
NOT_READ_BY_US = {
    "asset_tracking",
    "error_v5_validation",
    "order_delete_request",
    "order_search_by_date_request",
}
"""The recipient's page, which Doorline does not read; and bodies that are looked at elsewhere in this file."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


# --- tolerance ---


@pytest.mark.parametrize("value", [None, "", 0, "0", 36_000, True, "soon", 10**20])
def test_what_is_no_instant_is_read_as_none(value: object) -> None:
    assert from_ts(value) is None


def test_instants_ids_and_words_are_read_in_every_form_they_come_in() -> None:
    address = RouteAddress.model_validate(
        {
            "route_destination_id": "17",
            "order_id": 0,
            "custom_fields": [],
            "timestamp_last_visited": "1467820568",
            "notes": None,
            "time_window_start": "36600",
            "phone": 15550100,
        }
    )
    assert (address.route_destination_id, address.order_id, address.custom_fields) == ("17", "", {})
    assert address.timestamp_last_visited == datetime(2016, 7, 6, 15, 56, 8, tzinfo=UTC)
    assert (address.time_window_start, address.phone) == (36_600, "15550100")
    order = Order.model_validate(
        {"EXT_FIELD_custom_data": [{"a": 1}, {"b": None}, "x"], "address_zip": 10118}
    )
    assert (order.custom_data, order.address_zip) == ({"a": "1"}, "10118")


@pytest.mark.parametrize("body", [[], "x", {"addresses": "no"}, {"parameters": {"route_date": -5}}])
def test_nonsense_is_not_read(body: object) -> None:
    with pytest.raises(ValidationError):
        R4MRoute.model_validate(body)


# --- the vendor's samples ---


@pytest.mark.shared
def test_every_sample_is_read_or_named_as_not_ours() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == SHAPES.keys() | NOT_READ_BY_US


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_sample_is_readable(name: str) -> None:
    assert TypeAdapter(SHAPES[name]).validate_python(sample(name)) is not None


@pytest.mark.shared
def test_the_sample_route_becomes_stops() -> None:
    route = R4MRoute.model_validate(sample("route_get"))
    stops = [to_stop(address, route, RouteStatus.PLANNED, ACCOUNT, NOW) for address in visits(route)]
    first = stops[0]
    assert first.address.city == "Barberton"
    assert first.window is not None
    # 46,392 seconds from 1488844800, as routing-platforms.md checks it.
    assert first.window.start_at == datetime.fromtimestamp(1_488_844_800 + 46_392, UTC)
    assert first.planned_at == datetime.fromtimestamp(1_488_891_192, UTC)
    assert (first.eta_at, first.tracking, first.status) == (None, "V9EVZG6P", StopStatus.ASSIGNED)


@pytest.mark.shared
def test_the_sample_visit_is_a_delivery_and_a_bad_time_stamp_is_passed_over() -> None:
    visited = RouteAddress.model_validate(sample("address_visited"))
    route = R4MRoute(route_id=visited.route_id, member_id="1", addresses=(visited,))
    stop = to_stop(visited, route, RouteStatus.STARTED, ACCOUNT, NOW)
    assert (stop.status, stop.completed_at) == (
        StopStatus.DELIVERED,
        datetime.fromtimestamp(1_467_820_886, UTC),
    )
    assert RouteAddress.model_validate(sample("address_update_response")).timestamp_last_visited is None


@pytest.mark.shared
def test_the_sample_orders_become_stops_with_their_windows() -> None:
    order = Order.model_validate(sample("order_create_with_windows_response"))
    window = order_window(order, ACCOUNT, datetime(2017, 12, 1, tzinfo=UTC))
    assert window is not None
    assert (window.start_at, window.end_at - window.start_at) == (
        datetime(2017, 12, 20, 15, 30, tzinfo=UTC),
        timedelta(minutes=20),
    )
    late = order_window(order, ACCOUNT, datetime(2017, 12, 20, 17, tzinfo=UTC))
    assert late is not None
    assert late.start_at == datetime(2017, 12, 20, 17, 30, tzinfo=UTC)
    for raw in sample("order_search_by_date_response")["results"]:
        assert order_to_stop(Order.model_validate(raw), ACCOUNT, NOW).status is StopStatus.PLANNED


@pytest.mark.shared
def test_every_sample_activity_is_an_event_or_a_kind_that_changes_nothing() -> None:
    told = sample("webhooks_activity_feed")
    assert len(told) == 46
    for name, body in told.items():
        event = read_event(json.dumps(body).encode(), "route4me", NOW)
        is_handled = kind_of(Activity.model_validate(body)) is not None
        assert (event is not None) == is_handled or "optimization_problem_id" in body, name
        if event is not None:
            assert event.stop_ref or event.route_ref, name
    for raw in sample("activities")["results"]:
        assert Activity.model_validate(raw).activity_type in KINDS


@pytest.mark.shared
def test_the_sample_refusal_is_a_refusal_without_its_words() -> None:
    body = sample("error_v5_validation")
    error = refusals_of("route4me")(httpx.Response(406, json=body), "ratings")
    assert isinstance(error, PlatformRejectedError)
    assert error.code == "406"
    assert "route_id" in error.detail
    assert "not valid" not in error.detail


# --- the emulator's answers against the vendor's ---

UNLIKE = {"member_picture", "links", "user_route_rating", "member_config_storage"}
"""Named by the samples and no part of what is pretended."""
FREE = {"custom_fields", "EXT_FIELD_custom_data", "custom_data"}
"""Whatever an account puts there."""


def assert_same_shape(ours: Any, theirs: Any, where: str = "") -> None:
    """Every key of theirs is there; a value that is known on both sides is of the same kind."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        missing = theirs.keys() - ours.keys() - UNLIKE
        assert not missing, f"{where}: {sorted(missing)}"
        for name in theirs.keys() & ours.keys() - UNLIKE - FREE:
            assert_same_shape(ours[name], theirs[name], f"{where}.{name}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if ours and theirs:
            assert_same_shape(ours[0], theirs[0], f"{where}[]")
    elif ours not in (None, "") and theirs not in (None, ""):
        numbers = (int, float)
        same = isinstance(ours, numbers) == isinstance(theirs, numbers) and isinstance(
            ours, bool
        ) == isinstance(theirs, bool)
        assert same, f"{where}: {ours!r} is not like {theirs!r}"


class Caller:
    def __init__(self, town: Town) -> None:
        self.base = town.url

    async def __call__(self, method: str, path: str, **given: Any) -> Any:
        params = {"api_key": API_KEY} | given.pop("params", {})
        async with open_client(self.base) as client:
            answer = await client.request(method, path, params=params, **given)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.mark.shared
async def test_the_emulator_answers_in_the_vendors_shapes(town: Town) -> None:
    call = Caller(town)
    route, stop = town.routes[0], town.address(0)
    at = {"route_id": route, "route_destination_id": str(stop["route_destination_id"])}
    order = next(iter(town.emulator.store.orders))
    town.emulator.arrive(town.refs[0], town.clock())
    note = await call(
        "POST",
        "/actions/addRouteNotes.php",
        params={"route_id": route, "address_id": at["route_destination_id"]},
        data={"strNoteContents": "x", "strUpdateType": "dropoff"},
    )
    listed = sample("route_list_date_range")[0]
    for key in [name for name in listed if name.startswith(("udu_", "notes_count", "total_wait"))]:
        del listed[key]
    whole = sample("route_get")
    for told in (listed, whole):
        told["parameters"] = {
            name: value
            for name, value in told["parameters"].items()
            if name
            in ("route_name", "route_date", "route_time", "member_id", "vehicle_id", "vehicle_capacity")
        }
    answers = {
        "route_get": (await call("GET", "/api.v4/route.php", params={"route_id": route}), whole),
        "route_list": ((await call("GET", "/api.v4/route.php"))[0], listed),
        "address_get": await call("GET", "/api.v4/address.php", params=at | {"notes": "True"}),
        "address_update": await call("PUT", "/api.v4/address.php", params=at, json={"alias": "x"}),
        "note_add_response": note,
        "order_get": await call("GET", "/api.v4/order.php", params={"order_id": order}),
        "order_search_by_date_response": await call(
            "POST", "/api.v4/order.php", json=sample("order_search_by_date_request")
        ),
        "order_search_fields_response": await call(
            "GET", "/api.v4/order.php", params={"fields": "order_id,member_id"}
        ),
        "order_create_response": await call("POST", "/api.v4/order.php", json=sample("order_create_request")),
        "members_v4": await call("GET", "/api.v4/user.php"),
        "members_v5": await call("GET", "/modules/api/v5.0/team/users"),
        "user_locations": await call("GET", "/api/track/view_user_locations.php"),
        "gps_set": await call("GET", "/track/set.php", params={"lat": "41", "lng": "-73"}),
        "activities": await call("GET", "/api/get_activities.php", params={"start": "", "end": ""}),
        "asset_tracking": await call(
            "GET", "/api.v4/status.php", params={"tracking": stop["tracking_number"]}
        ),
        "route_duplicate": await call("GET", "/actions/duplicate_route.php", params={"route_id": route}),
        "address_move": await call(
            "POST",
            "/actions/route/move_route_destination.php",
            data={"to_route_id": town.routes[1], "route_destination_id": at["route_destination_id"]},
        ),
        "address_delete": await call(
            "DELETE", "/api.v4/address.php", params=at | {"route_id": town.routes[1]}
        ),
        "order_delete_response": await call("DELETE", "/api.v4/order.php", json={"order_ids": [10, 11]}),
        "route_delete": await call("DELETE", "/api.v4/route.php", params={"route_id": ",".join(town.routes)}),
    }
    theirs = {"address_get": "address_get_with_notes", "address_update": "address_update_response"}
    for name, ours in answers.items():
        if isinstance(ours, tuple):
            assert_same_shape(ours[0], ours[1], where=name)
        else:
            assert_same_shape(ours, sample(theirs.get(name, name)), where=name)
    assert Tracking.model_validate(answers["user_locations"][0]["tracking"]).position_lat


@pytest.mark.shared
async def test_the_emulators_callback_holds_the_fields_of_the_vendors(town: Town) -> None:
    town.emulator.feed.callback_url = "http://127.0.0.1:9/never"
    town.emulator.complete(town.refs[0], town.clock(), words="x", note_type="dropoff")
    samples = sample("webhooks_activity_feed")
    bodies = {
        line["activity_type"]: town.emulator.feed._body(key)
        for key, line in town.emulator.store.activities.items()
    }
    for kind, name in (
        ("route-destination-status", "completed-stop-status-assigned"),
        ("mark-destination-departed", "done-stop-status-assigned"),
        ("insert-destination", "stop-added-to-route"),
        ("order-created", "order-created"),
    ):
        theirs = {
            key: value
            for key, value in samples[name].items()
            if key not in ("next_destination_id", "order_diffs", "detailed_event") or kind.startswith("route")
        }
        # Their ids come as numbers in one sample and as words in the next.
        assert not theirs.keys() - bodies[kind].keys() - {"order"}, kind
