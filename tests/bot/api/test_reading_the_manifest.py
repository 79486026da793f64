"""The manifest by `GET /api/v1/manifest`: for operators, of a day and a zone."""

from tests.harness.clients import Program
from tests.harness.world import World


async def test_an_operator_reads_the_manifest_and_a_client_does_not(bare_world: World) -> None:
    operator, acme = await Program.of(bare_world, None), await Program.of(bare_world)
    tracking = await bare_world.has_stop()
    answer = (await operator.calls("GET", "/manifest", params={"zone": "north"})).raise_for_status().json()
    [manifest] = answer["manifests"]
    assert (manifest["zone"], manifest["day"]) == ("North", "2026-06-09")
    lines = [line["tracking"] for route in manifest["routes"] for line in route["lines"]]
    assert lines + [line["tracking"] for line in manifest["without_route"]] == [tracking]
    refused = await acme.calls("GET", "/manifest")
    assert (refused.status_code, refused.json()["code"]) == (403, "operators_only")
    assert (await operator.calls("GET", "/manifest", params={"zone": "West"})).status_code == 404
    tomorrow = await operator.calls("GET", "/manifest", params={"date": "2026-06-10"})
    assert tomorrow.json() == {"manifests": []}
