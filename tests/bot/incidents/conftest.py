"""An office where incidents are dealt with, on an empty database; a world whose app answers about them."""

from pathlib import Path

import pytest

from bot.api.v1 import incidents as incident_routes
from bot.api.v1.problems import PREFIX
from bot.db import Database
from bot.web import incidents as incident_page
from tests.bot.incidents.office import Office
from tests.harness.world import World


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


@pytest.fixture
def incident_world(bare_world: World) -> World:
    app, services = bare_world.app, bare_world.doorline.services
    paths = set(app.openapi()["paths"]) | {getattr(route, "path", "") for route in app.routes}
    if f"{PREFIX}/incidents" not in paths:
        app.include_router(incident_routes.router, prefix=PREFIX)
    if "/incidents/report/{token}" not in paths:
        app.include_router(incident_page.router(services.incident_reports, services.incident_links))
    return bare_world
