"""The switch for an emulator's faults that tests and the demo page use over HTTP."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import Fault, Faults, read_json


class FaultsBody(BaseModel):
    """`POST /_emulator/faults`: what is not named stays as it is; `clear` comes first."""

    model_config = ConfigDict(extra="forbid")

    clear: bool = False
    down: bool | None = None
    error_share: float | None = None
    slow_share: float | None = None
    slow_seconds: float | None = None
    next: list[Fault] = []

    def apply_to(self, faults: Faults) -> None:
        if self.clear:
            faults.clear()
        for name in ("down", "error_share", "slow_share", "slow_seconds"):
            if (value := getattr(self, name)) is not None:
                setattr(faults, name, value)
        faults.next(*self.next)


Body = TypeVar("Body", bound=FaultsBody)


def faults_route(shape: type[Body], apply: Callable[[Body], None]) -> Route:
    """Answers 400 to what is no `shape`."""

    async def change_faults(request: Request) -> Response:
        try:
            wanted = shape.model_validate(await read_json(request))
        except ValueError as exc:
            return JSONResponse({"message": str(exc)}, 400)
        apply(wanted)
        return JSONResponse({"ok": True})

    return Route("/_emulator/faults", change_faults, methods=["POST"])
