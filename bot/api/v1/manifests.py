"""The day's manifest, for the operator's own systems."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bot.api.v1.auth import OperatorIn, ServicesIn
from bot.api.v1.bodies import Day, Text
from bot.api.v1.problems import not_found, problems
from connectors.desk import ManifestView

router = APIRouter(tags=["manifest"])


class Manifests(BaseModel):
    """One per zone that has stops on that day, by name."""

    manifests: list[ManifestView]


@router.get("/manifest", responses=problems(403, 404))
async def get_manifest(
    _operator: OperatorIn,
    services: ServicesIn,
    date: Annotated[Day | None, Query(description="Local day; today in the operator's zone.")] = None,
    zone: Annotated[
        Text | None, Query(max_length=200, description="One zone only; 404 if it has no stops.")
    ] = None,
) -> Manifests:
    """Every number in it was read at one instant, `as_of`."""
    day = date or services.clock.now().astimezone(services.sop.current.zone).date()
    views = await services.manifest_reader.views(day)
    if zone is not None:
        views = [view for view in views if view.zone.casefold() == zone.casefold()]
        if not views:
            raise not_found("manifest")
    return Manifests(manifests=views)
