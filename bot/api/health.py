"""Is the process alive, is it ready to answer, what has it counted."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

Check = Callable[[], Awaitable[bool]]


class Readiness(BaseModel):
    ready: bool
    parts: dict[str, bool]
    stage: str = ""
    """What is under way while not ready: `training the model`; empty otherwise."""


def router(checks: Mapping[str, Check], stage: Callable[[], str]) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def is_alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz", responses={503: {"model": Readiness}})
    async def is_ready() -> JSONResponse:
        readiness = await look(checks, stage)
        return JSONResponse(readiness.model_dump(), 200 if readiness.ready else 503)

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def look(checks: Mapping[str, Check], stage: Callable[[], str]) -> Readiness:
    parts = {name: await check() for name, check in checks.items()}
    ready = all(parts.values())
    return Readiness(ready=ready, parts=parts, stage="" if ready else stage())
