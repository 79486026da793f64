"""The vendor's own sample bodies are readable, and so is what is missing or null in them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from connectors.base import StopStatus
from connectors.onfleet.mapping import Account, to_stop
from connectors.onfleet.payloads import (
    AuthTest,
    Destination,
    ErrorBody,
    HeldTasks,
    Organization,
    Recipient,
    RoutePlan,
    Task,
    TaskPage,
    Team,
    Trigger,
    Webhook,
    WebhookBody,
    Worker,
)
from connectors.onfleet.payloads_account import (
    Admin,
    BatchStatus,
    CustomFields,
    DriverEstimate,
    ForcedCompletion,
    Hub,
    Manifest,
    NewTask,
)
from connectors.onfleet.webhook import to_event

SAMPLES = Path(__file__).parents[3].parent / "shared/reference/samples/onfleet"
ACCOUNT = Account("America/Los_Angeles")
NOW = datetime(2026, 6, 8, tzinfo=UTC)

SHAPES: dict[str, type[BaseModel]] = {
    "auth_test": AuthTest,
    "custom_fields": CustomFields,
    "delivery_manifest": Manifest,
    "gonfleet_container": HeldTasks,
    "gonfleet_hub": Hub,
    "gonfleet_route_plan": RoutePlan,
    "gonfleet_task_create_params": NewTask,
    "task_batch_status": BatchStatus,
    "task_force_complete": ForcedCompletion,
    "team_driver_estimate": DriverEstimate,
    "error_401_invalid_credentials": ErrorBody,
    "error_404_resource_not_found": ErrorBody,
    "gonfleet_destination": Destination,
    "gonfleet_organization": Organization,
    "gonfleet_recipient": Recipient,
    "gonfleet_task": Task,
    "gonfleet_team": Team,
    "gonfleet_webhook": Webhook,
    "gonfleet_worker": Worker,
    "recipient_get": Recipient,
    "task_get": Task,
    "team_create_response": Team,
    "team_tasks": TaskPage,
    "webhook_task_updated": WebhookBody,
    "worker_tasks": TaskPage,
    "worker_update_response": Worker,
}

shared = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/reference/samples is not there")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


@shared
@pytest.mark.shared
@pytest.mark.parametrize("name", SHAPES)
def test_a_sample_of_the_vendor_is_read(name: str) -> None:
    read = SHAPES[name].model_validate(sample(name))
    if "id" in SHAPES[name].model_fields:
        assert read.id == sample(name)["id"]  # type: ignore[attr-defined]


@shared
@pytest.mark.shared
def test_every_sample_is_read() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == SHAPES.keys() | {"admins_list"}
    admins = TypeAdapter(list[Admin]).validate_python(sample("admins_list"))
    assert [admin.type for admin in admins] == ["super", "standard"]


@shared
@pytest.mark.shared
@pytest.mark.parametrize("name", SHAPES)
def test_what_we_read_of_a_sample_is_in_it(name: str) -> None:
    """A model whose fields are all left out reads everything, and nothing."""
    read = SHAPES[name].model_validate(sample(name))
    assert read.model_fields_set, "not one field of the model stands in the sample"


@shared
@pytest.mark.shared
def test_the_vendors_webhook_becomes_an_event_about_its_stop() -> None:
    body = json.dumps(sample("webhook_task_updated")).encode()
    event = to_event(body, ACCOUNT, NOW)
    assert event is not None
    assert (event.kind, event.stop_ref) == ("stop_updated", "FNO~F5wyG4a0pX0pYeW8novw")
    assert event.occurred_at == datetime(2022, 6, 28, 20, 14, 46, 599000, UTC)


@shared
@pytest.mark.shared
def test_the_vendors_full_task_becomes_a_delivered_stop() -> None:
    stop = to_stop(Task.model_validate(sample("webhook_task_updated")["data"]["task"]), ACCOUNT, NOW)
    assert stop.status is StopStatus.DELIVERED
    assert stop.address.line == "2695 East Katella Avenue"
    assert (stop.address.latitude, stop.address.longitude) == (33.8078476, -117.8764687)


@shared
@pytest.mark.shared
def test_the_vendors_shortened_task_is_still_a_stop() -> None:
    stop = to_stop(Task.model_validate(sample("task_get")), ACCOUNT, NOW)
    assert (stop.tracking, stop.status, stop.changed_at) == ("44a56188", StopStatus.OUT_FOR_DELIVERY, NOW)


def test_nulls_and_unknown_fields_are_tolerated() -> None:
    nothing = dict.fromkeys(
        ["notes", "destination", "recipients", "metadata", "completionDetails", "container"]
    )
    read = Task.model_validate({"id": "t1", "brandNew": {"deep": 1}, **nothing})
    assert (read.notes, read.recipients, read.completion_details.success) == ("", (), None)


@pytest.mark.parametrize(
    "body", [{}, {"id": ""}, {"id": "t", "completeAfter": "soon"}, {"id": "t", "recipients": 3}]
)
def test_what_is_no_task_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Task.model_validate(body)


def test_every_trigger_of_the_vendors_table_has_its_number() -> None:
    assert {int(trigger) for trigger in Trigger} == set(range(30)) - {11}
