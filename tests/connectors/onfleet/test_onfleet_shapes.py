"""The emulator answers in the vendor's shapes: every field of a sample, with its type."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.http import open_client
from connectors.onfleet.payloads import to_ms
from tests.connectors.onfleet.onfleet_town import API_KEY, Town

SAMPLES = Path(__file__).parents[3].parent / "shared/reference/samples/onfleet"
NOT_ANSWERED = {
    "worker.userData",
    "worker.vehicle.color",
    "worker.vehicle.licensePlate",
    "worker.vehicle.timeLastModified",
    "manifest.vehicle.color",
    "manifest.vehicle.licensePlate",
    "manifest.vehicle.timeLastModified",
    "admins[].phone",
}
"""What the pretended Onfleet leaves out: nothing of ours and no client of the vendor's reads it."""

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/reference/samples is not there"),
]


def differences(sample: Any, answer: Any, where: str) -> list[str]:
    """Where `answer` lacks a field of `sample` or has another type; null goes with everything."""
    if where in NOT_ANSWERED or sample is None or answer is None:
        return []
    if isinstance(sample, dict) and isinstance(answer, dict):
        return [
            found
            for name, value in sample.items()
            for found in _of_field(value, answer, name, f"{where}.{name}")
        ]
    if isinstance(sample, list) and isinstance(answer, list):
        return differences(sample[0], answer[0], f"{where}[]") if sample and answer else []
    return [] if _kind(sample) is _kind(answer) else [f"{where}: {_kind(sample)} is {_kind(answer)}"]


def _of_field(value: Any, answer: dict[str, Any], name: str, where: str) -> list[str]:
    if where in NOT_ANSWERED:
        return []
    return differences(value, answer[name], where) if name in answer else [f"{where} is missing"]


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@pytest.mark.parametrize(
    ("sample", "answer", "found"),
    [
        ({"a": 1}, {"a": 2.5, "b": 1}, []),
        ({"a": None}, {"a": "x"}, []),
        ({"a": 1}, {}, ["x.a is missing"]),
        ({"a": "1"}, {"a": 1}, ["x.a: <class 'str'> is <class 'float'>"]),
        ({"a": [{"b": True}]}, {"a": [{"b": 1}]}, ["x.a[].b: <class 'bool'> is <class 'float'>"]),
        ([], {}, ["x: <class 'list'> is <class 'dict'>"]),
    ],
)
def test_differences_are_found(sample: Any, answer: Any, found: list[str]) -> None:
    assert differences(sample, answer, "x") == found


async def test_the_emulator_answers_in_the_vendors_shapes(town: Town) -> None:
    town.emulator.set_duty(town.driver, True, town.clock())
    team = next(iter(town.emulator.store.teams))
    async with open_client(f"{town.url}/api/v2/", auth=(API_KEY, "")) as client:

        async def ask(method: str, path: str, status: int = 200, **body: Any) -> Any:
            answer = await client.request(method, path, json=body or None)
            assert answer.status_code == status, (path, answer.text)
            return answer.json()

        hub = await ask("POST", "hubs", name="Depot", address={"street": "West Ave"}, teams=[team])
        batch = await ask("POST", "tasks/batch-async", tasks=[_wanted()])
        task = await ask("GET", f"tasks/{town.refs[0]}")
        start: dict[str, Any] = {"name": "Early", "startTime": to_ms(town.clock() + timedelta(hours=1))}
        answers = {
            "auth_test": ("auth", await ask("GET", "auth/test")),
            "admins_list": ("admins", await ask("GET", "admins")),
            "gonfleet_container": ("container", await ask("GET", f"containers/workers/{town.driver}")),
            "gonfleet_destination": ("destination", task["destination"]),
            "gonfleet_hub": ("hub", hub),
            "gonfleet_organization": ("organization", await ask("GET", "organization")),
            "gonfleet_recipient": ("recipient", task["recipients"][0]),
            "gonfleet_route_plan": ("plan", await ask("POST", "routePlans", worker=town.driver, **start)),
            "gonfleet_task": ("task", task),
            "gonfleet_team": ("team", await ask("GET", f"teams/{team}")),
            "gonfleet_worker": ("worker", await ask("GET", f"workers/{town.driver}")),
            "error_404_resource_not_found": ("gone", await ask("GET", "tasks/nosuchtask", 404)),
            "error_401_invalid_credentials": ("denied", await _denied(town)),
            "task_batch_status": ("batch", await ask("GET", f"tasks/batch/{batch['jobId']}")),
            "team_driver_estimate": (
                "estimate",
                await ask("GET", f"teams/{team}/estimate?dropoffLocation=-73.42,41.13"),
            ),
            "delivery_manifest": ("manifest", await _manifest(client, hub["id"], town.driver)),
        }
    found = [
        line
        for name, (where, answer) in answers.items()
        for line in differences(json.loads((SAMPLES / f"{name}.json").read_text()), answer, where)
    ]
    assert found == []


def _wanted() -> dict[str, Any]:
    wanted: dict[str, Any] = json.loads((SAMPLES / "gonfleet_task_create_params.json").read_text())
    # The fixture's instants are seconds, and its number is one that nobody can have.
    return wanted | {"recipients": [{"name": "Bob Johnson", "phone": "+12035550188"}]}


async def _denied(town: Town) -> Any:
    async with open_client(town.url, auth=("wrong", "")) as stranger:
        return (await stranger.get("/api/v2/workers")).json()


async def _manifest(client: httpx.AsyncClient, hub: str, worker: str) -> Any:
    path = f"providers/manifest/generate?hubId={hub}&workerId={worker}"
    body = {"path": path, "method": "GET"}
    maps = {"X-API-Key": "Google key"}
    return (await client.post("integrations/marketplace", json=body, headers=maps)).json()
