"""The capability matrix, its page of the docs, what the doctor says of accounts, and accounts side by side."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.doctor import examine
from bot.platforms.cli import vendor_matrix
from bot.platforms.matrix import WORDS, markdown, rows, summary
from bot.stops.models import PlatformFeed, StopRecord
from connectors.base import Address, Capability, DeliveryWindow
from connectors.emulation import serving
from connectors.onfleet.emulator import OnfleetEmulator
from tests.harness.accounts import TIMEZONE
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World
from tools.platform_docs import PAGE, page

WEST_SECRET = "0e" * 32
ALL = ("onfleet", "route4me", "optimoroute")


def test_every_capability_has_words_and_every_platform_an_answer() -> None:
    assert set(WORDS) == set(Capability)
    matrix = vendor_matrix()
    assert list(matrix) == list(ALL)
    assert all(len(row) == 1 + len(ALL) and all(row) for row in rows(matrix))


def test_the_page_of_the_docs_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.platform_docs`"


def test_a_condition_stands_where_there_is_one() -> None:
    matrix = {"a": {Capability.CANCEL: "", Capability.PROOF: "a photo only"}, "b": {}}
    lines = markdown({"a": "A", "b": "B"}, matrix).splitlines()
    assert "| cancel a stop | yes | - |" in lines
    assert "| proof of delivery | a photo only | - |" in lines
    assert "cancel a stop" not in summary(matrix["a"])
    assert "cancel a stop" in summary(matrix["b"])
    assert summary(dict.fromkeys(Capability, "")) == "can do everything"


async def test_the_doctor_tells_what_accounts_lack_and_keeps_their_addresses_to_itself(
    bare_setting: Setting, empty_database: None
) -> None:
    async with World(bare_setting, platforms=("onfleet", "route4me")) as world:
        found = {probe.name: probe for probe in await asyncio.to_thread(examine, world.settings)}
        shown = {
            probe.name: probe
            for probe in await asyncio.to_thread(lambda: examine(world.settings, show_secrets=True))
        }
    assert found["Onfleet"].healthy
    assert "cannot: " in found["Onfleet"].detail
    assert found["OptimoRoute"].detail == "off: OPTIMOROUTE_API_KEY is not set"
    url = shown["Route4Me"].detail.rpartition(": ")[2]
    assert url.startswith(f"{world.url}/connectors/route4me/webhook/")
    assert url not in found["Route4Me"].detail
    assert "--show-secrets" in found["Route4Me"].detail


@pytest.fixture
async def west(bare_setting: Setting) -> AsyncIterator[tuple[OnfleetEmulator, str]]:
    """A second Onfleet account, and where it is."""
    from datetime import UTC, datetime

    emulator = OnfleetEmulator(
        "west-key",
        WEST_SECRET,
        now=lambda: datetime(2026, 6, 9, 16, 0, tzinfo=UTC),
        timezone="America/Los_Angeles",
        rate_limit=None,
        repeat_seconds=0.2,
    )
    async with serving(emulator.app) as url:
        yield emulator, url


async def test_two_accounts_of_one_platform_live_side_by_side(
    bare_setting: Setting,
    empty_database: None,
    west: tuple[OnfleetEmulator, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emulator, url = west
    for part, value in (("API_KEY", "west-key"), ("API_BASE", url), ("WEBHOOK_SECRET", WEST_SECRET)):
        monkeypatch.setenv(f"ONFLEET_WEST_{part}", value)
    accounts = "platforms:\n  accounts:\n    onfleet_west: {vendor: onfleet, timezone: America/Los_Angeles}\n"
    sop = protocol_with(tmp_path, {"platforms:\n": accounts})
    async with World(bare_setting, sop=sop) as world:
        worker = emulator.add_worker(
            "van-w", name="Wes", phone="+12135550999", team=emulator.add_team("Bay"), location=(34.0, -118.2)
        )
        task = emulator.add_task(
            "w-1",
            worker=worker,
            address=Address(line="1 Sunset Blvd", city="Los Angeles", postcode="90001", latitude=34.0, longitude=-118.2),
            recipient_name="Lee",
            recipient_phone="+12135550100",
            window=DeliveryWindow(start_at=world.local("13:00"), end_at=world.local("23:00")),
            created_at=world.clock.now() - timedelta(hours=3),
            metadata={"client": "Acme", "zone": "Bay"},
        )  # fmt: skip
        await world.has_stop()
        stops = {stop.platform: stop for stop in await world.rows(StopRecord)}
        assert set(stops) == {"onfleet", "onfleet_west"}
        assert stops["onfleet_west"].timezone == "America/Los_Angeles"
        assert stops["onfleet"].timezone == TIMEZONE

        async def hooks() -> int:
            return len(emulator.store.webhooks)

        await eventually(hooks, lambda count: count > 5, "the webhooks of the second account")
        emulator.complete_task(task["id"])

        async def west_status() -> str:
            return {stop.platform: stop.status.value for stop in await world.rows(StopRecord)}["onfleet_west"]

        await eventually(west_status, lambda status: status == "delivered", "the webhook to arrive")
        # One that is down takes nothing from the other, and dispatchers read which one it is.
        emulator.faults.down = True
        for _ in range(3):
            await world.advance(minutes=11)
        posts = [readable(message) for message in await world.channel()]
        assert [post for post in posts if "Nothing from Onfleet west for 20 min" in post]
        feeds = {feed.platform: feed for feed in await world.rows(PlatformFeed)}
        assert feeds["onfleet"].failing_since is None
        emulator.faults.down = False
