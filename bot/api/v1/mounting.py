"""Puts all of `/api/v1` on the application."""

from fastapi import APIRouter, FastAPI

from bot.api.v1 import (
    days,
    files,
    incidents,
    manifests,
    recoveries,
    reports,
    stop_requests,
    stops,
    subscriptions,
    tokens,
)
from bot.api.v1.bodies import BodyLimit
from bot.api.v1.problems import PREFIX, install_problems
from bot.api.v1.unforeseen import Unforeseen


def mount(app: FastAPI) -> None:
    """The app must carry its `Doorline` in `app.state.doorline`; see `auth.services_of`."""
    routes = APIRouter(prefix=PREFIX)
    # `/stops/csv` before `/stops/{stop_id}`: the first that fits answers.
    for each in (
        tokens,
        files,
        stop_requests,
        stops,
        recoveries,
        manifests,
        subscriptions,
        incidents,
        reports,
        days,
    ):
        routes.include_router(each.router)
    app.include_router(routes)
    app.add_middleware(BodyLimit)
    install_problems(app)
    # Last, so around everything: it sees what nobody else has turned into an answer.
    app.add_middleware(Unforeseen)
