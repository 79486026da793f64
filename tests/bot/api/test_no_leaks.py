"""Two clients with everything that there can be: neither reads a word of the other, wherever and however it looks.

Every GET of the API is tried, those of tomorrow too: they are read from the description that the API gives of itself.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, col

from bot.clients.models import ClientNews
from bot.handover.models import ClientEvent
from bot.incidents.models import PromiseIncident
from bot.recovery.models import Recovery, RecoveryState
from bot.sop_recovery import Flow
from connectors.base import FailureReason, StopStatus
from connectors.client_webhooks.emulator import ClientSystemEmulator
from connectors.emulation import Server
from tests.bot.clients.shipping import a_stop as a_record
from tests.harness.clients import Program, a_stop
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

CLIENTS = """clients:
  Acme: {email: ops@acme.example, tell: {redelivery: [email, webhook], breach: [email, webhook], daily_summary: {}}}
  Nova: {email: ops@nova.example, tell: {redelivery: [email, webhook], breach: [email, webhook], daily_summary: {}}}
hand_over: {private_addresses: true}

root_causes:"""
AUTHSERV = "mx.quickship.example"
OPEN_TO_OPERATORS_ONLY = {"/api/v1/manifest"}
NASTY = ("%", "_", "%-%", "*", "\\", "' OR 1=1 --", "po-nova-1001", "PO-NOVA-1001 ", "")


@dataclass
class Shipper:
    """One client's side of the world."""

    name: str
    program: Program
    ids: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    """What nobody else may read; lower case."""

    def hides(self, *words: str) -> None:
        self.secrets |= {word.lower() for word in words}


@dataclass
class Stage:
    world: World
    acme: Shipper
    nova: Shipper

    @property
    def pairs(self) -> list[tuple[Shipper, Shipper]]:
        return [(self.acme, self.nova), (self.nova, self.acme)]


@pytest.fixture
async def stage(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Stage]:
    """Of each client: stops by API and by file, a moved window, a cancellation, a failure with its follow-up and second
    try, a broken promise, a subscription with deliveries."""
    system = ClientSystemEmulator()
    server = Server(system.app)
    await server.start()
    sop = protocol_with(tmp_path, {"\nroot_causes:": "\n" + CLIENTS})
    async with World(bare_setting, sop=sop, with_mail=True, with_app=False) as world:
        await world.start_app(email_trusted_authserv=AUTHSERV)
        made = [
            await shipper(
                world, "Acme", "Zacharias Quill", "14 Elm Street", "10001", "5550101", (system, server)
            ),
            await shipper(
                world, "Nova", "Wilhelmina Frost", "77 Oak Avenue", "11201", "5550177", (system, server)
            ),
        ]
        await world.advance(hours=5)
        await world.advance(minutes=11)
        for each in made:
            [incident, *_] = await world.rows(
                PromiseIncident,
                col(PromiseIncident.client) == each.name,
                col(PromiseIncident.kind) == "breach",
            )
            each.ids["incident_id"] = str(incident.id)
            each.hides(str(incident.id), incident.name)
        yield Stage(world, *made)
    await server.stop()


async def shipper(
    world: World,
    name: str,
    person: str,
    street: str,
    postcode: str,
    number: str,
    systems: tuple[ClientSystemEmulator, Server],
) -> Shipper:
    own = Shipper(name, await Program.of(world, name))
    order = f"PO-{name.upper()}"
    own.hides(name, *person.split(), street.split()[1] + " ", number, order)
    wanted = {"recipient_name": person, "phone": f"(212) {number[:3]}-{number[3:]}"}
    place = {"line": street, "postcode": postcode}
    entered = await own.program.enters(
        a_stop(world, order_ref=f"{order}-1001", day=1, address=place, notes="gate 4471#", **wanted)
    )
    own.ids["stop_id"] = entered["id"]
    own.ids["request_id"] = (await own.program.calls("GET", "/stop-requests")).json()["stop_requests"][0][
        "id"
    ]
    at = world.local("12:00", 1)
    own.ids["window_change_id"] = (
        await own.program.moves(entered["id"], at, at + timedelta(hours=2), note=f"because of {person}")
    ).json()["id"]
    other = await own.program.enters(
        a_stop(world, "09:00", "11:00", order_ref=f"{order}-1002", day=2, address=place, **wanted)
    )
    own.ids["cancellation_id"] = (await own.program.calls("DELETE", f"/stops/{other['id']}")).json()["id"]
    lines: tuple[str, ...] = ("order_ref,recipient_name,phone,address,city,postcode,date,start,end,notes",)
    lines += (f"{order}-1003,{person},{wanted['phone']},{street},New York,{postcode},2026-06-10,9:00,11:00,",)
    uploaded = await own.program.uploads("\n".join(lines).encode())
    own.ids["upload_id"] = uploaded.raise_for_status().json()["upload_id"]
    subscribed = await own.program.calls(
        "POST", "/subscriptions", json={"url": f"{systems[1].url}/hooks/{name}"}
    )
    systems[0].systems[name].secret = subscribed.json()["secret"]
    own.ids["subscription_id"] = subscribed.json()["id"]
    await fails(world, own, person, street)
    own.hides(*(each for each in own.ids.values() if each), entered["tracking"])
    return own


async def fails(world: World, own: Shipper, person: str, street: str) -> None:
    base = 100 if own.name == "Acme" else 200
    told: dict[str, Any] = {"client": own.name, "recipient_name": person, "address_line": street}
    # Of an account that nobody reads: a whole read would find that Onfleet has no such stops.
    told |= {"zone": f"Zone of {own.name}", "platform": "elsewhere"}
    failed = a_record(
        base,
        **told,
        status=StopStatus.FAILED,
        failure_reason=FailureReason.REFUSED,
        failure_note="gate 4471#",
    )
    second = a_record(base + 1, **told, status=StopStatus.PLANNED, completed_at=None)
    late = a_record(base + 2, **told, status=StopStatus.OUT_FOR_DELIVERY, completed_at=None)
    now = world.clock.now()
    recovery = Recovery(
        stop_id=failed.id,
        client=own.name,
        timezone="America/New_York",
        reason=FailureReason.REFUSED,
        words=f"{person} said code 4471",
        flow=Flow.ALTERNATIVES,
        state=RecoveryState.BOOKED,
        reattempt_id=second.id,
        failed_at=now,
        opened_at=now,
        preference={"choice": "safe_place", "place": "behind the planter", "note": "gate 4471#"},
    )
    for rows in ((failed, second, late), (recovery,)):
        await keep(world, *rows)
    services = world.doorline.services
    async with services.database.transaction() as session:
        await services.client_telling.tell(session, own.name, "recovery.reattempt_booked", recovery.id, {})
    own.ids["recovery_id"] = str(recovery.id)
    stops = (failed, second, late)
    own.hides(*(str(stop.id) for stop in stops), *(f'"{stop.tracking}"' for stop in stops))


async def keep(world: World, *rows: SQLModel) -> None:
    async with world.doorline.services.database.transaction() as session:
        session.add_all(rows)


async def test_no_get_shows_a_client_anything_of_another(stage: Stage) -> None:
    paths = (await stage.world.http.get(f"{stage.world.url}/openapi.json")).json()["paths"]
    reads = [path for path, methods in paths.items() if path.startswith("/api/v1/") and "get" in methods]
    assert len(reads) >= 18
    for path in reads:
        for mine, other in stage.pairs:
            for asked in ways_of_asking(other, names_in(paths[path]["get"])):
                own = await read(mine, path, mine.ids, asked)
                silent(own.content, other, path)
                if not asked and path not in OPEN_TO_OPERATORS_ONLY:
                    assert own.status_code == 200, (path, own.text)
            foreign = await read(mine, path, other.ids, {})
            silent(foreign.content.replace(str(foreign.url.path).encode(), b""), other, path)
            if "{" in path:
                assert foreign.status_code in (403, 404), (path, foreign.text)


async def read(whose: Shipper, path: str, ids: dict[str, str], asked: dict[str, str]) -> Any:
    day = whose.program.world.clock.now().date().isoformat()
    # The one kind of change is read at two addresses, each under its own name.
    known = ids | {"change_id": ids["window_change_id" if "window" in path else "cancellation_id"]}
    return await whose.program.calls(
        "GET", path.removeprefix("/api/v1").format(**known), params={"from": day, "to": day} | asked
    )


def names_in(described: dict[str, Any]) -> set[str]:
    """What may be asked in the query."""
    return {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}


def ways_of_asking(other: Shipper, names: set[str]) -> list[dict[str, str]]:
    """Each by itself; those that the call does not know are left out."""
    order = f"PO-{other.name.upper()}-1001"
    asked: list[dict[str, str]] = [
        {},
        {"client": other.name},
        *({"order_ref": each} for each in (order, *NASTY)),
        *({"tracking": each} for each in (f"T{100 if other.name == 'Acme' else 200}", "%")),
        # The page of a review is drawn slowly, and shows what the JSON holds: once is enough.
        *({"format": each} for each in ("csv", "json", *(["html"] if other.name == "Nova" else []))),
        {"limit": "500"},
    ]
    return [each for each in asked if set(each) <= names]


def silent(content: bytes, other: Shipper, where: str) -> None:
    """What the caller has written itself may stand in the answer; nothing that only the other one knows."""
    text = content.decode(errors="replace").lower()
    for secret in other.secrets | {"4471", "planter"}:
        assert secret not in text, f"{where} tells {secret!r} of {other.name}"


async def test_what_clients_are_told_is_their_own_and_names_nobody(stage: Stage) -> None:
    world = stage.world
    await world.advance(hours=2)
    for mine, other in stage.pairs:
        address = f"ops@{mine.name.lower()}.example"
        letters = [each for each in world.mail.messages(address) if each.direction == "outbound"]
        subjects = {each.subject for each in letters}
        assert len(subjects) >= 3, subjects
        rows = [
            *(
                str(each.facts)
                for each in await world.rows(ClientEvent, col(ClientEvent.client) == mine.name)
            ),
            *(str(each.facts) for each in await world.rows(ClientNews, col(ClientNews.client) == mine.name)),
            *(letter.subject + letter.text for letter in letters),
        ]
        assert len(rows) > 5
        for told in rows:
            silent(told.encode(), other, "what is told")
            for secret in ("frost", "quill", "oak avenue", "elm street", "5550101", "5550177", "4471"):
                assert secret not in told.lower()
        await answers_tell_of_nobody_else(world, mine, other)


async def answers_tell_of_nobody_else(world: World, mine: Shipper, other: Shipper) -> None:
    domain = f"{mine.name.lower()}.example"
    vouched = (("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from={domain}"),)
    writer = world.writer(f"ops@{domain}")
    asked = [str(each) for each in other.ids.values()] + sorted(other.secrets)
    for body in ("which failed today?", "summary", "late ones?", "re-deliveries?", *NASTY[:6]):
        answer = await writer.asks(body, headers=vouched)
        silent(answer.text.encode(), other, body)
    answer = await writer.asks("status of " + ", ".join(asked), headers=vouched)
    assert "delivered," not in answer.text
    assert "Window" not in answer.text
    assert "second try" not in answer.text
