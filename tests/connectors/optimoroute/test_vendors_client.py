"""The typed client `optimoroute-client` for Node, unchanged, against the pretended OptimoRoute."""

import asyncio
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.optimoroute.payloads import OrderStatus
from tests.connectors.optimoroute.optimoroute_town import API_KEY, TODAY, Town

PACKAGE, VERSION = "optimoroute-client", "1.18.1"
PREFIX = Path(__file__).parents[3] / "var/node"
ANSWER_SECONDS = 60

CALLS = """
const { default: Client } = await import(process.argv[1]).then(m => m.default.default ? m.default : m);
const [base, key, day, first, second] = process.argv.slice(2);
const client = new Client({ authKey: key, basePath: base + '/v1/' });
const told = {};
const place = { address: '9 Oak Ave', locationName: 'Tom', acceptPartialMatch: true };
const order = { orderNo: 'N-1', date: day, type: 'D', duration: 5, location: place, timeWindows: [] };
told.created = await client.createOrder({ ...order, operation: 'CREATE' });
told.again = await client.createOrder({ ...order, operation: 'CREATE' });
const at = { latitude: 41.1, longitude: -73.4 };
told.many = await client.createOrUpdateOrders(
  { orders: [{ ...order, orderNo: 'N-2', location: at }], operation: 'MERGE' });
told.one = await client.getOrders('S-1');
told.several = await client.getOrders([{ orderNo: 'S-1' }, { orderNo: 'nope' }]);
const search = { dateRange: { from: day, to: day }, includeOrderData: true, includeScheduleInformation: true };
told.found = await client.searchOrders(search);
told.foundAgain = await client.searchOrders(search);
told.routes = await client.getRoutes({ date: day });
told.schedule = await client.getSchedulingInfo({ orderNo: 'S-2' });
told.details = await client.getCompletionDetails([{ orderNo: 'S-1' }, { id: second }]);
told.detail = await client.getCompletionDetails('S-1');
told.events = await client.getMobileEvents('');
told.noEvents = await client.getMobileEvents(told.events.tag);
told.anyEvents = await client.getMobileEvents();
told.planning = await client.startPlanning({ date: day, balancing: 'OFF', startWith: 'CURRENT' });
for (let looks = 0; looks < 4; looks += 1) {
  told.planned = await client.getPlanningStatus(told.planning.planningId);
}
told.stopped = await client.stopPlanning(told.planning.planningId);
told.driver = await client.updateDriverParameters({ externalId: 'D-2', date: day, workTimeFrom: '09:00' });
told.deleted = await client.deleteOrder('N-1');
told.deletedMany = await client.deleteOrders({ orders: [{ orderNo: 'N-2' }, { orderNo: 'N-2' }] });
told.deletedAll = await client.deleteAllOrders(day);
told.stranger = await new Client({ authKey: 'wrong', basePath: base + '/v1/' }).getOrders('S-1');
console.log(JSON.stringify(told));
"""


@cache
def installed() -> str:
    """Where the client was installed to. Skips where it cannot be."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not there")
    module = PREFIX / "node_modules" / PACKAGE
    if not (module / "package.json").is_file():
        PREFIX.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-package-lock", "--prefix", str(PREFIX), f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm could not install {PACKAGE}: {done.stderr[-200:]}")
    assert json.loads((module / "package.json").read_text())["version"] == VERSION
    return str(module / "dist/index.js")


async def play(town: Town) -> dict[str, Any]:
    arguments = [town.url, API_KEY, TODAY, *town.refs[:2]]
    process = await asyncio.create_subprocess_exec(
        "node",
        "--input-type=module",
        "--eval",
        CALLS,
        installed(),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
    assert process.returncode == 0, errors.decode()
    told: dict[str, Any] = json.loads(output)
    return told


@pytest.mark.node
async def test_the_typed_client_works_unchanged(town: Town) -> None:
    town.emulator.set_duty("D-1", True)
    town.emulator.start_order(town.refs[0])
    town.emulator.arrive(town.refs[0])
    town.emulator.complete(town.refs[0], status=OrderStatus.FAILED, note="nobody home")
    told = await play(town)
    failed_on_purpose = {"again", "stranger"}
    assert {name for name, answer in told.items() if not answer["success"]} == failed_on_purpose
    assert (told["again"]["code"], told["stranger"]["code"]) == ("ERR_ORD_EXISTS", "AUTH_KEY_UNKNOWN")
    assert len(told["created"]["id"]) == 32
    assert told["many"]["orders"][0]["orderNo"] == "N-2"
    assert told["one"]["orders"][0]["data"]["id"] == town.refs[0]
    assert [item["success"] for item in told["several"]["orders"]] == [True, False]
    assert len(told["found"]["orders"]) == 5
    assert told["foundAgain"] == told["found"], "the client leaves its key in the body"
    assert [stop["orderNo"] for stop in told["routes"]["routes"][0]["stops"]] == ["S-1", "S-2", "S-3"]
    assert told["schedule"]["scheduleInformation"]["driverSerial"] == "001"
    assert [item["data"]["status"] for item in told["details"]["orders"]] == ["failed", "scheduled"]
    assert told["detail"]["orders"][0]["data"]["form"]["note"] == "nobody home"
    events = [event["event"] for event in told["events"]["events"]]
    assert events == ["on_duty", "start_route", "start_service", "failed"]
    assert (told["noEvents"]["events"], len(told["anyEvents"]["events"])) == ([], 4)
    assert (told["planned"]["status"], told["planned"]["percentageComplete"]) == ("F", 100)
    assert [item["success"] for item in told["deletedMany"]["orders"]] == [True, False]
    assert len(town.emulator.store.orders) == 0
    assert town.emulator.api.unexpected == []
