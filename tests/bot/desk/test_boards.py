"""Posts that are kept current: posted once, edited in place, left alone while nothing that shows has changed."""

from datetime import date, timedelta
from typing import Any

from bot.desk.models import DeskBoard
from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import ManifestChange, ManifestLine, ManifestRoute, ManifestView
from connectors.emulation import Fault
from tests.harness.people import readable
from tests.harness.world import World

KEY = "manifest:North:2026-06-09"


def manifest(world: World, stops: int = 2, **changes: Any) -> ManifestView:
    window = DeliveryWindow(start_at=world.local("14:00"), end_at=world.local("16:00"))
    lines = tuple(
        ManifestLine(
            stop_id=f"s-{n}",
            tracking=f"T{n}",
            client="Acme",
            address_line=f"{n} Elm St",
            window=window,
            status=StopStatus.PLANNED,
            change=ManifestChange.ADDED if n > 2 else None,
        )
        for n in range(1, stops + 1)
    )
    route = ManifestRoute(route_ref="r", name="N1", driver_name="Ana", lines=lines)
    values: dict[str, Any] = {
        "zone": "North",
        "day": date(2026, 6, 9),
        "timezone": "America/New_York",
        "as_of": world.clock.now(),
        "posted_at": world.local("07:00"),
        "routes": (route,),
    }
    return ManifestView(**values | changes)


async def keep(world: World, view: ManifestView) -> None:
    services = world.doorline.services
    async with services.database.transaction() as session:
        await services.desk_boards.keep(session, KEY, "#dispatch", view)
    await world.settled()


async def test_a_board_is_posted_once_and_edited_in_place(bare_world: World) -> None:
    await keep(bare_world, manifest(bare_world))
    (first,) = await bare_world.channel()
    assert "2 stops on 1 route" in readable(first)
    await keep(bare_world, manifest(bare_world, stops=3))
    (second,) = await bare_world.channel()
    assert second["ts"] == first["ts"]
    assert "1 changed since 7:00 am" in readable(second)
    assert "Added: 3 Elm St" in readable(second)


async def test_nothing_new_makes_no_edit(bare_world: World) -> None:
    await keep(bare_world, manifest(bare_world))
    await keep(bare_world, manifest(bare_world, as_of=bare_world.clock.now() + timedelta(minutes=9)))
    assert bare_world.slack.api.calls["chat.update"] == 0


async def test_a_board_whose_answer_was_lost_stands_there_once(bare_world: World) -> None:
    bare_world.slack.faults.next(Fault("reset", after_work=True, path_contains="chat.postMessage"))
    await keep(bare_world, manifest(bare_world))
    await bare_world.retries()
    assert len(await bare_world.channel()) == 1
    (board,) = await bare_world.rows(DeskBoard)
    assert board.posted_revision == board.revision


async def test_two_thousand_stops_fit_into_one_message(bare_world: World) -> None:
    whole = manifest(bare_world, stops=2000)
    routes = tuple(
        ManifestRoute(
            route_ref=f"r{n}",
            name=f"N{n}",
            driver_name=f"Driver {n}",
            lines=whole.routes[0].lines[n * 20 : n * 20 + 20],
        )
        for n in range(100)
    )
    url = "https://doorline.example/board/manifest"
    await keep(bare_world, whole.model_copy(update={"routes": routes, "page_url": url}))
    (message,) = await bare_world.channel()
    shown = readable(message)
    assert "2,000 stops on 100 routes" in shown
    assert f"<{url}|see the manifest>" in shown
