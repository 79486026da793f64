"""The pretended world plays its day on the platforms that were asked for, and each can be taken down alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bot.demo import files
from bot.demo.files import DemoFiles
from bot.demo.supervisor import Supervisor
from bot.demo.world import World
from bot.errors import ConfigurationError
from bot.processes import free_port
from bot.settings import Settings
from bot.web.demo_backend import HttpDemoBackend
from bot.web.demo_state import DayState, Person
from tests.harness.waiting import eventually

STOPS = 30


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("onfleet", ("onfleet",)),
        ("all", ("onfleet", "route4me", "optimoroute")),
        ("optimoroute, route4me,optimoroute", ("optimoroute", "route4me")),
    ],
)
def test_platforms_are_chosen_by_name(wanted: str, expected: tuple[str, ...]) -> None:
    assert files.read_platforms(wanted) == expected


@pytest.mark.parametrize("wanted", ["", "onfleet,", "tookan"])
def test_a_name_that_is_none_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match="--platforms"):
        files.read_platforms(wanted)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[tuple[World, dict[str, int]]]:
    demo = DemoFiles(tmp_path)
    names = ("twilio", "slack", "mail", "smtp", "inbound_mail", "world", *files.PLATFORMS)
    ports = {name: free_port() for name in names}
    demo.folder.mkdir(parents=True)
    demo.ports.write_text(json.dumps(ports))
    played = World(
        demo,
        app_url="http://127.0.0.1:9",
        speed=1,
        stops=STOPS,
        platforms=files.PLATFORMS,
        route4me_secret="s" * 64,
    )
    running = asyncio.create_task(played.run(ports))
    yield played, ports
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def day_of(backend: HttpDemoBackend) -> DayState | None:
    with suppress(Exception):
        return await backend.day()
    return None


async def test_the_day_is_played_on_all_of_them_and_each_goes_down_alone(
    world: tuple[World, dict[str, int]],
) -> None:
    _, ports = world

    async def readiness() -> Person:
        return Person(id="-", name="-")

    backend = HttpDemoBackend(
        twilio=files.base(ports["twilio"]),
        slack=files.base(ports["slack"]),
        world=files.base(ports["world"]),
        channel_id="C0DISPATCH",
        dispatchers=[],
        readiness=readiness,
    )
    try:
        day = await eventually(lambda: day_of(backend), lambda seen: seen is not None, "the world")
        assert day is not None
        assert {route.platform for route in day.routes} == set(files.PLATFORMS)
        assert [platform.label for platform in day.platforms] == ["Onfleet", "Route4Me", "OptimoRoute"]
        assert (await backend.intervene("route4me_down")).said == "Route4Me is down."
        day = await backend.day()
        assert [platform.name for platform in day.platforms if platform.down] == ["route4me"]
        async with httpx.AsyncClient(trust_env=False) as http:
            answers = {
                name: (await http.get(files.base(ports[name]) + "/")).status_code for name in files.PLATFORMS
            }
        assert [name for name, status in answers.items() if status == 503] == ["route4me"]
        assert (await backend.intervene("route4me_up")).said == "Route4Me is back."
        async with httpx.AsyncClient(trust_env=False) as http:
            told = (await http.get(files.base(ports["world"]) + "/world/recipients")).json()
        assert {recipient["platform"] for recipient in told} == set(files.PLATFORMS)
        facts = json.loads(files.announcement("u", "r", ports, told, ("onfleet", "optimoroute")))
        assert facts["optimoroute"] == {
            "base": files.base(ports["optimoroute"]),
            "api_key": files.OPTIMOROUTE_API_KEY,
        }
        assert "route4me" not in facts
    finally:
        await backend.aclose()


def test_only_the_platforms_of_the_day_are_switched_on_in_the_app(tmp_path: Path) -> None:
    settings = Settings(doorline_var=tmp_path)
    supervisor = Supervisor(
        settings, port=8080, speed=1, stops=10, headless=True, platforms=("route4me", "optimoroute")
    )
    environment = supervisor._platform_environment({"route4me": 1, "optimoroute": 2})
    assert environment["ONFLEET_API_KEY"] == ""
    assert environment["ROUTE4ME_API_BASE"] == files.base(1)
    assert environment["OPTIMOROUTE_TIMEZONE"] == files.TIMEZONE
    on = Settings(_env_file=None, **{name.lower(): value for name, value in environment.items() if value})  # type: ignore[arg-type]
    assert on.account_environment("route4me").api_key is not None
    assert on.account_environment("onfleet").api_key is None
