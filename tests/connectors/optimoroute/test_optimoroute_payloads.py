"""The shapes of the vendor's contract are readable, and the pretended vendor answers in them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.events import read_events, to_event
from connectors.optimoroute.mapping import Account
from connectors.optimoroute.payloads import (
    BulkAnswer,
    Completion,
    FoundOrder,
    MobileEvent,
    Order,
    OrderPage,
    RoutesAnswer,
    SchedulingInfo,
    from_unix,
)
from tests.connectors.optimoroute.optimoroute_town import TODAY, Town

REFERENCE = Path(__file__).parents[3].parent / "shared/reference"
SAMPLES = REFERENCE / "samples/optimoroute"
CONTRACT = REFERENCE / "routing-platforms.md"
SHAPES: dict[str, type[BaseModel]] = {"mobile_event": MobileEvent}

shared = pytest.mark.skipif(not CONTRACT.is_file(), reason="../shared/reference is not there")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def bodies() -> dict[str, Any]:
    """The JSON of chapter 4.4, by what it is an answer to; `order` is the one that is sent."""
    chapter = CONTRACT.read_text().partition("### 4.4 Bodies")[2].partition("### 4.5")[0]
    found = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", chapter, re.DOTALL)]
    names = ("order", "search_orders", "get_scheduling_info", "get_routes", "get_completion_details")
    return dict(zip(names, found, strict=True))


def differences(wanted: Any, got: Any, where: str = "") -> list[str]:
    """What `got` lacks or has in another type; of a list all items are held against the contract's first."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        missing = [f"{where}.{name} is missing" for name in wanted if name not in got]
        deeper = [differences(wanted[name], got[name], f"{where}.{name}") for name in wanted if name in got]
        return missing + [line for lines in deeper for line in lines]
    if isinstance(wanted, list) and isinstance(got, list):
        if wanted and not got:
            return [f"{where} is empty"]
        return [line for item in got if wanted for line in differences(wanted[0], item, f"{where}[]")]
    if kind(wanted) != kind(got):
        return [f"{where} is {got!r}, not like {wanted!r}"]
    pattern = re.sub(r"\d", r"\\d", re.escape(wanted)) if is_local_time(wanted) else None
    return [f"{where} is {got!r}, not like {wanted!r}"] if pattern and not re.fullmatch(pattern, got) else []


def kind(value: Any) -> str:
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def is_local_time(value: Any) -> bool:
    is_text = isinstance(value, str) and value != ""
    return is_text and bool(re.fullmatch(r"(\d{4}-\d\d-\d\d)?[ T]?(\d\d:\d\d(:\d\d)?)?", value))


# --- what is read ---


@shared
@pytest.mark.shared
@pytest.mark.parametrize("name", SHAPES)
def test_a_sample_of_the_vendor_is_read(name: str) -> None:
    assert SHAPES[name].model_validate(sample(name)).event == sample(name)["event"]  # type: ignore[attr-defined]


@shared
@pytest.mark.shared
def test_every_sample_is_read() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == SHAPES.keys()


@shared
@pytest.mark.shared
def test_the_vendors_event_is_about_its_stop() -> None:
    (event,) = read_events([sample("mobile_event")], "optimoroute")
    told = to_event(event, Account("America/New_York"), event.order_id)
    assert told is not None
    assert (told.kind, told.stop_ref) == ("stop_delivered", "935f53e453395f3b68834bb6a12078d9")
    assert told.occurred_at == datetime(2025, 11, 14, 20, 5, 11, tzinfo=UTC)


@shared
@pytest.mark.shared
def test_the_contracts_answers_are_read_whole() -> None:
    told = bodies()
    (found,) = [
        FoundOrder.model_validate(raw) for raw in OrderPage.model_validate(told["search_orders"]).orders
    ]
    assert found.schedule_information is not None
    assert (found.data.order_no, found.schedule_information.driver_ref) == ("A-332", "D1")
    schedule = SchedulingInfo.model_validate(told["get_scheduling_info"]).schedule_information
    assert schedule is not None
    assert schedule.live_estimate.arrival_time_dt == "2026-10-19 10:20:00"
    (route,) = RoutesAnswer.model_validate(told["get_routes"]).routes
    assert (route.order_ids, len(route.stops)) == (("...",), 2)
    (result,) = BulkAnswer.model_validate(told["get_completion_details"]).orders
    completion = Completion.model_validate(result.data)
    assert (completion.status, completion.form.note, len(completion.form.images)) == (
        "failed",
        "nobody home",
        1,
    )
    assert completion.end_time.unix_timestamp == datetime(2026, 10, 19, 14, 5, tzinfo=UTC)
    order = Order.model_validate({"id": "o1", **told["order"]})
    assert (order.time_windows[0].tw_from, order.assigned_to.ref, order.load1) == ("09:00", "D1", 2)


# --- what the pretended vendor answers ---


@shared
@pytest.mark.shared
async def test_the_contracts_order_is_taken_and_everything_about_it_answered_in_its_shapes(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    contract = bodies()
    town.emulator.add_driver("D1", name="Driver 001")
    wanted = contract["order"] | {"date": TODAY}
    order_id = (await town.ask("POST", "create_order", wanted))["id"]
    assert town.emulator.store.order(order_id)["data"]["customField1"] == wanted["customField1"]
    town.emulator.put_on_route(order_id, "D1")
    town.emulator.set_eta(order_id, town.clock())
    day = {"from": TODAY, "to": TODAY}
    search = {"dateRange": day, "includeOrderData": True, "includeScheduleInformation": True}
    answers = {
        "search_orders": await town.ask("POST", "search_orders", search),
        "get_scheduling_info": await town.ask("GET", "get_scheduling_info", id=order_id),
        "get_routes": await town.ask("GET", "get_routes", date=TODAY),
    }
    town.emulator.start_order(order_id)
    town.emulator.arrive(order_id)
    town.emulator.complete(order_id, note="nobody home", photos=1, is_signed=True)
    keys = {"orders": [{"id": order_id}]}
    answers["get_completion_details"] = await town.ask("POST", "get_completion_details", keys)
    del contract["search_orders"]["after_tag"]  # only on a page with another one after it
    for method, answer in answers.items():
        assert differences(contract[method], answer, method) == []


@shared
@pytest.mark.shared
async def test_events_are_told_in_the_samples_shape(town: Town) -> None:
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0])
    events = (await town.ask("GET", "get_events"))["events"]
    assert differences(sample("mobile_event"), events[-1], "event") == []


def test_a_difference_is_seen() -> None:
    wanted = {"a": 1, "b": ["2026-10-19"], "c": {"d": "x"}}
    assert differences(wanted, {"a": 2.5, "b": ["2026-01-01", "2027-01-01"], "c": {"d": "", "e": 1}}) == []
    got = {"a": "1", "b": ["19.10."], "c": {}}
    assert len(differences(wanted, got)) == 3
    assert differences({"b": [1]}, {"b": []}) == [".b is empty"]


# --- tolerance ---


def test_nulls_and_unknown_fields_are_tolerated() -> None:
    nothing = dict.fromkeys(
        ["notes", "location", "timeWindows", "assignedTo", "load1", "allowedDates", "email"]
    )
    read = Order.model_validate({"id": "o1", "brandNew": {"deep": 1}, **nothing})
    assert (read.notes, read.time_windows, read.assigned_to.ref, read.load1) == ("", (), None, 0)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ""},
        {"id": "o", "timeWindows": 3},
        {"id": "o", "duration": "long"},
        {"id": "o", "location": []},
    ],
)
def test_what_is_no_order_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate(body)


@pytest.mark.parametrize("value", [1763150711, 1763150711.0, "1763150711"])
def test_unix_seconds_come_as_numbers_and_as_text(value: object) -> None:
    assert from_unix(value) == datetime(2025, 11, 14, 20, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, True, "soon", [], 1e300, float("nan")])
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_unix(value)
