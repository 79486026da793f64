"""Whatever is sent to `/api/v1`: no answer is a failure of ours, and none is one that the document does not name."""

import asyncio
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.harness.clients import Program, a_stop
from tests.harness.world import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]
EXAMPLES = 12
"""Of each operation, valid and invalid ones. More of them by hand: set it higher."""


async def test_no_call_is_answered_by_an_error_of_ours_or_by_an_undocumented_one(bare_world: World) -> None:
    programs = [await Program.of(bare_world, client) for client in ("Acme", None)]
    stop = await programs[0].enters(a_stop(bare_world))
    called = await asyncio.to_thread(_call_everything, bare_world, programs, stop["id"])
    assert called >= 8 * EXAMPLES
    await bare_world.settled()


def _call_everything(world: World, programs: list[Program], stop_id: str) -> int:
    return sum(_call(operation, programs, stop_id) for operation in _operations(world))


def _operations(world: World) -> Iterator[Any]:
    schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json").include(path_regex="^/api/v1/")
    for result in schema.get_all_operations():
        assert not isinstance(result, Err), result
        yield result.ok()


def _call(operation: Any, programs: list[Program], stop_id: str) -> int:
    """Calls one operation with examples of both kinds; gives how often."""
    called = 0
    cases = operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE)

    @seed(20261123)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def call(case: Any) -> None:
        nonlocal called
        called += 1
        if called % 3 == 0 and "stop_id" in operation.path and case.path_parameters:
            case.path_parameters = {"stop_id": stop_id}
        token = programs[called % len(programs)].token
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    call()
    return called
