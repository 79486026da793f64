"""Onfleet's wire models beside tasks, drivers and routes: what an account has that Doorline does not act on.

The emulator's answers and the vendor's samples are held against them.
"""

from typing import Any

from pydantic import Field

from connectors.onfleet.payloads import Destination, Instant, LngLat, Recipient, Task, Wire, WireAddress


class Admin(Wire):
    id: str = Field(min_length=1)
    name: str
    email: str
    type: str
    is_active: bool = True


class Hub(Wire):
    id: str = Field(min_length=1)
    name: str
    address: WireAddress
    location: LngLat = None
    teams: tuple[str, ...] = ()


class NewTask(Wire):
    """The body of `POST /tasks`."""

    destination: Destination
    recipients: tuple[Recipient | str, ...] = ()
    complete_after: Instant | None = None
    complete_before: Instant | None = None
    notes: str = ""
    pickup_task: bool = False
    quantity: float = 0
    service_time: float = 0


class BatchStatus(Wire):
    status: str
    tasks_received: int
    tasks_created: int
    errors: tuple[dict[str, Any], ...] = ()
    failed_tasks: tuple[dict[str, Any], ...] = ()


class ForcedDetails(Wire):
    notes: str = ""
    success: bool | None = None


class ForcedCompletion(Wire):
    status: int
    completion_details: ForcedDetails


class CustomField(Wire):
    key: str
    name: str
    type: str
    value: Any = None


class CustomFields(Wire):
    fields: tuple[CustomField, ...]


class EstimatedStep(Wire):
    """Seconds throughout; the instants are unix seconds, unlike everywhere else."""

    location: LngLat
    travel_time: int
    distance: int
    service_time: int
    arrival_time: int
    completion_time: int


class DriverEstimate(Wire):
    worker_id: str
    vehicle: str = ""
    steps: tuple[EstimatedStep, ...] = Field(min_length=1)


class Leg(Wire):
    start_address: str = Field(alias="start_address")
    end_address: str = Field(alias="end_address")
    eta: Instant
    driving_distance: str = Field(alias="driving_distance")
    steps: tuple[str, ...] = ()


class Manifest(Wire):
    manifest_date: Instant
    departure_time: Instant
    driver: Recipient
    hub_address: str
    turn_by_turn: tuple[Leg, ...] = ()
    total_distance: float | str | None = None
    tasks: tuple[Task, ...] = ()
