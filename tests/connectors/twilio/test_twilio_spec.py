"""The emulator's answers against Twilio's published interface."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

SPEC = Path(__file__).parents[3].parent / "shared" / "reference" / "specs" / "twilio-messages.openapi.json"
ACCOUNT = "AC" + "0a" * 16
TOKEN = "the-auth-token"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
SPEC_MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SPEC.exists(), reason="needs ../shared (make check-shared)"),
]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    spec: dict[str, Any] = nullable_as_json_schema(json.loads(SPEC.read_text()))
    return spec


def nullable_as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema a list of types."""
    if isinstance(node, list):
        return [nullable_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: nullable_as_json_schema(value) for key, value in node.items()}
    if node.pop("nullable", False):
        node["type"] = [node["type"], "null"]
    return node


def resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target: Any = spec
    for name in schema["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return resolved(spec, target)


def check(spec: dict[str, Any], path: str, method: str, answer: httpx.Response) -> None:
    """Status, schema, and that no property is missing or invented."""
    responses = spec["paths"][SPEC_MESSAGES + path][method]["responses"]
    documented = responses[str(answer.status_code)]
    if "content" not in documented:
        assert answer.content == b""
        return
    schema = documented["content"]["application/json"]["schema"]
    body = answer.json()
    jsonschema.validate(body, {**schema, "components": spec["components"]})
    check_properties(spec, schema, body)


def check_properties(spec: dict[str, Any], schema: dict[str, Any], body: dict[str, Any]) -> None:
    properties = resolved(spec, schema)["properties"]
    assert set(body) == set(properties)
    for name, value in body.items():
        if isinstance(value, list):
            for item in value:
                check_properties(spec, properties[name]["items"], item)


@pytest.fixture
async def api(twilio: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=twilio.url, auth=httpx.BasicAuth(ACCOUNT, TOKEN), trust_env=False
    ) as http:
        yield http


def order(**changes: str) -> dict[str, str]:
    return {"To": "+15550100001", "From": "+15005550006", "Body": "hello", **changes}


async def test_a_created_message_is_as_documented(api: httpx.AsyncClient, spec: dict[str, Any]) -> None:
    for data in (order(), order(MediaUrl="https://x.example/1.jpg"), order(To="whatsapp:+15550100001")):
        check(spec, ".json", "post", await api.post(f"{MESSAGES}.json", data=data))


async def test_a_message_of_a_service_is_as_documented(
    api: httpx.AsyncClient, twilio: Any, spec: dict[str, Any]
) -> None:
    data = {"To": "+15550100001", "MessagingServiceSid": twilio.emulator.service_sid, "Body": "hello"}
    answer = await api.post(f"{MESSAGES}.json", data=data)
    check(spec, ".json", "post", answer)
    assert (answer.json()["num_segments"], answer.json()["from"], answer.json()["status"]) == (
        "0",
        None,
        "accepted",
    )


async def test_every_state_of_a_message_is_as_documented(
    api: httpx.AsyncClient, twilio: Any, spec: dict[str, Any]
) -> None:
    inbound = await twilio.emulator.text("+15550100001", "STOP", num_media=2)
    recipients = ("+15550100002", "+15005550103", "+15005550101", "+15005550122")
    created = [await api.post(f"{MESSAGES}.json", data=order(To=to)) for to in recipients]
    sids = [inbound.sid, *(answer.json()["sid"] for answer in created)]
    await twilio.emulator.settled()
    states = set()
    for sid in sids:
        answer = await api.get(f"{MESSAGES}/{sid}.json")
        check(spec, "/{Sid}.json", "get", answer)
        states.add(answer.json()["status"])
    assert states == {"received", "delivered", "undelivered", "failed", "queued"}
    check(spec, "/{MessageSid}/Media.json", "get", await api.get(f"{MESSAGES}/{sids[0]}/Media.json"))


async def test_lists_are_as_documented(api: httpx.AsyncClient, twilio: Any, spec: dict[str, Any]) -> None:
    check(spec, ".json", "get", await api.get(f"{MESSAGES}.json"))
    for index in range(5):
        await api.post(f"{MESSAGES}.json", data=order(Body=f"number {index}"))
    await twilio.emulator.settled()
    address, seen = f"{MESSAGES}.json?PageSize=2&To=%2B15550100001&DateSent%3E=2024-06-10", 0
    while address:
        answer = await api.get(address)
        check(spec, ".json", "get", answer)
        page = answer.json()
        seen += len(page["messages"])
        assert page["end"] - page["start"] + 1 == len(page["messages"])
        address = page["next_page_uri"]
    assert seen == 5


async def test_redacting_and_deleting_are_as_documented(api: httpx.AsyncClient, spec: dict[str, Any]) -> None:
    sid = (await api.post(f"{MESSAGES}.json", data=order())).json()["sid"]
    check(spec, "/{Sid}.json", "post", await api.post(f"{MESSAGES}/{sid}.json", data={"Body": ""}))
    check(spec, "/{Sid}.json", "delete", await api.delete(f"{MESSAGES}/{sid}.json"))


async def test_errors_have_twilios_shape(api: httpx.AsyncClient) -> None:
    for data, code in ((order(To="12"), 21211), (order(Body=""), 21602), (order(From=""), 21603)):
        answer = await api.post(f"{MESSAGES}.json", data=data)
        body = answer.json()
        assert set(body) == {"code", "message", "more_info", "status"}
        assert (body["code"], body["status"], answer.status_code) == (code, 400, 400)
        assert body["more_info"].endswith(f"/errors/{code}")
